"""A person's resolution of a conflicting pick, held against what it resolves.

Runbook, Decision Points: resolve locally, inspect the final tree carefully, and push only after
confirming that unrelated changes were not pulled in. What can be confirmed by a machine is here.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dulwich.objects import Tree

from hotfix.git.attributes import NO_ATTRIBUTES
from hotfix.git.commits import read_commit
from hotfix.git.diff import deltas
from hotfix.git.merge import Merged, merge_trees
from hotfix.git.needed import Line, bring_for, change_of
from hotfix.git.objects import Overlay, object_of, read_blob
from hotfix.git.text.lines import is_binary
from hotfix.git.trees import (
    DIRECTORY,
    SUBMODULE,
    Entry,
    item_of,
    path_text,
    read_tree,
    tree_bytes,
)
from hotfix.identifiers import Sha
from hotfix.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hotfix.git.attributes import Attributes
    from hotfix.git.conflicts import Conflicted
    from hotfix.git.diff import Delta
    from hotfix.git.objects import ObjectReader

_PLAIN: Final = frozenset({"content", "binary", "mode", "symlink", "add/add", "modify/delete"})
"""Conflicts of one path each; around them the rest of a merge can be made by itself."""
_DIFF_LINES: Final = 200
_LONGEST: Final = 10_000
"""Lines of a file that are compared; how long difflib takes grows with their square."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A file in which the person's result is not what merges by itself."""

    path: str
    conflicted: bool
    """Whether the pick conflicts in it; else the person changed what needed no person."""
    diff: str


def stray_paths(reader: ObjectReader, *, commit: Sha, resolution: Sha) -> tuple[str, ...]:
    """List the paths that a resolution touches and the commit that it stands for does not."""
    bring_for(reader, [Line(None, (change_of(reader, each),)) for each in (commit, resolution)])
    allowed = {delta.path for delta in _changes(reader, commit)}
    return tuple(
        path_text(delta.path) for delta in _changes(reader, resolution) if delta.path not in allowed
    )


def changed_since(reader: ObjectReader, *, resolution: Sha, onto: Sha) -> tuple[str, ...]:
    """List the paths of a resolution that stand otherwise on the branch than where it was made."""
    parents = read_commit(reader, resolution).parents
    if not parents:
        return ()
    touched = {delta.path for delta in _changes(reader, resolution)}
    made_on, now = read_commit(reader, parents[0]).tree, read_commit(reader, onto).tree
    return tuple(
        path_text(delta.path) for delta in deltas(reader, made_on, now) if delta.path in touched
    )


def by_hand(
    reader: ObjectReader,
    *,
    onto: Sha,
    commit: Sha,
    conflicted: Conflicted,
    result: Sha,
    attributes: Attributes = NO_ATTRIBUTES,
) -> tuple[Resolved, ...] | None:
    """Show where a person's resulting tree differs from the part that merges by itself.

    ``None`` where that part cannot be told apart: a conflict of renames or of directories is not
    about one path.
    """
    if any(conflict.kind not in _PLAIN for conflict in conflicted.conflicts):
        return None
    picked, ours = read_commit(reader, commit), read_commit(reader, onto).tree
    base = read_commit(reader, picked.parents[0]).tree if picked.parents else None
    paths = {path for conflict in conflicted.conflicts for path in conflict.paths}
    overlay = Overlay(reader)
    kept = {
        delta.path: delta.old
        for delta in deltas(reader, base, picked.tree)
        if path_text(delta.path) in paths
    }
    rest = _with_entries(overlay, picked.tree, kept)
    merged = merge_trees(overlay, base=base, ours=ours, theirs=rest, attributes=attributes)
    if not isinstance(merged, Merged):
        return None
    overlay.add(merged.objects)
    return tuple(
        Resolved(path_text(delta.path), path_text(delta.path) in paths, _diff(overlay, delta))
        for delta in deltas(overlay, merged.tree, result)
    )


def _changes(reader: ObjectReader, sha: Sha) -> Iterator[Delta]:
    commit = read_commit(reader, sha)
    before = read_commit(reader, commit.parents[0]).tree if commit.parents else None
    return deltas(reader, before, commit.tree)


def _with_entries(overlay: Overlay, tree: Sha, entries: Mapping[bytes, Entry | None]) -> Sha:
    """Return a tree with other entries at some paths; ``None`` takes a path out."""
    items = read_tree(overlay, tree)
    below: dict[bytes, dict[bytes, Entry | None]] = {}
    for path, entry in entries.items():
        name, slash, rest = path.partition(b"/")
        if slash:
            below.setdefault(name, {})[rest] = entry
        elif entry is None:
            items.pop(name, None)
        else:
            items[name] = entry
    for name, inner in below.items():
        folder = items.get(name)
        if folder is None or folder.mode != DIRECTORY:
            folder = Entry(DIRECTORY, _store(overlay, {}))
        changed = _with_entries(overlay, folder.oid, inner)
        if read_tree(overlay, changed):
            items[name] = Entry(DIRECTORY, changed)
        else:
            items.pop(name, None)
    return _store(overlay, items)


def _store(overlay: Overlay, items: Mapping[bytes, Entry]) -> Sha:
    made = object_of(Tree, tree_bytes(item_of(name, entry) for name, entry in items.items()))
    overlay.add([made])
    return Sha(made.id.decode())


def _diff(reader: ObjectReader, delta: Delta) -> str:
    old, new = _lines(reader, delta.old), _lines(reader, delta.new)
    if old is None or new is None:
        return "not text, or too long to show here: compare the files"
    lines = list(difflib.unified_diff(old, new, "merges by itself", "by hand", lineterm=""))
    more = [f"... {len(lines) - _DIFF_LINES} lines more"] if len(lines) > _DIFF_LINES else []
    return "\n".join([*lines[:_DIFF_LINES], *more])


def _lines(reader: ObjectReader, entry: Entry | None) -> list[str] | None:
    if entry is None:
        return []
    if entry.mode in {DIRECTORY, SUBMODULE}:
        return None
    data = read_blob(reader, entry.oid)
    if is_binary(data) or data.count(b"\n") > _LONGEST:
        return None
    return [printable(line[:500]) for line in data.decode("utf-8", "replace").split("\n")]
