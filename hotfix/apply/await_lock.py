"""Waiting for a lock that another run holds: the same run again, until it is free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from hotfix.apply.events import Event
from hotfix.clock import timestamp
from hotfix.errors import InterruptedRunError, LockedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.apply.ports import Progress, Stop
    from hotfix.clock import Clock

T = TypeVar("T")

SILENT: Final = 0.4
"""How many seconds a lock may be waited for unmentioned: most are given back at once."""


def await_lock(
    attempt: Callable[[], T],
    *,
    longest: float,
    poll: float,
    clock: Clock,
    progress: Progress,
    stop: Stop,
) -> T:
    """Return what a run returns, begun anew while another one holds its lock.

    A run that finds the lock held has done nothing yet, and what it would do is to be planned
    after the other one has ended: so it begins from the start, and may find the work done. Raises
    the last ``LockedError`` after ``longest`` seconds. A lock that was lost in the middle of a run
    is not waited for.
    """
    begin = clock.monotonic()
    while True:
        try:
            return attempt()
        except LockedError as error:
            waited = clock.monotonic() - begin
            if error.code != "locked" or waited >= longest:
                raise _after(error, waited) from None
            if waited >= SILENT:
                _tell(error, progress, clock)
            pause = poll if waited >= SILENT else SILENT
            _refuse_stopped(stop)
            clock.sleep(min(pause, longest - waited))
            _refuse_stopped(stop)


def _after(error: LockedError, waited: float) -> LockedError:
    if waited >= 1 and error.code == "locked":
        error.add_note(f"This run waited for it for {waited:.0f} s.")
    return error


def _tell(error: LockedError, progress: Progress, clock: Clock) -> None:
    said = f"waiting for the lock: {error.message}"
    at = timestamp(clock.now())
    progress.emit(Event(at=at, step="lock", target=None, phase="waiting", message=said))


def _refuse_stopped(stop: Stop) -> None:
    if stop.requested:
        raise InterruptedRunError(
            "interrupted",
            "Stopped while the lock was waited for; nothing was done.",
            hint="Run the same command again.",
        )
