"""The objects that merges and comparisons look at, known before they look.

A merge opens trees only where its sides differ, level by level, and files only where both sides
changed them. So what several merges need can be asked for with one request for each level.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from hotfix.git.commits import read_raw_commit
from hotfix.git.lazy import bring, lazy_below
from hotfix.git.objects import EMPTY_TREE
from hotfix.git.trees import (
    DIRECTORY,
    EXECUTABLE,
    FILE,
    MAX_DEPTH,
    SUBMODULE,
    changed_entries,
    entry_of,
    read_items,
    read_tree,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from hotfix.git.objects import GitObject, ObjectReader
    from hotfix.git.trees import Entry
    from hotfix.identifiers import Sha


class Change(NamedTuple):
    """A tree, or one entry of it, before and after; ``None`` where there is none."""

    old: Sha | None
    new: Sha | None


class Line(NamedTuple):
    """Changes that are brought into a tree one after the other; no tree, and they are compared."""

    onto: Sha | None
    changes: tuple[Change, ...]
    with_texts: bool = False
    """Whether every file that a change touches is read, too, not only what has to be merged."""


def change_of(reader: ObjectReader, commit: Sha) -> Change:
    """Return the change of a commit: against its first parent, or against nothing."""
    found = read_raw_commit(reader, commit)
    before = read_raw_commit(reader, found.parents[0]).tree if found.parents else None
    return Change(before, found.tree)


class Look(NamedTuple):
    """Paths that are looked up in some trees, with what stands there."""

    trees: tuple[Sha, ...]
    paths: tuple[str, ...]


def bring_for(reader: ObjectReader, lines: Iterable[Line], look: Look | None = None) -> None:
    """Have at hand what these merges will read, if the reader is one that fetches.

    What is looked up beside them comes with the same requests, level by level.
    """
    if lazy_below(reader) is None:
        return
    beside = _along(reader, *look) if look is not None else iter(())
    for level in zip_longest(rounds(reader, lines), beside):
        bring(reader, {oid for wanted in level if wanted for oid in wanted})


def bring_folders(reader: ObjectReader, folders: Iterable[Sequence[Sha | None]]) -> None:
    """Have at hand all trees in which these folders of base, ours and theirs differ.

    Rename finding enters folders that one side left alone; a merge does so nowhere else.
    """
    if lazy_below(reader) is None:
        return
    lines = [
        Line(None, (Change(base, ours), Change(base, theirs))) for base, ours, theirs in folders
    ]
    if any(oid.encode() not in reader for line in lines for oid in _folders(line)):
        bring_for(reader, lines)


def bring_paths(reader: ObjectReader, trees: Iterable[Sha], paths: Iterable[str]) -> None:
    """Have at hand the trees along some paths below these trees, and what stands at the paths."""
    bring_for(reader, (), Look(tuple(trees), tuple(paths)))


def _along(
    reader: ObjectReader, trees: Iterable[Sha], paths: Iterable[str]
) -> Iterator[AbstractSet[Sha]]:
    """Yield what the look reads of each level, to be at hand before the next is asked for."""
    split = [path.encode("utf-8", "surrogateescape").split(b"/") for path in paths]
    level = {(tree, tuple(names)) for tree in trees for names in split}
    while level:
        yield {oid for oid, _ in level}
        following = set()
        for tree, (name, *rest) in ((oid, names) for oid, names in level if names):
            entry = read_tree(reader, tree).get(name)
            if entry is not None and (entry.mode == DIRECTORY if rest else _is_text(entry)):
                following.add((entry.oid, tuple(rest)))
        level = following


def rounds(reader: ObjectReader, lines: Iterable[Line]) -> Iterator[set[Sha]]:
    """Yield for each level of the trees what is read of it, in all lines together.

    What is yielded has to be at hand before the next is asked for. Which renames a merge looks
    for is not known beforehand: what that takes is fetched when it comes to it.
    """
    level = [line for line in map(_differing, lines) if line.changes]
    files: set[Sha] = set()
    for _ in range(MAX_DEPTH + 1):  # what is nested deeper is refused by whoever reads it
        if not level:
            break
        yield {oid for line in level for oid in _folders(line)} | files
        opened = [_open(reader, line) for line in level]
        level = list(dict.fromkeys(below for folders, _ in opened for below in folders))
        files = {oid for _, texts in opened for oid in texts}
    if files:
        yield files


def needed_objects(reader: ObjectReader, *trees: Sha) -> Iterator[GitObject]:
    """Yield every tree and blob in which the given trees differ, each once.

    What is equal in all of them is left out: no merge opens it.
    """
    level = [dict.fromkeys(trees)]
    seen: set[Sha] = set()
    compared: set[frozenset[Sha]] = set()
    for _ in range(MAX_DEPTH + 1):  # as in :func:`rounds`
        if not level:
            break
        # The same folders under many names are compared once, however often they are nested.
        level = list(
            {frozenset(each): each for each in level if frozenset(each) not in compared}.values()
        )
        compared.update(map(frozenset, level))
        bring(reader, {tree for folder in level for tree in folder})
        below: list[dict[Sha, None]] = []
        files: dict[Sha, None] = {}
        for folder in level:
            for tree in folder:
                if tree not in seen and tree != EMPTY_TREE:
                    seen.add(tree)
                    yield reader[tree.encode()]
            _compare(reader, folder, below, files)
        bring(reader, files)
        yield from (reader[oid.encode()] for oid in files if oid not in seen)
        seen.update(files)
        level = below


def _compare(
    reader: ObjectReader,
    trees: Collection[Sha],
    below: list[dict[Sha, None]],
    files: dict[Sha, None],
) -> None:
    """Note the folders and files in which some trees differ."""
    found = [read_tree(reader, tree) if tree != EMPTY_TREE else {} for tree in trees]
    for name in dict.fromkeys(name for entries in found for name in entries):
        here = [entries.get(name) for entries in found]
        if len(set(here)) == 1:
            continue
        folders = {each.oid: None for each in here if each and each.mode == DIRECTORY}
        if folders:
            # One that is not in every tree is compared with nothing: all of it may be looked at.
            everywhere = all(each and each.mode == DIRECTORY for each in here)
            below.append(folders if everywhere else folders | {EMPTY_TREE: None})
        for each in here:
            if each and each.mode not in {DIRECTORY, SUBMODULE}:
                files[each.oid] = None


def _open(reader: ObjectReader, line: Line) -> tuple[list[Line], set[Sha]]:
    """Look into one folder: return the folders in it that differ, and the files to be merged."""
    changed: dict[bytes, list[tuple[Entry | None, Entry | None]]] = {}
    for change in line.changes:
        before, after = changed_entries(reader, change.old, change.new)
        for name in before.keys() | after.keys():
            changed.setdefault(name, []).append((before.get(name), after.get(name)))
    items = read_items(reader, line.onto) if line.onto is not None else []
    onto = {item[0]: entry_of(item) for item in items if item[0] in changed}
    folders: list[Line] = []
    texts: set[Sha] = set()
    for name, entries in changed.items():
        here = onto.get(name)
        changes = tuple(Change(_folder(old), _folder(new)) for old, new in entries)
        below = _differing(Line(_folder(here), changes, line.with_texts))
        if below.changes:
            folders.append(below)
        if line.with_texts:
            sides = (here, *(side for change in entries for side in change))
            texts |= {each.oid for each in sides if each and _is_text(each)}
        else:
            texts |= _merged_texts(here, entries)
    return folders, texts


def _merged_texts(
    here: Entry | None, changes: Iterable[tuple[Entry | None, Entry | None]]
) -> set[Sha]:
    """Return the files that are read where changes of one file come one after the other."""
    texts: set[Sha] = set()
    is_known = True
    for old, new in changes:
        if is_known and _oid(here) == _oid(new):
            continue
        if is_known and _oid(here) == _oid(old):
            here = new
        elif _oid(old) != _oid(new) and _is_text(new) and (_is_text(here) or not is_known):
            texts |= {each.oid for each in (old, new) if each and _is_text(each)}
            if here and is_known:
                texts.add(here.oid)
            is_known = False
    return texts


def _differing(line: Line) -> Line:
    return line._replace(changes=tuple(each for each in line.changes if each.old != each.new))


def _folders(line: Line) -> set[Sha]:
    found = {line.onto, *(oid for change in line.changes for oid in change)}
    return {oid for oid in found if oid is not None and oid != EMPTY_TREE}


def _folder(entry: Entry | None) -> Sha | None:
    return entry.oid if entry is not None and entry.mode == DIRECTORY else None


def _oid(entry: Entry | None) -> Sha | None:
    return entry.oid if entry is not None else None


def _is_text(entry: Entry | None) -> bool:
    return entry is not None and entry.mode in {FILE, EXECUTABLE}
