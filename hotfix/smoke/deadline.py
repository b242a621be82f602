"""A try ends in time, whatever the other side does."""

from __future__ import annotations

from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, or raise ``TimeoutError`` when it takes too long.

    The timeout of a socket starts anew with each byte, and name resolution has none: a server that
    drips would hold a check for ever. So the work is done in a thread of its own, which is left
    behind when its time is over. It is a daemon and keeps nothing alive; ``work`` bounds what it
    reads.
    """
    future: Future[T] = Future()

    def attempt() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  (raised again where it is waited for)
            future.set_exception(error)

    Thread(target=attempt, name="smoke check", daemon=True).start()
    return future.result(timeout=seconds)
