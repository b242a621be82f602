"""Patience with a server that may answer the next time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from hotfix.forge.protocol import ForgeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.clock import Clock

T = TypeVar("T")

PAUSES = (0.5, 1.0, 2.0)
"""Seconds between the tries of a request; one try more than there are pauses."""

LONGEST = 60.0
"""The most seconds that a server's ``Retry-After`` is followed; longer is for the operator."""

RATE_LIMITED = 429


def patiently(
    attempt: Callable[[], T], again: Callable[[ForgeError], bool], sleep: Callable[[float], None]
) -> T:
    """Return what ``attempt`` returns, trying anew while ``again`` says that it may be tried.

    GitLab's ``Retry-After`` is followed where it gives one. The last error is passed on.
    """
    for pause in PAUSES:
        try:
            return attempt()
        except ForgeError as error:
            wait = pause if error.retry_after is None else error.retry_after
            if not again(error) or wait > LONGEST:
                raise
            sleep(wait)
    return attempt()


class Quiet:
    """A server's wish to be left alone for a while, heeded by every thread that asks it.

    Each of several threads would otherwise learn it from a refusal of its own, and what counts
    requests counts refused ones too.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until = clock.monotonic()

    def keep(self, error: ForgeError) -> None:
        """Note how long a refusal asks to wait, where it does and the wait will be kept."""
        seconds = error.retry_after
        if rate_limited(error) and seconds is not None and seconds <= LONGEST:
            with self._lock:
                self._until = max(self._until, self._clock.monotonic() + seconds)

    def wait(self) -> None:
        """Wait until the server may be asked again."""
        while (left := self._until - self._clock.monotonic()) > 0:
            self._clock.sleep(left)


def rate_limited(error: ForgeError) -> bool:
    """Tell whether GitLab turned the request away unread: safe to send again, even a write."""
    return error.status == RATE_LIMITED


def transient(error: ForgeError) -> bool:
    """Tell whether a read may succeed the next time: no answer, too many requests, a server error.

    ``gitlab-unusable`` marks what no repetition mends, such as a certificate that is not trusted.
    """
    if error.code == "gitlab-unusable":
        return False
    return error.status in {0, RATE_LIMITED} or error.status >= 500  # noqa: PLR2004  (HTTP's 5xx)
