"""Which screen a run shows itself on."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

from hotfix import __version__
from hotfix.cli.redaction import redacted
from hotfix.cli.screen import is_capable
from hotfix.views.event_stream import EventStream
from hotfix.views.progress import LiveProgress, PlainProgress, Several

if TYPE_CHECKING:
    from hotfix.apply.ports import Progress
    from hotfix.cli.screen import Screen
    from hotfix.clock import Clock

Pause = Callable[[], contextlib.AbstractContextManager[None]]
"""Frees the terminal for a question."""


def progress_on(
    screen: Screen, clock: Clock, events: TextIO | None, stack: contextlib.ExitStack
) -> tuple[Progress, Pause]:
    """Choose the screen for events, and how it is paused for a question."""
    pause: Pause = contextlib.nullcontext
    parts: list[Progress] = []
    if not screen.quiet and is_capable(sys.stderr):
        live = stack.enter_context(LiveProgress(screen.console(), clock))
        parts, pause = [live], live.paused
    elif not screen.quiet:
        parts = [PlainProgress(screen.err)]
    if events is not None:
        parts.append(_stream(events))
    return Several(parts), pause


def _stream(events: TextIO) -> Progress:
    def write(line: str) -> None:
        events.write(redacted(line))
        events.flush()

    return EventStream(write, __version__)
