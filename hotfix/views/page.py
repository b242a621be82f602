"""A page of text: lines with styles, wrapped between words, never inside one.

Everything that a view writes for a terminal goes through a page, and a page makes every part safe
first: whatever stands in a title or a branch name, nothing of it acts on the terminal. A commit id
or a digest is one word, so it is always whole and can be copied.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.text import Text

from hotfix.text import printable

if TYPE_CHECKING:
    from rich.console import Console

Part = str | tuple[str, str]
"""A text, or a text with its style."""

GOOD: Final = "green"
BAD: Final = "bold red"
CAUTION: Final = "yellow"
HEADING: Final = "bold"
QUIET: Final = "dim"

_UNLIMITED: Final = 1_000_000
_NARROW: Final = 42


class Page:
    """Lines in the order in which they were written."""

    def __init__(self, width: int) -> None:
        """Begin a page; prose is wrapped so that it fits ``width`` cells."""
        self._width = max(width, 40)
        self._lines: list[Text] = []

    def line(self, *parts: Part, indent: int = 0, hang: int = 0, wrap: bool = True) -> None:
        """Write a line; what does not fit goes below it, ``hang`` cells further in."""
        text = Text(end="")
        for part in parts:
            words, style = (part, "") if isinstance(part, str) else part
            text.append(printable(words), style)
        first, *rest = _wrapped(text, self._width - indent, hang) if wrap else [text]
        self._lines.append(_indented(first, indent))
        self._lines += [_indented(line, indent + hang) for line in rest]

    def gap(self) -> None:
        """Write an empty line, unless there is one already or nothing above."""
        if self._lines and self._lines[-1].plain:
            self._lines.append(Text())

    def table(self, rows: list[tuple[Part, ...]], *, indent: int = 0) -> None:
        """Write rows whose columns begin below each other; the last column is wrapped.

        Where that leaves too little room for it, it stands below its row.
        """
        widths = [
            max(Text(printable(_plain(row[place]))).cell_len for row in rows)
            for place in range(len(rows[0]) - 1 if rows else 0)
        ]
        for row in rows:
            parts: list[Part] = []
            for part, width in zip(row[:-1], widths, strict=True):
                gap = width - Text(printable(_plain(part))).cell_len + 2
                parts += [part, " " * gap]
            hang = sum(widths) + 2 * len(widths)
            if self._width - indent - hang >= _NARROW:
                self.line(*parts, row[-1], indent=indent, hang=hang)
            else:
                self.line(*parts, indent=indent)
                self.line(row[-1], indent=indent + 4)

    def text(self, *, colour: bool) -> str:
        """Return the page, each line ended; with ``colour`` its styles as escape sequences."""
        if not colour:
            return "".join(f"{line.plain}\n" for line in self._lines)
        # Only colours need a console, which is most of what Rich takes to load.
        from rich.console import Console  # noqa: PLC0415

        file = io.StringIO()
        console = Console(
            file=file,
            width=_UNLIMITED,
            force_terminal=True,
            color_system="standard",
            legacy_windows=False,
            markup=False,
            highlight=False,
            emoji=False,
            _environ={},
        )
        self.print_on(console)
        return file.getvalue()

    def print_on(self, console: Console) -> None:
        """Write the page to a console that others write to as well."""
        for line in self._lines:
            console.print(line, soft_wrap=True)


def _plain(part: Part) -> str:
    return part if isinstance(part, str) else part[0]


def _indented(line: Text, indent: int) -> Text:
    return Text(" " * indent).append_text(line) if line.plain else line


def _wrapped(text: Text, width: int, hang: int) -> list[Text]:
    """Divide between words; a word that is wider than a line stands on one of its own."""
    starts, used, room = [0], 0, width
    for word in re.finditer(r"\s*\S+", text.plain):
        cells = cell_len(word[0])
        if used + cells > room and word.start() > 0:
            starts.append(word.end() - len(word[0].lstrip()))
            used, room = cell_len(word[0].lstrip()), width - hang
        else:
            used += cells
    lines = text.divide(starts[1:])
    for line in lines:
        line.rstrip()
    return list(lines) or [text]
