"""The one door to time."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Time as the tool sees it; tests bring one that they move by hand."""

    def now(self) -> datetime:
        """Tell the wall clock, in UTC."""
        ...

    def monotonic(self) -> float:
        """Tell seconds that never run backwards, for measuring waits."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Tell the wall clock, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Tell seconds that never run backwards."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def timestamp(moment: datetime) -> str:
    """Write a moment as every file of ours does: RFC 3339 in UTC, whole seconds, ``Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
