"""Targets by turns: while one waits for GitLab, those that are free go on.

All in one thread: the journal has one writer, and no two effects are under way at once. A target
begins when those that it comes after have ended well. One that ends badly keeps those after it from
beginning; what does not stand on it goes on to its own end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.errors import (
    BlockedError,
    FailedError,
    HotfixError,
    StaleError,
    WaitingError,
)
from hotfix.results import TargetResult

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from hotfix.apply.context import Way
    from hotfix.clock import Clock
    from hotfix.plan.model import TargetPlan
    from hotfix.results import Result

_BY_WEIGHT: Final[tuple[tuple[type[HotfixError], Result], ...]] = (
    (FailedError, "failed"),
    (BlockedError, "blocked"),
    (StaleError, "stale"),
    (WaitingError, "waiting"),
)
"""The ends that are one target's alone, the gravest first: that one gives the exit code.

What stops the whole run is none of these: an interruption, a lost lock, a record that cannot be
written.
"""


class Turns:
    """Carries targets through their ways, and keeps how each ended."""

    def __init__(
        self,
        targets: Sequence[TargetPlan],
        after: Mapping[str, Collection[str]],
        *,
        done: Collection[str],
        clock: Clock,
    ) -> None:
        """Take the targets in order; ``done`` are those that an earlier run carried to their end.

        ``after`` names for each project those that it waits for.
        """
        self._targets = targets
        self._after = after
        self._clock = clock
        self._done = set(done)
        self._failed: dict[str, HotfixError] = {}
        self._ways: dict[str, Way[None]] = {}
        self._due: dict[str, float] = {}

    def go(
        self,
        way: Callable[[TargetPlan], Way[None]],
        ended: Callable[[TargetPlan, HotfixError], None],
    ) -> None:
        """Go until nobody can go on; ``ended`` hears of each bad end at once.

        Raises what stops all of them.
        """
        while True:
            for target in self._ready():
                self._ways[target.project] = way(target)
                self._due[target.project] = self._clock.monotonic()
            if not self._ways:
                return
            project = min(self._ways, key=self._due.__getitem__)
            pause = self._due[project] - self._clock.monotonic()
            if pause > 0:
                self._clock.sleep(pause)
            try:
                seconds = next(self._ways[project])
            except StopIteration:
                del self._ways[project]
                self._done.add(project)
            except HotfixError as error:
                if not _is_of_one(error):
                    raise
                del self._ways[project]
                self._failed[project] = error
                ended(next(each for each in self._targets if each.project == project), error)
            else:
                self._due[project] = self._clock.monotonic() + seconds

    def gravest(self) -> tuple[str, HotfixError] | None:
        """Return the end that the run ends with, and of which project.

        It is the gravest, of several the first in order.
        """
        ends = [
            (each.project, self._failed[each.project])
            for each in self._targets
            if each.project in self._failed
        ]
        kinds = (kind for kind, _ in _BY_WEIGHT)
        return next((end for kind in kinds for end in ends if isinstance(end[1], kind)), None)

    def results(self) -> tuple[TargetResult, ...]:
        """Tell how each target ended, in order."""
        return tuple(self._result(each.project) for each in self._targets)

    def _ready(self) -> Iterator[TargetPlan]:
        for target in self._targets:
            project = target.project
            known = {*self._done, *self._failed, *self._ways}
            if project not in known and self._done >= set(self._after[project]):
                yield target

    def _result(self, project: str) -> TargetResult:
        if project in self._done:
            return TargetResult(project, "done")
        if project in self._ways:
            return TargetResult(project, "under-way")
        error = self._failed.get(project)
        if error is None:
            cause = self._cause(project)
            return TargetResult(project, "not-begun", "after-not-done", cause=cause)
        result = next(result for kind, result in _BY_WEIGHT if isinstance(error, kind))
        return TargetResult(project, result, error.code, error.message)

    def _cause(self, project: str) -> str:
        """Name the project at whose end it all hangs, however many stand between."""
        if project in self._failed:
            return project
        waits = (each for each in self._after[project] if each not in self._done)
        return next((cause for each in waits if (cause := self._cause(each))), "")


def _is_of_one(error: HotfixError) -> bool:
    """Tell an end that is one target's from one of the whole run: of its lock or its record."""
    kinds = tuple(kind for kind, _ in _BY_WEIGHT)
    return isinstance(error, kinds) and not error.code.startswith("lock-")
