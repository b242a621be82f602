"""``hotfix show``: prints a saved plan or a lockfile; asks nobody."""
# ruff: noqa: PLC0415  (loaded when the command runs, so that --help and completion stay light)

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hotfix.cli import exits, options
from hotfix.cli.commands import apply_command, rollback_command
from hotfix.cli.documents import hotfix_lockfile_of, kind_of, lockfile_of, read, transcript_of
from hotfix.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.cli.screen import Screen
    from hotfix.plan.model import Plan


@click.command("show")
@click.argument("file", type=options.FILE)
@options.screen("text", "json", "markdown", "junit")
def command(screen: Screen, file: Path) -> int:
    """Print a saved plan, a lockfile or a rehearsal, also a stale one.

    FILE is told by its content. A lockfile is shown as it states itself; `hotfix audit` tells
    whether it is genuine. `--format junit` writes a lockfile's checks as a test report for CI.
    """
    data = read(file)
    kind = kind_of(data)
    if screen.format == "junit" and kind != "lock":
        raise InputError(
            "nothing-to-report",
            f"{file} is no lockfile, so it has no checks to report.",
            hint="A run leaves its lockfile beside its spec: hotfix.lock.json.",
        )
    match kind:
        case "plan":
            _plan(screen, data, file)
        case "lock":
            _lock(screen, data, file)
        case "rehearsal":
            _rehearsal(screen, data, file)
        case _:
            raise InputError(
                "nothing-to-show",
                f"{file} is neither a saved plan nor a lockfile nor a rehearsal's transcript.",
                hint=f"If it is a spec: hotfix plan {file}",
            )
    return exits.DONE


def _plan(screen: Screen, data: bytes, file: Path) -> None:
    from hotfix.cli.plan import show_plan
    from hotfix.plan.document import parse

    plan = parse(data, str(file))
    show_plan(screen, plan, _next_command(plan, file))
    _tell_transcript(screen, plan, file)


def _next_command(plan: Plan, file: Path) -> str | None:
    """Say what carries a plan out; of a rollback, where its name tells which hotfix it is of."""
    if plan.kind == "hotfix":
        return apply_command(file, None)
    of = hotfix_lockfile_of(lockfile_of(file))
    return rollback_command(of, None, "--plan", str(file)) if of else None


def _tell_transcript(screen: Screen, plan: Plan, file: Path) -> None:
    """Say whether the transcript beside a plan is the one that the plan names."""
    place, named = transcript_of(file), plan.observed.rehearsal
    if not place.exists():
        if named is not None:
            screen.say(f"Note: the transcript of its rehearsal is not at {place}.\n")
        return
    from hotfix.evidence.rehearsal import digest_of, parse

    transcript = parse(read(place), str(place))
    if transcript.plan_digest != plan.digest:
        screen.say(f"Note: {place} is of another plan, {transcript.plan_digest}.\n")
    elif named is None or named.digest != digest_of(transcript):
        screen.say(f"Note: {place} is not the transcript that the plan names.\n")
    else:
        screen.say(f"The transcript is {place}, as the plan names it.\n")


def _rehearsal(screen: Screen, data: bytes, file: Path) -> None:
    from hotfix.cli.rehearse import show
    from hotfix.evidence.rehearsal import digest_of, parse

    transcript = parse(data, str(file))
    show(screen, transcript, digest_of(transcript), file)


def _lock(screen: Screen, data: bytes, file: Path) -> None:
    from hotfix.evidence.lockfile import parse

    document = parse(data, str(file))
    if screen.format == "json":
        from hotfix.views.json_documents import dumped

        screen.out(dumped(document.raw))
    elif screen.format == "markdown":
        from hotfix.views.evidence_markdown import lock_markdown

        screen.out(lock_markdown(document.lock))
    elif screen.format == "junit":
        from hotfix.views.junit import lock_junit

        screen.out(lock_junit(document.lock))
    elif screen.quiet:
        from hotfix.views.lock_text import lock_verdict

        screen.out(lock_verdict(document.lock) + "\n")
    else:
        from hotfix.views.lock_text import lock_text

        screen.page(lock_text, document.lock)
