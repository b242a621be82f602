"""``hotfix rollback``: the way back from a hotfix, as a plan, or carried out."""
# ruff: noqa: PLC0415  (loaded when the command runs, so that --help and completion stay light)

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

import click

from hotfix import __version__
from hotfix.cli import apply, exits, options
from hotfix.cli.commands import approve_back_commands, rollback_command
from hotfix.cli.documents import kind_of, read, rollback_lockfile_of
from hotfix.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hotfix.apply.context import Request, WayBack
    from hotfix.apply.ports import Progress, Stop, Until
    from hotfix.apply.run import Outcome
    from hotfix.cli.operator import Operator
    from hotfix.cli.screen import Screen
    from hotfix.clock import Clock
    from hotfix.evidence.model import Lock
    from hotfix.forge.protocol import Telling
    from hotfix.forge.types import Noteable
    from hotfix.plan.model import Plan


@dataclass(frozen=True, slots=True)
class Flags(apply.Flags):
    """What the command line says beside the lockfile."""

    reason: str | None = None
    saved: Path | None = None

    def words(self) -> list[str]:
        """Write what a resumed run needs again; the reason is in the record by then."""
        more = ["--plan", str(self.saved)] if self.saved else []
        return [*more, *apply.Flags.words(self)]


@click.command("rollback")
@click.argument("hotfix", metavar="LOCK", type=options.FILE)
@click.option("--apply", "is_applied", is_flag=True, help="Carry the way back out, or resume it.")
@click.option("--reason", metavar="TEXT", help="Why; goes into the record. Else you are asked.")
@click.option(
    "--plan",
    "saved",
    type=options.FILE,
    metavar="FILE",
    help="Carry out exactly this saved way back, or nothing.",
)
@click.option("-o", "--out", type=options.FILE, metavar="FILE", help="Save the plan for review.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 where there is something to do.")
@options.run
@options.screen("text", "json", "markdown")
def command(  # noqa: PLR0913  (click hands over each option by name)
    screen: Screen,
    *,
    hotfix: Path,
    is_applied: bool,
    reason: str | None,
    saved: Path | None,
    out: Path | None,
    detailed_exitcode: bool,
    auto_approve: bool,
    promote: bool,
    until: Until | None,
    lock: Path | None,
    adopt_pipeline: int | None,
    wait: float | None,
    timeout: tuple[tuple[str, float], ...],
    lock_timeout: float,
    events: TextIO | None,
    break_glass: str | None,
    no_cache: bool,
    gitlab: str | None,
) -> int:
    """Show the way back from a hotfix; carry it out with --apply.

    LOCK is the hotfix's lockfile. Release gets the last known-good state back, on top of where it
    stands, and goes to production by the same pipeline and the same job. The plan says whether
    this is the way back that was approved with the hotfix. With --apply it asks as `apply` does,
    and why; the same command goes on where it stopped.
    """
    waits = (wait, lock_timeout, gitlab, no_cache, adopt_pipeline, timeout)
    run = (auto_approve, promote, until, lock, *waits)
    said = options.sentence("--reason", reason)
    glass = options.sentence("--break-glass", break_glass)
    flags = Flags(*run, break_glass=glass, reason=said, saved=saved)
    if not is_applied:
        waits_asked = (wait is not None, timeout, lock_timeout, adopt_pipeline)
        asked = (auto_approve, until, lock, *waits_asked, events, reason, saved, glass)
        if any(asked):
            raise click.UsageError("The options of a run need --apply.")
        return show(screen, hotfix, flags, out=out, detailed_exitcode=detailed_exitcode)
    if out is not None or detailed_exitcode:
        raise click.UsageError("--out and --detailed-exitcode are for the plan: without --apply.")
    outcome = apply.run(screen, hotfix, flags, events=events, work=carry_back)
    apply.show_outcome(screen, outcome, lock or rollback_lockfile_of(hotfix))
    return exits.DONE


def show(
    screen: Screen, lockfile: Path, flags: Flags, *, out: Path | None, detailed_exitcode: bool
) -> int:
    """Plan the way back, save the plan where that is asked, and show it."""
    from hotfix.cli.connection import connect
    from hotfix.cli.plan import present
    from hotfix.cli.waiting import Waiting
    from hotfix.clock import SystemClock
    from hotfix.plan.rollback import make_rollback

    clock = SystemClock()
    hotfix = _hotfix(lockfile, flags, clock)
    telling = Waiting(screen, clock)
    forge = connect(hotfix.plan.gitlab, use_cache=not flags.no_cache, telling=telling)
    built = make_rollback(hotfix.plan, forge, clock, tool_version=__version__)
    more = ("--plan", str(out)) if out else ()
    return present(
        screen,
        built.plan,
        out=out,
        detailed_exitcode=detailed_exitcode,
        next_command=rollback_command(lockfile, flags.gitlab, *more),
    )


