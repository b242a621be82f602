"""The lines that picks add, file by file."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hotfix.git.diff import deltas
from hotfix.git.gap.model import AddedFile
from hotfix.git.gap.sources import PINS, family
from hotfix.git.rules import Effort
from hotfix.git.text.changes import shown_changes
from hotfix.git.text.lines import Interner
from hotfix.git.trees import path_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotfix.git.gap.model import Picked
    from hotfix.git.gap.sides import Sides
    from hotfix.git.objects import ObjectReader
    from hotfix.git.trees import Entry


class ChangedFile(NamedTuple):
    """A source that a pick adds to or changes."""

    pick: int
    path: str
    old: Entry | None
    new: Entry


def changed_sources(reader: ObjectReader, picks: Sequence[Picked]) -> Iterator[ChangedFile]:
    """Yield the sources that each pick leaves behind changed."""
    for place, pick in enumerate(picks):
        for each in deltas(reader, pick.before, pick.after):
            path = path_text(each.path)
            if each.new and family(path) not in {None, PINS}:
                yield ChangedFile(place, path, each.old, each.new)


def added_files(changed: Sequence[ChangedFile], sides: Sides) -> Iterator[AddedFile]:
    """Yield what is added to each.

    :class:`TooMuchWorkError` where comparing takes longer than any change of people's does.
    """
    effort = Effort()
    for each in changed:
        before, after = sides.text(each.old), sides.text(each.new)
        lines = tuple(_added(before, after, effort))
        if lines:
            yield AddedFile(each.pick, each.path, before, after, lines)


def _added(before: str, after: str, effort: Effort) -> Iterator[tuple[int, str]]:
    interner = Interner()
    old, new = (interner.split(text.encode()) for text in (before, after))
    shown = after.split("\n")
    for change in shown_changes(old, new, effort):
        for place in range(change.new_start, change.new_start + change.new_count):
            yield place + 1, shown[place]
