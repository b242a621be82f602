"""How many lines a change adds and removes, as ``git diff --numstat --no-renames`` counts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hotfix.git.diff import deltas
from hotfix.git.objects import read_blob
from hotfix.git.rules import Effort, TooMuchWorkError
from hotfix.git.text.changes import shown_changes
from hotfix.git.text.lines import Interner, is_binary
from hotfix.git.trees import SUBMODULE, path_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.git.objects import ObjectReader
    from hotfix.git.trees import Entry
    from hotfix.identifiers import Sha


class Numbers(NamedTuple):
    """A file that differs, and its lines; ``None`` of a binary, or where counting is too much."""

    path: str
    added: int | None
    removed: int | None


def numstat(
    reader: ObjectReader, old: Sha, new: Sha, effort: Effort | None = None
) -> Iterator[Numbers]:
    """Yield every file that differs between two trees, with its lines."""
    effort = effort or Effort()
    for each in deltas(reader, old, new):
        path = path_text(each.path)
        before, after = content(reader, each.old), content(reader, each.new)
        if is_binary(before) or is_binary(after):
            yield Numbers(path, None, None)
            continue
        interner = Interner()
        try:
            found = shown_changes(interner.split(before), interner.split(after), effort)
        except TooMuchWorkError:
            yield Numbers(path, None, None)
            continue
        yield Numbers(
            path,
            sum(change.new_count for change in found),
            sum(change.old_count for change in found),
        )


def content(reader: ObjectReader, entry: Entry | None) -> bytes:
    """Return what Git compares by lines: a file, a link's target, or a line for a submodule."""
    if entry is None:
        return b""
    if entry.mode == SUBMODULE:
        return b"Subproject commit " + entry.oid.encode() + b"\n"
    return read_blob(reader, entry.oid)
