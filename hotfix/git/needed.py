"""The objects that a three-way merge can look at: where the three trees are not all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.git.objects import EMPTY_TREE
from hotfix.git.trees import DIRECTORY, SUBMODULE, read_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.git.objects import GitObject, ObjectReader
    from hotfix.identifiers import Sha


def needed_objects(reader: ObjectReader, *trees: Sha) -> Iterator[GitObject]:
    """Yield every tree and blob in which the given trees differ, each once.

    What is equal in all of them is left out: no merge opens it.
    """
    yield from _walk(reader, dict.fromkeys(trees), set(), set())


def _walk(
    reader: ObjectReader, trees: dict[Sha, None], seen: set[Sha], walked: set[frozenset[Sha]]
) -> Iterator[GitObject]:
    compared = frozenset(trees)
    if compared in walked:
        return
    walked.add(compared)
    names: dict[bytes, set[tuple[int, Sha]]] = {}
    present: dict[bytes, int] = {}
    for tree in trees:
        if tree not in seen and tree != EMPTY_TREE:
            seen.add(tree)
            yield reader[tree.encode()]
        for name, entry in read_tree(reader, tree).items() if tree != EMPTY_TREE else ():
            names.setdefault(name, set()).add((entry.mode, entry.oid))
            present[name] = present.get(name, 0) + 1
    for name, entries in names.items():
        if len(entries) == 1 and present[name] == len(trees):
            continue
        yield from _differing(reader, entries, seen, walked)


def _differing(
    reader: ObjectReader,
    entries: set[tuple[int, Sha]],
    seen: set[Sha],
    walked: set[frozenset[Sha]],
) -> Iterator[GitObject]:
    folders = dict.fromkeys(oid for mode, oid in sorted(entries) if mode == DIRECTORY)
    if folders:
        # A folder that is not in every tree is compared with nothing: all of it may be looked at.
        yield from _walk(reader, folders | {EMPTY_TREE: None}, seen, walked)
    for mode, oid in sorted(entries):
        if mode not in {DIRECTORY, SUBMODULE} and oid not in seen:
            seen.add(oid)
            yield reader[oid.encode()]
