"""What every step of a run works with."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from hotfix.apply.events import Event
from hotfix.apply.in_flight import in_flight
from hotfix.clock import timestamp
from hotfix.errors import InterruptedRunError, StaleError, WaitingError
from hotfix.evidence.target_results import is_changed
from hotfix.identifiers import Sha
from hotfix.plan.order import in_order
from hotfix.smoke.run import run as check_smoke
from hotfix.smoke.version import reported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hotfix.apply.events import JobState
    from hotfix.apply.journal import Journal
    from hotfix.apply.ports import CheckSmoke, Operator, Pace, Progress, Stop, Until
    from hotfix.clock import Clock
    from hotfix.evidence.model import Lock, StepName
    from hotfix.forge.protocol import Forge, Repository
    from hotfix.forge.types import Noteable
    from hotfix.git.objects import GitObject
    from hotfix.plan.model import Plan, TargetChange
    from hotfix.smoke.version import AskVersion
    from hotfix.spec.model import Spec

Found = TypeVar("Found")

Way = Generator[float, None, Found]
"""What goes on until it has to wait: it hands over for how many seconds, and returns its end."""

_SHARE: Final = 20
_SLOWEST: Final = 6
"""How pauses grow while one waits: to this share of the time waited, at most so many polls."""


class ToDoError(WaitingError):
    """What a run that may only look would do next; the sentence names the act."""

    def __init__(self, act: str) -> None:
        super().__init__("to-do", f"Next: {act}.")


@dataclass(frozen=True, slots=True)
class WayBack:
    """What a rollback takes back, and why."""

    lockfile: Path
    hotfix: Lock
    reason: Callable[[], str | None]
    """Asks the operator; ``None`` where nobody says."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the operator asked for on the command line."""

    spec: Spec
    saved: Plan | None
    lockfile: Path
    command: str
    """What goes on with this run."""
    plan_command: str
    """What plans anew where the plan does not hold any more."""
    until: Until | None
    pace: Pace
    tool_version: str
    adopt: int | None = None
    """The pipeline, started by hand, that the operator said is this hotfix's own."""
    job: str | None = None
    """The page of the CI job that this run is, if it is one."""
    way_back: str = ""
    """The command that takes the hotfix back; empty in a rollback, from which there is no other."""
    back: WayBack | None = None
    """Set in a rollback."""
    looks_only: bool = False
    """Goes the steps as far as nothing has to be done, and writes nothing."""
    places: tuple[Noteable, ...] = ()
    """Where approvals are looked for, beside what the plan itself tells."""
    break_glass: str | None = None
    """Why the team's policy is gone past; ``None`` where it is held to."""
    approve_commands: tuple[str, ...] = ()
    """What somebody types who approves the plan."""
    check_smoke: CheckSmoke = check_smoke
    """What tries a smoke check; a rehearsal sends none to the real service."""
    ask_version: AskVersion = reported
    """What asks a service for its commit; in a rehearsal it is the embedded one."""


