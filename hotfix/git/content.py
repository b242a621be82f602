"""Merging one path's content: files by lines, everything else by id."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dulwich.objects import Blob

from hotfix.git.collect import ABSENT, BASE, OURS, THEIRS
from hotfix.git.objects import object_id, object_of, read_blob
from hotfix.git.text.lines import is_binary
from hotfix.git.text.merge3 import Overlap, merge_texts
from hotfix.git.trees import SUBMODULE, SYMLINK, Entry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dulwich.objects import ShaFile

    from hotfix.git.conflicts import ConflictKind, Hunk
    from hotfix.git.objects import ObjectReader
    from hotfix.git.rules import Rules
    from hotfix.identifiers import Sha

MAX_TEXT = 1023 * 1024 * 1024  # Git takes what is larger for binary
MAX_LINES_BYTES = 64 * 1024 * 1024  # what this program merges by lines


class ContentMerge(NamedTuple):
    """The merged entry, and why it needs a person if it does."""

    entry: Entry
    kind: ConflictKind | None = None
    hunks: tuple[Hunk, ...] = ()
    detail: str = ""


@dataclass(slots=True)
class ContentMerger:
    """Merges contents and keeps the blobs that come out new."""

    reader: ObjectReader
    rules: Rules
    blobs: dict[Sha, ShaFile] = field(default_factory=dict)

    def merge(self, stages: Sequence[Entry]) -> ContentMerge:
        """Merge base, ours and theirs; ours and theirs are of one type.

        The mode is merged by itself, so a change of the mode on one side and of the lines on the
        other do not conflict.
        """
        base, ours, theirs = stages
        mode, modes_agree = _merged_mode(base.mode, ours.mode, theirs.mode)
        merged = self._merge_ids(base, ours, theirs)
        entry = Entry(mode, merged.entry.oid)
        if merged.kind is None and not modes_agree:
            return ContentMerge(entry, "mode", detail="both sides changed the mode")
        return merged._replace(entry=entry)

    def _merge_ids(self, base: Entry, ours: Entry, theirs: Entry) -> ContentMerge:
        if theirs.oid in (ours.oid, base.oid):
            return ContentMerge(ours)
        if ours.oid == base.oid:
            return ContentMerge(theirs)
        if ours.mode == SYMLINK:
            return ContentMerge(ours, "symlink", detail="both sides changed the symbolic link")
        if ours.mode == SUBMODULE:
            return ContentMerge(ours, "submodule", detail="both sides changed the submodule")
        same_type = stat.S_IFMT(base.mode) == stat.S_IFMT(ours.mode)
        return self._merge_files(base if same_type else ABSENT, ours, theirs)

    def _merge_files(self, base: Entry, ours: Entry, theirs: Entry) -> ContentMerge:
        texts = [self._read(each) for each in (base, ours, theirs)]
        if any(len(text) > MAX_TEXT or is_binary(text) for text in texts):
            return ContentMerge(ours, "binary", detail="both sides changed a binary file")
        if any(len(text) > MAX_LINES_BYTES for text in texts):
            return ContentMerge(
                ours, "unsupported", detail="the file is too large to merge by lines"
            )
        merged = merge_texts(texts[BASE], texts[OURS], texts[THEIRS], self.rules)
        if isinstance(merged, Overlap):
            kind: ConflictKind = "content" if base.mode else "add/add"
            return ContentMerge(ours, kind, merged.hunks, "both sides changed the same lines")
        return ContentMerge(Entry(ours.mode, self._keep(merged)))

    def _read(self, entry: Entry) -> bytes:
        """Read a file; it may be one that was merged before it was moved onto another."""
        if not entry.mode:
            return b""
        made = self.blobs.get(entry.oid)
        return made.as_raw_string() if made else read_blob(self.reader, entry.oid)

    def _keep(self, data: bytes) -> Sha:
        oid = object_id(Blob, data)
        if oid not in self.blobs:
            self.blobs[oid] = object_of(Blob, data)
        return oid


def _merged_mode(base: int, ours: int, theirs: int) -> tuple[int, bool]:
    if ours in (theirs, base):
        return theirs, True
    return ours, theirs == base
