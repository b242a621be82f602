"""The indent heuristic of ``git diff``: where among equal places a change reads best."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotfix.git.text.myers import Line

# The weights are measurements of Git's own (xdiffi.c, `score_add_split`), taken over as facts.
_MAX_INDENT = 200
_MAX_BLANKS = 20
_MAX_SLIDING = 100
_START_OF_FILE = 1
_END_OF_FILE = 21
_TOTAL_BLANK = -30
_POST_BLANK = 6
_INDENT = (-4, 10)  # without, with blank lines around the place
_OUTDENT = (24, 17)
_DEDENT = (23, 17)
_INDENT_WEIGHT = 60
_BLANK = -1


class _Score(NamedTuple):
    indent: int
    penalty: int


def best_end(lines: Sequence[Line], earliest: int, latest: int, size: int) -> int:
    """Return the end, between the two given, at which a group of this size reads best."""
    first = max(earliest, latest - size - 1, latest - _MAX_SLIDING)
    best, best_score = -1, _Score(0, 0)
    for end in range(first, latest + 1):
        above, below = _score(lines, end), _score(lines, end - size)
        score = _Score(above.indent + below.indent, above.penalty + below.penalty)
        if best < 0 or _compared(score, best_score) <= 0:
            best, best_score = end, score
    return best


def _compared(one: _Score, other: _Score) -> int:
    indents = (one.indent > other.indent) - (one.indent < other.indent)
    return _INDENT_WEIGHT * indents + (one.penalty - other.penalty)


def _score(lines: Sequence[Line], split: int) -> _Score:
    """Rate a cut above this line; less is better."""
    at_end = split >= len(lines)
    own = _BLANK if at_end else _indent(lines[split])
    blanks_before, indent_before = _neighbour(lines, range(split - 1, -1, -1))
    blanks_after, indent_after = _neighbour(lines, range(split + 1, len(lines)))
    penalty = 0
    if indent_before == _BLANK and blanks_before == 0:
        penalty += _START_OF_FILE
    if at_end:
        penalty += _END_OF_FILE
    post = 1 + blanks_after if own == _BLANK else 0
    total = blanks_before + post
    penalty += _TOTAL_BLANK * total + _POST_BLANK * post
    indent = own if own != _BLANK else indent_after
    if _BLANK not in (indent, indent_before):
        penalty += _relative(indent, indent_before, indent_after, blank=total != 0)
    return _Score(indent, penalty)


def _relative(indent: int, before: int, after: int, *, blank: bool) -> int:
    if indent > before:
        return _INDENT[blank]
    if indent == before:
        return 0
    if after != _BLANK and after > indent:
        return _OUTDENT[blank]
    return _DEDENT[blank]


def _neighbour(lines: Sequence[Line], places: range) -> tuple[int, int]:
    """Count blank lines up to the next other line, and return that one's indent."""
    blanks = 0
    for place in places:
        found = _indent(lines[place])
        if found != _BLANK:
            return blanks, found
        blanks += 1
        if blanks == _MAX_BLANKS:
            return blanks, 0
    return blanks, _BLANK


def _indent(line: Line) -> int:
    width = 0
    for char in line:
        if char not in b" \t\n\r":
            return width
        if char == ord(" "):
            width += 1
        elif char == ord("\t"):
            width += 8 - width % 8
        if width >= _MAX_INDENT:
            return _MAX_INDENT
    return _BLANK
