"""The loop: under the locks of its targets, every step of the runbook in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from hotfix.apply.locks import Locks
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
        self.locks = Locks(run)
        self.at: tuple[StepName, str | None] = ("preflight", None)
        """The step that is being gone, and of which target: what a failure is recorded under."""

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
            self.locks.give_back(state)
        if ended is not None:
            return ended
        write_head(run)
        total = len(run.journal.lock.checks)
        return f"Hotfix {run.plan.hotfix} is complete: {total} of {total} checks passed."

    def _begin(self, targets: Sequence[TargetPlan]) -> None:
        for target in targets:
            self.at = ("lock", target.project)
            self.locks.refuse_held(target)
        for target in targets:
            self.at = ("lock", target.project)
            approval, self.approval = self.approval, None
            self.locks.take(target, approval)
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
            state=None if self.locks.taken else "failed",
        )


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
