"""Lines of Git attributes as ``info/attributes`` holds them: read, or refused with their place.

Git passes over a line that it cannot use, with a warning at most. In a spec such a line says
something that nobody gets, so here each is a fault; whoever reads a file that Git wrote about
leaves the faults aside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

State = bool | str | None
"""What a line says of an attribute: set, unset (``-``), a value, or not specified (``!``)."""

States = tuple[tuple[str, State], ...]


class Line(NamedTuple):
    """What one line says, in its order: of the paths of a pattern, or as a macro by its name."""

    states: States
    pattern: str = ""
    macro: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that Git would not use as it is meant; places count from one, in characters."""

    line: int
    column: int
    length: int
    sentence: str
    hint: str


def read_lines(text: str) -> tuple[tuple[Line, ...], tuple[Fault, ...]]:
    """Read attributes, and tell which lines cannot be used; comments and empty lines are left."""
    lines: list[Line] = []
    faults: list[Fault] = []
    for number, row in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        try:
            line = _read(row)
        except _UnusableError as error:
            column, length = error.start + 1, max(error.end - error.start, 1)
            faults.append(Fault(number, column, length, error.sentence, error.hint))
        else:
            lines += [line] if line else []
    return tuple(lines), tuple(faults)


def attribute_faults(text: str) -> tuple[Fault, ...]:
    """Say what is wrong with attributes that somebody shall review and Git shall follow."""
    lines, faults = read_lines(text)
    if not faults and not lines:
        return (Fault(1, 1, 1, "it holds no attributes", "Write lines such as `*.lock -merge`."),)
    if not faults and len(lines) > _MOST_LINES:
        said = f"it has {len(lines)} lines; {_MOST_LINES} are the most"
        return (Fault(1, 1, 1, said, "Write wider patterns."),)
    return faults


class _UnusableError(Exception):
    def __init__(self, start: int, end: int, sentence: str, hint: str) -> None:
        super().__init__(sentence)
        self.start, self.end, self.sentence, self.hint = start, end, sentence, hint


def _read(row: str) -> Line | None:
    words = list(_WORD.finditer(row))
    if not words or words[0][0].startswith("#"):
        return None
    first, *rest = words
    place = first.start(), first.end()
    if len(row.encode("utf-8", "surrogateescape")) > _LONGEST:
        raise _UnusableError(*place, f"the line has more than {_LONGEST} bytes", _TOO_LONG)
    macro = first[0].startswith(_MACRO) and first[0] != _MACRO
    name = first[0].removeprefix(_MACRO) if macro else _pattern(first)
    if macro and not _NAME.fullmatch(name):
        raise _UnusableError(*place, "this cannot be the name of a macro", _NAMES)
    if not rest:
        raise _UnusableError(*place, "the line gives no attribute", "Add one, such as `-merge`.")
    states = tuple(_state(word) for word in rest)
    return Line(states, macro=name) if macro else Line(states, pattern=name)


def _pattern(word: re.Match[str]) -> str:
    """Return a pattern without its quotes; one that matches no file of any tree is refused."""
    written, place = word[0], (word.start(), word.end())
    pattern = written
    if written.startswith('"'):
        if not _QUOTED.fullmatch(written):
            raise _UnusableError(*place, "the quoted pattern cannot be read", _QUOTES)
        pattern = _unquoted(written[1:-1])
        if pattern.startswith(_MACRO):
            raise _UnusableError(*place, "a macro stands without quotes", "Take them away.")
    if not pattern.strip("/"):
        raise _UnusableError(*place, "the pattern is empty", "Write a path or a pattern of paths.")
    if pattern.startswith("!"):
        hint = "Give the files that are meant another attribute in a line below."
        raise _UnusableError(*place, "attributes have no negative patterns", hint)
    if pattern.endswith("/"):
        hint = "Put `**` behind it, for all that lies in the folder."
        raise _UnusableError(*place, "the pattern is of a folder and matches no file", hint)
    if not _WELL_FORMED.fullmatch(pattern):
        hint = "Close the bracket, or put `\\` before a character that stands for itself."
        raise _UnusableError(*place, "the pattern matches nothing, as Git reads it", hint)
    return pattern


def _state(word: re.Match[str]) -> tuple[str, State]:
    written, place = word[0], (word.start(), word.end())
    name, equals, value = written.lstrip("-!").partition("=")
    sign = written[: len(written) - len(written.lstrip("-!"))]
    if not _NAME.fullmatch(name) or name.startswith(_RESERVED) or len(sign) > 1:
        raise _UnusableError(*place, "this is no attribute", _NAMES)
    if equals and (sign or not value):
        hint = "Write `merge`, `-merge`, `!merge` or `merge=VALUE`."
        raise _UnusableError(*place, "this gives the attribute no clear value", hint)
    if equals:
        return name, value
    return name, {"": True, "-": False, "!": None}[sign]


def _unquoted(text: str) -> str:
    r"""Undo Git's quoting as in C; ``\303`` is a byte, so the bytes are put together first."""
    parts = (
        _escaped(part[1:]) if part.startswith("\\") else part.encode("utf-8", "surrogateescape")
        for part in _PART.findall(text)
    )
    return b"".join(parts).decode("utf-8", "surrogateescape")


def _escaped(code: str) -> bytes:
    return bytes([int(code, 8)]) if code.isdigit() else _LETTERS[code].encode()


_MOST_LINES: Final = 200
_LONGEST: Final = 2000  # Git passes over a line of 2,048 bytes and more
_MACRO: Final = "[attr]"
_RESERVED: Final = "builtin_"
_NAME: Final = re.compile(r"[A-Za-z0-9_.][-A-Za-z0-9_.]*")
_ESCAPE: Final = r'\\(?:[abfnrtv\\"]|[0-3][0-7][0-7])'
_QUOTED: Final = re.compile(rf'"(?:[^"\\]|{_ESCAPE})*"')
_PART: Final = re.compile(rf"{_ESCAPE}|[^\\]")
_WORD: Final = re.compile(r'(?<![^ \t\r])"(?:[^"\\]|\\.)*"[^ \t\r]*|[^ \t\r]+')
_CLASSES: Final = "alnum|alpha|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit"
_MEMBER: Final = rf"\[:(?:{_CLASSES}):\]|(?!\[:)[^\]\\]|\\."
_WELL_FORMED: Final = re.compile(rf"(?s:[^\[\\]|\\.|\[[!^]?+\]?+(?:{_MEMBER})*+\])++")
_LETTERS: Final = dict(zip('abfnrtv\\"', '\a\b\f\n\r\t\v\\"', strict=True))
_TOO_LONG: Final = "Git passes over so long a line; write several."
_QUOTES: Final = 'Close the quote, write `\\"` for a quote inside, and a blank behind it.'
_NAMES: Final = "Names are made of letters, digits, `-`, `_` and `.`, such as `merge=union`."
