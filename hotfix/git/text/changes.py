"""From marked lines to a list of changes, each slid to the place where Git puts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from hotfix.git.text import histogram, indent, myers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotfix.git.rules import Effort, Rules
    from hotfix.git.text.myers import Line


class Change(NamedTuple):
    """Lines of the old text that became lines of the new one; either part may be empty."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int


class TrimmedTooFarError(Exception):
    """A change slid to where lines had been left out; compare again with all of them."""


class Frame(NamedTuple):
    """What is known around the lines that are compared.

    So many of them match for sure at the start and at the end; and whether lines were left out
    before the first and after the last.
    """

    same_start: int = 0
    same_end: int = 0
    cut_start: bool = False
    cut_end: bool = False


def changes(old: Sequence[Line], new: Sequence[Line], rules: Rules, frame: Frame) -> list[Change]:
    """Return the changes as Git's ``ort`` sees them: by histogram, without indent heuristic.

    :class:`TrimmedTooFarError` where a change may slide out of the lines given.
    """
    old_marks, new_marks = histogram.mark_changes(
        old, new, rules.effort, same_start=frame.same_start, same_end=frame.same_end
    )
    one, other = _Text(old, old_marks, frame), _Text(new, new_marks, frame)
    redo = _Redo(rules)
    _compact(one, other, redo=redo)
    _compact(other, one, redo=redo)
    return _script(old_marks, new_marks)


def shown_changes(old: Sequence[Line], new: Sequence[Line], effort: Effort) -> list[Change]:
    """Return the changes as ``git diff`` shows them: by Myers, with indent heuristic."""
    old_marks, new_marks = myers.mark_changes(old, new, effort)
    one, other = _Text(old, old_marks, Frame()), _Text(new, new_marks, Frame())
    _compact(one, other, by_indent=True)
    _compact(other, one, by_indent=True)
    return _script(old_marks, new_marks)


@dataclass(slots=True)
class _Group:
    """A run of marked lines, maybe empty, between two unmarked ones (or an end of the text)."""

    start: int
    end: int


class _Text:
    """One side's lines and marks; a mark that is never set stands after the last line."""

    def __init__(self, lines: Sequence[Line], marks: bytearray, frame: Frame) -> None:
        self.lines = lines
        self.marks = marks
        self._frame = frame
        self.to_first()

    def to_first(self) -> None:
        """Begin with the group before the first unmarked line."""
        self.group = _Group(0, 0)
        self.settle()

    def settle(self) -> None:
        """Let the group reach over every marked line from its start on."""
        self.group.end = self._unmarked(self.group.start)

    def pass_lines(self, count: int) -> None:
        """Move to the group behind the next ``count`` unmarked lines."""
        at = self.group.end
        while count:
            marked = self.marks.find(1, at)
            free = len(self.lines) - at if marked < 0 else marked - at
            if free >= count:
                at += count
                break
            count -= free
            at = self._unmarked(marked)
        self.group.start = at
        self.settle()

    def to_previous(self) -> None:
        group = self.group
        group.end = group.start = group.start - 1
        while group.start > 0 and self.marks[group.start - 1]:
            group.start -= 1

    def slide_up(self) -> bool:
        group, marks = self.group, self.marks
        if group.start == 0 and self._frame.cut_start:
            raise TrimmedTooFarError
        if group.start == 0 or self.lines[group.start - 1] != self.lines[group.end - 1]:
            return False
        group.start -= 1
        group.end -= 1
        marks[group.start] = 1
        marks[group.end] = 0
        while group.start > 0 and marks[group.start - 1]:
            group.start -= 1
        return True

    def slide_down(self) -> bool:
        group, marks = self.group, self.marks
        if group.end == len(self.lines) and self._frame.cut_end:
            raise TrimmedTooFarError
        if group.end == len(self.lines) or self.lines[group.start] != self.lines[group.end]:
            return False
        marks[group.start] = 0
        marks[group.end] = 1
        group.start += 1
        group.end = self._unmarked(group.end)
        return True

    def _unmarked(self, at: int) -> int:
        found = self.marks.find(0, at)
        return len(self.lines) if found < 0 else found


class _Redo:
    """Since Git 2.54 a group that slid into another is compared anew."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def __call__(self, text: _Text, other: _Text, before: _Group) -> None:
        here, there = text.group, other.group
        if there.end == there.start or (here.start, here.end) == (before.start, before.end):
            return
        old = text.lines[here.start : here.end]
        new = other.lines[there.start : there.end]
        here_marks, there_marks = myers.mark_changes(old, new, self._rules.effort)
        if all(here_marks) and all(there_marks):
            return
        if self._rules.compares_slid_groups_anew():
            text.marks[here.start : here.end] = here_marks
            other.marks[there.start : there.end] = there_marks


def _compact(
    text: _Text, other: _Text, *, redo: _Redo | None = None, by_indent: bool = False
) -> None:
    """Slide each group of one side, so that neighbours join and the same diff always results."""
    text.to_first()
    other.to_first()
    while True:
        if text.group.end > text.group.start:
            before = _Group(text.group.start, text.group.end)
            _place(text, other, by_indent=by_indent)
            if redo:
                redo(text, other, before)
        following = text.marks.find(1, text.group.end)
        if following < 0:
            return
        other.pass_lines(following - text.group.end)
        text.group.start = following
        text.settle()


def _place(text: _Text, other: _Text, *, by_indent: bool) -> None:
    earliest, matching = _slide_to_end(text, other)
    group = text.group
    if group.end == earliest:
        return  # it cannot move at all
    if matching is not None:
        while other.group.end == other.group.start:
            text.slide_up()
            other.to_previous()
    elif by_indent:
        best = indent.best_end(text.lines, earliest, group.end, group.end - group.start)
        while group.end > best:
            text.slide_up()
            other.to_previous()


def _slide_to_end(text: _Text, other: _Text) -> tuple[int, int | None]:
    """Slide up, then down, as far as it goes, joining what it meets, until nothing more joins.

    Return where the group ended when it was highest, and the last end at which it stood beside
    a group of the other side.
    """
    group = text.group
    while True:
        size = group.end - group.start
        matching = None
        while text.slide_up():
            other.to_previous()
        earliest = group.end
        if other.group.end > other.group.start:
            matching = group.end
        while text.slide_down():
            other.pass_lines(1)
            if other.group.end > other.group.start:
                matching = group.end
        if size == group.end - group.start:
            return earliest, matching


def _script(old_marks: bytearray, new_marks: bytearray) -> list[Change]:
    found: list[Change] = []
    old_at = new_at = 0
    while True:
        old_next, new_next = old_marks.find(1, old_at), new_marks.find(1, new_at)
        distances = [
            there - here for there, here in ((old_next, old_at), (new_next, new_at)) if there >= 0
        ]
        if not distances:
            return found
        old_start, new_start = old_at + min(distances), new_at + min(distances)
        old_at, new_at = _end(old_marks, old_start), _end(new_marks, new_start)
        found.append(Change(old_start, old_at - old_start, new_start, new_at - new_start))


def _end(marks: bytearray, start: int) -> int:
    found = marks.find(0, start)
    return len(marks) if found < 0 else found
