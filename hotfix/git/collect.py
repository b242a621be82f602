"""The walk over three trees at once: what differs, and which renames could matter.

The rules are those of Git's ``ort`` (``collect_merge_info``). Only folders in which something
differs are read, and a folder that one side left alone is read only when a rename of the other
side may lead into it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from hotfix.git.lazy import lazy_below
from hotfix.git.needed import bring_folders
from hotfix.git.strmap import StringMap
from hotfix.git.trees import (
    DIRECTORY,
    MAX_DEPTH,
    Entry,
    Item,
    UnsafeTreeError,
    entry_of,
    item_of,
    read_items,
)
from hotfix.identifiers import Sha

if TYPE_CHECKING:
    from hotfix.git.objects import ObjectReader
    from hotfix.git.rules import Rules

BASE, OURS, THEIRS = 0, 1, 2
SIDES = (OURS, THEIRS)
ABSENT = Entry(0, Sha(""))

_NO_FILE = (0, DIRECTORY)
_STEPS_PER_PATH = 25  # a path that is looked at costs so much time, and a kilobyte

ALL = 7
"""Masks: one bit for each of base (1), ours (2) and theirs (4)."""

Items = frozenset[Item]


class Need(IntEnum):
    """Why the fate of a file or folder that a side removed matters."""

    NONE = 0
    ANCESTOR = 1  # of a folder: only for those below it
    SELF = 2  # of a folder: the other side added a file there


class SourceNeed(IntEnum):
    """Why it matters where a removed file went."""

    LOCATION = 1  # only to tell where its folder went
    CONTENT = 2  # the other side changed it, or removed it too
    NO_MORE = 3


class Pair(NamedTuple):
    """A file that a side removed, or one that it added."""

    path: bytes
    entry: Entry
    added: bool


@dataclass(slots=True)
class Path:
    """What is known of a path that is not decided yet.

    ``files`` and ``folders`` tell by mask who has a file and who a folder here, ``equal`` which
    of the three are the same (0: none). Renames move stages between paths, ``names`` remembers
    where they came from.
    """

    path: bytes
    stages: list[Entry]
    files: int
    folders: int
    equal: int
    names: list[bytes]
    collides: bool  # a file on one side, a folder on another
    decided: bool = False
    conflicted: bool = False

    def has_file(self, side: int) -> bool:
        """Tell whether base (0), ours (1) or theirs (2) has a file here."""
        return bool(self.files & (1 << side))

    def remove(self) -> None:
        """Decide that nothing stands here in the result."""
        self.decided = True

    def forget_folders(self) -> None:
        """Keep only the files of this path."""
        self.equal &= ~self.folders
        self.folders = 0
        for side in (BASE, *SIDES):
            if not self.has_file(side):
                self.stages[side] = ABSENT


@dataclass(slots=True)
class RenameQuestions:
    """What one side removed and added, and what of it matters to the merge."""

    pairs: list[Pair] = field(default_factory=list)
    sources: dict[bytes, SourceNeed] = field(default_factory=dict)
    removed_folders: dict[bytes, Need] = field(default_factory=dict)


@dataclass(slots=True)
class Folder:
    """A folder that was entered: what is decided in it.

    ``items`` are those of ours; of them the names in ``open`` count only as far as ``decided``
    says so.
    """

    oid: Sha | None
    items: list[Item]
    open: frozenset[bytes]
    decided: dict[bytes, Entry] = field(default_factory=dict)

    def decide(self, name: bytes, entry: Entry) -> None:
        """Put an entry into the result."""
        self.decided[name] = entry

    def result(self) -> list[Item]:
        """Return what stands here in the result."""
        kept = [item for item in self.items if item[0] not in self.open]
        return kept + [item_of(name, entry) for name, entry in self.decided.items()]


@dataclass(slots=True)
class Collected:
    """The outcome of the walk: the folders that were entered, and what is not decided in them."""

    folders: dict[bytes, Folder] = field(default_factory=dict)
    paths: dict[bytes, Path] = field(default_factory=dict)
    questions: dict[int, RenameQuestions] = field(
        default_factory=lambda: {side: RenameQuestions() for side in SIDES}
    )


def collect(
    reader: ObjectReader, base: Sha | None, ours: Sha, theirs: Sha, rules: Rules
) -> Collected:
    """Walk the three trees; a base of ``None`` is the empty tree."""
    walk = _Walk(reader, rules)
    walk.enter(b"", [base, ours, theirs], 0)
    walk.enter_deferred()
    return walk.collected


class _Walk:
    def __init__(self, reader: ObjectReader, rules: Rules) -> None:
        self._reader = reader
        self._is_lazy = lazy_below(reader) is not None
        self._rules = rules
        self._read: dict[Sha, tuple[list[Item], Items]] = {}
        self.collected = Collected()
        # The side that may have added files to a folder which the other one removed; ALL once a
        # file was found, from there on down (`dir_rename_mask` in Git).
        self._adder = 0
        self._deferred: dict[int, StringMap[int]] = {side: StringMap() for side in SIDES}
        self._may_defer = dict.fromkeys(SIDES, True)

    def enter(self, folder: bytes, oids: list[Sha | None], depth: int) -> None:
        """Look at everything in a folder; ``oids`` are those of base, ours and theirs."""
        if depth > MAX_DEPTH:
            known = next(oid for oid in oids if oid)
            raise UnsafeTreeError(known, f"is nested deeper than {MAX_DEPTH} folders")
        stages = self._differing(oids)
        self.collected.folders[folder] = Folder(
            oids[OURS], self._items(oids[OURS])[0], frozenset(stages)
        )
        found = [(name, each, _file_mask(each)) for name, each in stages.items()]
        if self._adder not in (0, ALL) and any(files == self._adder for _, _, files in found):
            self._adder = ALL
        found.sort(key=_walk_key)
        above = folder + b"/" if folder else b""
        for name, each, files in found:
            self._look(folder, name, above + name, each, files, depth)

    def enter_deferred(self) -> None:
        """Enter the folders put off, where renames matter; else take the side that changed."""
        for side in SIDES:
            deferred = self._deferred[side]
            self._may_defer[side] = not self.collected.questions[side].sources
            if not self._may_defer[side]:
                self._deferred[side] = StringMap()
                late = [self.collected.paths[path] for path in deferred]
                bring_folders(self._reader, [self._folder_oids(found) for found in late])
                for path, adder in deferred.items():
                    self._enter_late(self.collected.paths[path], adder)
            for path in self._deferred[side]:
                self._take_side(self.collected.paths[path], side)

    def _enter_late(self, found: Path, adder: int) -> None:
        oids = self._folder_oids(found)
        found.equal &= found.files
        self._adder = adder
        self.enter(found.path, oids, found.path.count(b"/") + 1)

    def _look(
        self,
        folder: bytes,
        name: bytes,
        path: bytes,
        stages: list[Entry],
        files: int,
        depth: int,
    ) -> None:
        base, ours, theirs = stages
        equal = _equal_mask(base, ours, theirs)
        if files == ALL and equal:
            self._decide(folder, name, {3: theirs, 5: ours, 6: ours}[equal])
            return
        folders = _folder_mask(stages) if DIRECTORY in (base[0], ours[0], theirs[0]) else 0
        before = self._adder
        self._note_renames(folder, path, stages, files, folders, equal)
        found = Path(
            path, stages, files, folders, equal, [path, path, path], bool(files and folders)
        )
        self.collected.paths[path] = found
        if folders:
            self._enter_or_defer(found, before, depth)

    def _decide(self, folder: bytes, name: bytes, entry: Entry) -> None:
        if entry.mode:
            self.collected.folders[folder].decide(name, entry)

    def _enter_or_defer(self, found: Path, before: int, depth: int) -> None:
        side = {3: THEIRS, 5: OURS}.get(found.equal, BASE)
        if not found.files and found.folders in (2, 4):  # a new folder
            found.equal = ALL - found.folders
            side = found.folders // 2
        if self._adder != ALL and side != BASE and self._may_defer[side]:
            self._deferred[side].put(found.path, self._adder)
            self._adder = before
            return
        oids = self._folder_oids(found)
        if self._is_lazy and side != BASE:
            bring_folders(self._reader, [oids])
        found.equal &= found.files
        self.enter(found.path, oids, depth + 1)
        self._adder = before

    def _take_side(self, found: Path, side: int) -> None:
        """Take what the side that changed has here, without looking inside."""
        found.folders &= ~found.equal
        found.files &= ~found.equal
        found.equal = 0
        folder, _, name = found.path.rpartition(b"/")
        if not found.collides or found.folders:
            self._decide(folder, name, found.stages[side])
            found.decided = True
        found.collides = False
        for other in (BASE, *SIDES):
            if not (found.files | found.folders) & (1 << other):
                found.stages[other] = ABSENT

    def _note_renames(
        self, folder: bytes, path: bytes, stages: list[Entry], files: int, folders: int, equal: int
    ) -> None:
        if folders:
            self._note_folders(path, folders)
        if self._adder == ALL and files in (2, 4):
            other = 3 - files // 2
            self.collected.questions[other].removed_folders[folder] = Need.SELF
        if files in (0, ALL):
            return
        for side in SIDES:
            had, has = files & 1, files & (1 << side)
            if had and not has:
                self._note_removed(side, path, stages[BASE], changed=not equal & files)
            elif has and not had:
                self.collected.questions[side].pairs.append(Pair(path, stages[side], added=True))

    def _note_folders(self, path: bytes, folders: int) -> None:
        if self._adder != ALL and folders in (3, 5):
            self._adder = folders & ~1
        if folders in (1, 3, 5):
            need = Need.ANCESTOR if self._adder == ALL else Need.NONE
            for side in SIDES:
                if not folders & (1 << side):
                    self.collected.questions[side].removed_folders[path] = need

    def _note_removed(self, side: int, path: bytes, entry: Entry, *, changed: bool) -> None:
        questions = self.collected.questions[side]
        if changed:
            questions.sources[path] = SourceNeed.CONTENT
        elif self._adder == ALL:
            questions.sources[path] = SourceNeed.LOCATION
        questions.pairs.append(Pair(path, entry, added=False))

    def _folder_oids(self, found: Path) -> list[Sha | None]:
        return [entry.oid if entry.mode == DIRECTORY else None for entry in found.stages]

    def _differing(self, oids: list[Sha | None]) -> dict[bytes, list[Entry]]:
        """Return the names that are not the same in all three, with what each of them has."""
        known = {oid for oid in oids if oid is not None}
        if len(known) == 1:
            alone = self._items(known.pop())[0]
            self._rules.effort.spend(_STEPS_PER_PATH * len(alone))
            return _alone(alone, oids)
        sides = [self._items(oid)[1] for oid in oids]
        here, there = sides[BASE] ^ sides[OURS], sides[BASE] ^ sides[THEIRS]
        open_here = here - _edited(here, there) if here and there else here
        names = {item[0] for item in there | open_here}
        self._rules.effort.spend(_STEPS_PER_PATH * len(names))
        stages: dict[bytes, list[Entry]] = {name: [ABSENT, ABSENT, ABSENT] for name in names}
        either = here | there
        for side, items in enumerate(sides):
            for item in either & items:
                if item[0] in stages:
                    stages[item[0]][side] = entry_of(item)
        return stages

    def _items(self, oid: Sha | None) -> tuple[list[Item], Items]:
        if oid is None:
            return [], frozenset()
        if oid not in self._read:
            items = read_items(self._reader, oid)
            self._read[oid] = items, frozenset(items)
        return self._read[oid]


def _edited(here: Items, there: Items) -> Items:
    """Return the files that ours edited and theirs left alone: they stay as they are in ours."""
    touched = {item[0] for item in there}
    files: dict[bytes, list[Item]] = {}
    for item in here:
        if item[1] != DIRECTORY and item[0] not in touched:
            files.setdefault(item[0], []).append(item)
    return frozenset(item for both in files.values() if len(both) > 1 for item in both)


def _alone(items: list[Item], oids: list[Sha | None]) -> dict[bytes, list[Entry]]:
    """Return the names of a folder that is the same wherever it is."""
    base, ours, theirs = (oid is not None for oid in oids)
    stages = {}
    for item in items:
        entry = entry_of(item)
        stages[item[0]] = [
            entry if base else ABSENT,
            entry if ours else ABSENT,
            entry if theirs else ABSENT,
        ]
    return stages


def _walk_key(found: tuple[bytes, list[Entry], int]) -> bytes:
    name, _, files = found
    return name if files else name + b"/"


def _file_mask(stages: list[Entry]) -> int:
    (base, _), (ours, _), (theirs, _) = stages
    return (
        (base not in _NO_FILE) | (ours not in _NO_FILE) << OURS | (theirs not in _NO_FILE) << THEIRS
    )


def _folder_mask(stages: list[Entry]) -> int:
    (base, _), (ours, _), (theirs, _) = stages
    return (base == DIRECTORY) | (ours == DIRECTORY) << OURS | (theirs == DIRECTORY) << THEIRS


def _equal_mask(base: Entry, ours: Entry, theirs: Entry) -> int:
    if base[0] and base == ours:
        return 3
    if base[0] and base == theirs:
        return 5
    return 6 if ours[0] and ours == theirs else 0
