"""What is told while GitLab is asked: what is waited for, and what could go better."""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import TYPE_CHECKING, Final

from hotfix.cli.redaction import redacted
from hotfix.cli.screen import is_capable
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.cli.screen import Screen
    from hotfix.clock import Clock

SECONDS: Final = 0.5
"""How long something may take unmentioned; short waits that follow one another count as one."""


class Waiting:
    """A ``Telling``: names a long wait on the terminal, on a line that goes when it is over."""

    def __init__(self, screen: Screen, clock: Clock, *, shows_waits: bool = True) -> None:
        """Say it on this screen; ``shows_waits`` is off where other progress is shown already."""
        self._screen = screen
        self._is_shown = shows_waits and not screen.quiet and is_capable(sys.stderr)
        self._clock = clock
        self._since = self._until = float("-inf")
        self._line = threading.Lock()
        """There is one line; of waits at the same time it names the first."""

    def notice(self, text: str) -> None:
        """Say a remark on standard error."""
        self._screen.say(f"Note: {text}.\n")

    @contextlib.contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show what is waited for while it lasts, from half a second on."""
        if not self._is_shown or not self._line.acquire(blocking=False):
            yield
            return
        now = self._clock.monotonic()
        if now - self._until > SECONDS:
            self._since = now
        line = redacted(one_line(what, 70)) + " ..."
        shown = threading.Event()
        timer = threading.Timer(max(0.0, self._since + SECONDS - now), _show, [line, shown])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            if shown.is_set():
                _write("\r" + " " * len(line) + "\r")
            self._until = self._clock.monotonic()
            self._line.release()


def _show(line: str, shown: threading.Event) -> None:
    shown.set()
    _write(line)


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
