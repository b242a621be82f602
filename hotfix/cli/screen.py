"""Where output goes and how: format, width, colour, and the last redaction."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from hotfix.cli.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from rich.console import Console

_PIPE: Final = 100
Format = Literal["text", "json", "markdown", "junit"]


@dataclass(frozen=True, slots=True)
class Screen:
    """Standard output for what was asked for, standard error for everything said about it."""

    format: Format = "text"
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False

    @property
    def width(self) -> int:
        """Tell how many cells a line has: of the terminal that either stream is on, else 100."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                columns = os.get_terminal_size(stream.fileno()).columns
                return int(os.environ.get("COLUMNS") or columns or _PIPE)
        import shutil  # noqa: PLC0415  (for those who show something)

        return shutil.get_terminal_size((_PIPE, 24)).columns

    def colour(self, stream: TextIO) -> bool:
        """Tell whether a stream shall be coloured: a capable terminal, and nobody objects."""
        objected = self.no_color or bool(os.environ.get("NO_COLOR"))
        return not objected and is_capable(stream)

    def out(self, text: str, *, published: Iterable[str] = ()) -> None:
        """Write to standard output."""
        sys.stdout.write(redacted(text, but=published))
        sys.stdout.flush()

    def err(self, text: str) -> None:
        """Write to standard error."""
        sys.stderr.write(redacted(text))
        sys.stderr.flush()

    def say(self, text: str) -> None:
        """Write a remark to standard error, unless the user wants quiet."""
        if not self.quiet:
            self.err(text)

    def page(self, view: Any, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  (a text view, and what it shows)
        """Write what a text view makes for this width and colour to standard output."""
        colour = self.colour(sys.stdout)
        self.out(view(*arguments, width=self.width, colour=colour, **options))

    def console(self) -> Console:
        """Return a rich console on standard error that redacts too."""
        from rich.console import Console  # noqa: PLC0415  (loads slowly)

        file: Any = _Redacting(sys.stderr)
        return Console(
            file=file,
            width=self.width,
            force_terminal=True,
            color_system="standard" if self.colour(sys.stderr) else None,
            no_color=not self.colour(sys.stderr),
            markup=False,
            highlight=False,
            emoji=False,
        )


def is_capable(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal that understands escape sequences."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


class _Redacting:
    """A text stream before another that takes tokens out."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = stream.encoding

    def write(self, text: str) -> int:
        self._stream.write(redacted(text))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()
