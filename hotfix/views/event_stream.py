"""The stream of events for machines: one JSON object a line, the first naming the format.

Whoever reads it leaves out what it does not know: kinds of events may be added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from hotfix.models import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.apply.events import Event


class StreamHead(Frozen):
    """The first line of a stream."""

    format: Literal["events/1"]
    tool_version: str


class EventStream:
    """A ``Progress`` that writes each event as a line."""

    def __init__(self, write: Callable[[str], object], tool_version: str) -> None:
        """Begin the stream by its head."""
        self._write = write
        head = StreamHead(format="events/1", tool_version=tool_version)
        self._write(head.model_dump_json() + "\n")

    def emit(self, event: Event) -> None:
        """Write an event."""
        self._write(event.model_dump_json() + "\n")
