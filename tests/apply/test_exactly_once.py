"""A run is killed before or after an effect; the same command again finishes it, nothing twice."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.apply import holder
from hotfix.apply.journal import Journal

from .conftest import ONCE, Rehearsal

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.forge.gitlab import GitLabForge

WRITES = (
    "create_pipeline",
    "play",
    "create_incident",
    "update_description",
    "add_timeline_event",
)


class Killed(BaseException):
    """The process is gone: nothing after it runs, not even what would clean up."""


class Fate:
    """Counts the effects of a run, and kills it before or after one of them."""

    def __init__(self, number: int | None, *, after: bool) -> None:
        self.number = number
        self.after = after
        self.seen: list[str] = []
        self.is_dead = False

    def meet(self, name: str, effect: Callable[[], Any]) -> Any:  # noqa: ANN401
        if self.is_dead:
            raise Killed
        self.seen.append(name)
        if len(self.seen) - 1 != self.number:
            return effect()
        self.is_dead = True
        if self.after:
            effect()
        raise Killed


class Doomed:
    """Anything whose effects may be the last; reads of the dead fail too."""

    def __init__(self, inner: Any, fate: Fate, writes: tuple[str, ...]) -> None:  # noqa: ANN401
        self._inner = inner
        self._fate = fate
        self._writes = writes

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        found = getattr(self._inner, name)
        if self._fate.is_dead:
            raise Killed
        if name == "repository":
            return lambda project: Doomed(found(project), self._fate, ("push",))
        if name not in self._writes:
            return found
        return lambda *args, **named: self._fate.meet(name, lambda: found(*args, **named))


def run(rehearsal: Rehearsal, fate: Fate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apply as a process of its own that meets its fate."""
    real: GitLabForge = rehearsal.forge()
    write = Journal._write
    with monkeypatch.context() as patch:
        patch.setattr(rehearsal, "forge", lambda: Doomed(real, fate, WRITES))
        patch.setattr(
            Journal, "_write", lambda journal: fate.meet("journal", lambda: write(journal))
        )
        patch.setattr(holder, "process", lambda: f"{os.getpid()}:{id(fate)}")
        rehearsal.apply()


def points() -> list[tuple[int, bool]]:
    """Choose where to kill: every effect's end in the short run, all of both ends in the long."""
    if os.environ.get("HOTFIX_ORACLE_EXAMPLES"):
        return [(number, after) for number in range(60) for after in (False, True)]
    return [(number, True) for number in range(0, 40, 3)] + [(5, False), (14, False), (17, False)]


@pytest.mark.parametrize(("number", "after"), points())
def test_a_killed_run_is_finished_by_the_same_command_and_nothing_happens_twice(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, number: int, *, after: bool
) -> None:
    fate = Fate(number, after=after)
    try:
        run(rehearsal, fate, monkeypatch)
    except Killed:
        run(rehearsal, Fate(None, after=False), monkeypatch)

    assert rehearsal.lock.state == "complete"
    assert set(rehearsal.checks().values()) == {"passed"}
    assert rehearsal.lock.seal
    assert rehearsal.effects() == ONCE


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", r"git-receive-pack"),
        ("POST", r"/pipeline$"),
        ("POST", r"/play$"),
        ("POST", r"/issues$"),
        ("PUT", r"/issues/\d+$"),
    ],
)
@pytest.mark.parametrize("occurrence", [1, 2, 3])
def test_a_lost_answer_is_looked_after_and_never_repeated(
    rehearsal: Rehearsal, method: str, path: str, occurrence: int
) -> None:
    rehearsal.sandbox.faults.add(method, path, occurrence=occurrence, when="after", reset=True)

    rehearsal.apply()

    assert set(rehearsal.checks().values()) == {"passed"}
    assert rehearsal.effects() == ONCE


@pytest.mark.parametrize("status", [500, 502, 429])
def test_reads_that_fail_once_are_read_again(rehearsal: Rehearsal, status: int) -> None:
    rehearsal.sandbox.faults.add("GET", r"/api/v4/", occurrence=4, times=1, status=status)
    rehearsal.sandbox.faults.add("GET", r"/bridges", status=status)

    rehearsal.apply()

    assert rehearsal.effects() == ONCE


def test_no_token_reaches_the_lockfile_or_the_screen(rehearsal: Rehearsal) -> None:
    rehearsal.apply()

    assert rehearsal.token not in rehearsal.lockfile.read_text(encoding="utf-8")
    assert all(rehearsal.token not in repr(event) for event in rehearsal.screen.events)
