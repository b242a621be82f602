"""Making a plan happen: every step once, whatever was interrupted before.

The same command resumes. What is done is asked of GitLab, never taken from the journal alone: each
step probes first, writes its intent to disk, acts, and writes what it then observed.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from hotfix.apply import approvals, policy
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
from hotfix.apply.progressed import pressed
from hotfix.apply.steps.incident import write_head
from hotfix.canonical import digest
from hotfix.clock import timestamp
from hotfix.errors import (
    BlockedError,
    HotfixError,
    InputError,
    InterruptedRunError,
    StaleError,
    WaitingError,
)
from hotfix.evidence.model import Approval
from hotfix.identifiers import short
from hotfix.parallel import in_parallel
from hotfix.plan.document import to_json
from hotfix.plan.make import make_plan
from hotfix.plan.rollback import make_rollback
from hotfix.plan.summary import NOTHING_TO_GO_BACK_FROM

if TYPE_CHECKING:
    from hotfix.apply.ports import Operator, Progress, Stop
    from hotfix.clock import Clock
    from hotfix.evidence.model import Lock
    from hotfix.forge.protocol import Forge
    from hotfix.plan.build import Built
    from hotfix.plan.model import Plan

__all__ = ["Outcome", "Request", "apply"]


_PLANNED_ANEW: Final = frozenset({"branch-moved", "production-moved", "plan-stale"})
"""What is stale in these ways is mended by another plan."""


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
    except StaleError as error:
        name_mover(error, forge)
        if error.code in _PLANNED_ANEW:
            error.hint = f"{error.hint}\nPlan again with: {request.plan_command}"
        _name_command(error, request)
        raise
    except HotfixError as error:
        # What is wrong with the command line itself is not mended by the same command.
        if not isinstance(error, InputError) or error.code.startswith("lock-"):
            _name_command(error, request)
        raise
    except KeyboardInterrupt as interrupt:
        raise InterruptedRunError(
            "interrupted",
            "Stopped at once. What was under way may have happened in GitLab all the same.",
            hint=f"The same command looks first and repeats nothing: {request.command}",
        ) from interrupt


def _name_command(error: HotfixError, request: Request) -> None:
    """End a refusal with the command that comes next, where whoever refused did not name it."""
    last = error.hint.rpartition("\n")[2]
    offered = (request.command, request.plan_command, request.way_back, "hotfix audit ")
    if any(each and each in last for each in offered):
        return
    again = isinstance(error, BlockedError | StaleError)
    following = (
        f"Plan again with: {request.plan_command}" if again else f"Go on with: {request.command}"
    )
    error.hint = f"{error.hint}\n{following}".lstrip()


def _apply(
    request: Request,
    forge: Forge,
    clock: Clock,
    operator: Operator,
    progress: Progress,
    stop: Stop,
) -> Outcome:
    writes = not request.looks_only
    with alone(request.lockfile) if writes else nullcontext():
        journal = Journal.resume(request.lockfile, clock, writes=writes)
        if journal is not None:
            _refuse_changed(journal, request)
            _refuse_taken_back(journal)
        if journal is not None and journal.lock.state == "complete":
            plan, built, approval = journal.lock.plan, None, None
        else:
            refuse_held(request, forge, clock, journal)
            policy.refuse_glass(request)
            built = _make(journal, request, forge, clock)
            refuse_not_permitted(built.plan)
            plan = _plan_to_hold(journal, request, built)
            approval = None
        done = built is not None and journal is None and _is_nothing_to_do(built.plan)
        reason: str | None = None
        weighed = None
        if built is not None and not done:
            lock = journal.lock if journal else None
            tally = approvals.require(request, plan, built.plan, forge, lock)
            weighed = policy.weigh(request, plan, built.plan, tally, lock, clock)
            if journal is None:
                # Asked before there is a lockfile: one that is there counts as approved.
                approval = _approve(plan, operator, forge, clock, request)
            weighed = policy.answer(weighed, request, lock, operator, forge, clock)
            reason = _reason(request) if journal is None else None
        if journal is None:
            by = forge.current_user().username
            journal = Journal.begin(
                request.lockfile,
                plan,
                by=by,
                tool_version=request.tool_version,
                clock=clock,
                writes=writes,
            )
            if done:
                return Outcome(journal.lock, _nothing(plan))
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
            reason=reason,
            sibling=request.back.hotfix if request.back else None,
        )
        if built is None:
            return _already_complete(run)
        message = Loop(run, built.plan, approval, weighed).carry_out()
        return Outcome(run.journal.lock, message)


def _nothing(plan: Plan) -> str:
    if plan.kind == "rollback":
        return NOTHING_TO_GO_BACK_FROM
    return "Nothing to do. Production and release already match the request."


def _make(journal: Journal | None, request: Request, forge: Forge, clock: Clock) -> Built:
    """Plan the request as the world is now; a rollback that has begun keeps its targets."""
    if request.back is None:
        return make_plan(
            request.spec,
            forge,
            clock,
            tool_version=request.tool_version,
            ask_version=request.ask_version,
        )
    return make_rollback(
        request.back.hotfix.plan,
        forge,
        clock,
        tool_version=request.tool_version,
        begun={target.project for target in journal.lock.plan.targets} if journal else None,
    )


def _plan_to_hold(journal: Journal | None, request: Request, built: Built) -> Plan:
    """Choose the plan that binds: the lockfile's, the saved one, or the one made just now."""
    plan = journal.lock.plan if journal else request.saved
    if plan is None:
        refuse_blocked(policy.standing(built.plan.blockers, request, None))
        return built.plan
    if journal and request.saved and request.saved.digest != plan.digest:
        raise StaleError(
            "plan-stale",
            f"{journal.path} is of plan {plan.digest}; given is {request.saved.digest}.",
            hint="A run holds to the plan that it began with. Apply that one, or the spec.",
        )
    refuse_forbidden(plan)
    _refuse_going_back(plan, built.plan, request)
    lock = journal.lock if journal else None
    if lock is None:
        refuse_blocked(policy.standing(plan.blockers, request, lock))
    hold(
        plan,
        built.plan,
        policy.standing(built.plan.blockers, request, lock),
        begun=journal is not None,
        pressed=pressed(lock),
    )
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


