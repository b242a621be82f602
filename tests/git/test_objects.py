from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from dulwich.object_store import MemoryObjectStore
from dulwich.objects import Blob, Tree

from hotfix.git.commits import FileChange
from hotfix.git.diff import changed_files
from hotfix.git.merge import Merged, merge_trees
from hotfix.git.objects import (
    EMPTY_TREE,
    BlobSizes,
    CorruptObjectError,
    MissingObjectError,
    Overlay,
    object_id,
    read_blob,
    read_commit_bytes,
    read_tree_bytes,
)
from hotfix.git.trees import MAX_DEPTH, UnsafeTreeError, read_tree
from hotfix.identifiers import Sha

from .making import Store

if TYPE_CHECKING:
    from hotfix.git.objects import ObjectReader

NOWHERE = Sha("1" * 40)
FILE, FOLDER = 0o100644, 0o040000


def test_a_missing_object_is_named(store: Store) -> None:
    with pytest.raises(MissingObjectError, match=NOWHERE):
        read_blob(store, NOWHERE)


def test_an_object_of_another_type_is_refused(store: Store) -> None:
    with pytest.raises(CorruptObjectError, match="is a blob where a tree is expected"):
        read_tree_bytes(store, store.blob(b"text"))
    with pytest.raises(CorruptObjectError, match="is a tree where a commit is expected"):
        read_commit_bytes(store, store.tree({"f": b""}))


def test_bytes_that_do_not_belong_to_their_id_are_refused(store: Store) -> None:
    store.objects[NOWHERE.encode()] = Blob.from_string(b"something else")

    with pytest.raises(CorruptObjectError, match="do not belong to this id"):
        read_blob(store, NOWHERE)


def test_the_empty_tree_needs_no_object(store: Store) -> None:
    assert read_tree(store, EMPTY_TREE) == {}


@pytest.mark.parametrize("below", [Store(), MemoryObjectStore()], ids=["dict", "dulwich"])
def test_an_overlay_reads_the_new_objects_first_and_then_the_base(
    below: Store | MemoryObjectStore,
) -> None:
    old, new = Blob.from_string(b"old"), Blob.from_string(b"new")
    if isinstance(below, Store):
        below.add(old)
    else:
        below.add_object(old)
    overlay = Overlay(cast("ObjectReader", below))

    overlay.add([new])

    assert new.id not in below
    assert new.id in overlay
    assert old.id in overlay
    assert read_blob(overlay, Sha(new.id.decode())) == b"new"
    assert read_blob(overlay, Sha(old.id.decode())) == b"old"
    with pytest.raises(MissingObjectError):
        read_blob(overlay, NOWHERE)


def test_the_size_of_a_blob_is_known_wherever_it_lies(store: Store) -> None:
    assert BlobSizes(store).of(store.blob(b"x" * 300)) == 300


@pytest.mark.parametrize(
    "name",
    [
        b".git",
        b".GIT",
        b".Git",
        b"..",
        b".",
        b"",
        b".git ",
        b"GIT~1",
        ".g\u200cit".encode(),
        b"a/b",
    ],
)
def test_a_name_that_no_checkout_may_write_is_refused(store: Store, name: bytes) -> None:
    tree = store.raw_tree((name, FILE, store.blob(b"")))

    with pytest.raises(UnsafeTreeError, match=tree):
        read_tree(store, tree)


@pytest.mark.parametrize(
    "name", [b".gitignore", b".github", b"git", b"..a", "\u00e9".encode(), b"g\n"]
)
def test_a_name_that_only_looks_like_one_is_read(store: Store, name: bytes) -> None:
    assert list(read_tree(store, store.raw_tree((name, FILE, store.blob(b""))))) == [name]


def test_a_tree_out_of_order_is_refused(store: Store) -> None:
    empty = store.blob(b"")
    tree = store.raw_tree((b"b", FILE, empty), (b"a", FILE, empty))

    with pytest.raises(UnsafeTreeError, match="not in Git's order"):
        read_tree(store, tree)


def test_two_entries_of_one_name_are_refused_even_as_file_and_folder(store: Store) -> None:
    empty = store.blob(b"")
    twice = store.raw_tree((b"a", FILE, empty), (b"a", FILE, empty))
    both = store.raw_tree((b"a", FILE, empty), (b"a.b", FILE, empty), (b"a", FOLDER, EMPTY_TREE))

    for tree in (twice, both):
        with pytest.raises(UnsafeTreeError, match="two entries of one name"):
            read_tree(store, tree)


def test_a_tree_that_ends_in_the_middle_is_refused(store: Store) -> None:
    data = b"100644 a\0short"
    cut = object_id(Tree, data)

    class Cut(Blob):
        type_num = Tree.type_num

    store.objects[cut.encode()] = Cut.from_string(data)

    with pytest.raises(CorruptObjectError, match="cannot be read as a tree"):
        read_tree(store, cut)


def test_old_modes_are_read_as_git_reads_them(store: Store) -> None:
    empty = store.blob(b"")
    tree = store.raw_tree((b"a", 0o100664, empty), (b"b", 0o100775, empty))

    assert [entry.mode for entry in read_tree(store, tree).values()] == [0o100644, 0o100755]


def test_deep_nesting_is_refused_and_does_not_crash(store: Store) -> None:
    def nested(text: bytes) -> Sha:
        tree = store.tree({"f": text})
        for _ in range(3 * MAX_DEPTH):
            tree = store.raw_tree((b"d", FOLDER, tree))
        return tree

    base, ours, theirs = nested(b"0\n"), nested(b"1\n"), nested(b"2\n")

    with pytest.raises(UnsafeTreeError, match="nested deeper"):
        merge_trees(store, base=base, ours=ours, theirs=theirs)
    with pytest.raises(UnsafeTreeError, match="nested deeper"):
        changed_files(store, ours, theirs)


def test_a_folder_of_thirty_thousand_files_is_handled(store: Store) -> None:
    blob, other = store.blob(b"a\n"), store.blob(b"b\n")
    names = [b"%06d" % number for number in range(30_000)]
    base = store.raw_tree(*((name, FILE, blob) for name in names))
    theirs = store.raw_tree(*((name, FILE, blob) for name in names[1:]))
    ours = store.raw_tree(*((name, FILE, blob) for name in names), (b"x", FILE, other))

    outcome = merge_trees(store, base=base, ours=ours, theirs=theirs)

    assert isinstance(outcome, Merged)
    for made in outcome.objects:
        store.add(made)
    assert changed_files(store, ours, outcome.tree) == (FileChange("000000", "deleted"),)
