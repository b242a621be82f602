from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.git.commits import FileChange
from hotfix.git.diff import changed_files
from hotfix.git.objects import EMPTY_TREE
from hotfix.git.patch import same_patch

from .making import File, Files, Store, executable, lines, link, submodule

if TYPE_CHECKING:
    from hotfix.identifiers import Sha

    from .cgit import CGit

TEN = lines(*range(10))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"f": TEN}, {"f": TEN}, []),
        ({"f": TEN}, {"f": b"x\n"}, [("f", "modified")]),
        ({}, {"d/f": TEN}, [("d/f", "added")]),
        ({"d/e/f": TEN}, {}, [("d/e/f", "deleted")]),
        ({"f": TEN}, {"f": executable(TEN)}, [("f", "mode")]),
        ({"f": TEN}, {"f": link(TEN)}, [("f", "mode")]),
        ({"a/f": TEN}, {"b/f": TEN}, [("b/f", "renamed")]),
        ({"a/f": TEN, "g": TEN}, {"b/f": TEN}, [("b/f", "renamed"), ("g", "deleted")]),
        ({"f": TEN}, {"g": TEN + b"x\n"}, [("f", "deleted"), ("g", "added")]),
        ({"f": b""}, {"g": b""}, [("f", "deleted"), ("g", "added")]),
        ({"f": TEN}, {"f/g": b"x\n"}, [("f", "deleted"), ("f/g", "added")]),
        ({"s": submodule(1)}, {"s": submodule(2)}, [("s", "modified")]),
        ({"f": TEN}, {"f": TEN, "\udcff": b"x\n"}, [("\\xff", "added")]),
    ],
)
def test_changes_are_told_by_path(
    old: Files, new: Files, expected: list[tuple[str, str]], store: Store
) -> None:
    def tree(files: Files) -> Sha:
        odd = files.pop("\udcff", None)
        made = store.tree(files)
        if odd is None:
            return made
        assert isinstance(odd, bytes)
        return store.raw_tree(
            (b"f", 0o100644, store.blob(TEN)), (b"\xff", 0o100644, store.blob(odd))
        )

    found = changed_files(store, tree(old), tree(new))

    assert [(change.path, change.change) for change in found] == expected


def test_the_empty_tree_is_known(store: Store) -> None:
    tree = store.tree({"f": TEN})

    assert changed_files(store, EMPTY_TREE, tree) == (FileChange("f", "added"),)


def test_only_folders_that_differ_are_read(store: Store) -> None:
    files: Files = {f"{folder}/{number}": TEN for folder in range(50) for number in range(4)}
    old, new = store.tree(files), store.tree(files | {"7/2": b"x\n"})
    store.reads.clear()

    changed_files(store, old, new)

    assert len(store.reads) == 4


def commit(store: Store, before: Files, after: Files) -> Sha:
    return store.commit(store.tree(after), store.commit(store.tree(before)))


LONG = lines(*(f"line {number}" for number in range(60)))
FIXED = LONG.replace(b"line 30\n", b"line thirty\n")

PATCHES: dict[str, tuple[Files, Files]] = {
    "a fix": ({"f": LONG}, {"f": FIXED}),
    "the fix further down": ({"f": b"new\n" * 9 + LONG}, {"f": b"new\n" * 9 + FIXED}),
    "the fix beside another neighbour": (
        {"f": LONG.replace(b"line 28\n", b"other\n")},
        {"f": FIXED.replace(b"line 28\n", b"other\n")},
    ),
    "the fix with other blanks": (
        {"f": LONG},
        {"f": FIXED.replace(b"line thirty", b"line  thirty ")},
    ),
    "another fix": ({"f": LONG}, {"f": LONG.replace(b"line 30\n", b"line XXX\n")}),
    "the fix in another file": ({"g": LONG}, {"g": FIXED}),
    "the fix and a mode": ({"f": LONG}, {"f": executable(FIXED)}),
    "the fix in an executable": ({"f": executable(LONG)}, {"f": executable(FIXED)}),
    "the fix and another file": ({"f": LONG}, {"f": FIXED, "g": b"x\n"}),
    "a new file": ({"f": LONG}, {"f": LONG, "g": b"x\n"}),
    "a file without a final newline": ({"f": LONG}, {"f": LONG, "g": b"x"}),
    "a binary file": ({"b": b"\0one"}, {"b": b"\0two"}),
    "another binary file": ({"b": b"\0one"}, {"b": b"\0three"}),
    "a removed file": ({"f": LONG, "g": b"x\n"}, {"f": LONG}),
    "a moved function": (
        {"f": lines("a {", " 1", "}", "", "b {", " 2", "}", "")},
        {"f": lines("a {", " 1", "}", "", "c {", " 3", "}", "", "b {", " 2", "}", "")},
    ),
    "a submodule": ({"s": submodule(1)}, {"s": submodule(2)}),
    "a link": ({"l": link(b"a")}, {"l": link(b"b")}),
    "an emptied file": ({"f": LONG}, {"f": b""}),
    "no change": ({"f": LONG}, {"f": LONG}),
    "a file turned into a link": ({"l": File(b"a\n")}, {"l": link(b"a")}),
}


@pytest.mark.oracle
def test_patches_are_the_same_where_git_gives_them_one_id(store: Store, git: CGit) -> None:
    commits = {name: commit(store, *pair) for name, pair in PATCHES.items()}
    git.take(store.objects.values())
    ids = {}
    for name, sha in commits.items():
        shown = git.run("diff-tree", "-p", "--full-index", "--binary", "--no-renames", sha)
        patch_id = git.run("patch-id", "--stable", given=shown)
        ids[name] = patch_id.split()[0] if patch_id else b""

    for one in PATCHES:
        for other in PATCHES:
            expected = ids[one] == ids[other]
            assert same_patch(store, commits[one], commits[other]) == expected, (one, other)


def test_a_merge_is_compared_by_what_it_brought_to_its_mainline(store: Store) -> None:
    fix = commit(store, {"f": LONG}, {"f": FIXED})
    mainline = store.commit(store.tree({"f": LONG, "main": b"m\n"}))
    merge = store.commit(store.tree({"f": FIXED, "main": b"m\n"}), mainline, fix)

    assert same_patch(store, fix, merge)
