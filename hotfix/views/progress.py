"""A run as it goes: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from hotfix.text import one_line, printable
from hotfix.views.page import BAD, CAUTION, GOOD, QUIET, Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from hotfix.apply.events import Event, JobState
    from hotfix.apply.ports import Progress
    from hotfix.clock import Clock

_JOBS: Final = 10
"""How many jobs the live display shows; a terminal has few lines."""
_STATUS: Final = {
    "success": GOOD,
    "failed": BAD,
    "canceled": BAD,
    "running": CAUTION,
    "pending": CAUTION,
    "manual": "cyan",
}
_PHASES: Final = {"done": GOOD, "failed": BAD, "note": QUIET, "waiting": CAUTION, "started": QUIET}


def line_of(event: Event) -> str:
    """Write an event as a line: ``[restore] group/project: pushed 1a2b3c4d to release``."""
    where = f" {event.target}:" if event.target else ""
    failed = " failed:" if event.phase == "failed" else ""
    jobs = "".join(f", {job.name} {job.status}" for job in event.jobs)
    url = f" {event.url}" if event.url else ""
    return one_line(f"[{event.step}]{where}{failed} {event.message}{jobs}{url}", 2000)


class PlainProgress:
    """A ``Progress`` of plain lines: what is done, and each new thing that is waited for."""

    def __init__(self, write: Callable[[str], object]) -> None:
        """Write lines to a log or a pipe."""
        self._write = write
        self._last: dict[str | None, str] = {}

    def emit(self, event: Event) -> None:
        """Write an event, unless it only says again what the target's line before said."""
        if event.phase == "started":
            return
        line = line_of(event)
        if line != self._last.get(event.target):
            self._last[event.target] = line
            self._write(line + "\n")


class LiveProgress:
    """A ``Progress`` on a terminal: what is done scrolls up, what goes on stays below and moves."""

    def __init__(self, console: Console, clock: Clock) -> None:
        """Show on a console; enter it as a context, and pause it to ask something."""
        self._console = console
        self._current = _Current(clock)
        self._live: Live | None = None

    def __enter__(self) -> Self:
        """Begin to show."""
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was found, below what was done."""
        self._stop()

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Free the terminal for a question."""
        was_live = self._live is not None
        self._stop()
        try:
            yield
        finally:
            if was_live:
                self._start()

    def emit(self, event: Event) -> None:
        """Show an event: for good if it is an end or a note, else as what goes on."""
        if event.phase in {"started", "waiting"}:
            self._current.show(event)
            return
        page = Page(self._console.width)
        page.line((f"{event.phase:7}", _PHASES[event.phase]), line_of(event), hang=7)
        page.print_on(self._console)
        if event.phase != "note":
            self._current.clear(event.target)

    def _start(self) -> None:
        # Rich would take over both standard streams; what others write there is theirs.
        self._live = Live(
            self._current,
            console=self._console,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


class Several:
    """A ``Progress`` that hands each event on to several."""

    def __init__(self, parts: Sequence[Progress]) -> None:
        """Hand on in this order."""
        self._parts = parts

    def emit(self, event: Event) -> None:
        """Hand an event on."""
        for part in self._parts:
            part.emit(event)


class _Current:
    """What goes on now, target by target, drawn anew at each refresh so that the seconds move."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: dict[str | None, tuple[Event, float]] = {}
        self._spinner = Spinner("line", style=CAUTION)

    def show(self, event: Event) -> None:
        before, since = self._events.get(event.target, (None, 0.0))
        if before is None or before.step != event.step:
            since = self._clock.monotonic()
        self._events[event.target] = (event, since)

    def clear(self, target: str | None) -> None:
        self._events.pop(target, None)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for event, since in list(self._events.values()):
            yield from self._lines(event, since)

    def _lines(self, event: Event, since: float) -> Iterator[RenderableType]:
        seconds = int(self._clock.monotonic() - since)
        where = f" {event.target}" if event.target else ""
        head = Table.grid(padding=(0, 1))
        head.add_row(
            self._spinner,
            Text(
                printable(f"{event.step}{where}: {event.message} ({seconds} s)"),
                overflow="ellipsis",
                no_wrap=True,
            ),
        )
        yield head
        if event.url:
            yield Text(f"   {printable(event.url)}", style=QUIET, overflow="fold")
        if event.jobs:
            yield _jobs_table(event.jobs)


def _jobs_table(jobs: Sequence[JobState]) -> Table:
    table = Table.grid(padding=(0, 2))
    for job in jobs[:_JOBS]:
        table.add_row(
            Text("   " + one_line(job.stage, 20), style=QUIET),
            Text(one_line(job.name, 40)),
            Text(one_line(job.status, 20), style=_STATUS.get(job.status, "")),
            Text("" if job.seconds is None else f"{job.seconds} s", style=QUIET),
        )
    if len(jobs) > _JOBS:
        table.add_row("", Text(f"and {len(jobs) - _JOBS} more", style=QUIET), "", "")
    return table
