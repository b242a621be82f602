"""Deciding each path once renames are known (``process_renames`` and ``process_entry`` of ort)."""

from __future__ import annotations

import stat
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from dulwich.objects import Tree

from hotfix.git.collect import ABSENT, BASE, OURS, SIDES, THEIRS, Path
from hotfix.git.conflicts import Conflict, Side
from hotfix.git.folders import follows_folder, moved_folders
from hotfix.git.objects import EMPTY_TREE, object_id
from hotfix.git.trees import DIRECTORY, Entry, path_text, tree_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.git.collect import Collected, Folder
    from hotfix.git.conflicts import ConflictKind
    from hotfix.git.content import ContentMerge, ContentMerger
    from hotfix.git.renames import Renames
    from hotfix.identifiers import Sha

_NAMES = {OURS: "ours", THEIRS: "theirs"}


class _Move(NamedTuple):
    old: bytes
    new: bytes
    side: int


class Settler:
    """Turns what was collected into a tree, and into conflicts where Git would have one."""

    def __init__(
        self, collected: Collected, renames: dict[int, Renames], contents: ContentMerger
    ) -> None:
        self._paths = collected.paths
        self._folders = collected.folders
        self._renames = renames
        self._contents = contents
        self.conflicts: list[Conflict] = []
        self.trees: dict[Sha, bytes] = {}
        """What was written, less the folders that came out as ours has them."""

    def run(self) -> Sha:
        """Decide everything; return the root tree, which means nothing if there are conflicts."""
        self._check_folder_moves()
        self._apply_renames()
        for path in list(self._paths.values()):
            if not path.folders and not path.decided:
                self._settle(path)
        return self._write_trees()

    # Folders that one side moved and the other added to.

    def _check_folder_moves(self) -> None:
        counts = {side: self._renames[side].folders for side in SIDES}
        moved, unclear = moved_folders(counts)
        for folder in unclear:
            self._report(
                "directory-rename",
                [folder],
                "it is unclear where the folder went: its files were moved to several places",
            )
        if not any(moved.values()):
            return
        targets = {
            side: {follows_folder(path, moved[3 - side], {}) for path in self._renames[side].added}
            for side in SIDES
        }
        for side in SIDES:
            for path in self._renames[side].added:
                if path in targets[3 - side]:
                    continue
                target = follows_folder(path, moved[3 - side], moved[side])
                if target is not None:
                    self._report(
                        "directory-rename",
                        [path, target],
                        f"{_NAMES[side]} added it to a folder that {_NAMES[3 - side]} moved; "
                        f"it may belong to {path_text(target)} now",
                    )

    # Renames: bring the versions of a file together under its new name.

    def _apply_renames(self) -> None:
        moves = [
            _Move(old, new, side)
            for side in SIDES
            for new, old in _in_walk_order(self._renames[side])
        ]
        moves.sort(key=lambda move: move.old)
        waiting = iter(moves)
        following = next(waiting, None)
        while following:
            move, following = following, next(waiting, None)
            old = self._paths.get(move.old)
            if old is None or old.decided:
                continue
            if following and following.old == move.old:
                self._moved_by_both(old, move.new, following.new)
                following = next(waiting, None)
            else:
                self._moved_by_one(old, self._paths[move.new], move.side)

    def _moved_by_both(self, old: Path, our_name: bytes, their_name: bytes) -> None:
        ours, theirs = self._paths[our_name], self._paths[their_name]
        if our_name == their_name:
            ours.stages[BASE] = old.stages[BASE]
            ours.names[BASE] = old.path
            ours.files |= 1
            old.remove()
            return
        merged = self._contents.merge(
            old.path, [old.stages[BASE], ours.stages[OURS], theirs.stages[THEIRS]]
        )
        self._report(
            "rename/rename",
            [old.path, our_name, their_name],
            f"ours renamed it to {path_text(our_name)}, theirs to {path_text(their_name)}",
            merged=merged,
            sides=[
                _side(old.path, old.stages[BASE]),
                _side(our_name, ours.stages[OURS]),
                _side(their_name, theirs.stages[THEIRS]),
            ],
        )
        ours.stages[OURS] = theirs.stages[THEIRS] = merged.entry
        for path in (old, ours, theirs):
            path.conflicted = True

    def _moved_by_one(self, old: Path, new: Path, side: int) -> None:
        other = 3 - side
        deleted = old.files == 1
        collision = new.has_file(other)
        retyped = not deleted and _is_file(old.stages[other]) != _is_file(new.stages[side])
        if retyped:
            collision = False  # the other side made the same move and put something else there
        if collision and not deleted:
            self._moved_onto_another(old, new, side)
        elif deleted:
            self._moved_and_deleted(old, new, side, collision=collision)
        else:
            self._carry_base(old, new)
            if not retyped:
                new.stages[other] = old.stages[other]
                new.names[other] = old.path
                new.files |= 1 << other
        if retyped:
            old.stages[BASE] = ABSENT
            old.files &= 6
        else:
            old.remove()

    def _moved_onto_another(self, old: Path, new: Path, side: int) -> None:
        """Merge the file itself; whether it then is the one that stands there, comes later."""
        stages = list(old.stages)
        stages[side] = new.stages[side]
        merged = self._contents.merge(old.path, stages)
        new.stages[side] = merged.entry
        if merged.kind:
            new.conflicted = True
            self._report(
                "rename/add",
                [new.path, old.path],
                f"{_NAMES[side]} renamed {path_text(old.path)} to it, {_NAMES[3 - side]} added it",
                merged=merged,
            )

    def _moved_and_deleted(self, old: Path, new: Path, side: int, *, collision: bool) -> None:
        new.conflicted = True
        self._report(
            "rename/delete",
            [new.path, old.path],
            f"{_NAMES[side]} renamed {path_text(old.path)} to it, {_NAMES[3 - side]} deleted it",
            sides=[_side(old.path, old.stages[BASE]), *_sides(new)[1:]],
        )
        if not collision:
            self._carry_base(old, new)

    def _carry_base(self, old: Path, new: Path) -> None:
        new.stages[BASE] = old.stages[BASE]
        new.names[BASE] = old.path
        new.files |= 1

    # Paths, one by one.

    def _settle(self, path: Path) -> None:
        entry = self._outcome(path)
        path.decided = True
        if entry.mode:
            self._place(path.path, entry)

    def _outcome(self, path: Path) -> Entry:
        """Return what stands at a path in the result, and report what cannot be decided."""
        _base, ours, theirs = path.stages
        if path.equal:
            return {3: theirs, 5: ours, 6: ours}[path.equal]
        if path.files >= 6:  # noqa: PLR2004 - both sides have a file here
            return self._both(path)
        if path.files in (3, 5):
            side = OURS if path.files == 3 else THEIRS  # noqa: PLR2004 - base and ours
            if not path.conflicted:
                self._report(
                    "modify/delete",
                    [path.path],
                    f"{_NAMES[side]} changed it, {_NAMES[3 - side]} deleted it",
                    sides=_sides(path),
                )
            return path.stages[side]
        return ours if path.files == 2 else theirs if path.files == 4 else ABSENT  # noqa: PLR2004

    def _both(self, path: Path) -> Entry:
        _, ours, theirs = path.stages
        if stat.S_IFMT(ours.mode) != stat.S_IFMT(theirs.mode):
            self._report(
                "distinct-types",
                [path.path],
                "it is of different types on the two sides",
                sides=_sides(path),
            )
            return ours
        merged = self._contents.merge(path.path, path.stages)
        if merged.kind:
            self._report(
                merged.kind, _names(path), merged.detail, merged=merged, sides=_sides(path)
            )
        return merged.entry

    # Folders, from the innermost out.

    def _write_trees(self) -> Sha:
        for folder in sorted(self._folders, key=_depth, reverse=True):
            entry = self._written(self._folders[folder])
            if not folder:
                return entry.oid if entry.mode else EMPTY_TREE
            path = self._paths[folder]
            if entry.mode:
                self._place(folder, entry)
                if path.files and not path.decided:
                    self._settle_beside_folder(path)
            elif path.files and not path.decided:
                path.forget_folders()
                self._settle(path)
        return EMPTY_TREE

    def _written(self, folder: Folder) -> Entry:
        """Write a folder's tree; nothing where nothing is left in it."""
        items = folder.result()
        if not items:
            return ABSENT
        data = tree_bytes(items)
        oid = object_id(Tree, data)
        if oid != folder.oid:
            self.trees[oid] = data
        return Entry(DIRECTORY, oid)

    def _place(self, path: bytes, entry: Entry) -> None:
        folder, _, name = path.rpartition(b"/")
        self._folders[folder].decide(name, entry)

    def _settle_beside_folder(self, path: Path) -> None:
        """Decide a file in whose place the result has a folder: it has to be gone."""
        if path.files == 1:
            return
        alone = replace(path, stages=list(path.stages))
        alone.forget_folders()
        reported = len(self.conflicts)
        entry = self._outcome(alone)
        if entry.mode and len(self.conflicts) == reported:
            self._report(
                "file/directory",
                [path.path],
                "it is a file on one side and a folder with files on the other",
                sides=_sides(alone),
            )

    def _report(
        self,
        kind: ConflictKind,
        paths: list[bytes],
        detail: str,
        *,
        merged: ContentMerge | None = None,
        sides: list[Side | None] | None = None,
    ) -> None:
        base, ours, theirs = sides or (None, None, None)
        self.conflicts.append(
            Conflict(
                kind=kind,
                paths=tuple(dict.fromkeys(path_text(path) for path in paths)),
                detail=detail,
                base=base,
                ours=ours,
                theirs=theirs,
                hunks=merged.hunks if merged else (),
            )
        )


def _in_walk_order(renames: Renames) -> Iterator[tuple[bytes, bytes]]:
    return ((new, renames.moved[new]) for new in renames.added if new in renames.moved)


def _is_file(entry: Entry) -> bool:
    return stat.S_ISREG(entry.mode)


def _depth(folder: bytes) -> int:
    return folder.count(b"/") + bool(folder)


def _names(path: Path) -> list[bytes]:
    return [path.path, *path.names]


def _sides(path: Path) -> list[Side | None]:
    return [_side(name, entry) for name, entry in zip(path.names, path.stages, strict=True)]


def _side(name: bytes, entry: Entry) -> Side | None:
    return Side(path_text(name), entry.mode, entry.oid) if entry.mode else None
