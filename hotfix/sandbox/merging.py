"""Three-way merges of whole trees: enough for a GitLab where everybody edits files of their own.

A path that only one side changed takes that side. A text file that both changed is merged line by
line where the changed lines lie apart; whatever else both changed is a conflict. Renames are not
followed, so some picks that Git makes cleanly are conflicts here.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from hotfix.sandbox.repositories import Entry, Repository

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotfix.identifiers import Sha


class ConflictError(Exception):
    """Both sides changed the same thing; ``paths`` names it."""

    def __init__(self, paths: list[str]) -> None:
        super().__init__(", ".join(paths))
        self.paths = paths


def merge_trees(repository: Repository, base: Sha, ours: Sha, theirs: Sha) -> Sha:
    """Return the tree that holds both sides' changes since ``base``, or raise ``ConflictError``."""
    base_files, our_files, their_files = map(repository.files_of_tree, (base, ours, theirs))
    merged: dict[str, Entry] = {}
    conflicts = []
    for path in sorted(base_files.keys() | our_files.keys() | their_files.keys()):
        sides = (base_files.get(path), our_files.get(path), their_files.get(path))
        try:
            entry = _merge_entry(repository, *sides)
        except ConflictError:
            conflicts.append(path)
            continue
        if entry is not None:
            merged[path] = entry
    conflicts += sorted(_folders(merged) & merged.keys())
    if conflicts:
        raise ConflictError(sorted(set(conflicts)))
    return repository.write_tree(merged)


def _folders(paths: Iterable[str]) -> set[str]:
    return {path[:end] for path in paths for end, character in enumerate(path) if character == "/"}


def _merge_entry(
    repository: Repository, base: Entry | None, ours: Entry | None, theirs: Entry | None
) -> Entry | None:
    if theirs in (ours, base):
        return ours
    if ours == base:
        return theirs
    if base is None or ours is None or theirs is None or not base.mode == ours.mode == theirs.mode:
        raise ConflictError([])
    lines = _merge_lines(*(repository.blob(entry.sha) for entry in (base, ours, theirs)))
    return Entry(base.mode, repository.write_blob(lines))


def _merge_lines(base: bytes, ours: bytes, theirs: bytes) -> bytes:
    if any(b"\0" in content for content in (base, ours, theirs)):
        raise ConflictError([])
    old = base.splitlines(keepends=True)
    edits = sorted(_edits(old, ours) + _edits(old, theirs), key=lambda edit: edit[:2])
    merged: list[bytes] = []
    position = -1
    for start, end, lines in edits:
        # Edits that touch, too, are a conflict in Git: nothing tells which comes first.
        if start <= position:
            raise ConflictError([])
        merged += old[max(position, 0) : start] + lines
        position = end
    return b"".join(merged + old[max(position, 0) :])


def _edits(old: list[bytes], content: bytes) -> list[tuple[int, int, list[bytes]]]:
    new = content.splitlines(keepends=True)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [
        (start, end, new[new_start:new_end])
        for tag, start, end, new_start, new_end in matcher.get_opcodes()
        if tag != "equal"
    ]
