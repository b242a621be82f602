"""Merging three texts as Git's ``ort`` does (xdiff's ``xdl_merge`` at level "zealous")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hotfix.git.conflicts import Hunk, Lines
from hotfix.git.text.changes import Change, Frame, TrimmedTooFarError, changes
from hotfix.git.text.ends import Ends, sure_ends
from hotfix.git.text.lines import Interner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotfix.git.rules import Rules
    from hotfix.git.text.myers import Line

_CONTEXT = 30  # lines kept beside the changes, so that they can slide

Taken = Literal["ours", "theirs", "nobody"]


@dataclass(frozen=True, slots=True)
class Overlap:
    """The text has places where both sides changed the same lines, or lines that touch."""

    hunks: tuple[Hunk, ...]


@dataclass(slots=True)
class _Region:
    """A stretch of the three texts and whose version is taken there."""

    taken: Taken
    base_start: int
    base_count: int
    ours_start: int
    ours_count: int
    theirs_start: int
    theirs_count: int

    def touches(self, other: _Region) -> bool:
        return (
            other.ours_start <= self.ours_start + self.ours_count
            or other.theirs_start <= self.theirs_start + self.theirs_count
        )

    def join(self, other: _Region) -> None:
        if self.taken != other.taken:
            self.taken = "nobody"
        self.base_count = other.base_start + other.base_count - self.base_start
        self.ours_count = other.ours_start + other.ours_count - self.ours_start
        self.theirs_count = other.theirs_start + other.theirs_count - self.theirs_start


def merge_texts(base: bytes, ours: bytes, theirs: bytes, rules: Rules) -> bytes | Overlap:
    """Return the merged text, or where it needs a person.

    Changes that touch without a line between them overlap; the same change on both sides is
    taken once. Nothing is decided by looking for marker text, so a file that contains conflict
    markers merges like any other.
    """
    ours_ends, theirs_ends = sure_ends(base, ours), sure_ends(base, theirs)
    cut = _cut(base, ours_ends, theirs_ends)
    try:
        return _merge_within(cut, base, ours, theirs, (ours_ends, theirs_ends), rules)
    except TrimmedTooFarError:
        return _merge_within(Ends(0, 0), base, ours, theirs, (ours_ends, theirs_ends), rules)


def _cut(base: bytes, one: Ends, other: Ends) -> Ends:
    """Return what all three texts share at their ends, without the last lines next to changes."""
    start, end = min(one.start, other.start), min(one.end, other.end)
    for _ in range(_CONTEXT):
        start = base.rfind(b"\n", 0, max(start - 1, 0)) + 1
    stop = len(base) - end
    for _ in range(_CONTEXT):
        stop = base.find(b"\n", stop) + 1 or len(base)
    return Ends(start, len(base) - stop)


def _merge_within(
    cut: Ends, base: bytes, ours: bytes, theirs: bytes, known: tuple[Ends, Ends], rules: Rules
) -> bytes | Overlap:
    """Merge what lies between the ends that are cut off."""
    interner = Interner()
    base_lines, our_lines, their_lines = (
        interner.split(text[cut.start : len(text) - cut.end]) for text in (base, ours, theirs)
    )
    our_changes = changes(base_lines, our_lines, rules, _frame(base, cut, known[0]))
    if not our_changes:
        return theirs
    their_changes = changes(base_lines, their_lines, rules, _frame(base, cut, known[1]))
    if not their_changes:
        return ours
    regions = _joined(_regions(our_changes, their_changes, our_lines, their_lines))
    before = base.count(b"\n", 0, cut.start)
    hunks = tuple(
        _hunk(region, base_lines, our_lines, their_lines, before)
        for region in regions
        if region.taken == "nobody" and not _is_same(region, our_lines, their_lines)
    )
    if hunks:
        return Overlap(hunks)
    merged = _assembled(regions, our_lines, their_lines)
    return base[: cut.start] + merged + base[len(base) - cut.end :]


def _frame(base: bytes, cut: Ends, sure: Ends) -> Frame:
    stop = len(base) - cut.end
    return Frame(
        same_start=base.count(b"\n", cut.start, sure.start),
        same_end=_rows(base[len(base) - sure.end : stop]),
        cut_start=cut.start > 0,
        cut_end=cut.end > 0,
    )


def _rows(text: bytes) -> int:
    return text.count(b"\n") + (bool(text) and not text.endswith(b"\n"))


def _regions(
    ours: list[Change],
    theirs: list[Change],
    our_lines: Sequence[Line],
    their_lines: Sequence[Line],
) -> Iterator[_Region]:
    """Walk both lists of changes at once, in the order of the base."""
    our_shift = their_shift = 0  # how far a side's lines are from the base's at this point
    at = other = 0
    while at < len(ours) or other < len(theirs):
        mine = ours[at] if at < len(ours) else None
        yours = theirs[other] if other < len(theirs) else None
        if mine and (not yours or mine.old_start + mine.old_count < yours.old_start):
            yield _one_sided("ours", mine, their_shift)
            our_shift, at = _shift(mine), at + 1
            continue
        if yours and (not mine or yours.old_start + yours.old_count < mine.old_start):
            yield _one_sided("theirs", yours, our_shift)
            their_shift, other = _shift(yours), other + 1
            continue
        if mine is None or yours is None:  # cannot be: one of the two cases above holds then
            break
        if not _is_equal(mine, yours, our_lines, their_lines):
            yield _both_sided(mine, yours)
        our_end = mine.old_start + mine.old_count
        their_end = yours.old_start + yours.old_count
        if our_end >= their_end:
            their_shift, other = _shift(yours), other + 1
        if their_end >= our_end:
            our_shift, at = _shift(mine), at + 1


def _shift(change: Change) -> int:
    return change.new_start + change.new_count - change.old_start - change.old_count


def _one_sided(taken: Literal["ours", "theirs"], change: Change, other_shift: int) -> _Region:
    there = (change.old_start + other_shift, change.old_count)
    here = (change.new_start, change.new_count)
    ours, theirs = (here, there) if taken == "ours" else (there, here)
    return _Region(taken, change.old_start, change.old_count, *ours, *theirs)


def _both_sided(mine: Change, yours: Change) -> _Region:
    """Cover both changes, each side widened to where the other begins and ends."""
    start = min(mine.old_start, yours.old_start)
    end = max(mine.old_start + mine.old_count, yours.old_start + yours.old_count)
    return _Region(
        "nobody", start, end - start, *_widened(mine, start, end), *_widened(yours, start, end)
    )


def _widened(change: Change, start: int, end: int) -> tuple[int, int]:
    before = change.old_start - start
    after = end - change.old_start - change.old_count
    return change.new_start - before, before + change.new_count + after


def _is_equal(
    mine: Change, yours: Change, our_lines: Sequence[Line], their_lines: Sequence[Line]
) -> bool:
    return (
        mine.old_start == yours.old_start
        and mine.old_count == yours.old_count
        and mine.new_count == yours.new_count
        and our_lines[mine.new_start : mine.new_start + mine.new_count]
        == their_lines[yours.new_start : yours.new_start + yours.new_count]
    )


def _joined(regions: Iterator[_Region]) -> list[_Region]:
    """Join regions between which no line is left; taken from different sides, they overlap."""
    joined: list[_Region] = []
    for region in regions:
        if joined and joined[-1].touches(region):
            joined[-1].join(region)
        else:
            joined.append(region)
    return joined


def _is_same(region: _Region, our_lines: Sequence[Line], their_lines: Sequence[Line]) -> bool:
    """Tell whether an overlap turns out to be the same text on both sides.

    As in Git not where a side has no lines left: both then deleted, but not the same.
    """
    if not region.ours_count or not region.theirs_count:
        return False
    return _ours(region, our_lines) == _theirs(region, their_lines)


def _assembled(
    regions: list[_Region], our_lines: Sequence[Line], their_lines: Sequence[Line]
) -> bytes:
    """Take our text and put their part in where theirs is taken."""
    parts: list[Line] = []
    at = 0
    for region in regions:
        if region.taken == "theirs":
            parts += our_lines[at : region.ours_start]
            parts += _theirs(region, their_lines)
            at = region.ours_start + region.ours_count
    parts += our_lines[at:]
    return b"".join(parts)


def _ours(region: _Region, lines: Sequence[Line]) -> Sequence[Line]:
    return lines[region.ours_start : region.ours_start + region.ours_count]


def _theirs(region: _Region, lines: Sequence[Line]) -> Sequence[Line]:
    return lines[region.theirs_start : region.theirs_start + region.theirs_count]


def _hunk(
    region: _Region,
    base: Sequence[Line],
    ours: Sequence[Line],
    theirs: Sequence[Line],
    before: int,
) -> Hunk:
    base_lines = base[region.base_start : region.base_start + region.base_count]
    return Hunk(
        base=_shown(before + region.base_start, base_lines),
        ours=_shown(before + region.ours_start, _ours(region, ours)),
        theirs=_shown(before + region.theirs_start, _theirs(region, theirs)),
    )


def _shown(start: int, lines: Sequence[Line]) -> Lines:
    return Lines(start + 1, tuple(line.decode("utf-8", "backslashreplace") for line in lines))
