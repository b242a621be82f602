"""Merging one path's content: files by lines, everything else by id."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dulwich.objects import Blob

from hotfix.git.attributes import BUILT_IN
from hotfix.git.collect import ABSENT
from hotfix.git.objects import object_id, object_of, read_blob
from hotfix.git.text.lines import is_binary
from hotfix.git.text.merge3 import Overlap, merge_texts
from hotfix.git.trees import SUBMODULE, SYMLINK, Entry
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dulwich.objects import ShaFile

    from hotfix.git.attributes import Attributes
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
    """Merges contents and keeps the blobs that come out new.

    ``by_lines`` holds the paths under which files were merged, those that conflict too.
    """

    reader: ObjectReader
    rules: Rules
    attributes: Attributes
    blobs: dict[Sha, ShaFile] = field(default_factory=dict)
    by_lines: dict[bytes, None] = field(default_factory=dict)

    def merge(self, path: bytes, stages: Sequence[Entry]) -> ContentMerge:
        """Merge base, ours and theirs; ours and theirs are of one type.

        Attributes are looked up under ``path``: the one in the result, or, where a file was moved
        onto another, the one it had before.

        The mode is merged by itself, so a change of the mode on one side and of the lines on the
        other do not conflict.
        """
        base, ours, theirs = stages
        mode, modes_agree = _merged_mode(base.mode, ours.mode, theirs.mode)
        merged = self._merge_ids(path, base, ours, theirs)
        entry = Entry(mode, merged.entry.oid)
        if merged.kind is None and not modes_agree:
            return ContentMerge(entry, "mode", detail="both sides changed the mode")
        return merged._replace(entry=entry)

    def _merge_ids(self, path: bytes, base: Entry, ours: Entry, theirs: Entry) -> ContentMerge:
        if theirs.oid in (ours.oid, base.oid):
            return ContentMerge(ours)
        if ours.oid == base.oid:
            return ContentMerge(theirs)
        if ours.mode == SYMLINK:
            return ContentMerge(ours, "symlink", detail="both sides changed the symbolic link")
        if ours.mode == SUBMODULE:
            return ContentMerge(ours, "submodule", detail="both sides changed the submodule")
        same_type = stat.S_IFMT(base.mode) == stat.S_IFMT(ours.mode)
        return self._merge_files(path, base if same_type else ABSENT, ours, theirs)

    def _merge_files(self, path: bytes, base: Entry, ours: Entry, theirs: Entry) -> ContentMerge:
        self.by_lines[path] = None
        driver = self.attributes.driver(path, self.rules.effort)
        if driver == "binary":
            detail = "both sides changed it, and by its attributes it is not merged by lines"
            return ContentMerge(ours, "binary", detail=detail)
        if driver not in BUILT_IN:
            detail = f"its attributes ask for the merge driver {one_line(driver)}, never run here"
            return ContentMerge(ours, "unsupported", detail=detail)
        texts = (self._read(base), self._read(ours), self._read(theirs))
        if any(len(text) > MAX_TEXT or is_binary(text) for text in texts):
            return ContentMerge(ours, "binary", detail="both sides changed a binary file")
        if any(len(text) > MAX_LINES_BYTES for text in texts):
            return ContentMerge(
                ours, "unsupported", detail="the file is too large to merge by lines"
            )
        merged = merge_texts(*texts, self.rules, union=driver == "union")
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
