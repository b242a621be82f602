"""The loop: under the locks of its targets, every step of the runbook in its order."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from hotfix.apply import approvals, policy
from hotfix.apply.context import or_go_back
from hotfix.apply.locks import Locks, LocksSeen
from hotfix.apply.progressed import hold_proven, is_proven, pressed
from hotfix.apply.release import release
from hotfix.apply.steps.incident import incident, write_head
from hotfix.apply.steps.preflight import preflight
from hotfix.apply.turns import Turns
from hotfix.errors import (
    FailedError,
    HotfixError,
    InterruptedRunError,
    LockedError,
    WaitingError,
)
from hotfix.evidence.checks import complete
from hotfix.plan.order import in_order, waits_for
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotfix.apply.context import Run, Way
    from hotfix.apply.policy import Weighed
    from hotfix.evidence.model import Approval, State, StepName
    from hotfix.plan.model import Kind, Plan, TargetPlan


_ENDS: Final[Mapping[Kind, Mapping[str, str]]] = MappingProxyType(
    {
        "hotfix": {
            "restore": "Release is restored to production's state, as asked; nothing was deployed.",
            "branch": "The release branch holds the hotfix, as asked; nothing was deployed.",
            "staging": "Staging is deployed and the production gate is reached, as asked.",
            "production": "Production runs the hotfix, as asked; checks and incident are still to "
            "come.",
            "complete": "complete",
        },
        "rollback": {
            "restore": "Release is restored to the last known-good state, as asked; nothing was "
            "deployed.",
            "branch": "The release branch holds the last known-good state, as asked; nothing was "
            "deployed.",
            "staging": "Staging is deployed and the production gate is reached, as asked.",
            "production": "Production runs the last known-good state again, as asked; checks and "
            "incident are still to come.",
            "complete": "rolled back",
        },
    }
)
"""How a run ends: by the point that ``--until`` names, or complete."""

_TOLD: Final = frozenset({"verify-production", "smoke"})
"""The steps whose failure people have to read in the incident."""


class Loop:
    """A run under the locks of its targets, from lock to unlock."""

    def __init__(
        self, run: Run, seen: Plan, approval: Approval | None, weighed: Weighed | None
    ) -> None:
        self.run = run
        self.seen = seen
        self.approval = approval
        self.weighed = weighed
        self.locks = LocksSeen(run) if run.request.looks_only else Locks(run)
        self.proven: set[str] = set()
        """The projects whose every check an earlier run proved."""
        self.at: tuple[StepName, str | None] = ("preflight", None)
        """The step that is being gone, and of which target: what a failure is recorded under."""
        self.steps: dict[str, StepName] = {}
        """By project: the step that it stands at."""
        self.ends: dict[str, HotfixError] = {}
        """By project: how it ended badly, which is on record already."""

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
        except KeyboardInterrupt:
            self.locks.leave()
            raise
        except HotfixError as error:
            if error not in self.ends.values():
                self._note_failure(error)
            self._record_outcome(error)
            raise
        finally:
            self.locks.give_back(state)
        if ended is not None:
            return ended
        write_head(run)
        total = len(run.journal.lock.checks)
        is_now = _ENDS[run.plan.kind]["complete"]
        return f"Hotfix {run.plan.hotfix} is {is_now}: {total} of {total} checks passed."

    def _begin(self, targets: Sequence[TargetPlan]) -> None:
        for target in targets:
            self.at = ("lock", target.project)
            self.locks.refuse_held(target)
        for target in targets:
            self.at = ("lock", target.project)
            approval, self.approval = self.approval, None
            self.locks.take(target, approval)
        self.at = ("preflight", None)
        approvals.record(self.run, self.seen)
        if self.weighed is not None:
            policy.record(self.run, self.weighed)
        for target in targets:
            if is_proven(self.run.journal.lock, target):
                self.at = ("preflight", target.project)
                hold_proven(self.run, target)
                self.proven.add(target.project)
        for target in self._left(targets):
            seen = next(each for each in self.seen.targets if each.project == target.project)
            self.at = ("preflight", target.project)
            preflight(self.run, target, seen)

    def _go(self, targets: Sequence[TargetPlan]) -> str | None:
        """Go the steps; returns why it ended early where ``--until`` says so."""
        run, until = self.run, self.run.request.until
        spec, kind = run.plan.spec, run.plan.kind
        turns = Turns(
            in_order(targets, spec, kind),
            waits_for([each.project for each in targets], spec, kind),
            done=self.proven,
            clock=run.clock,
        )
        try:
            turns.go(self._way, self._ended)
        except HotfixError as error:
            self._tell_apart(error, turns)
            raise
        gravest = turns.gravest()
        if gravest is not None:
            project, end = gravest
            self.at = (self.steps[project], project)
            self._tell_apart(end, turns)
            raise end
        if until is not None:
            return _ENDS[kind][until]
        self.at = ("incident", None)
        incident(run)
        self._prove()
        return None

    def _way(self, target: TargetPlan) -> Way[None]:
        def reach(step: StepName) -> None:
            self.steps[target.project] = step

        return release(self.run, target, reach)

    def _ended(self, target: TargetPlan, error: HotfixError) -> None:
        """Record a bad end at once: those that are free go on, and may take long."""
        self.at = (self.steps[target.project], target.project)
        self.ends[target.project] = error
        if not isinstance(error, WaitingError):
            self._note_failure(error)
        if len(self.run.plan.targets) > 1:
            said = one_line(error.message.partition("\n")[0], 300)
            is_open = isinstance(error, WaitingError)
            self.run.tell(*self.at, "note" if is_open else "failed", said)

    def _tell_apart(self, error: HotfixError, turns: Turns) -> None:
        """Say of several targets how each ended, and offer to take back what went out."""
        if len(self.run.plan.targets) == 1:
            return
        error.results = turns.results()
        went_out = [each for each in pressed(self.run.journal.lock) if each not in self.ends]
        is_offered = not isinstance(error, WaitingError | InterruptedRunError | LockedError)
        request = self.run.request
        if went_out and is_offered and request.way_back not in error.hint:
            on = f"\nGo on with: {request.command}"
            is_said = request.command in error.hint or not isinstance(error, FailedError)
            error.hint = (error.hint + ("" if is_said else on) + or_go_back(self.run)).lstrip()

    def _left(self, targets: Sequence[TargetPlan]) -> list[TargetPlan]:
        """List the targets that are not proven yet."""
        return [each for each in targets if each.project not in self.proven]

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

    def _record_outcome(self, error: HotfixError) -> None:
        """Tell the incident what came of it once production was touched.

        The runbook wants the timeline written in any case, and that a rollback did not help
        (Rollback And Recovery). The error itself has to be seen, whatever GitLab says to this.
        """
        if self.run.request.looks_only or not self._is_to_be_told(error):
            return
        try:
            incident(self.run)
        except HotfixError as other:
            error.add_note(f"The incident does not say so yet: {other}")

    def _is_to_be_told(self, error: HotfixError) -> bool:
        """Tell whether production was touched: by what failed, or by a target beside it."""
        touched = pressed(self.run.journal.lock)
        if isinstance(error, FailedError) and self.at[0] in _TOLD:
            return bool(touched)
        return error in self.ends.values() and not touched <= {*self.ends}
