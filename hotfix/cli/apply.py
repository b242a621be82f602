"""``hotfix apply``: carries a plan out, and resumes a broken run."""
# ruff: noqa: PLC0415  (loaded when the command runs, so that --help and completion stay light)

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TextIO

import click

from hotfix import __version__
from hotfix.cli import exits, options
from hotfix.cli.commands import (
    apply_command,
    approve_commands,
    plan_command,
    rollback_command,
)
from hotfix.cli.documents import kind_of, lockfile_of, read, source_of
from hotfix.errors import InputError, InterruptedRunError, WaitingError
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hotfix.apply.context import Request
    from hotfix.apply.ports import Operator, Pace, Progress, Stop, Until
    from hotfix.apply.run import Outcome
    from hotfix.cli.operator import Answers
    from hotfix.cli.screen import Screen
    from hotfix.cli.signals import Interrupts
    from hotfix.clock import Clock
    from hotfix.forge.protocol import Telling
    from hotfix.plan.model import Plan
    from hotfix.spec.model import Spec


_LONGEST_POLL: Final = 3600


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line says beside the file."""

    auto_approve: bool = False
    promote: bool = False
    until: Until | None = None
    lock: Path | None = None
    wait: float | None = None
    lock_timeout: float = 0.0
    gitlab: str | None = None
    no_cache: bool = False
    adopt_pipeline: int | None = None
    timeout: tuple[tuple[str, float], ...] = ()
    """The most that waits of a step may take, by its name."""
    acknowledge: str | None = None
    break_glass: str | None = None

    def __post_init__(self) -> None:
        """Refuse what would answer the second question and not the first."""
        if self.promote and not self.auto_approve:
            raise click.UsageError("--promote needs --auto-approve.")

    def words(self) -> list[str]:
        """Write what a resumed run needs again; answers of gates are not among it."""
        return [
            *(["--until", self.until] if self.until else []),
            *(["--lock", str(self.lock)] if self.lock else []),
            *(["--lock-timeout", f"{self.lock_timeout:g}"] if self.lock_timeout else []),
            *(["--no-cache"] if self.no_cache else []),
            *(["--break-glass", self.break_glass] if self.break_glass else []),
        ]


@click.command("apply")
@click.argument("file", metavar="SPEC|PLAN", type=options.FILE)
@click.option(
    "--acknowledge",
    metavar="HASH",
    help="Go past exactly the warnings whose list has this hash; `apply` and `plan` name it.",
)
@options.run
@options.screen("text", "json", "markdown")
def command(  # noqa: PLR0913  (click hands over each option by name)
    screen: Screen,
    *,
    file: Path,
    acknowledge: str | None,
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
    """Carry out a spec or a saved plan, or resume a run.

    The same command goes on where a run stopped, and does nothing twice. It asks twice: before
    anything is changed, and before the production job is pressed. Without a terminal and
    without the flag that answers, it stops at the gate with 3.
    """
    waits = (wait, lock_timeout, gitlab, no_cache, adopt_pipeline, timeout)
    past = (acknowledge, options.sentence("--break-glass", break_glass))
    flags = Flags(auto_approve, promote, until, lock, *waits, *past)
    _refuse_lockfile(file)
    outcome = run(screen, file, flags, events=events)
    show_outcome(screen, outcome, lock or lockfile_of(file))
    return exits.DONE


def run(
    screen: Screen,
    file: Path,
    flags: Flags,
    *,
    events: TextIO | None = None,
    answers: Callable[[Screen, Interrupts], Answers] | None = None,
    show_plan: bool = True,
    work: Callable[..., Outcome] | None = None,
) -> Outcome:
    """Carry a file out with a person at the terminal, whom signals may stop.

    ``answers`` makes the one who answers where it is not the person at the terminal;
    ``show_plan`` is off where the plan stands on the screen already. ``work`` is what is done with
    the file where it is not applied; it is called as ``carry_out`` is.
    """
    from hotfix.apply.ports import Stop
    from hotfix.cli.operator import Operator, TerminalAnswers
    from hotfix.cli.progress import progress_on
    from hotfix.cli.signals import Interrupts
    from hotfix.cli.waiting import Waiting
    from hotfix.clock import SystemClock

    clock, stop = SystemClock(), Stop()
    with Interrupts(stop) as interrupts, contextlib.ExitStack() as stack:
        progress, pause = progress_on(screen, clock, events, stack)
        operator = Operator(
            (answers or TerminalAnswers)(screen, interrupts),
            pause=pause,
            show_plan=lambda plan: (
                show_asked(screen, plan, is_asked=not flags.auto_approve) if show_plan else None
            ),
            auto_approve=flags.auto_approve,
            promote=flags.promote,
            acknowledge=flags.acknowledge,
        )
        try:
            return (work or carry_out)(
                file,
                flags,
                clock=clock,
                operator=operator,
                progress=progress,
                stop=stop,
                telling=Waiting(screen, clock, shows_waits=False),
            )
        except WaitingError as error:
            if not stop.requested:
                raise
            # Ctrl-C at a question: nobody refused, somebody stopped.
            raise InterruptedRunError("interrupted", error.message, hint=error.hint) from error


def carry_out(
    file: Path,
    flags: Flags,
    *,
    clock: Clock,
    operator: Operator,
    progress: Progress,
    stop: Stop,
    telling: Telling,
) -> Outcome:
    """Apply a spec or a saved plan, whichever the file is."""
    from hotfix.apply.await_lock import await_lock
    from hotfix.apply.run import apply
    from hotfix.cli.connection import connect

    request, gitlab = request_for(file, flags)
    forge = connect(gitlab, use_cache=not flags.no_cache, telling=telling)
    return await_lock(
        lambda: apply(
            request, forge=forge, clock=clock, operator=operator, progress=progress, stop=stop
        ),
        longest=flags.lock_timeout,
        poll=request.pace.poll,
        clock=clock,
        progress=progress,
        stop=stop,
    )


def _refuse_lockfile(file: Path) -> None:
    if kind_of(read(file)) == "lock":
        raise InputError(
            "not-applicable",
            f"{file} is a lockfile: the record of a run, not what one is made of.",
            hint="Apply the spec or the saved plan that it lies beside.",
        )


def request_for(file: Path, flags: Flags) -> tuple[Request, str | None]:
    """Write down what a spec, a plan or a lockfile asks for, and through which GitLab."""
    from hotfix.apply.context import Request
    from hotfix.cli import places

    spec, saved, gitlab = _asked(file, flags.gitlab)
    is_lock = kind_of(read(file)) == "lock"
    lockfile = flags.lock or (file if is_lock else lockfile_of(file))
    source = source_of(file) if is_lock else file
    request = Request(
        spec=spec,
        saved=saved,
        lockfile=lockfile,
        command=apply_command(source, flags.gitlab, *flags.words()),
        plan_command=plan_command(source, flags.gitlab),
        until=flags.until,
        adopt=flags.adopt_pipeline,
        pace=pace_of(flags),
        tool_version=__version__,
        job=os.environ.get("CI_JOB_URL") or None,
        way_back=rollback_command(lockfile, flags.gitlab),
        places=places.known(source, spec.id, gitlab) if gitlab else (),
        break_glass=flags.break_glass,
        approve_commands=approve_commands(source, flags.gitlab),
    )
    return request, gitlab


def _asked(file: Path, gitlab: str | None) -> tuple[Spec, Plan | None, str | None]:
    """Read what is asked for; of a lockfile, which only `status` goes on from, its own spec."""
    from hotfix.cli.connection import environment_gitlab

    data = read(file)
    kind = kind_of(data)
    if kind == "lock":
        from hotfix.evidence.lockfile import parse as parse_lock

        plan = parse_lock(data, str(file)).lock.plan
        trust(plan, file, gitlab)
        return plan.spec, None, plan.gitlab
    if kind == "plan":
        from hotfix.plan.document import parse

        plan = parse(data, str(file))
        if plan.kind == "rollback":
            raise InputError(
                "not-applicable",
                f"{file} is the plan of a rollback, which ends the record of its hotfix too.",
                hint=f"hotfix rollback LOCK --apply --plan {shlex.quote(str(file))}, with the "
                "hotfix's lockfile for LOCK.",
            )
        trust(plan, file, gitlab)
        refuse_weakened(plan, file)
        return plan.spec, plan, plan.gitlab
    from hotfix.spec.load import load_spec

    loaded = load_spec(file, gitlab=gitlab, fallback=environment_gitlab(), require_gitlab=True)
    return loaded.spec, None, loaded.gitlab


def trust(plan: Plan, file: Path, gitlab: str | None) -> None:
    """Hold what a saved plan says of itself against what the team and the operator say.

    The digest that was approved does not cover the address, and the token goes there. And whether
    commands may run here is for defaults.yaml to say, never for a file that is passed on.
    """
    from hotfix.spec.load import load_defaults

    refuse_other_gitlab(plan, file, gitlab)
    team = load_defaults(file)
    allowed = team is not None and bool(team.policy.allow_commands)
    checks = [check for target in plan.spec.targets for check in target.smoke_checks]
    checks += [check for change in plan.targets for check in change.smoke_checks]
    if any(check.command for check in checks) and not allowed:
        raise InputError(
            "commands-not-allowed",
            f"{file} has smoke checks that run commands, and no defaults.yaml here allows them.",
            hint="Read those commands, then write `policy: {allow_commands: true}` into it.",
        )


def refuse_weakened(plan: Plan, file: Path) -> None:
    """Refuse a saved plan whose policy is weaker than the team's.

    A plan carries the policy that it was made under, and it could have been made elsewhere.
    """
    from hotfix.spec.document import DefaultsDocument
    from hotfix.spec.load import load_defaults
    from hotfix.spec.policy_document import team_policy

    team = team_policy(load_defaults(file) or DefaultsDocument(version=1))
    keys = plan.spec.policy.weaker_than(team)
    if keys is not None:
        raise InputError(
            "policy-weakened",
            f"{file} was made under a policy that asks for less than the team's does here, in "
            f"`{'.'.join(keys)}`.",
            hint="It was made with other defaults. Plan again, and have the new plan approved.",
        )


def refuse_other_gitlab(plan: Plan, file: Path, gitlab: str | None) -> None:
    """Refuse a saved plan of another GitLab than the team or the operator names."""
    from hotfix.cli.connection import environment_gitlab
    from hotfix.spec.gitlab_url import normalized
    from hotfix.spec.load import load_defaults

    team = load_defaults(file)
    named = gitlab or (team.gitlab if team else None) or environment_gitlab()
    if named and normalized(named) != normalized(plan.gitlab):
        raise InputError(
            "gitlab-differs",
            f"{file} was planned on {one_line(plan.gitlab)}, named here is {named}.",
            hint="The token would go to another GitLab. Plan again on the one that is meant.",
        )


def pace_of(flags: Flags) -> Pace:
    """Tell how often is looked and how long is waited; raises ``InputError``."""
    from hotfix.apply.ports import Pace

    pace = Pace(longest=flags.wait, longest_of=dict(flags.timeout))
    given = os.environ.get("HOTFIX_POLL_SECONDS", "").strip()
    if not given:
        return pace
    try:
        poll = float(given)
    except ValueError:
        poll = 0.0
    if not 0 < poll <= _LONGEST_POLL:
        raise InputError(
            "invalid-poll-seconds",
            f"HOTFIX_POLL_SECONDS is {given!r}.",
            hint=f"Write a number of seconds above 0, at most {_LONGEST_POLL}, such as 0.5.",
        )
    return replace(pace, poll=poll)


def show_asked(screen: Screen, plan: Plan, *, is_asked: bool) -> None:
    """Print the plan before its question, always where the question is read.

    Standard output may be a file, or a document of another format: then whoever is asked sees the
    plan on standard error.
    """
    from hotfix.cli.operator import somebody_is_there
    from hotfix.views.plan_text import plan_text

    if screen.format == "text" and (is_asked or not screen.quiet):
        screen.page(plan_text, plan, next_command=None)
    seen = screen.format == "text" and sys.stdout.isatty()
    if somebody_is_there() and is_asked and not seen:
        colour = screen.colour(sys.stderr)
        screen.err(plan_text(plan, width=screen.width, colour=colour, next_command=None))


def show_outcome(screen: Screen, outcome: Outcome, lockfile: Path) -> None:
    """Show how a run ended in the format that was asked for."""
    if screen.format == "json":
        from hotfix.views.json_documents import dumped, run_document

        screen.out(dumped(run_document(outcome.lock, lockfile, outcome.message, exits.DONE)))
    elif screen.format == "markdown":
        from hotfix.views.evidence_markdown import lock_markdown

        screen.out(lock_markdown(outcome.lock))
    else:
        screen.out(f"{outcome.message}\n")
        if lockfile.exists():
            screen.say(f"The record is {lockfile}\n")
