"""The loop: under the locks of its targets, every step of the runbook in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from hotfix.apply.lease import Lease, myself, ref_of
from hotfix.apply.steps.incident import incident, write_head
from hotfix.apply.steps.orchestrate import orchestrate
from hotfix.apply.steps.pick import pick, verify_branch
from hotfix.apply.steps.preflight import preflight
from hotfix.apply.steps.promote import promote
from hotfix.apply.steps.restore import restore, verify_restore
from hotfix.apply.steps.smoke import smoke
from hotfix.apply.steps.staging import staging
from hotfix.apply.steps.verify_production import verify_production
from hotfix.errors import (
    FailedError,
    HotfixError,
    InterruptedRunError,
    LockedError,
    WaitingError,
)
from hotfix.evidence.checks import complete

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pydantic import JsonValue

    from hotfix.apply.context import Run
    from hotfix.evidence.model import Approval, State, StepName
    from hotfix.plan.model import Plan, TargetPlan

P = ParamSpec("P")
T = TypeVar("T")


class Loop:
    """A run under the locks of its targets, from lock to unlock."""

    def __init__(self, run: Run, seen: Plan, approval: Approval | None) -> None:
        self.run = run
        self.seen = seen
        self.approval = approval
        self.leases: list[tuple[TargetPlan, Lease]] = []
        self.at: tuple[StepName, str | None] = ("preflight", None)
        """The step that is being gone, and of which target: what a failure is recorded under."""
        run.keep_alive = self._renew
        run.prove_locks = self._prove_locks

    def carry_out(self) -> str:
        """Take the locks, go the steps, and give the locks back however it ends."""
        run, targets = self.run, self.run.plan.targets
        state: State = "failed"
        try:
            self._begin(targets)
            ended = self._go(targets)
            state = "complete" if ended is None else "waiting"
        except (WaitingError, InterruptedRunError, LockedError):
            state = "waiting"
            raise
        except HotfixError as error:
            self._note_failure(error)
            raise
        finally:
            self._unlock(state)
        if ended is not None:
            return ended
        write_head(run)
        total = len(run.journal.lock.checks)
        return f"Hotfix {run.plan.hotfix} is complete: {total} of {total} checks passed."

    def _begin(self, targets: Sequence[TargetPlan]) -> None:
        for target in targets:
            self.at = ("lock", target.project)
            self._look_at_lock(target)
        for target in targets:
            self.at = ("lock", target.project)
            self._lock(target)
        for target in targets:
            seen = next(each for each in self.seen.targets if each.project == target.project)
            self.at = ("preflight", target.project)
            preflight(self.run, target, seen)

    def _go(self, targets: Sequence[TargetPlan]) -> str | None:
        """Go the steps; returns why it ended early where ``--until`` says so."""
        run, until = self.run, self.run.request.until
        for target in in_order(targets, run):
            self._do("restore", restore, target)
            self._do("verify-restore", verify_restore, target)
        if until == "restore":
            return "Release is restored to production's state, as asked; nothing was deployed."
        for target in in_order(targets, run):
            self._do("pick", pick, target)
            self._do("verify-branch", verify_branch, target)
        if until == "branch":
            return "The release branch holds the hotfix, as asked; nothing was deployed."
        for target in in_order(targets, run):
            self._do("orchestrate", orchestrate, target)
            gate = self._do("staging", staging, target)
            if until == "staging":
                continue
            gate = self._do("promote", promote, target, gate)
            self._do("verify-production", verify_production, target, gate)
            if until != "production":
                self._do("smoke", smoke, target)
        if until == "staging":
            return "Staging is deployed and the production gate is reached, as asked."
        if until == "production":
            return "Production runs the hotfix, as asked; checks and incident are still to come."
        self.at = ("incident", None)
        incident(run)
        self._prove()
        return None

    def _do(
        self,
        name: StepName,
        step: Callable[Concatenate[Run, TargetPlan, P], T],
        target: TargetPlan,
        *given: P.args,
        **named: P.kwargs,
    ) -> T:
        self.at = (name, target.project)
        return step(self.run, target, *given, **named)

    def _prove(self) -> None:
        lock = self.run.journal.lock
        if complete(lock.checks):
            return
        lacking = [check for check in lock.checks if check.outcome != "passed"]
        first = lacking[0]
        raise FailedError(
            "evidence-missing",
            f"{len(lacking)} of {len(lock.checks)} checks are not proven. "
            f"{first.id} of {first.target}: {first.detail}",
            hint=f"The record says so as well: hotfix audit {self.run.request.lockfile}",
        )

    def _look_at_lock(self, target: TargetPlan) -> None:
        """Refuse early and without a trace where another run is at work."""
        self._lease(target).refuse_held()

    def _lock(self, target: TargetPlan) -> None:
        lease = self._lease(target)
        approval, self.approval = self.approval, None
        self.run.journal.add(
            "lock", target.project, "intent", {"ref": lease.ref}, approval=approval
        )
        dead = lease.take()
        self.leases.append((target, lease))
        facts: dict[str, JsonValue] = {"ref": lease.ref, "sha": lease.sha}
        if dead:
            facts["taken_over"] = {"who": dead.who, "host": dead.host, "since": dead.since}
        self.run.journal.add("lock", target.project, "done", facts)
        said = f"{lease.ref} is ours"
        if dead:
            said += f", taken over from a dead run of {dead.who} on {dead.host}"
        self.run.tell("lock", target.project, "done", said)

    def _lease(self, target: TargetPlan) -> Lease:
        run = self.run
        me = myself(
            run.clock,
            who=run.forge.current_user().username,
            hotfix=run.plan.hotfix,
            plan_digest=run.plan.digest,
            tool_version=run.request.tool_version,
        )
        repository = run.repository(target.project)
        return Lease(repository, ref_of(target.release_branch), me, run.clock)

    def _renew(self) -> None:
        for _, lease in self.leases:
            lease.renew()

    def _prove_locks(self) -> None:
        for _, lease in self.leases:
            lease.prove()

    def _unlock(self, state: State) -> None:
        """Give every lock back and record the state; only what was locked is told."""
        for number, (target, lease) in enumerate(self.leases, start=1):
            why = _released(lease)
            facts: dict[str, JsonValue] = {"ref": lease.ref}
            if why:
                facts |= {"error": "not-released", "message": why}
            self.run.journal.add(
                "unlock",
                target.project,
                "failed" if why else "done",
                facts,
                state=state if number == len(self.leases) else None,
            )

    def _note_failure(self, error: HotfixError) -> None:
        """Leave the sentence that ended the run in the record, under the step that it ended."""
        journal = self.run.journal
        if error.code.startswith("lock") or not journal.lock.entries:
            return
        step, target = self.at
        journal.add(
            step,
            target,
            "failed",
            {"error": error.code, "message": error.message},
            state=None if self.leases else "failed",
        )


def _released(lease: Lease) -> str:
    """Give a lock back; returns why that was not to be had, and never hides how the run ended."""
    try:
        return "" if lease.release() else "the lock was somebody else's by then"
    except HotfixError as error:
        return error.message


def in_order(targets: Sequence[TargetPlan], run: Run) -> list[TargetPlan]:
    """Order targets so that each comes after those that it waits for; else as the spec has them."""
    after = {target.project: set(target.after) for target in run.plan.spec.targets}
    left = list(targets)
    ordered: list[TargetPlan] = []
    while left:
        done = {target.project for target in ordered}
        ready = next(target for target in left if after[target.project] <= done)
        left.remove(ready)
        ordered.append(ready)
    return ordered