def carry_back(
    lockfile: Path,
    flags: Flags,
    *,
    clock: Clock,
    operator: Operator,
    progress: Progress,
    stop: Stop,
    telling: Telling,
) -> Outcome:
    """Take a hotfix back by its lockfile."""
    from hotfix.apply.await_lock import await_lock
    from hotfix.apply.rollback import rollback
    from hotfix.cli.connection import connect

    request, back = request_for(lockfile, flags, clock, operator.reason)
    forge = connect(back.hotfix.plan.gitlab, use_cache=not flags.no_cache, telling=telling)
    return await_lock(
        lambda: rollback(
            request,
            back,
            forge=forge,
            clock=clock,
            operator=operator,
            progress=progress,
            stop=stop,
        ),
        longest=flags.lock_timeout,
        poll=request.pace.poll,
        clock=clock,
        progress=progress,
        stop=stop,
    )


def request_for(
    lockfile: Path, flags: Flags, clock: Clock, ask: Callable[[], str | None]
) -> tuple[Request, WayBack]:
    """Write down what taking a hotfix back asks for; ``ask`` asks for the reason where none is."""
    from hotfix.apply.context import Request, WayBack

    hotfix = _hotfix(lockfile, flags, clock)
    request = Request(
        spec=hotfix.plan.spec,
        saved=_saved(flags.saved, hotfix) if flags.saved else None,
        lockfile=_own_lockfile(lockfile, flags),
        command=rollback_command(lockfile, flags.gitlab, *flags.words()),
        plan_command=shlex.join(["hotfix", "rollback", str(lockfile)]),
        until=flags.until,
        adopt=flags.adopt_pipeline,
        pace=apply.pace_of(flags),
        tool_version=__version__,
        job=os.environ.get("CI_JOB_URL") or None,
        places=_places(lockfile, flags, hotfix),
        break_glass=flags.break_glass,
        approve_commands=approve_back_commands(lockfile, flags.saved, flags.gitlab),
    )
    return request, WayBack(lockfile, hotfix, lambda: flags.reason or ask())


def _hotfix(lockfile: Path, flags: Flags, clock: Clock) -> Lock:
    """Read the lockfile of the hotfix, once it is proven whole and of the GitLab that is meant."""
    from hotfix.apply.rollback import hotfix_journal

    kind = kind_of(read(lockfile))
    if kind != "lock":
        raise InputError(
            "not-a-lockfile",
            f"{lockfile} is a {kind}; the way back goes from what was done.",
            hint="Give the lockfile that `hotfix apply` wrote, beside the spec or the plan.",
        )
    lock = hotfix_journal(lockfile, clock).lock
    apply.trust(lock.plan, lockfile, flags.gitlab)
    return lock


def _places(lockfile: Path, flags: Flags, hotfix: Lock) -> tuple[Noteable, ...]:
    """List where approvals stand, of the hotfix and of a saved way back of its own."""
    from hotfix.cli import places

    files = [lockfile, flags.saved or rollback_lockfile_of(lockfile)]
    return tuple(
        place for file in files for place in places.known(file, hotfix.hotfix, hotfix.plan.gitlab)
    )


def _own_lockfile(hotfix: Path, flags: Flags) -> Path:
    lockfile = flags.lock or rollback_lockfile_of(hotfix)
    if lockfile.resolve() == hotfix.resolve():
        raise click.UsageError("--lock names the hotfix's own lockfile; a rollback has another.")
    return lockfile


def _saved(file: Path, hotfix: Lock) -> Plan:
    """Read the saved way back; raises ``InputError`` for a plan of anything else."""
    from hotfix.plan.document import parse

    plan = parse(read(file), str(file))
    if (plan.kind, plan.hotfix) != ("rollback", hotfix.hotfix):
        raise InputError(
            "not-applicable",
            f"{file} is no plan of a rollback of hotfix {hotfix.hotfix}.",
            hint="Make it with `hotfix rollback LOCK --out FILE`.",
        )
    return plan
