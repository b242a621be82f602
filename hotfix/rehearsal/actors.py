"""Who acts in a rehearsal: a clock that is moved by waiting, an operator, smoke checks."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from hotfix.apply.ports import Yes
from hotfix.errors import InputError
from hotfix.forge.gitlab import GitLabForge
from hotfix.forge.network import is_loopback, origin
from hotfix.smoke.result import SmokeResult
from hotfix.smoke.version import Reported

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from hotfix.apply.events import Event
    from hotfix.apply.ports import Adoption, Press
    from hotfix.clock import Clock
    from hotfix.plan.model import Finding, Plan
    from hotfix.sandbox.world import World
    from hotfix.smoke.manual import Ask
    from hotfix.spec.model import ProductionVersion, SmokeCheck

SOURCE: Final = "rehearsal"
"""How every answer is given, for the record."""


class RehearsalClock:
    """A clock that only waiting moves, so that a rehearsal takes no longer than its work."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._elapsed = 0.0
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Tell the rehearsal's time."""
        return self._start + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        """Tell the seconds since the rehearsal began."""
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        """Move on; whoever else waits at the time moves it too."""
        with self._lock:
            self._elapsed += seconds


class RehearsalOperator:
    """Says yes to everything, and presses nothing but the embedded GitLab's jobs."""

    def __init__(self, url: str) -> None:
        """Answer for the GitLab at this address alone."""
        self._url = url
        self.meanwhile: Callable[[], None] = lambda: None

    def approve_plan(self, plan: Plan) -> Yes:
        """Approve."""
        del plan
        return Yes(SOURCE)

    def answer_for(self, warnings: Sequence[Finding], digest: str) -> Yes:
        """Go past warnings; whether a person would is not known."""
        del warnings, digest
        return Yes(SOURCE)

    def adopt_pipeline(self, adoption: Adoption) -> None:
        """Adopt none: nobody starts a pipeline by hand here, so whose it is had to be proven."""

    def approve_press(self, press: Press) -> Yes:
        """Approve a job of the embedded GitLab; any other is a defect, and pressed is nothing."""
        if not press.url.startswith(f"{self._url}/"):
            raise AssertionError(f"a rehearsal does not press {press.url}")
        return Yes(SOURCE)

    def ask(self, question: str) -> bool:
        """Answer a question with yes."""
        del question
        return True


class NoScreen:
    """Shows nothing: a rehearsal is told when it is over."""

    def emit(self, event: Event) -> None:
        """Show nothing."""
        del event


class SmokeStandIn:
    """Answers smoke checks from the embedded GitLab: none is sent to the real service."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._services = [world.project(target.project) for target in plan.targets]

    def __call__(
        self, check: SmokeCheck, *, clock: Clock, ask: Ask | None, operator: str, deployed: str
    ) -> SmokeResult:
        """Tell how the embedded services are."""
        del ask, operator, deployed
        red = [each.path for each in self._services if each.service_status != "ok"]
        said = f"{', '.join(red)} is not well" if red else "its services are well"
        return SmokeResult(
            name=check.name,
            kind=check.kind,
            outcome="failed" if red else "passed",
            detail=f"not sent: answered by the embedded GitLab, {said}",
            attempts=1,
            started_at=clock.now(),
            finished_at=clock.now(),
            facts={"rehearsal": True},
        )


class VersionStandIn:
    """Says which commit a service runs: the one that its embedded environment was deployed."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world = world
        self._where = {each.production_version: each for each in plan.spec.targets}

    def __call__(self, version: ProductionVersion, clock: Clock, /) -> Reported:
        """Tell the commit of the embedded environment."""
        target = self._where[version]
        sha = self._world.production_sha(target.project, target.environment)
        return Reported(sha, clock.now(), version.url, "not asked: answered by the embedded GitLab")


def embedded_forge(url: str, token: str, clock: Clock) -> GitLabForge:
    """Open the embedded GitLab; no other address is ever opened for a rehearsed run.

    The forge and its repositories send to this origin alone, so a rehearsal that presses production
    cannot reach a real one.
    """
    where = origin(url)
    if where.scheme != "http" or not is_loopback(where.host):
        raise InputError("not-embedded", f"{where} is not on this machine's loopback.")
    return GitLabForge(url, token, clock=clock)
