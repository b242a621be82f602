"""A run in this very process that dies at one of its effects: nothing of it happens after."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hotfix.apply import holder
from hotfix.apply.journal import Journal

from .conftest import Rehearsal

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

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


def run(
    rehearsal: Rehearsal,
    fate: Fate,
    monkeypatch: pytest.MonkeyPatch,
    work: Callable[[Rehearsal], object] = Rehearsal.apply,
) -> None:
    """Apply, or do other work, as a process of its own that meets its fate."""
    real: GitLabForge = rehearsal.forge()
    write = Journal._write
    with monkeypatch.context() as patch:
        patch.setattr(rehearsal, "forge", lambda: Doomed(real, fate, WRITES))
        patch.setattr(
            Journal, "_write", lambda journal: fate.meet("journal", lambda: write(journal))
        )
        patch.setattr(holder, "process", lambda: f"{os.getpid()}:{id(fate)}")
        work(rehearsal)
