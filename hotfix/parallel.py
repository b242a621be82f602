"""Several waits at once, with the outcome that one after another would have had.

Reads of GitLab wait for the network nearly all of their time, so a few threads divide the wait.
What comes out does not depend on which of them was faster: results stand in the order of the
tasks, and of several failures the first in that order is raised.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

K = TypeVar("K")
T = TypeVar("T")

AT_ONCE: Final = 8
"""How many tasks run at a time: about as many as a browser opens connections to one host."""

_in_order: ContextVar[bool] = ContextVar("in_order", default=False)

_NAMED: Final = 2
"""How many other failures are told beside the first; many requests fail of one cause."""


class Together:
    """Tasks that do not depend on each other, begun in the order in which they are added.

    Once one has failed no further one begins; those under way are waited for, and the first
    failure in order is raised. As all before it were begun, it is the one that doing one after
    another would have met. What else failed meanwhile is noted on it, a few by name.

    The threads are daemons and the caller only waits: an interrupt is raised in the caller at
    once, no further task begins, and no request that is under way keeps the program from ending.
    A task must not run others together: the bound would not hold.
    """

    def __init__(self) -> None:
        self._waiting: deque[Pending[object]] = deque()
        self._failed: list[Pending[object]] = []
        self._ended = 0
        self._turn = threading.Condition()

    def add(self, task: Callable[[], T]) -> Pending[T]:
        """Add a task; its result is there once all have run."""
        pending = Pending(len(self._waiting), task)
        self._waiting.append(pending)  # type: ignore[arg-type]  # results are only stored here
        return pending

    def run(self, *, at_once: int = AT_ONCE) -> None:
        """Run what was added, so many tasks at a time."""
        threads = 1 if _in_order.get() else min(at_once, len(self._waiting))
        if threads <= 1:
            while self._waiting:
                self._waiting.popleft().run()
            return
        try:
            for number in range(threads):
                threading.Thread(target=self._labour, name=f"hotfix-{number}", daemon=True).start()
            with self._turn:
                self._turn.wait_for(lambda: self._ended == threads)
        finally:
            self._waiting.clear()
        if self._failed:
            raise self._first_failure()

    def _labour(self) -> None:
        while not self._failed:
            try:
                pending = self._waiting.popleft()
            except IndexError:
                break
            try:
                pending.run()
            except BaseException as error:  # noqa: BLE001  (raised by the caller's thread)
                pending.error = error
                self._failed.append(pending)
        with self._turn:
            self._ended += 1
            self._turn.notify()

    def _first_failure(self) -> BaseException:
        ordered = sorted(self._failed, key=lambda pending: pending.place)
        first, *others = (pending.error for pending in ordered if pending.error is not None)
        different = [text for text in dict.fromkeys(map(str, others)) if text != str(first)]
        for text in different[:_NAMED]:
            first.add_note(f"Meanwhile: {text}")
        if more := len(different[_NAMED:]):
            first.add_note(f"Meanwhile: {more} more failure{'s' if more > 1 else ''}")
        return first


class Pending(Generic[T]):
    """A task and, once it has run, its ``result``."""

    result: T

    def __init__(self, place: int, task: Callable[[], T]) -> None:
        self.place = place
        self.error: BaseException | None = None
        self._task = task

    def run(self) -> None:
        """Do the task and keep its result."""
        self.result = self._task()


@contextmanager
def in_order() -> Iterator[None]:
    """Run one task after another meanwhile, so that what they ask is asked in the same order.

    What comes out is the same either way; a rehearsal also counts requests, and is to be repeated.
    """
    before = _in_order.set(True)
    try:
        yield
    finally:
        _in_order.reset(before)


def in_parallel(tasks: Iterable[Callable[[], T]], *, at_once: int = AT_ONCE) -> list[T]:
    """Run tasks of one kind together and return their results in order."""
    together = Together()
    pending = [together.add(task) for task in tasks]
    together.run(at_once=at_once)
    return [each.result for each in pending]


class Once(Generic[K, T]):
    """What is asked for once and holds from then on, whichever thread comes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[K, threading.Lock] = {}
        self._values: dict[K, T] = {}

    def get(self, key: K, make: Callable[[], T]) -> T:
        """Return what ``make`` made for this key the first time that it did not fail."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._values:
                self._values[key] = make()
            return self._values[key]
