"""A sandbox that stands for the real GitLab, and a plan made there with a token that only reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hotfix.forge.gitlab import GitLabForge
from hotfix.rehearsal import rehearse
from hotfix.rehearsal.cases import Wishes
from hotfix.rehearsal.scene import observe_scene
from hotfix.sandbox import Sandbox, seed
from tests.apply.conftest import CORE
from tests.apply.conftest import Rehearsal as Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hotfix.clock import Clock
    from hotfix.evidence.model import Lock
    from hotfix.evidence.rehearsal import Rehearsal, Transcript
    from hotfix.plan.model import Plan
    from hotfix.sandbox.world import World

LEDGER = "evenergi/bf-ledger"


class Real:
    """The real GitLab of these tests, with a spec for it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.desk.token = seed.TOKENS["operator-readonly"]
        self.sandbox = desk.sandbox
        self.world = desk.sandbox.world
        self.desk.write(self.target(CORE, 812, 815))

    def target(self, project: str, *merge_requests: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        return self.desk.target(project, *merge_requests, **more)

    def write(self, *targets: dict[str, Any], **more: Any) -> None:  # noqa: ANN401
        self.desk.write(*targets, **more)

    def plan(self) -> Plan:
        return self.desk.plan()

    def rehearse(
        self, *words: str, plan: Plan | None = None, seeds: range = range(0)
    ) -> Transcript:
        forge, clock = GitLabForge(self.sandbox.url, self.desk.token), self.desk.clock
        scene = observe_scene(plan or self.plan(), forge, clock)
        told: list[tuple[str, int, int]] = []

        def tell(done: Rehearsal, *, number: int, of: int) -> None:
            told.append((done.name, number, of))

        transcript = rehearse.rehearse(
            scene, Wishes(words, seeds), clock=clock, tool_version="0.1.0", tell=tell
        )
        total = len(transcript.rehearsals)
        names = [each.name for each in transcript.rehearsals]
        assert told == [(name, at, total) for at, name in enumerate(names, start=1)]
        return transcript


@pytest.fixture
def real(clock: Clock, tmp_path: Path) -> Iterator[Real]:
    with Sandbox(seed.example(clock, pace=2.0)) as sandbox:
        yield Real(Desk(sandbox, clock, tmp_path))


@pytest.fixture
def at_the_end(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[World, Lock], None]], None]:
    """Do something to the embedded world just before it is looked at."""

    def make(act: Callable[[World, Lock], None]) -> None:
        prove = rehearse.prove

        def acted(world: World, document: Any) -> Any:  # noqa: ANN401
            act(world, document.lock)
            return prove(world, document)

        monkeypatch.setattr(rehearse, "prove", acted)

    return make
