"""``hotfix rehearse``: the same plan on an embedded GitLab, with faults."""
# ruff: noqa: PLC0415  (loaded when the command runs, so that --help and completion stay light)

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import click

from hotfix import __version__
from hotfix.cli import exits, options
from hotfix.cli.documents import kind_of, read, transcript_of, write
from hotfix.errors import InputError, StaleError
from hotfix.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.cli.screen import Screen
    from hotfix.evidence.rehearsal import Rehearsal, Transcript
    from hotfix.plan.model import Plan
    from hotfix.rehearsal.cases import Wishes


@click.command("rehearse")
@click.argument("file", metavar="PLAN", type=options.FILE)
@click.option(
    "--faults",
    "named",
    multiple=True,
    metavar="all|none|lost|NAME",
    help="What goes wrong, each in a rehearsal of its own: all that is known, nothing, the "
    "connection at every write, before and after its effect (lost, the default), or one fault by "
    "its name or sentence, as in `hotfix sandbox --fault`. May be repeated.",
)
@click.option("--seed", type=int, metavar="N", help="Choose four faults at random, by this seed.")
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    metavar="N",
    help="So many random rehearsals, of the seed (1) and those after it.",
)
@click.option("-o", "--out", type=options.FILE, metavar="FILE", help="Write the transcript here.")
@options.no_cache
@options.gitlab
@options.screen("text", "json", "markdown")
def command(
    screen: Screen,
    *,
    file: Path,
    named: tuple[str, ...],
    seed: int | None,
    runs: int | None,
    out: Path | None,
    no_cache: bool,
    gitlab: str | None,
) -> int:
    """Carry out a saved plan on an embedded GitLab, with faults.

    The real GitLab is read and never written to; a read-only token does. The embedded one is made
    to stand as that does, the same commits are pushed there, and after each interruption the same
    command is run again, until all is done and proven to be done once. Smoke checks are not sent.
    The transcript lies beside the plan, which takes its digest. Exits with 0 only if every
    rehearsal converged.
    """
    from hotfix.evidence.rehearsal import digest_of, serialize

    wishes, data = _wishes(named, seed, runs), read(file)
    plan = _plan(data, file, gitlab)
    transcript = _rehearsed(screen, plan, wishes, no_cache=no_cache)
    place = out or transcript_of(file)
    digest = digest_of(transcript)
    write(place, serialize(transcript))
    show(screen, transcript, digest, place)
    _attach(transcript, digest, plan, data, file)
    return exits.DONE if transcript.verdict == "converged" else exits.FAILED


def _plan(data: bytes, file: Path, gitlab: str | None) -> Plan:
    from hotfix.cli.apply import trust
    from hotfix.plan.document import parse

    if kind_of(data) != "plan":
        raise InputError(
            "not-rehearsable",
            f"{file} is no saved plan.",
            hint="Save one with: hotfix plan SPEC --out FILE",
        )
    plan = parse(data, str(file))
    trust(plan, file, gitlab)
    return plan


def _wishes(named: tuple[str, ...], seed: int | None, runs: int | None) -> Wishes:
    """Read what is asked for; without any wish that is every lost connection."""
    from hotfix.rehearsal.cases import Wishes

    is_random = seed is not None or runs is not None
    first = 1 if seed is None else seed
    seeds = range(first, first + (runs or 1)) if is_random else range(0)
    try:
        return Wishes(named or (() if is_random else ("lost",)), seeds)
    except ValueError as error:
        raise InputError(
            "invalid-fault", f"{error}.", hint="Or write `--faults all`, `none` or `lost`."
        ) from error


def _rehearsed(screen: Screen, plan: Plan, wishes: Wishes, *, no_cache: bool) -> Transcript:
    from hotfix.cli.connection import connect
    from hotfix.cli.redaction import redacted
    from hotfix.cli.waiting import Waiting
    from hotfix.clock import SystemClock
    from hotfix.evidence.rehearsal import Transcript, serialize
    from hotfix.rehearsal.rehearse import rehearse
    from hotfix.rehearsal.scene import observe_scene

    clock = SystemClock()
    forge = connect(plan.gitlab, use_cache=not no_cache, telling=Waiting(screen, clock))
    scene = observe_scene(plan, forge, clock)
    transcript = rehearse(
        scene, wishes, clock=clock, tool_version=__version__, tell=_Counting(screen)
    )
    # The real token is not known to what was rehearsed; this is the last look all the same.
    return Transcript.model_validate_json(redacted(serialize(transcript).decode()))


class _Counting:
    """Tells on a terminal how far it is, on a line that is written over."""

    def __init__(self, screen: Screen) -> None:
        from hotfix.cli.screen import is_capable

        self._screen = screen
        self._is_shown = is_capable(sys.stderr) and not screen.quiet

    def __call__(self, done: Rehearsal, *, number: int, of: int) -> None:
        if self._is_shown:
            line = f"{number} of {of}: {one_line(done.name)} {done.verdict}"
            self._screen.say(f"\r\x1b[K{line[:78]}" + ("\r\x1b[K" if number == of else ""))


def _attach(transcript: Transcript, digest: str, plan: Plan, data: bytes, file: Path) -> None:
    """Put the transcript's digest into the plan's file, where the plan's own covers nothing."""
    from hotfix.plan.document import serialize
    from hotfix.plan.model import Rehearsed

    if read(file) != data:
        raise StaleError(
            "plan-changed",
            f"{file} was changed during the rehearsal, so the transcript is not named in it.",
            hint=f"Rehearse the plan that is there now: hotfix rehearse {shlex.quote(str(file))}",
        )
    rehearsed = Rehearsed(
        verdict=transcript.verdict, digest=digest, at=transcript.at, by=transcript.by
    )
    observed = plan.observed.model_copy(update={"rehearsal": rehearsed})
    write(file, serialize(plan.model_copy(update={"observed": observed})))


def show(screen: Screen, transcript: Transcript, digest: str, place: Path) -> None:
    """Write a transcript in the format that was asked for."""
    if screen.format == "json":
        from hotfix.views.json_documents import dumped, rehearsal_document

        code = exits.DONE if transcript.verdict == "converged" else exits.FAILED
        screen.out(dumped(rehearsal_document(transcript, digest, place, code)))
    elif screen.format == "markdown":
        from hotfix.views.rehearsal_markdown import rehearsal_markdown

        screen.out(rehearsal_markdown(transcript, digest=digest))
    elif screen.quiet:
        from hotfix.views.rehearsal_text import rehearsal_verdict

        screen.out(rehearsal_verdict(transcript) + "\n")
    else:
        from hotfix.views.rehearsal_text import rehearsal_text

        screen.page(rehearsal_text, transcript, digest=digest, place=str(place))
