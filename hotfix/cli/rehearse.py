"""``hotfix rehearse``: the same plan on an embedded GitLab, with faults."""
# ruff: noqa: PLC0415  (loaded when the command runs, so that --help and completion stay light)

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from hotfix import __version__
from hotfix.cli import exits, options
from hotfix.cli.documents import kind_of, read, transcript_of, write
from hotfix.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hotfix.cli.screen import Screen
    from hotfix.evidence.rehearsal import Rehearsal, Transcript
    from hotfix.plan.model import Plan
    from hotfix.rehearsal.rehearse import Case

_LOST: Final = ("-reset-before", "-reset-after")
"""How the catalogue's names of a lost connection end: every write before and after its effect."""


@click.command("rehearse")
@click.argument("file", metavar="PLAN", type=options.FILE)
@click.option(
    "--faults",
    "named",
    multiple=True,
    metavar="all|none|lost|NAME",
    help="What goes wrong, each in a rehearsal of its own: all that is known, nothing, every "
    "write's answer lost before and after its effect (the default), or one by its name or "
    "sentence, as in `hotfix sandbox --fault`. May be repeated.",
)
@click.option("--seed", type=int, metavar="N", help="Choose four faults at random, by this seed.")
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    metavar="N",
    help="So many random rehearsals, of this seed and those after it.",
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
    command is run again, until all is done and proven to be done once. The transcript lies beside
    the plan, which takes its digest. Exits with 0 only if every rehearsal converged.
    """
    plan = _plan(file, gitlab)
    cases = _cases(named, seed, runs)
    transcript = _rehearsed(screen, plan, cases, no_cache=no_cache)
    place = out or transcript_of(file)
    digest = _kept(transcript, plan, place, file)
    show(screen, transcript, digest, place)
    return exits.DONE if transcript.verdict == "converged" else exits.FAILED


def _plan(file: Path, gitlab: str | None) -> Plan:
    from hotfix.cli.apply import trust
    from hotfix.plan.document import parse

    data = read(file)
    if kind_of(data) != "plan":
        raise InputError(
            "not-rehearsable",
            f"{file} is no saved plan.",
            hint="Save one with: hotfix plan SPEC --out FILE",
        )
    plan = parse(data, str(file))
    trust(plan, file, gitlab)
    return plan


def _cases(named: Sequence[str], seed: int | None, runs: int | None) -> list[Case]:
    """List the rehearsals that are asked for; without any wish those of lost answers."""
    from hotfix.rehearsal.rehearse import Case
    from hotfix.sandbox.schedules import random_schedule

    is_random = seed is not None or runs is not None
    first = 1 if seed is None else seed
    seeds = range(first, first + (runs or 1)) if is_random else ()
    wishes = named or (() if is_random else ("lost",))
    return [
        *(case for wish in wishes for case in _wished(wish)),
        *(Case(f"seed {each}", random_schedule(each)) for each in seeds),
    ]


def _wished(wish: str) -> list[Case]:
    from hotfix.rehearsal.rehearse import Case
    from hotfix.sandbox.schedules import catalogue, parse

    nothing = Case("no faults", ())
    known = [Case(name, (fault,)) for name, fault in catalogue().items()]
    match wish:
        case "none":
            return [nothing]
        case "all":
            return [nothing, *known]
        case "lost":
            return [nothing, *(case for case in known if case.name.endswith(_LOST))]
    try:
        return [Case(wish, (parse(wish),))]
    except ValueError as error:
        raise InputError(
            "invalid-fault", f"{error}.", hint="Or write `--faults all`, `none` or `lost`."
        ) from error


def _rehearsed(screen: Screen, plan: Plan, cases: Sequence[Case], *, no_cache: bool) -> Transcript:
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
        scene, cases, clock=clock, tool_version=__version__, tell=_counting(screen, len(cases))
    )
    # The real token is not known to what was rehearsed; this is the last look all the same.
    return Transcript.model_validate_json(redacted(serialize(transcript).decode()))


def _counting(screen: Screen, total: int) -> Callable[[Rehearsal], None]:
    """Tell on a terminal how far it is, on a line that is written over."""
    from hotfix.cli.screen import is_capable

    done = 0
    shown = is_capable(sys.stderr)

    def tell(rehearsal: Rehearsal) -> None:
        nonlocal done
        done += 1
        if shown:
            line = f"{done} of {total}: {rehearsal.name} {rehearsal.verdict}"
            screen.say(f"\r\x1b[K{line[:78]}" + ("\r\x1b[K" if done == total else ""))

    return tell


def _kept(transcript: Transcript, plan: Plan, place: Path, file: Path) -> str:
    """Write the transcript, and its digest into the plan where the plan's own covers nothing."""
    from hotfix.evidence.rehearsal import digest_of, serialize
    from hotfix.plan.document import serialize as plan_bytes
    from hotfix.plan.model import Rehearsed

    digest = digest_of(transcript)
    write(place, serialize(transcript))
    rehearsed = Rehearsed(
        verdict=transcript.verdict, digest=digest, at=transcript.at, by=transcript.by
    )
    observed = plan.observed.model_copy(update={"rehearsal": rehearsed})
    write(file, plan_bytes(plan.model_copy(update={"observed": observed})))
    return digest


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