@dataclass(slots=True)
class Run:
    """A run in progress: the plan, the doors to the outside, and the journal."""

    request: Request
    plan: Plan
    objects: Mapping[str, tuple[GitObject, ...]]
    forge: Forge
    clock: Clock
    operator: Operator
    progress: Progress
    stop: Stop
    journal: Journal
    reason: str | None = None
    """Why a rollback was begun, in the run that began it."""
    sibling: Lock | None = None
    """The hotfix's record in a rollback, and the other way round: they share an incident."""
    repositories: dict[str, Repository] = field(default_factory=dict)
    keep_alive: Callable[[], None] = lambda: None
    """Renews what must not run out while the run waits: the lock's lease."""
    prove_locks: Callable[[], None] = lambda: None
    """Proves just before an effect that no other run took over; raises ``LockedError``."""

    def repository(self, project: str) -> Repository:
        """Open the Git side of a project, once a run."""
        if project not in self.repositories:
            self.repositories[project] = self.forge.repository(self.forge.project(project))
        return self.repositories[project]

    def release_head(self, target: TargetChange) -> Sha:
        """Ask the server where the release branch stands now."""
        ref = release_ref(target)
        head = self.repository(target.project).refs(ref).get(ref)
        if head is None:
            raise StaleError(
                "branch-moved",
                f"{target.project} has no branch {target.release_branch} any more.",
                hint="Find out who deleted it. Nothing further was done.",
            )
        return head

    def tell(
        self,
        step: StepName,
        target: str | None,
        phase: Literal["started", "waiting", "note", "done", "failed"],
        message: str,
        *,
        url: str | None = None,
        jobs: tuple[JobState, ...] = (),
    ) -> None:
        """Show an event on whatever screen there is."""
        at = timestamp(self.clock.now())
        self.progress.emit(
            Event(at=at, step=step, target=target, phase=phase, message=message, url=url, jobs=jobs)
        )

    def check_stop(self) -> None:
        """Leave here if the operator asked to: nothing is in flight at this point."""
        if self.stop.requested:
            goes_on = [f"In GitLab, of {each}" for each in in_flight(self.journal.lock)]
            raise InterruptedRunError(
                "interrupted",
                "Stopped as asked. Everything that was begun is finished and recorded.",
                hint="\n".join([*goes_on, f"Go on with: {self.request.command}"]),
            )

    def wait_for(
        self,
        look: Callable[[], Found | None],
        *,
        step: StepName,
        what: Callable[[], str] | str,
    ) -> Way[Found]:
        """Look until something is found, as long as ``--wait`` allows, or ``--timeout`` the step.

        ``what`` is waited for; it may change while one waits. Raises ``WaitingError`` on expiry:
        nothing is lost, the same command goes on from there.
        """
        pace = self.request.pace
        longest = pace.longest_of.get(step, pace.longest)
        found = yield from self.looking(look, longest=longest)
        if found is None:
            named = what if isinstance(what, str) else what()
            after = f"Still waiting after {longest:g} s" if longest else "Waiting"
            raise WaitingError(
                "wait-expired",
                f"{after} for {named}",
                hint=f"Nothing is lost. Go on with: {self.request.command}",
            )
        return found

    def look_for(self, look: Callable[[], Found | None], *, longest: float | None) -> Found | None:
        """Look until something is found or ``longest`` seconds are over; at least once.

        For what must not be torn apart: nothing else goes on meanwhile.
        """
        way = self.looking(look, longest=longest)
        while True:
            try:
                self.clock.sleep(next(way))
            except StopIteration as end:
                found: Found | None = end.value
                return found

    def looking(
        self, look: Callable[[], Found | None], *, longest: float | None
    ) -> Way[Found | None]:
        """Look as ``look_for`` does, and hand over each pause instead of waiting.

        What takes long is looked at less often: each pause is a twentieth of the time waited, from
        one ``poll`` up to six.
        """
        begin, poll = self.clock.monotonic(), self.request.pace.poll
        while True:
            found = look()
            if found is not None:
                return found
            waited = self.clock.monotonic() - begin
            if longest is not None and waited >= longest:
                return None
            self.check_stop()
            self.keep_alive()
            pause = min(max(poll, waited / _SHARE), poll * _SLOWEST)
            yield pause if longest is None else min(pause, longest - waited)


def release_ref(target: TargetChange) -> str:
    """Name the full ref of a target's release branch."""
    return f"refs/heads/{target.release_branch}"


def planned_commits(target: TargetChange) -> tuple[Sha, ...]:
    """List the ids that will stand on the branch, adopted ones included, oldest first."""
    return tuple(Sha(commit.sha) for commit in target.commits if commit.sha is not None)


def base_of(target: TargetChange) -> Sha:
    """Tell the head that the hotfix stands on: the release branch without its commits."""
    for commit in target.commits:
        if commit.sha is not None:
            return Sha(commit.parent)
    return head_after(target)


def head_after(target: TargetChange) -> Sha:
    """Tell the planned head; a plan that is applied always has one."""
    if target.after is None:
        raise ValueError("a plan with blockers is not applied")
    return Sha(target.after)


def may_run(run: Run, target: TargetChange) -> frozenset[str]:
    """Tell which commits production may run before the press.

    On the way back that is the hotfix, or still the last known-good one where it failed half-way.
    """
    back = run.request.back
    taken = back.hotfix.plan.targets if back else ()
    heads = {each.after for each in taken if each.project == target.project and each.after}
    return frozenset({target.production.sha, *heads})


def or_go_back(run: Run) -> str:
    """Offer the way back beside going on, with the exact command; nothing in a rollback.

    Of several targets those go back whose production was changed, in reverse order.
    """
    command, plan = run.request.way_back, run.plan
    if not command:
        return ""
    changed = [each for each in plan.targets if is_changed(run.journal.lock, each.project)]
    order = ", then ".join(each.project for each in in_order(changed, plan.spec, "rollback"))
    of = f", of {order}" if len(plan.targets) > 1 and order else ""
    return f"\nOr take the way back that was approved with the plan{of}: {command}"
