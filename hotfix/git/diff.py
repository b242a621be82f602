"""Which files differ between two trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from hotfix.git.commits import FileChange
from hotfix.git.objects import EMPTY_BLOB, EMPTY_TREE
from hotfix.git.rules import Effort, TooMuchWorkError
from hotfix.git.trees import DIRECTORY, MAX_DEPTH, UnsafeTreeError, changed_entries, path_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.git.objects import ObjectReader
    from hotfix.git.trees import Entry
    from hotfix.identifiers import Sha


_MOST_PLACES: Final = 1_000_000

Change = Literal["added", "modified", "deleted", "renamed", "mode"]


class Delta(NamedTuple):
    """A path whose entry differs; ``None`` where a side does not have it."""

    path: bytes
    old: Entry | None
    new: Entry | None


def changed_files(reader: ObjectReader, old_tree: Sha, new_tree: Sha) -> tuple[FileChange, ...]:
    """Return every file that differs, by path.

    A deleted and an added file with the same bytes are one rename, told under its new path; the
    one whose name stays the same is preferred. Renames with edits are told as what they surely
    are, a deletion and an addition. Only subtrees that differ are read.
    """
    found = list(deltas(reader, old_tree, new_tree))
    sources = _renamed(found)
    changes = [
        FileChange(path_text(each.path), "renamed")
        if each.path in sources
        else FileChange(path_text(each.path), _change(each))
        for each in found
        if each.path not in sources.values()
    ]
    return tuple(sorted(changes, key=lambda each: each.path))


def deltas(reader: ObjectReader, old_tree: Sha | None, new_tree: Sha | None) -> Iterator[Delta]:
    """Yield every file, symlink and submodule that differs, in the order of a tree walk.

    A path that is a file on one side and a directory on the other is told as both.
    :class:`UnsafeTreeError` where no repository of people differs in so many places: few trees
    can stand for any number of paths.
    """
    effort = Effort(_MOST_PLACES)
    try:
        yield from _walk(reader, old_tree, new_tree, b"", 0, effort)
    except TooMuchWorkError:
        known = new_tree or old_tree or EMPTY_TREE
        raise UnsafeTreeError(known, f"differs in more than {_MOST_PLACES} places") from None


def _walk(
    reader: ObjectReader,
    old_tree: Sha | None,
    new_tree: Sha | None,
    prefix: bytes,
    depth: int,
    effort: Effort,
) -> Iterator[Delta]:
    if depth > MAX_DEPTH:
        raise UnsafeTreeError(new_tree or old_tree or "", f"is nested deeper than {MAX_DEPTH}")
    old, new = changed_entries(reader, old_tree, new_tree)
    names = old.keys() | new.keys()
    effort.spend(len(names))
    for name in sorted(names):
        before, after = old.get(name), new.get(name)
        path = prefix + name
        old_directory = before.oid if before and before.mode == DIRECTORY else None
        new_directory = after.oid if after and after.mode == DIRECTORY else None
        old_file = None if old_directory else before
        new_file = None if new_directory else after
        if old_file or new_file:
            yield Delta(path, old_file, new_file)
        if old_directory != new_directory:
            yield from _walk(reader, old_directory, new_directory, path + b"/", depth + 1, effort)


def _change(delta: Delta) -> Change:
    if delta.old is None:
        return "added"
    if delta.new is None:
        return "deleted"
    return "mode" if delta.old.oid == delta.new.oid else "modified"


def _renamed(found: list[Delta]) -> dict[bytes, bytes]:
    """Return new path to old path of files that moved unchanged; empty files never count."""
    sources: dict[Entry, list[bytes]] = {}
    for each in found:
        if each.old and not each.new and each.old.oid != EMPTY_BLOB:
            sources.setdefault(each.old, []).append(each.path)
    renamed: dict[bytes, bytes] = {}
    for each in found:
        candidates = sources.get(each.new, []) if each.new and not each.old else []
        if candidates:
            same_name = [path for path in candidates if _name(path) == _name(each.path)]
            source = (same_name or candidates)[0]
            candidates.remove(source)
            renamed[each.path] = source
    return renamed


def _name(path: bytes) -> bytes:
    return path.rpartition(b"/")[2]
