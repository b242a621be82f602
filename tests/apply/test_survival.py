"""Whatever breaks off a run, the same command again completes it, and nothing happened twice.

``make test`` tries a share of the faults, spread evenly; ``make faults`` tries every one of them
and says how many there were.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.apply import holder
from hotfix.errors import FailedError, HotfixError, InterruptedRunError, WaitingError
from hotfix.sandbox import Sandbox, seed
from hotfix.sandbox.faults import Fault
from tests.apply import mortal
from tests.apply.mortal import Doom, Orders, SharedClock, apply_in_a_process

from .conftest import CORE, Rehearsal, Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.context import ForkServerContext
    from pathlib import Path

    from hotfix.apply.events import Event
    from hotfix.clock import Clock
    from hotfix.sandbox.faults import Kind, When
    from hotfix.sandbox.world import World

    Make = Callable[..., "Served"]

LEDGER = "evenergi/bf-ledger"
JOB = "deploy-production"
EVERY = bool(os.environ.get("HOTFIX_EVERY_FAULT"))
SCHEDULES = int(os.environ.get("HOTFIX_SCHEDULES") or (2000 if EVERY else 2))
SHARES = 8 if EVERY else 2
"""Into how many tests the faults of a kind are divided, for several workers."""

TARGETS = (CORE, LEDGER)
FAILED = " failed"
"""How an event ends that tells of a smoke check which a fault let fail; it stands there once."""


def once(targets: Sequence[str]) -> Counter[str]:
    """Count what a hotfix does to GitLab, however often it was interrupted."""
    counted = Counter({"pipeline": len(targets), "incident": 1, "event": 4 * len(targets) + 1})
    for path in targets:
        counted[f"{path} pipeline"] = counted[f"{path} press"] = 1
    return counted


@dataclass(frozen=True, slots=True)
class Way:
    """One of the ways in which an answer goes wrong."""

    kind: Kind
    when: When = "before"
    status: int | None = None

    def __str__(self) -> str:
        return f"{self.status or self.kind} {self.when}"

    @property
    def is_refusal(self) -> bool:
        """Whether GitLab says by it that it did nothing."""
        return self.status == 429


WAYS = (
    Way("status", status=500),
    Way("status", status=503),
    Way("status", status=429),
    Way("reset"),
    Way("reset", when="after"),
    Way("truncated", when="after"),
    Way("garbage", when="after"),
    Way("html", when="after"),
    Way("login-page"),
)


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    return mortal.server()


@pytest.fixture
def make_rehearsal(tmp_path: Path) -> Make:
    """Return what makes a new GitLab with a hotfix of two targets, as often as it is called."""

    def make(clock: Clock, targets: Sequence[str] = TARGETS) -> Served:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        return Served(clock, folder, targets)

    return make


class Served:
    """A GitLab with a hotfix, for as long as the context lasts."""

    def __init__(self, clock: Clock, folder: Path, targets: Sequence[str] = TARGETS) -> None:
        self._sandbox = Sandbox(seed.example(clock, pace=1.0))
        self._clock = clock
        self._folder = folder
        self._targets = targets

    def __enter__(self) -> Rehearsal:
        rehearsal = Rehearsal(self._sandbox.__enter__(), self._clock, self._folder)
        core = rehearsal.target(CORE, 812, 815)
        ledger = rehearsal.target(LEDGER, 54, after=[CORE])
        rehearsal.write(*(each for each in (core, ledger) if each["project"] in self._targets))
        rehearsal.effects_at_first = effects_in(self._sandbox.world)
        return rehearsal

    def __exit__(self, *error: object) -> None:
        self._sandbox.__exit__(*error)


def effects_in(world: World) -> Counter[str]:
    """Count what stands in the world itself, whatever was asked or answered on the way there."""
    counted: Counter[str] = Counter()
    counted["pipeline"] = len(world.project(seed.ORCHESTRATOR).pipelines)
    for path in (CORE, LEDGER):
        project = world.project(path)
        counted[f"{path} pipeline"] = len(project.pipelines)
        counted[f"{path} press"] = sum(
            job.name == JOB and job.started_at is not None
            for pipeline in project.pipelines
            for job in pipeline.jobs
        )
    incidents = world.project(seed.ORCHESTRATOR).issues.values()
    counted["incident"] = len(incidents)
    notes = [event.note for issue in incidents for event in issue.timeline]
    counted["event"] = sum(not note.endswith(FAILED) for note in notes)
    counted["repeated event"] = len(notes) - len(set(notes))
    return counted


def share_of(faults: list[Any], share: int, sample: int) -> list[Any]:
    """Return a share of the faults: of all of them, or of ``sample`` spread over them."""
    chosen = faults if EVERY else faults[:: max(1, len(faults) // sample)]
    return chosen[share::SHARES]


def assert_complete(rehearsal: Rehearsal) -> None:
    lock = rehearsal.lock
    assert lock.state == "complete"
    assert {check.outcome for check in lock.checks} == {"passed"}
    assert len(lock.checks) == 9 * len(lock.plan.targets)
    assert lock.seal
    world = rehearsal.sandbox.world
    did = effects_in(world) - rehearsal.effects_at_first
    assert did == once([target.project for target in lock.plan.targets])
    for target in lock.plan.targets:
        # A push names the head that it moves, so a branch at its planned head was moved there once.
        assert (
            world.release_sha(target.project)
            == target.after
            == world.production_sha(target.project)
        )


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.timeout(7200)
def test_a_run_killed_at_any_effect_or_write_is_completed_by_the_same_command(
    processes: ForkServerContext,
    make_rehearsal: Make,
    faults: Faults,
    share: int,
) -> None:
    def orders(rehearsal: Rehearsal) -> Orders:
        return Orders(
            rehearsal.sandbox.url, rehearsal.token, rehearsal.spec, rehearsal.lockfile, clock
        )

    clock = SharedClock(processes)
    with make_rehearsal(clock) as rehearsal:
        effects = apply_in_a_process(processes, orders(rehearsal)).effects
        assert_complete(rehearsal)
    dooms = [
        Doom(number, when)
        for number, name in enumerate(effects)
        for when in ("before", "during", "after")
        if when != "during" or name == "journal"
    ]

    for doom in share_of(dooms, share, sample=6):
        name = f"killed {doom.when} effect {doom.number}, {effects[doom.number]}"
        with faults.survived(name), make_rehearsal(clock) as rehearsal:
            killed = apply_in_a_process(processes, orders(rehearsal), doom)
            assert killed.how == "killed"
            again = apply_in_a_process(processes, orders(rehearsal))
            assert (again.how, again.said) == ("done", again.said)
            assert_complete(rehearsal)


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.timeout(7200)
def test_every_answer_to_a_write_may_be_lost(
    clock: Clock, make_rehearsal: Make, faults: Faults, share: int
) -> None:
    points = [point for point in asked(make_rehearsal(clock)) if point.is_write]
    lost = [way for way in WAYS if not way.is_refusal]
    planned = [(point, way) for point in points for way in lost]

    for point, way in share_of(planned, share, sample=6):
        name = f"{point}, answered by {way}"
        with faults.survived(name), make_rehearsal(clock) as rehearsal:
            strike(rehearsal, point, replace(way, when="after"))
            converge(rehearsal)
            assert_complete(rehearsal)


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.timeout(7200)
def test_every_request_may_fail_once_in_every_way(
    clock: Clock, make_rehearsal: Make, faults: Faults, share: int
) -> None:
    points = asked(make_rehearsal(clock))
    planned = [(point, way) for point in points for way in WAYS]

    for point, way in share_of(planned, share, sample=8):
        with faults.survived(f"{point}, {way}"), make_rehearsal(clock) as rehearsal:
            strike(rehearsal, point, way)
            converge(rehearsal)
            assert_complete(rehearsal)


@pytest.mark.parametrize("share", range(SHARES))
@pytest.mark.timeout(14400)
def test_any_schedule_of_faults_is_survived_once_it_ends(
    clock: Clock, make_rehearsal: Make, faults: Faults, share: int
) -> None:
    """Several faults at once, wishes to stop and waits that are too short, drawn by seed.

    Every fourth schedule is of two targets; the others are done in half the time.
    """
    points = {size: asked(make_rehearsal(clock, TARGETS[:size])) for size in (1, 2)}

    for seed_number in range(SCHEDULES)[share::SHARES]:
        draw = Random(seed_number)  # noqa: S311  (repeatable, not secret)
        size = draw.choice((1, 1, 1, 2))
        name = f"schedule {seed_number}"
        with faults.survived(name), make_rehearsal(clock, TARGETS[:size]) as rehearsal:
            budget = draw.randint(1, 6)
            for _ in range(budget):
                strike(rehearsal, draw.choice(points[size]), draw.choice(WAYS), draw.randint(1, 6))
            for number in range(8 * budget):
                lets_go = number >= budget
                rehearsal.stop.requested = False
                rehearsal.screen = Impatient(rehearsal, None if lets_go else draw.randint(1, 60))
                if ended(rehearsal, longest=600.0 if lets_go else draw.choice((1.0, 600.0))):
                    break
            assert_complete(rehearsal)


class Impatient(Screen):
    """Asks the run to stop at one of its events."""

    def __init__(self, rehearsal: Rehearsal, number: int | None) -> None:
        super().__init__()
        self._rehearsal = rehearsal
        self._number = number

    def emit(self, event: Event) -> None:
        super().emit(event)
        if len(self.events) == self._number:
            self._rehearsal.stop.requested = True


def ended(rehearsal: Rehearsal, *, longest: float) -> bool:
    """Apply once; a run that is not done waits, was stopped or failed, and says why."""
    try:
        as_a_process(rehearsal, longest=longest)
    except (WaitingError, InterruptedRunError, FailedError) as error:
        assert error.message  # noqa: PT017  (of any of three kinds, or none)
        assert f"hotfix apply {rehearsal.spec.name}" in error.hint, error.message  # noqa: PT017  (as above)
        return False
    return True


class Faults:
    """Counts the faults that a run survived; one that it did not fails the test at its end."""

    def __init__(self, record_property: Callable[[str, object], None]) -> None:
        self._record = record_property
        self.fatal: list[str] = []

    @contextlib.contextmanager
    def survived(self, name: str) -> Iterator[None]:
        try:
            yield
        except (AssertionError, HotfixError) as error:
            self.fatal.append(f"{name}: {error!r}")
        else:
            self._record("fault", name)


@pytest.fixture
def faults(record_property: Callable[[str, object], None]) -> Iterator[Faults]:
    counted = Faults(record_property)
    yield counted
    assert not counted.fatal, "\n".join(counted.fatal)


def asked(served: Served) -> list[Point]:
    """Carry the hotfix out undisturbed, and name all that was asked of GitLab.

    Each request is named so that it is found again in another run; of polling ones three will do.
    """
    with served as rehearsal:
        rehearsal.apply()
        assert_complete(rehearsal)
        requests = list(rehearsal.sandbox.requests)
    seen: Counter[tuple[str, str]] = Counter()
    points = []
    for request in requests:
        key = request.method, request.path
        seen[key] += 1
        if seen[key] <= 3 or request.is_write:
            points.append(Point(*key, seen[key], request.is_write))
    return points


@dataclass(frozen=True, slots=True)
class Point:
    """The n-th request of a method for a path."""

    method: str
    path: str
    occurrence: int
    is_write: bool

    def __str__(self) -> str:
        return f"{self.method} {self.path} #{self.occurrence}"


def strike(rehearsal: Rehearsal, point: Point, way: Way, times: int = 1) -> None:
    route = rf"{point.method} ~{re.escape(point.path)}(\?|$)"
    fault = Fault(route, way.kind, point.occurrence, times, way.when, way.status)
    rehearsal.sandbox.faults.plan([fault])


def converge(rehearsal: Rehearsal) -> None:
    """Apply until it is done: at once, or by the same command after a refusal that names it."""
    try:
        as_a_process(rehearsal)
    except HotfixError as error:
        refusal = error
    else:
        return
    assert f"hotfix apply {rehearsal.spec.name}" in refusal.hint, refusal.message
    as_a_process(rehearsal)


def as_a_process(rehearsal: Rehearsal, **pace: float) -> None:
    """Apply as a process that is gone afterwards: what it may have left is a dead run's."""
    name = f"{os.getpid()}:{len(rehearsal.sandbox.requests)}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holder, "process", lambda: name)
        rehearsal.apply(**pace)