def _refuse_taken_back(journal: Journal) -> None:
    lock = journal.lock
    if lock.state == "rolled-back":
        raise StaleError(
            "rolled-back",
            f"Hotfix {lock.hotfix} was rolled back at {lock.entries[-1].at}; it is not applied "
            "again.",
            hint="A new attempt is a new hotfix: give the spec a new id, and `production_sha` "
            "what production runs now. Then plan it.",
        )


def _refuse_going_back(plan: Plan, now: Plan, request: Request) -> None:
    """Refuse to apply what a rollback takes back: release stands at its commit, by nobody's push.

    A rollback itself has no way back in its plan.
    """
    backs = {each.after: each for each in plan.rollback.targets} if plan.rollback else {}
    for target in now.targets:
        back = backs.get(target.before)
        if back is not None and back.before != back.after:
            raise StaleError(
                "rollback-begun",
                f"{target.release_branch} of {target.project} stands at "
                f"{short(target.before or '')}, the way back from this hotfix.",
                hint=f"A rollback was begun. Go on with it: {request.way_back}",
            )


def _reason(request: Request) -> str | None:
    """Ask why it is rolled back; whoever reads the record later wants to know first."""
    if request.back is None:
        return None
    reason = " ".join((request.back.reason() or "").split())
    if not reason:
        raise WaitingError(
            "reason-missing",
            "The rollback waits for its reason; nothing was changed.",
            hint=f"Say it at a terminal, or with --reason TEXT: {request.command}",
        )
    return reason


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
    name = f"{'Rollback of hotfix' if lock.kind == 'rollback' else 'Hotfix'} {lock.hotfix}"
    environments = in_parallel(
        partial(run.forge.environment, target.project, target.environment)
        for target in lock.plan.targets
    )
    for target, environment in zip(lock.plan.targets, environments, strict=True):
        runs = environment.deployed_sha
        if runs != target.after:
            raise StaleError(
                "production-moved",
                f"{name} is complete, but {target.environment} of {target.project} "
                f"runs {short(runs or 'nothing')} now, no longer {short(target.after or '?')}.",
                hint=f"Somebody deployed since: {environment.web_url} Nothing was done.",
            )
    if lock.seal is None:
        write_head(run)
        return Outcome(run.journal.lock, f"{name} is complete, and sealed now.")
    return Outcome(lock, f"Nothing to do. {name} is complete since {lock.entries[-1].at}.")
