"""Myers' comparison with the shortcuts that Git takes (xdiff's ``xdl_do_diff``).

The algorithm is from "An O(ND) Difference Algorithm and its Variations" (1986). The shortcuts
(lines left out beforehand, a search cut off when it costs too much) decide which of several
right answers comes out, and so whether two changes touch: they are part of Git's behaviour.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotfix.git.rules import Effort

_MAX_COMMON = 1024  # a line that stands as often as this is looked at with suspicion
_WINDOW = 100  # lines before and after such a line that are looked at
_KEEP_RUN = 4
_MIN_COST_LIMIT = 256
_HEURISTIC_COST = 256
_SNAKE = 20  # lines of a diagonal that make it a good one
_HEURISTIC_FACTOR = 4
_FAR = sys.maxsize

Line = bytes


class _Kept(NamedTuple):
    """The lines that take part in the search, and where they stand."""

    lines: list[Line]
    places: list[int]


class _Split(NamedTuple):
    old: int
    new: int
    minimal_before: bool
    minimal_after: bool


def mark_changes(
    old: Sequence[Line], new: Sequence[Line], effort: Effort
) -> tuple[bytearray, bytearray]:
    """Return for each side one byte per line: 1 where it has no counterpart on the other."""
    effort.spend(len(old) + len(new))
    old_marks, new_marks = bytearray(len(old)), bytearray(len(new))
    start, old_end, new_end = _trimmed(old, new)
    in_old, in_new = Counter(old), Counter(new)
    old_kept = _kept(old, range(start, old_end), in_new, old_marks)
    new_kept = _kept(new, range(start, new_end), in_old, new_marks)
    _Search(old_kept, new_kept, old_marks, new_marks, effort).run()
    return old_marks, new_marks


def rough_root(number: int) -> int:
    """Return roughly the square root, by shifting: the measure that Git's limits are made of."""
    root = 1
    while number > 0:
        root <<= 1
        number >>= 2
    return root


def _trimmed(old: Sequence[Line], new: Sequence[Line]) -> tuple[int, int, int]:
    shorter = min(len(old), len(new))
    start = 0
    while start < shorter and old[start] == new[start]:
        start += 1
    same = 0
    while same < shorter - start and old[-1 - same] == new[-1 - same]:
        same += 1
    return start, len(old) - same, len(new) - same


def _kept(
    lines: Sequence[Line], places: range, elsewhere: Counter[Line], marks: bytearray
) -> _Kept:
    """Leave out lines without a counterpart, and frequent ones in the midst of such."""
    limit = min(rough_root(len(lines)), _MAX_COMMON)
    frequency = [elsewhere.get(lines[place], 0) for place in places]
    kinds = bytearray(0 if count == 0 else 2 if count >= limit else 1 for count in frequency)
    kept = _Kept([], [])
    for index, place in enumerate(places):
        if kinds[index] == 1 or (kinds[index] == 2 and not _stands_among_lost(kinds, index)):  # noqa: PLR2004
            kept.lines.append(lines[place])
            kept.places.append(place)
        else:
            marks[place] = 1
    return kept


def _stands_among_lost(kinds: bytearray, index: int) -> bool:
    lost_before, frequent_before = _run(kinds, range(index - 1, max(-1, index - _WINDOW - 1), -1))
    if not lost_before:
        return False
    lost_after, frequent_after = _run(kinds, range(index + 1, min(len(kinds), index + _WINDOW + 1)))
    if not lost_after:
        return False
    lost = lost_before + lost_after
    frequent = frequent_before + frequent_after
    return frequent * _KEEP_RUN < frequent + lost


def _run(kinds: bytearray, places: range) -> tuple[int, int]:
    """Count lines without a counterpart and frequent ones up to the first ordinary line."""
    lost, frequent = 0, 1
    for place in places:
        if kinds[place] == 0:
            lost += 1
        elif kinds[place] == 2:  # noqa: PLR2004 - the three kinds of `_kept`
            frequent += 1
        else:
            break
    return lost, frequent


