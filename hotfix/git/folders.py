"""Where folders went: counted from the files in them, the majority wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.git.collect import Need
from hotfix.git.strmap import StringMap

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNKNOWN = b"/"  # where a file went whose rename is not known yet; no folder has this name


class FolderCounts:
    """For each folder that a side removed, how many of its files went where.

    The rules are those of diffcore-rename's ``update_dir_rename_counts`` and its neighbours;
    ``needs`` is changed as folders become known.
    """

    def __init__(self, needs: dict[bytes, Need]) -> None:
        self._needs = needs
        self._counts: StringMap[StringMap[int]] = StringMap()
        self._guesses: dict[bytes, bytes] = {}

    def start(self, exact: Iterable[tuple[bytes, bytes]]) -> None:
        """Count the renames without a change; they are what guesses rest on."""
        for old, new in exact:
            self.count(old, new)
        self._guesses = {folder: _most(counts) for folder, counts in self._counts.items()}

    def count(self, old: bytes, new: bytes) -> None:
        """Count a rename for its folder, and for those above that moved with it."""
        old_folder, new_folder = old, new
        first = True
        while True:
            old_folder, _, old_name = old_folder.rpartition(b"/")
            if old_folder not in self._needs:
                return
            new_folder, _, new_name = new_folder.rpartition(b"/")
            if not first and old_name != new_name:
                return
            need = self._needs[old_folder]
            if need == Need.SELF or first:
                self._increment(old_folder, new_folder)
            if need == Need.NONE or not old_folder or not new_folder:
                return
            first = False

    def guess(self, path: bytes) -> bytes | None:
        """Return where a file is if its folder went where most of its exact renames went."""
        folder, _, name = path.rpartition(b"/")
        target = self._guesses.get(folder)
        return None if target is None else target + b"/" + name

    def settle_known(self, open_sources: Iterable[bytes]) -> None:
        """Note which folders are decided however the files still open turn out."""
        for path in open_sources:
            folder = path.rpartition(b"/")[0]
            while folder and self._needs.get(folder, Need.NONE) != Need.NONE:
                self._increment(folder, _UNKNOWN)
                folder = folder.rpartition(b"/")[0]
        for folder, counts in self._counts.items():
            if self._needs.get(folder) == Need.SELF and _is_decided(counts):
                self._needs[folder] = Need.ANCESTOR

    def is_open(self, path: bytes) -> bool:
        """Tell whether a file is still needed to know where a folder above it went."""
        folder = path.rpartition(b"/")[0]
        while True:
            need = self._needs.get(folder, Need.NONE)
            if need != Need.ANCESTOR:
                return need == Need.SELF
            folder = folder.rpartition(b"/")[0]

    def finish(self) -> StringMap[StringMap[int]]:
        """Return the counts of the folders that matter."""
        kept: StringMap[StringMap[int]] = StringMap()
        for folder, counts in self._counts.items():
            if self._needs.get(folder, Need.NONE) == Need.NONE:
                continue
            known: StringMap[int] = StringMap()
            for target, number in counts.items():
                if target != _UNKNOWN:
                    known.put(target, number)
            kept.put(folder, known)
        return kept

    def _increment(self, old: bytes, new: bytes) -> None:
        counts = self._counts.get(old)
        if counts is None:
            counts = StringMap()
            self._counts.put(old, counts)
        counts.put(new, (counts.get(new) or 0) + 1)


def _most(counts: StringMap[int]) -> bytes:
    best, most = b"", 0
    for folder, number in counts.items():
        if number > most:
            best, most = folder, number
    return best


def _is_decided(counts: StringMap[int]) -> bool:
    unknown = counts.get(_UNKNOWN) or 0
    known = sorted(
        (number for folder, number in counts.items() if folder != _UNKNOWN), reverse=True
    )
    first, second, *_ = *known, 0, 0
    return first > second + unknown


def moved_folders(
    counts: dict[int, StringMap[StringMap[int]]],
) -> tuple[dict[int, dict[bytes, bytes]], list[bytes]]:
    """Return for each side which folders it moved where, and those of which that is unclear.

    A folder that both sides moved counts for neither, as in Git.
    """
    moved: dict[int, dict[bytes, bytes]] = {side: {} for side in counts}
    unclear: list[bytes] = []
    for side, folders in counts.items():
        for folder, targets in folders.items():
            most = max((number for _, number in targets.items()), default=0)
            best = [target for target, number in targets.items() if number == most]
            if most and len(best) > 1:
                unclear.append(folder)
            elif most:
                moved[side][folder] = best[0]
    first, *others = moved.values()
    for folder in list(first):
        if any(folder in other for other in others):
            for each in moved.values():
                each.pop(folder, None)
    return moved, unclear


def follows_folder(
    path: bytes, moved_there: dict[bytes, bytes], moved_here: dict[bytes, bytes]
) -> bytes | None:
    """Return where a path that this side added would go if it followed the other side's move."""
    folder, found = path, None
    while b"/" in folder and found is None:
        folder = folder.rpartition(b"/")[0]
        found = moved_there.get(folder)
    if found is None or found in moved_here:
        return None
    rest = path[len(folder) :]
    return found + rest if found else rest[1:]
