"""The clock that a world is built by: it stands wherever the story has come to."""

from __future__ import annotations

from datetime import datetime, timedelta


class StoryClock:
    """A clock that moves when told."""

    def __init__(self, start: datetime) -> None:
        """Begin at a moment."""
        self._now = start

    def now(self) -> datetime:
        """Tell where the story has come to."""
        return self._now

    def monotonic(self) -> float:
        """Tell seconds that never run backwards."""
        return self._now.timestamp()

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self._now += timedelta(seconds=seconds)

    def set(self, moment: datetime) -> None:
        """Move on to a moment; never back."""
        self._now = max(self._now, moment)