class _Search:
    """Divide and conquer over boxes of lines, each split where the two paths through it meet."""

    def __init__(
        self, old: _Kept, new: _Kept, old_marks: bytearray, new_marks: bytearray, effort: Effort
    ) -> None:
        self._effort = effort
        self._old, self._new = old, new
        self._old_marks, self._new_marks = old_marks, new_marks
        diagonals = len(old.lines) + len(new.lines) + 3
        self._zero = len(new.lines) + 1  # where diagonal 0 lies in the two lists
        self._forward = [0] * (diagonals + 2)
        self._backward = [0] * (diagonals + 2)
        self._cost_limit = max(rough_root(diagonals), _MIN_COST_LIMIT)

    def run(self) -> None:
        boxes = [(0, len(self._old.lines), 0, len(self._new.lines), False)]
        while boxes:
            old_start, old_end, new_start, new_end, minimal = self._shrunk(*boxes.pop())
            if old_start == old_end:
                for place in self._new.places[new_start:new_end]:
                    self._new_marks[place] = 1
            elif new_start == new_end:
                for place in self._old.places[old_start:old_end]:
                    self._old_marks[place] = 1
            else:
                split = self._split(old_start, old_end, new_start, new_end, minimal=minimal)
                boxes.append((split.old, old_end, split.new, new_end, split.minimal_after))
                boxes.append((old_start, split.old, new_start, split.new, split.minimal_before))

    def _shrunk(
        self,
        old_start: int,
        old_end: int,
        new_start: int,
        new_end: int,
        minimal: bool,  # noqa: FBT001
    ) -> tuple[int, int, int, int, bool]:
        old, new = self._old.lines, self._new.lines
        while old_start < old_end and new_start < new_end and old[old_start] == new[new_start]:
            old_start += 1
            new_start += 1
        while old_start < old_end and new_start < new_end and old[old_end - 1] == new[new_end - 1]:
            old_end -= 1
            new_end -= 1
        return old_start, old_end, new_start, new_end, minimal

    def _split(
        self, old_start: int, old_end: int, new_start: int, new_end: int, *, minimal: bool
    ) -> _Split:
        """Find where the two paths meet, or a good enough point once the search gets dear."""
        box = _Box(self, old_start, old_end, new_start, new_end)
        cost = 0
        while True:
            cost += 1
            self._effort.spend(2 * cost)
            met = box.step_forward() or box.step_backward()
            if met:
                return met
            if minimal:
                continue
            if box.saw_snake and cost > _HEURISTIC_COST:
                promising = box.promising_forward(cost) or box.promising_backward(cost)
                if promising:
                    return promising
            if cost >= self._cost_limit:
                return box.furthest()


