"""Histogram comparison, which Git's ``ort`` uses: rare lines are matched first.

The idea is JGit's: of all runs of common lines take the one with the rarest line, of equally
rare ones the longest; then the same before it and after it. Where all common lines are frequent,
Myers' comparison takes over, as in Git.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from hotfix.git.text import myers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotfix.git.rules import Effort
    from hotfix.git.text.myers import Line

_TOO_FREQUENT = 64  # a line that stands more often in the region cannot anchor a match
_NOWHERE, _SEVERAL = -1, -2
_SMALL = 32  # lines of a region that are compared as a set first
_STEP = 8  # lines compared one by one before whole slices are


class _Region(NamedTuple):
    old_start: int
    old_end: int
    new_start: int
    new_end: int


def mark_changes(
    old: Sequence[Line],
    new: Sequence[Line],
    effort: Effort,
    *,
    same_start: int = 0,
    same_end: int = 0,
) -> tuple[bytearray, bytearray]:
    """Return for each side one byte per line: 1 where it has no counterpart on the other.

    ``same_start`` and ``same_end`` are numbers of lines that are known to match.
    """
    region = _Region(same_start, len(old) - same_end, same_start, len(new) - same_end)
    return _Histogram(old, new, region, effort).run(region)


class _Histogram:
    def __init__(
        self, old: Sequence[Line], new: Sequence[Line], region: _Region, effort: Effort
    ) -> None:
        self.old, self.new, self.effort = old, new, effort
        self.places: defaultdict[Line, list[int]] = defaultdict(list)
        for place, line in enumerate(
            old[region.old_start : region.old_end], start=region.old_start
        ):
            self.places[line].append(place)
        # For each new line its place in the old text, or that there is none, or that there are
        # several; and of the run through a line with one place, where it starts and ends.
        found = map(self.places.get, new[region.new_start : region.new_end])
        self.anchors = [_NOWHERE] * len(new)
        self.anchors[region.new_start : region.new_end] = [
            _NOWHERE if not each else each[0] if len(each) == 1 else _SEVERAL for each in found
        ]
        self.run_starts, self.run_ends = [0] * len(new), [0] * len(new)
        self._whole = region
        self._old_marks, self._new_marks = bytearray(len(old)), bytearray(len(new))

    def run_through(self, old_place: int, new_place: int, region: _Region) -> _Region:
        """Return the run of equal lines through a pair of them, as far as the region goes."""
        old, new = self.old, self.new
        back = min(old_place - region.old_start, new_place - region.new_start)
        ahead = min(region.old_end - old_place, region.new_end - new_place) - 1
        # Most runs are a single line: look at its neighbours before anything else.
        before, after = 0, 1
        if back and old[old_place - 1] == new[new_place - 1]:
            before = _same_before(old, new, old_place, new_place, back)
        if ahead and old[old_place + 1] == new[new_place + 1]:
            after += _same_after(old, new, old_place + 1, new_place + 1, ahead)
        return _Region(old_place - before, old_place + after, new_place - before, new_place + after)

    def measure(self, new_place: int) -> None:
        """Note the run through a line that has one place; it is the same for every region."""
        run = self.run_through(self.anchors[new_place], new_place, self._whole)
        count = run.new_end - run.new_start
        self.run_starts[run.new_start : run.new_end] = [run.new_start] * count
        self.run_ends[run.new_start : run.new_end] = [run.new_end] * count

    def run(self, whole: _Region) -> tuple[bytearray, bytearray]:
        regions = [whole]
        while regions:
            region = regions.pop()
            if self._has_nothing_common(region):
                self._mark(region)
                continue
            scan = _Scan(self, region)
            scan.run()
            if scan.undecided:
                self._compare_classically(region)
            elif scan.best is None:
                self._mark(region)
            else:
                regions += _around(region, scan.best)
        return self._old_marks, self._new_marks

    def _has_nothing_common(self, region: _Region) -> bool:
        """Tell at once, of an empty region or a small one; most small ones come to that."""
        old = self.old[region.old_start : region.old_end]
        new = self.new[region.new_start : region.new_end]
        return not old or not new or (len(old) <= _SMALL and set(old).isdisjoint(new))

    def _mark(self, region: _Region) -> None:
        for marks, start, end in (
            (self._old_marks, region.old_start, region.old_end),
            (self._new_marks, region.new_start, region.new_end),
        ):
            marks[start:end] = b"\1" * (end - start)

    def _compare_classically(self, region: _Region) -> None:
        old = self.old[region.old_start : region.old_end]
        new = self.new[region.new_start : region.new_end]
        old_marks, new_marks = myers.mark_changes(old, new, self.effort)
        self._old_marks[region.old_start : region.old_end] = old_marks
        self._new_marks[region.new_start : region.new_end] = new_marks


def _around(region: _Region, match: _Region) -> list[_Region]:
    return [
        _Region(match.old_end, region.old_end, match.new_end, region.new_end),
        _Region(region.old_start, match.old_start, region.new_start, match.new_start),
    ]


class _Scan:
    """The search for a region's best run: the rarest, of equally rare ones the longest."""

    def __init__(self, histogram: _Histogram, region: _Region) -> None:
        self._histogram, self._region = histogram, region
        self._longest, self._rarest = 1, _TOO_FREQUENT + 1
        self._has_common = False
        self.best: _Region | None = None

    def run(self) -> None:
        self._histogram.effort.spend(self._region.new_end - self._region.new_start)
        if not self._look_at_unique_lines():
            self.best, self._longest, self._rarest = None, 1, _TOO_FREQUENT + 1
            self._look_at_every_line()

    def _look_at_unique_lines(self) -> bool:
        """Look only at runs through lines that stand once in the region; nothing is rarer.

        Return whether that decides: there is such a run, and no other one of its length that
        overlaps it in the new text (of those the order of the full search decides).
        """
        region, anchors = self._region, self._histogram.anchors
        place = region.new_start
        tied = False
        while place < region.new_end:
            anchor = anchors[place]
            if anchor == _SEVERAL:
                anchor = self._only_place(place)
            if not region.old_start <= anchor < region.old_end:
                place += 1
                continue
            before = self.best
            run = self._run_through_one(anchor, place)
            if self._keep(run, 1):
                tied = False
            elif before and run.new_end - run.new_start == self._longest:
                tied = tied or run.new_start < before.new_end
            place = run.new_end
        return self.best is not None and not tied

    def _only_place(self, new_place: int) -> int:
        """Return where a line stands in the region's old part if it does so once."""
        places = self._histogram.places[self._histogram.new[new_place]]
        first = bisect_left(places, self._region.old_start)
        if first == len(places) or places[first] >= self._region.old_end:
            return _NOWHERE
        if first + 1 < len(places) and places[first + 1] < self._region.old_end:
            return _NOWHERE
        return places[first]

    def _look_at_every_line(self) -> None:
        region, anchors = self._region, self._histogram.anchors
        place = region.new_start
        while place < region.new_end:
            anchor = anchors[place]
            if region.old_start <= anchor < region.old_end:
                self._has_common = True
                run = self._run_through_one(anchor, place)
                self._keep(run, 1)
                place = run.new_end
            elif anchor == _SEVERAL:
                place = self._try_several(place)
            else:
                place += 1

    @property
    def undecided(self) -> bool:
        """Tell whether there are common lines, but all of them too frequent."""
        return self._has_common and self._rarest > _TOO_FREQUENT

    def _run_through_one(self, old_place: int, new_place: int) -> _Region:
        """Return the run through a line that has one place, clipped to the region."""
        histogram, region = self._histogram, self._region
        if histogram.anchors[new_place] == _SEVERAL:  # one place in the region, not in the text
            return histogram.run_through(old_place, new_place, region)
        if not histogram.run_ends[new_place]:
            histogram.measure(new_place)
        shift = old_place - new_place
        start = max(histogram.run_starts[new_place], region.new_start, region.old_start - shift)
        end = min(histogram.run_ends[new_place], region.new_end, region.old_end - shift)
        return _Region(start + shift, end + shift, start, end)

    def _keep(self, found: _Region, rarity: int) -> bool:
        length = found.new_end - found.new_start
        if length <= self._longest and rarity >= self._rarest:
            return False
        self.best, self._longest, self._rarest = found, length, rarity
        return True

    def _try_several(self, new_place: int) -> int:
        """Look at the runs through all places of a line; return the line to go on with."""
        histogram, region = self._histogram, self._region
        following = new_place + 1
        places = histogram.places[histogram.new[new_place]]
        first = bisect_left(places, region.old_start)
        last = bisect_left(places, region.old_end, first)
        count = last - first
        if not count:
            return following
        self._has_common = True
        if count > self._rarest:
            return following
        histogram.effort.spend(count)
        while first < last:
            found = histogram.run_through(places[first], new_place, region)
            following = max(following, found.new_end)
            self._keep(found, self._rarity(found, count))
            first = bisect_left(places, found.old_end, first + 1, last)
        return following

    def _rarity(self, found: _Region, count: int) -> int:
        """Return how often the rarest line of a run stands in the region."""
        rarest = count
        for line in self._histogram.old[found.old_start : found.old_end]:
            if rarest == 1:
                break
            places = self._histogram.places[line]
            first = bisect_left(places, self._region.old_start)
            rarest = min(rarest, bisect_left(places, self._region.old_end, first) - first)
        return rarest


def _same_after(
    old: Sequence[Line], new: Sequence[Line], old_at: int, new_at: int, limit: int
) -> int:
    """Count equal lines from here on: the first few one by one, then in slices that grow."""
    same = 0
    while same < min(limit, _STEP) and old[old_at + same] == new[new_at + same]:
        same += 1
    step = _STEP if same == _STEP else 0
    while step:
        end = same + step
        fits = end <= limit
        if fits and old[old_at + same : old_at + end] == new[new_at + same : new_at + end]:
            same, step = end, step * 2
        else:
            step //= 2
    return same


def _same_before(
    old: Sequence[Line], new: Sequence[Line], old_at: int, new_at: int, limit: int
) -> int:
    """Count equal lines that end right before here, in the same way."""
    same = 0
    while same < min(limit, _STEP) and old[old_at - same - 1] == new[new_at - same - 1]:
        same += 1
    step = _STEP if same == _STEP else 0
    while step:
        end = same + step
        fits = end <= limit
        if fits and old[old_at - end : old_at - same] == new[new_at - end : new_at - same]:
            same, step = end, step * 2
        else:
            step //= 2
    return same
