"""Merging three texts as Git's ``ort`` does (xdiff's ``xdl_merge`` at level "zealous")."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
_NEAR = 3  # overlaps with so few lines between them are one

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


def merge_texts(
    base: bytes, ours: bytes, theirs: bytes, rules: Rules, *, union: bool = False
) -> bytes | Overlap:
    """Return the merged text, or where it needs a person; with ``union`` it needs none.

    A union takes the lines of both sides where they overlap, ours first.

    Changes that touch without a line between them overlap; the same change on both sides is
    taken once. Nothing is decided by looking for marker text, so a file that contains conflict
    markers merges like any other.
    """
    known = sure_ends(base, ours), sure_ends(base, theirs)
    # A union looks at the first line of the base, to see how lines end there.
    cut = Ends(0, 0) if union else _cut(base, *known)
    try:
        return _merge_within(cut, base, ours, theirs, known, rules, union=union)
    except TrimmedTooFarError:
        return _merge_within(Ends(0, 0), base, ours, theirs, known, rules, union=union)


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
    cut: Ends,
    base: bytes,
    ours: bytes,
    theirs: bytes,
    known: tuple[Ends, Ends],
    rules: Rules,
    *,
    union: bool,
) -> bytes | Overlap:
    """Merge what lies between the ends that are cut off."""
    # Lines are counted before they are made: each takes memory, whatever is done with it.
    for text in (base, ours, theirs):
        rules.effort.spend(text.count(b"\n", cut.start, len(text) - cut.end))
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
    if union:
        return _united(regions, base_lines, our_lines, their_lines, rules)
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


def _united(
    regions: list[_Region],
    base: Sequence[Line],
    ours: Sequence[Line],
    theirs: Sequence[Line],
    rules: Rules,
) -> bytes:
    """Take both sides' lines where they overlap (xdiff's ``XDL_MERGE_FAVOR_UNION``)."""
    parts: list[Line] = []
    at = 0
    refined = (part for region in regions for part in _refined(region, ours, theirs, rules))
    for region in _near_ones_joined(refined):
        parts += ours[at : region.ours_start]
        at = region.ours_start + region.ours_count
        if region.taken != "theirs":
            parts += _ours(region, ours)
        if region.taken == "nobody" and region.ours_count and not parts[-1].endswith(b"\n"):
            parts.append(b"\r\n" if _ends_in_cr(region, base, ours, theirs) else b"\n")
        if region.taken != "ours":
            parts += _theirs(region, theirs)
    parts += ours[at:]
    return b"".join(parts)


def _refined(
    region: _Region, ours: Sequence[Line], theirs: Sequence[Line], rules: Rules
) -> Iterator[_Region]:
    """Compare the two sides of an overlap and leave out what they share.

    Equal sides are taken once. A side without lines has nothing to compare.
    """
    if region.taken != "nobody" or not region.ours_count or not region.theirs_count:
        yield region
        return
    found = changes(_ours(region, ours), _theirs(region, theirs), rules, Frame())
    if not found:
        yield replace(region, taken="ours")
    for change in found:
        yield replace(
            region,
            ours_start=region.ours_start + change.old_start,
            ours_count=change.old_count,
            theirs_start=region.theirs_start + change.new_start,
            theirs_count=change.new_count,
        )


def _near_ones_joined(regions: Iterator[_Region]) -> list[_Region]:
    """Join overlaps that only a few lines part: those lines then stand there twice."""
    joined: list[_Region] = []
    for region in regions:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.taken == region.taken == "nobody"
            and region.ours_start - last.ours_start - last.ours_count <= _NEAR
        ):
            last.join(region)
        else:
            joined.append(region)
    return joined


def _ends_in_cr(
    region: _Region, base: Sequence[Line], ours: Sequence[Line], theirs: Sequence[Line]
) -> bool:
    """Tell whether a line feed that is put in gets a carriage return, as its surroundings have it.

    Looked at are the lines before the overlap on both sides, and the first of the base; one that
    cannot tell does not count (``is_cr_needed``).
    """
    styles = (
        _has_cr(ours, max(region.ours_start - 1, 0)),
        _has_cr(theirs, max(region.theirs_start - 1, 0)),
        _has_cr(base, 0),
    )
    return False not in styles and styles[-1] is True


def _has_cr(lines: Sequence[Line], at: int) -> bool | None:
    """Tell how a line ends, or the one before a last line that ends in nothing."""
    if not lines or (at == 0 and len(lines) == 1 and not lines[0].endswith(b"\n")):
        return None
    line = lines[at] if lines[at].endswith(b"\n") else lines[at - 1]
    return line.endswith(b"\r\n")


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