class _Box:
    """One box of the search: how far the paths have come on each diagonal."""

    def __init__(
        self, search: _Search, old_start: int, old_end: int, new_start: int, new_end: int
    ) -> None:
        self._old, self._new = search._old.lines, search._new.lines  # noqa: SLF001 - its own part
        self._forward, self._backward = search._forward, search._backward  # noqa: SLF001 - as above
        self._zero = search._zero  # noqa: SLF001 - as above
        self._old_start, self._old_end = old_start, old_end
        self._new_start, self._new_end = new_start, new_end
        self._lowest, self._highest = old_start - new_end, old_end - new_start
        self._forward_middle, self._backward_middle = old_start - new_start, old_end - new_end
        self._odd = (self._forward_middle - self._backward_middle) % 2 == 1
        self._forward_low = self._forward_high = self._forward_middle
        self._backward_low = self._backward_high = self._backward_middle
        self._forward[self._zero + self._forward_middle] = old_start
        self._backward[self._zero + self._backward_middle] = old_end
        self.saw_snake = False

    def step_forward(self) -> _Split | None:
        """Go one change further from the start; return the split if the paths meet."""
        self.saw_snake = False
        reach, other, zero = self._forward, self._backward, self._zero
        self._forward_low, self._forward_high = self._widened(
            reach, self._forward_low, self._forward_high, -1
        )
        old, new, old_end, new_end = self._old, self._new, self._old_end, self._new_end
        for diagonal in range(self._forward_high, self._forward_low - 1, -2):
            at = zero + diagonal
            place = reach[at - 1] + 1 if reach[at - 1] >= reach[at + 1] else reach[at + 1]
            first = place
            while place < old_end and place - diagonal < new_end:
                if old[place] != new[place - diagonal]:
                    break
                place += 1
            if place - first > _SNAKE:
                self.saw_snake = True
            reach[at] = place
            if (
                self._odd
                and self._backward_low <= diagonal <= self._backward_high
                and other[at] <= place
            ):
                return _Split(place, place - diagonal, minimal_before=True, minimal_after=True)
        return None

    def step_backward(self) -> _Split | None:
        """Go one change further from the end; return the split if the paths meet."""
        reach, other, zero = self._backward, self._forward, self._zero
        self._backward_low, self._backward_high = self._widened(
            reach, self._backward_low, self._backward_high, _FAR
        )
        old, new, old_start, new_start = self._old, self._new, self._old_start, self._new_start
        for diagonal in range(self._backward_high, self._backward_low - 1, -2):
            at = zero + diagonal
            place = reach[at - 1] if reach[at - 1] < reach[at + 1] else reach[at + 1] - 1
            first = place
            while place > old_start and place - diagonal > new_start:
                if old[place - 1] != new[place - diagonal - 1]:
                    break
                place -= 1
            if first - place > _SNAKE:
                self.saw_snake = True
            reach[at] = place
            if (
                not self._odd
                and self._forward_low <= diagonal <= self._forward_high
                and place <= other[at]
            ):
                return _Split(place, place - diagonal, minimal_before=True, minimal_after=True)
        return None

    def promising_forward(self, cost: int) -> _Split | None:
        """Return the furthest forward point that ends a long run of equal lines."""
        best, found = 0, None
        for diagonal in range(self._forward_high, self._forward_low - 1, -2):
            old = self._forward[self._zero + diagonal]
            new = old - diagonal
            value = (old - self._old_start) + (new - self._new_start)
            value -= abs(diagonal - self._forward_middle)
            if (
                value > _HEURISTIC_FACTOR * cost
                and value > best
                and self._old_start + _SNAKE <= old < self._old_end
                and self._new_start + _SNAKE <= new < self._new_end
                and self._old[old - _SNAKE : old] == self._new[new - _SNAKE : new]
            ):
                best = value
                found = _Split(old, new, minimal_before=True, minimal_after=False)
        return found

    def promising_backward(self, cost: int) -> _Split | None:
        """Return the furthest backward point that begins a long run of equal lines."""
        best, found = 0, None
        for diagonal in range(self._backward_high, self._backward_low - 1, -2):
            old = self._backward[self._zero + diagonal]
            new = old - diagonal
            value = (self._old_end - old) + (self._new_end - new)
            value -= abs(diagonal - self._backward_middle)
            if (
                value > _HEURISTIC_FACTOR * cost
                and value > best
                and self._old_start < old <= self._old_end - _SNAKE
                and self._new_start < new <= self._new_end - _SNAKE
                and self._old[old : old + _SNAKE] == self._new[new : new + _SNAKE]
            ):
                best = value
                found = _Split(old, new, minimal_before=False, minimal_after=True)
        return found

    def furthest(self) -> _Split:
        """Return the point that came furthest from either end."""
        ahead, ahead_old = -1, -1
        for diagonal in range(self._forward_high, self._forward_low - 1, -2):
            old = min(self._forward[self._zero + diagonal], self._old_end)
            new = old - diagonal
            if new > self._new_end:
                old, new = self._new_end + diagonal, self._new_end
            if ahead < old + new:
                ahead, ahead_old = old + new, old
        back, back_old = _FAR, _FAR
        for diagonal in range(self._backward_high, self._backward_low - 1, -2):
            old = max(self._old_start, self._backward[self._zero + diagonal])
            new = old - diagonal
            if new < self._new_start:
                old, new = self._new_start + diagonal, self._new_start
            if old + new < back:
                back, back_old = old + new, old
        if (self._old_end + self._new_end) - back < ahead - (self._old_start + self._new_start):
            return _Split(ahead_old, ahead - ahead_old, minimal_before=True, minimal_after=False)
        return _Split(back_old, back - back_old, minimal_before=False, minimal_after=True)

    def _widened(self, reach: list[int], low: int, high: int, outside: int) -> tuple[int, int]:
        """Take one more diagonal at each end, or one less where the box has no more."""
        if low > self._lowest:
            low -= 1
            reach[self._zero + low - 1] = outside
        else:
            low += 1
        if high < self._highest:
            high += 1
            reach[self._zero + high + 1] = outside
        else:
            high -= 1
        return low, high
