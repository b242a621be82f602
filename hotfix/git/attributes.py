"""Which merge driver Git's attributes give a path.

dulwich's own lookup knows neither macros nor quoted patterns, and its regular expressions go
back and forth over a long name; so of it only the reading of brackets is used. A name of a
hostile repository costs one step for each of its bytes and each line here.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from dulwich.wildmatch import MalformedPattern, translate_bracket_expression

from hotfix.attributes import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotfix.attributes import Line, State, States
    from hotfix.git.rules import Effort

BUILT_IN: Final = frozenset({"text", "binary", "union"})
"""The drivers that every Git has; any other is a program that somebody configured."""


class Attributes:
    """Attributes that were read; without lines every path is merged as text."""

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        known = tuple(lines)
        self._macros: dict[str, States] = {"binary": _BINARY}
        self._macros.update((line.macro, line.states) for line in known if line.macro)
        self._patterns = [(_Pattern(line.pattern), line.states) for line in known if line.pattern]

    @property
    def are_none(self) -> bool:
        """Tell whether nothing is said about any path."""
        return not self._patterns

    def driver(self, path: bytes, effort: Effort) -> str:
        """Return the merge driver of a path by Git's name: ``text``, ``binary``, ``union``, other.

        ``-merge`` is ``binary``; ``merge``, and no word about it, is ``text``.
        """
        state = self._states(path, effort).get("merge")
        if isinstance(state, str):
            return state
        return "binary" if state is False else "text"

    def is_binary(self, path: bytes, effort: Effort) -> bool | None:
        """Tell whether ``diff`` makes a path binary or text whatever is in it; ``None`` if not."""
        state = self._states(path, effort).get("diff")
        return not state if isinstance(state, bool) else None

    def _states(self, path: bytes, effort: Effort) -> dict[str, State]:
        """Return what holds for a path: the last word counts, a macro stands for its own."""
        effort.spend(len(path) * len(self._patterns) // _BYTES_PER_STEP)
        found: dict[str, State] = {}
        for pattern, states in reversed(self._patterns):
            waiting = list(states) if pattern.matches(path) else []
            while waiting:
                name, state = waiting.pop()
                if name not in found:
                    found[name] = state
                    waiting += self._macros.get(name, ()) if state is True else ()
        return found


def attributes_of(text: str | None) -> Attributes:
    """Return the attributes of a text; lines that Git could not use say nothing."""
    return Attributes(read_lines(text)[0] if text else ())


_BINARY: Final[States] = (("diff", False), ("merge", False), ("text", False))
_SLASH: Final = ord("/")
_BYTES_PER_STEP: Final = 2

NO_ATTRIBUTES: Final = Attributes()


class _Pattern:
    """A pattern in Git's own language (``wildmatch``), as places that a path moves through.

    Each place is a bit, so all ways to read a path are followed at once.
    """

    def __init__(self, pattern: str) -> None:
        self._whole_path = "/" in pattern
        self._exact: dict[int, int] = {}  # byte: the places that it leads on from
        self._any = 0  # places that every byte but a slash leads on from
        self._stay = self._stay_at_slash = 0  # stars
        self._skip = 0  # stars in `**/`, which may stand for no folder at all
        self._size = 0
        try:
            self._read(pattern.encode("utf-8", "surrogateescape").removeprefix(b"/"))
        except MalformedPattern:
            self._exact, self._any, self._stay, self._skip, self._size = {}, 0, 0, 0, 1

    def matches(self, path: bytes) -> bool:
        """Tell whether a path, or its last name where the pattern has no slash, is one of it."""
        text = path if self._whole_path else path[path.rfind(b"/") + 1 :]
        places = self._onward(self._beside(1))
        for byte in text:
            inside = byte != _SLASH
            leading = self._exact.get(byte, 0) | (self._any if inside else 0)
            staying = places & (self._stay if inside else self._stay_at_slash)
            places = self._onward(self._beside((places & leading) << 1) | staying)
            if not places:
                return False
        return bool(places >> self._size & 1)

    def _onward(self, places: int) -> int:
        return places | (places & self._stay) << 1

    def _beside(self, places: int) -> int:
        while (more := places | (places & self._skip) << 2) != places:
            places = more
        return places

    def _read(self, pattern: bytes) -> None:
        # Git compares what stands before the first wildcard by itself, so that a `**` right
        # behind it counts as one that begins the pattern.
        plain = len(re.match(rb"[^*?\[\\]*", pattern)[0])  # type: ignore[index]  # matches always
        at = 0
        while at < len(pattern):
            place, char = 1 << self._size, pattern[at : at + 1]
            self._size += 1
            if char == b"*":
                end = at + len(pattern[at:]) - len(pattern[at:].lstrip(b"*"))
                self._star(place, pattern, at, end, starts=at == plain)
                at = end
            elif char == b"?":
                self._any |= place
                at += 1
            elif char == b"[":
                at, members = _bracket(pattern, at + 1)
                for byte in members:
                    self._lead(byte, place)
            else:
                at += char == b"\\"
                self._lead(pattern[at] if at < len(pattern) else 0, place)
                at += 1

    def _star(self, place: int, pattern: bytes, start: int, end: int, *, starts: bool) -> None:
        self._stay |= place
        follows = pattern[end : end + 2]
        begins = starts or pattern[start - 1] == _SLASH
        if end - start > 1 and begins and (not follows or follows[:1] == b"/" or follows == b"\\/"):
            self._stay_at_slash |= place
            self._skip |= place if follows[:1] == b"/" else 0

    def _lead(self, byte: int, place: int) -> None:
        self._exact[byte] = self._exact.get(byte, 0) | place


@cache
def _members(expression: bytes) -> bytes:
    found = re.compile(expression, re.DOTALL)
    return bytes(byte for byte in range(256) if found.fullmatch(bytes([byte])))


def _bracket(pattern: bytes, at: int) -> tuple[int, bytes]:
    end, expression = translate_bracket_expression(pattern, at)
    return end, _members(expression)
