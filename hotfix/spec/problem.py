"""A problem in a file: its place, what is wrong there, and what to write instead."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hotfix.errors import InputError
from hotfix.spec.secrets import mask_line
from hotfix.text import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

_WINDOW = 100  # characters of a line that are shown; a longer one is cut around its place
_MOST_SHOWN = 100  # problems in one message; nobody reads further before correcting these
_BEFORE = 40  # of them at most so many stand before the place


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a text; both count from 1, the column in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a file, ready to be shown: masked, and safe for a terminal."""

    file: str
    line: int
    column: int
    message: str
    hint: str
    excerpt: str
    pointer: str

    def __str__(self) -> str:
        """Show the place, the sentence, the line with a caret below the column, and the hint."""
        margin = " " * len(str(self.line))
        return "\n".join(
            (
                f"{self.file}:{self.line}:{self.column}: {self.message}",
                f"    {self.line} | {self.excerpt}".rstrip(),
                f"    {margin} | {self.pointer}",
                f"    {self.hint}",
            )
        )


class SpecError(InputError):
    """A spec or its defaults are refused; ``problems`` has every one, in the order of the files."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        files = " and ".join(dict.fromkeys(problem.file for problem in problems))
        shown = [str(problem) for problem in problems[:_MOST_SHOWN]]
        if len(problems) > _MOST_SHOWN:
            shown.append(f"… and {len(problems) - _MOST_SHOWN} more")
        super().__init__(
            "invalid-spec",
            "\n".join((f"{count} in {files}", *shown)),
            hint="Correct the file and run `hotfix validate` again.",
        )
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Source:
    """The text of a file, from which problems take the line that they show."""

    file: str
    text: str

    def line(self, number: int) -> str:
        """Return a line without its break; beyond the end there is an empty one."""
        return self._lines[number - 1] if number <= len(self._lines) else ""

    @cached_property
    def _masked(self) -> dict[int, str]:
        return {}

    @cached_property
    def _lines(self) -> list[str]:
        return _BREAK.split(self.text)

    def problem(self, start: Mark, end: Mark | None, message: str, hint: str) -> Problem:
        """Make a problem of the place from ``start`` up to ``end``, as far as one line shows it."""
        line = self._masked.get(start.line)
        if line is None:
            line = self._masked[start.line] = mask_line(self.line(start.line))
        first = start.column - 1
        last = end.column - 1 if end is not None and end.line == start.line else len(line.rstrip())
        last = max(last, first + 1) if end is not None else first + 1
        excerpt, pointer = _shown(line, first, last)
        file = one_line(self.file, 1000)
        return Problem(file, start.line, start.column, message, hint, excerpt, pointer)


def _shown(line: str, first: int, last: int) -> tuple[str, str]:
    begin = max(0, first - _BEFORE) if len(line) > _WINDOW else 0
    finish = begin + _WINDOW
    before = ("…" if begin else "") + printable(line[begin:first])
    marked = printable(line[first : min(last, finish)])
    after = printable(line[min(last, finish) : finish]) + ("…" if len(line) > finish else "")
    return before + marked + after, " " * _width(before) + "^" * max(_width(marked), 1)


def _width(text: str) -> int:
    """Tell how many cells a terminal gives a text, so that the caret stands below its place."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


_BREAK = re.compile(r"\r\n|\r|\n")
