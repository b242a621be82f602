"""Making a plan happen: every step once, whatever was interrupted before.

The same command resumes. What is done is asked of GitLab, never taken from the journal alone: each
step probes first, writes its intent to disk, acts, and writes what it then observed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hotfix.apply.alone import alone
from hotfix.apply.context import Request, Run
from hotfix.apply.hold import (
    hold,
    refuse_blocked,
    refuse_forbidden,
    refuse_not_permitted,
)
from hotfix.apply.journal import Journal
from hotfix.apply.locks import refuse_held
from hotfix.apply.loop import Loop
from hotfix.apply.moves import name_mover
from hotfix.apply.steps.incident import write_head
from hotfix.canonical import digest
from hotfix.clock import timestamp
from hotfix.errors import StaleError, WaitingError
from hotfix.evidence.model import Approval
from hotfix.forge.protocol import ForgeError
from hotfix.identifiers import short
from hotfix.parallel import in_parallel
from hotfix.plan.document import to_json
from hotfix.plan.make import make_plan

if TYPE_CHECKING:
    from hotfix.apply.ports import Operator, Progress, Stop
    from hotfix.clock import Clock
    from hotfix.evidence.model import Lock
    from hotfix.forge.protocol import Forge
    from hotfix.plan.build import Built
    from hotfix.plan.model import Plan

__all__ = ["Outcome", "Request", "apply"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended that raised nothing."""

    lock: Lock
    message: str


def apply(
    request: Request,
    *,
    forge: Forge,
    clock: Clock,
    operator: Operator,
    progress: Progress,
    stop: Stop,
) -> Outcome:
    """Carry a plan out, or go on with it.

    Raises ``BlockedError`` and ``StaleError`` before anything is changed where the runbook or the
    world speaks against it, ``WaitingError`` at a gate nobody answered, ``LockedError`` while
    another run is at work, ``FailedError`` for everything that went wrong. Each ends with the
    command that goes on.
    """
    try:
        return _apply(request, forge, clock, operator, progress, stop)
    except ForgeError as error:
        if request.command not in error.hint:
            error.hint = f"{error.hint} Go on with: {request.command}".lstrip()
        raise
    except StaleError as error:
        name_mover(error, forge)
        if error.code != "spec-changed" and request.command not in error.hint:
            error.hint = f"{error.hint} Plan again with: {request.plan_command}"
        raise


def _apply(
    request: Request,
    forge: Forge,
    clock: Clock,
    operator: Operator,
    progress: Progress,
    stop: Stop,
) -> Outcome:
    with alone(request.lockfile):
        journal = Journal.resume(request.lockfile, clock)
        if journal is not None:
            _refuse_changed(journal, request)
        if journal is not None and journal.lock.state == "complete":
            plan, built, approval = journal.lock.plan, None, None
        else:
            refuse_held(request, forge, clock, journal)
            built = make_plan(request.spec, forge, clock, tool_version=request.tool_version)
            refuse_not_permitted(built.plan)
            plan = _plan_to_hold(journal, request, built)
            approval = None
        if journal is None:
            done = built is not None and _is_nothing_to_do(built.plan)
            # Asked before there is a lockfile: one that is there counts as approved.
            approval = None if done else _approve(plan, operator, forge, clock, request)
            by = forge.current_user().username
            journal = Journal.begin(
                request.lockfile, plan, by=by, tool_version=request.tool_version, clock=clock
            )
            if done:
                message = "Nothing to do. Production and release already match the request."
                return Outcome(journal.lock, message)
        run = Run(
            request=request,
            plan=plan,
            objects=built.objects if built else {},
            forge=forge,
            clock=clock,
            operator=operator,
            progress=progress,
            stop=stop,
            journal=journal,
        )
        if built is None:
            return _already_complete(run)
        message = Loop(run, built.plan, approval).carry_out()
        return Outcome(run.journal.lock, message)


def _plan_to_hold(journal: Journal | None, request: Request, built: Built) -> Plan:
    """Choose the plan that binds: the lockfile's, the saved one, or the one made just now."""
    plan = journal.lock.plan if journal else request.saved
    if plan is None:
        refuse_blocked(built.plan)
        return built.plan
    if journal and request.saved and request.saved.digest != plan.digest:
        raise StaleError(
            "plan-stale",
            f"{journal.path} is of plan {plan.digest}; given is {request.saved.digest}.",
            hint="A run holds to the plan that it began with. Apply that one, or the spec.",
        )
    refuse_forbidden(plan)
    if journal is None:
        refuse_blocked(plan)
    hold(plan, built.plan, begun=journal is not None)
    return plan


def _is_nothing_to_do(plan: Plan) -> bool:
    """Tell whether all of it is in production, and none of it came by a run of this hotfix.

    Commits of this hotfix on the branch are a run that lost its lockfile: that one is recorded.
    """
    kept = any(commit.action == "keep" for target in plan.targets for commit in target.commits)
    return not kept and not any(to_json(plan.summary).values())


def _refuse_changed(journal: Journal, request: Request) -> None:
    now = digest(to_json(request.spec))
    if journal.lock.spec_digest != now:
        raise StaleError(
            "spec-changed",
            f"{journal.path} belongs to the spec {journal.lock.spec_digest}; this one is {now}.",
            hint="A changed hotfix gets a new id, or take the spec back to what was applied.",
        )


def _approve(
    plan: Plan, operator: Operator, forge: Forge, clock: Clock, request: Request
) -> Approval:
    answer = operator.approve_plan(plan)
    if answer is None:
        raise WaitingError(
            "plan-not-approved",
            "The plan waits for your yes; nothing was changed.",
            hint=f"Answer at a terminal, or with --auto-approve: {request.command}",
        )
    return Approval(
        by=forge.current_user().username,
        at=timestamp(clock.now()),
        what=f"carry out plan {plan.digest}",
        source=answer.source,
    )


def _already_complete(run: Run) -> Outcome:
    """Look whether GitLab still shows what a complete lockfile says, and repeat nothing.

    Raises ``StaleError`` where it does not: the record is true of its time, not of now.
    """
    lock = run.journal.lock
    environments = in_parallel(
        partial(run.forge.environment, target.project, target.environment)
        for target in lock.plan.targets
    )
    for target, environment in zip(lock.plan.targets, environments, strict=True):
        runs = environment.deployed_sha
        if runs != target.after:
            raise StaleError(
                "production-moved",
                f"Hotfix {lock.hotfix} is complete, but {target.environment} of {target.project} "
                f"runs {short(runs or 'nothing')} now, no longer {short(target.after or '?')}.",
                hint=f"Somebody deployed since: {environment.web_url} Nothing was done.",
            )
    if lock.seal is None:
        write_head(run)
        return Outcome(run.journal.lock, f"Hotfix {lock.hotfix} is complete, and sealed now.")
    since = lock.entries[-1].at
    return Outcome(lock, f"Nothing to do. Hotfix {lock.hotfix} is complete since {since}.")
