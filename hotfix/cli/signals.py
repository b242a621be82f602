"""Ctrl-C and SIGTERM: the first asks for a stop where stopping is safe, the second is obeyed."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from hotfix.apply.ports import Stop

_TOLD: Final = (
    b"\nStopping where it is safe: what is in flight is finished and recorded first. "
    b"Once more stops at once.\n"
)
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_STDERR: Final = 2


class Interrupts:
    """Turns signals into a wish to stop, for as long as the context lasts."""

    def __init__(self, stop: Stop) -> None:
        """Set ``stop.requested`` on the first signal; main thread only."""
        self._stop = stop
        self._asking = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        """Take the signals over."""
        for number in _SIGNALS:
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the signals back."""
        for number, before in self._before.items():
            signal.signal(number, before)

    @contextlib.contextmanager
    def asking(self) -> Iterator[None]:
        """Let a signal end the wait for an answer: nothing is in flight while one is typed.

        One that came just before is obeyed at once: whoever wanted to stop is not asked.
        """
        if self._stop.requested:
            raise KeyboardInterrupt
        self._asking = True
        try:
            yield
        finally:
            self._asking = False

    def _handle(self, number: int, frame: object) -> None:
        del number, frame
        again = self._stop.requested
        self._stop.requested = True
        if again or self._asking:
            raise KeyboardInterrupt
        # Not through sys.stderr: the signal may have come in the middle of a write to it.
        with contextlib.suppress(OSError):
            os.write(_STDERR, _TOLD)
