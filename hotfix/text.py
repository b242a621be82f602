"""Text from outside is hostile: what every view does to it first."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Controls can move a terminal's cursor, format characters can turn the reading direction or hide
# text, surrogates and private use have no agreed look. Line and paragraph separators break lines.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str, *, keep_newlines: bool = False) -> str:
    r"""Return text in which nothing acts on a terminal: each unsafe character is shown as ``\xNN``.

    With ``keep_newlines`` line feeds stay; tabs become a blank.
    """
    if text.isascii() and text.isprintable():
        return text  # nearly always, and a record says thousands of texts
    return "".join(_shown(char, keep_newlines=keep_newlines) for char in text)


def one_line(text: str, limit: int = 200) -> str:
    """Return the text safe for one line of at most ``limit`` characters, an ellipsis included."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def counted(number: int, singular: str, plural: str = "") -> str:
    """Write a number with its noun: ``1 branch``, ``2 branches``."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def listed(parts: Sequence[str]) -> str:
    """Join as a sentence does: ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def _shown(char: str, *, keep_newlines: bool) -> str:
    if char == "\n" and keep_newlines:
        return char
    if char == "\t":
        return " "
    if unicodedata.category(char) not in _UNSAFE:
        return char
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
