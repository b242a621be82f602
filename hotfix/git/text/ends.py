"""How much of two texts is the same at both ends, as far as histogram comparison surely agrees.

Most changes touch a few lines of a long file, and comparing the rest line by line is what
costs. But leaving out common ends is no matter of course: a histogram matches the rarest and
longest run first, and that may match lines of a common end elsewhere. It is the common end that
is matched first if it holds a line that stands once in each text (so no run is rarer) and is
longer than any other run can be (runs that do not hold this line lie on one side of it). Then,
and only then, it may be taken as given.
"""

from __future__ import annotations

from typing import NamedTuple

_CANDIDATES = 8  # lines that are tried as the unique one
_SHORTEST = 6  # bytes; shorter lines are hardly ever unique


class Ends(NamedTuple):
    """How many bytes at the beginning and at the end of both texts surely match."""

    start: int
    end: int


class _Run(NamedTuple):
    """A common end: its bytes, its lines, and how many of those lie inside of a unique one."""

    size: int
    lines: int
    inside: int


def sure_ends(old: bytes, new: bytes) -> Ends:
    """Return the common beginning and end that the comparison matches whatever lies between."""
    rows = min(_rows(old), _rows(new))
    start, end = _start(old, new), _end(old, new, 0)
    if start is None and end is None:
        return Ends(0, 0)
    start_lines, start_inside = (start.lines, start.inside) if start else (0, 0)
    end_lines, end_inside = (end.lines, end.inside) if end else (0, 0)
    between = rows - start_lines - end_lines + start_inside + end_inside
    if start and start_lines >= end_lines:
        if start_lines <= between:
            return Ends(0, 0)
        rest = _end(old, new, start.size)
        left = rows - start_lines
        sure = rest is not None and rest.lines > left - rest.lines + rest.inside
        return Ends(start.size, rest.size if rest and sure else 0)
    if end is None or end_lines <= between:
        return Ends(0, 0)
    rest = _start(old[: len(old) - end.size], new[: len(new) - end.size])
    left = rows - end_lines
    sure = rest is not None and rest.lines > left - rest.lines + rest.inside
    return Ends(rest.size if rest and sure else 0, end.size)


def _rows(text: bytes) -> int:
    return text.count(b"\n") + (not text.endswith(b"\n") and bool(text))


def _start(old: bytes, new: bytes) -> _Run | None:
    size = old.rfind(b"\n", 0, _same_from_start(old, new)) + 1
    inside = 0
    stop = size
    while stop and inside < _CANDIDATES:
        begin = old.rfind(b"\n", 0, stop - 1) + 1
        if _is_unique(old[begin:stop], old, new):
            return _Run(size, old.count(b"\n", 0, size), inside)
        inside += 1
        stop = begin
    return None


def _end(old: bytes, new: bytes, kept: int) -> _Run | None:
    """Look at the common end of what follows the first ``kept`` bytes."""
    size = _same_from_end(old, new, kept)
    begin = len(old) - size
    if not _begins_line(old, begin) or not _begins_line(new, len(new) - size):
        begin = old.find(b"\n", begin) + 1
        if not begin:
            return None
    size = len(old) - begin
    inside = 0
    while begin < len(old) and inside < _CANDIDATES:
        stop = old.find(b"\n", begin) + 1
        if not stop:
            return None
        if _is_unique(old[begin:stop], old, new):
            return _Run(size, _rows(old[len(old) - size :]), inside)
        inside += 1
        begin = stop
    return None


def _begins_line(text: bytes, place: int) -> bool:
    return place == 0 or text[place - 1 : place] == b"\n"


def _is_unique(line: bytes, old: bytes, new: bytes) -> bool:
    return len(line) >= _SHORTEST and _stands_once(line, old) and _stands_once(line, new)


def _stands_once(line: bytes, text: bytes) -> bool:
    after_another = b"\n" + line
    first = 0 if text.startswith(line) else text.find(after_another) + 1
    return text.find(after_another, first) < 0


def _same_from_start(old: bytes, new: bytes) -> int:
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _same_from_end(old: bytes, new: bytes, kept: int) -> int:
    low, high = 0, min(len(old), len(new)) - kept
    while low < high:
        middle = (low + high + 1) // 2
        if old[len(old) - middle : len(old) - low] == new[len(new) - middle : len(new) - low]:
            low = middle
        else:
            high = middle - 1
    return low
