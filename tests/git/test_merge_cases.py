"""Cases by name: what C git does with each, and what it is called here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from hotfix.git.attributes import attributes_of
from hotfix.git.merge import Conflicted, Merged, merge_trees

from .making import Files, Store, executable, lines, link, submodule

if TYPE_CHECKING:
    from .cgit import CGit

TEN = lines(*range(10))
OTHER = lines(*"abcdefghij")
BINARY = b"PK\0\1"


class Case(NamedTuple):
    base: Files
    ours: Files
    theirs: Files
    expected: str = "clean"


def edited(text: bytes, place: int, line: str) -> bytes:
    rows = text.splitlines(keepends=True)
    rows[place] = f"{line}\n".encode()
    return b"".join(rows)


CASES = {
    # Text.
    "distant changes merge": Case(
        {"f": TEN}, {"f": edited(TEN, 1, "ours")}, {"f": edited(TEN, 8, "theirs")}
    ),
    "changes that touch conflict": Case(
        {"f": TEN}, {"f": edited(TEN, 4, "ours")}, {"f": edited(TEN, 5, "theirs")}, "content"
    ),
    "one line between changes is enough": Case(
        {"f": TEN}, {"f": edited(TEN, 4, "ours")}, {"f": edited(TEN, 6, "theirs")}
    ),
    "the same change on both sides is taken once": Case(
        {"f": TEN},
        {"f": edited(edited(TEN, 4, "same"), 9, "ours")},
        {"f": edited(TEN, 4, "same")},
    ),
    "both add different lines at the end": Case(
        {"f": TEN}, {"f": TEN + b"ours\n"}, {"f": TEN + b"theirs\n"}, "content"
    ),
    "a file without a final newline": Case(
        {"f": TEN[:-1]}, {"f": edited(TEN, 0, "ours")[:-1]}, {"f": TEN[:-1] + b"!"}
    ),
    "only the final newline is added on both sides": Case(
        {"f": TEN[:-1]}, {"f": TEN}, {"f": edited(TEN, 2, "theirs")}
    ),
    "carriage returns belong to their lines": Case(
        {"f": b"a\r\nb\r\nc\r\nd\r\n"},
        {"f": b"A\r\nb\r\nc\r\nd\r\n"},
        {"f": b"a\r\nb\r\nc\r\nD\r\n"},
    ),
    "one side turns to carriage returns": Case(
        {"f": TEN}, {"f": TEN.replace(b"\n", b"\r\n")}, {"f": edited(TEN, 3, "theirs")}, "content"
    ),
    "a lone carriage return ends no line": Case(
        {"f": b"a\rb\rc\n"}, {"f": b"A\rb\rc\n"}, {"f": b"a\rb\rC\n"}, "content"
    ),
    "text that holds conflict markers": Case(
        {"f": b"<<<<<<< ours\n=======\n>>>>>>> theirs\n" + TEN},
        {"f": b"<<<<<<< ours\n=======\n>>>>>>> theirs\n" + edited(TEN, 2, "ours")},
        {"f": b"<<<<<<< ours\n=======\n>>>>>>> theirs\n" + edited(TEN, 8, "theirs")},
    ),
    "bytes that are no UTF-8 stay": Case(
        {"f": b"\xe9\xe8\n" + TEN},
        {"f": b"\xe9\xe8!\n" + TEN},
        {"f": b"\xe9\xe8\n" + TEN + b"\xff\n"},
    ),
    "a changed line under a deleted one": Case(
        {"f": TEN}, {"f": lines(0, 1, 2, 4, 5, 6, 7, 8, 9)}, {"f": edited(TEN, 4, "x")}, "content"
    ),
    "both sides empty the same lines but not the same": Case(
        {"f": TEN}, {"f": lines(0, 1, 6, 7, 8, 9)}, {"f": lines(0, 1, 2, 3, 8, 9)}, "content"
    ),
    # Binary files.
    "a binary file changed on one side": Case({"b": BINARY}, {"b": BINARY}, {"b": BINARY + b"x"}),
    "a binary file changed on both sides": Case(
        {"b": BINARY}, {"b": BINARY + b"x"}, {"b": BINARY + b"y"}, "binary"
    ),
    "a zero byte behind the first 8000 is text": Case(
        {"b": b"x" * 8000 + b"\n\0\n" + TEN},
        {"b": b"x" * 8000 + b"\n\0\n" + edited(TEN, 2, "ours")},
        {"b": b"x" * 8000 + b"\n\0\n" + edited(TEN, 8, "theirs")},
    ),
    "a text becomes binary on one side": Case(
        {"f": TEN}, {"f": TEN + b"\0"}, {"f": edited(TEN, 0, "x")}, "binary"
    ),
    # Modes and types.
    "a mode on one side, lines on the other": Case(
        {"f": TEN}, {"f": executable(TEN)}, {"f": edited(TEN, 0, "x")}
    ),
    "the same new mode on both sides": Case(
        {"f": TEN}, {"f": executable(TEN)}, {"f": executable(edited(TEN, 0, "x"))}
    ),
    "both add it, with different modes": Case({}, {"f": TEN}, {"f": executable(TEN)}, "mode"),
    "a link changed on both sides": Case(
        {"l": link(b"a")}, {"l": link(b"b")}, {"l": link(b"c")}, "symlink"
    ),
    "a link that becomes a file beside a change": Case(
        {"l": link(b"a")}, {"l": TEN}, {"l": link(b"b")}, "distinct-types"
    ),
    "a file that becomes a link on one side": Case({"l": TEN}, {"l": TEN}, {"l": link(b"b")}),
    "a submodule moved on one side": Case(
        {"s": submodule(1)}, {"s": submodule(1), "f": TEN}, {"s": submodule(2)}
    ),
    "a submodule moved on both sides": Case(
        {"s": submodule(1)}, {"s": submodule(2)}, {"s": submodule(3)}, "submodule"
    ),
    # Adding and removing.
    "both add the same": Case({}, {"f": TEN}, {"f": TEN}),
    "both add something else": Case({}, {"f": TEN}, {"f": OTHER}, "add/add"),
    "changed here and deleted there": Case(
        {"f": TEN}, {"f": edited(TEN, 0, "x")}, {}, "modify/delete"
    ),
    "deleted here and changed there": Case(
        {"f": TEN}, {}, {"f": edited(TEN, 0, "x")}, "modify/delete"
    ),
    "deleted on both sides": Case({"f": TEN, "g": OTHER}, {"g": OTHER}, {"g": OTHER}),
    "a folder that becomes empty is gone": Case(
        {"d/f": TEN, "g": OTHER}, {"d/f": TEN, "g": OTHER + b"x\n"}, {"g": OTHER}
    ),
    "everything is deleted": Case({"d/f": TEN}, {"d/f": TEN}, {}),
    # Files against folders.
    "a file in the place of a folder with a change": Case(
        {"d/f": TEN, "z": OTHER},
        {"d/f": edited(TEN, 0, "x"), "z": OTHER},
        {"d": lines("file"), "z": OTHER},
        "modify/delete",
    ),
    "a file in the place of a folder left alone": Case(
        {"d/f": TEN, "z": OTHER}, {"d/f": TEN, "z": OTHER + b"x\n"}, {"d": b"file\n", "z": OTHER}
    ),
    "a folder in the place of a file left alone": Case(
        {"d": TEN, "z": OTHER}, {"d": TEN, "z": OTHER + b"x\n"}, {"d/f": OTHER, "z": OTHER}
    ),
    "a new folder against a new file": Case(
        {"z": TEN}, {"z": TEN, "d": OTHER}, {"z": TEN, "d/f": OTHER}, "file/directory"
    ),
    # Renames.
    "a change follows an exact rename": Case({"f": TEN}, {"g": TEN}, {"f": edited(TEN, 0, "x")}),
    "a change follows a rename with a change": Case(
        {"f": TEN}, {"g": edited(TEN, 9, "ours")}, {"f": edited(TEN, 0, "x")}
    ),
    "a file moved to another folder keeps its name": Case(
        {"a/f": TEN, "a/g": OTHER},
        {"b/f": edited(TEN, 9, "ours"), "a/g": OTHER},
        {"a/f": edited(TEN, 0, "x"), "a/g": OTHER},
    ),
    "below half alike is no rename": Case(
        {"f": TEN},
        {"g": lines(0, 1, 2, *"abcdefghijk")},
        {"f": edited(TEN, 0, "x")},
        "modify/delete",
    ),
    "renamed here, deleted there": Case({"f": TEN}, {"g": TEN}, {}, "rename/delete"),
    "renamed to two names": Case({"f": TEN}, {"g": TEN}, {"h": TEN}, "rename/rename"),
    "renamed to one name on both sides": Case(
        {"f": TEN}, {"g": edited(TEN, 0, "x")}, {"g": edited(TEN, 9, "y")}
    ),
    "two files renamed to one name": Case(
        {"f": TEN, "h": OTHER}, {"g": TEN, "h": OTHER}, {"g": OTHER, "f": TEN}, "add/add"
    ),
    "renamed onto what the other side adds": Case(
        {"f": TEN}, {"g": TEN}, {"f": TEN, "g": OTHER}, "add/add"
    ),
    "an empty file is never a rename": Case(
        {"f": b"", "z": TEN}, {"g": b"", "z": TEN}, {"f": b"now\n", "z": TEN}, "modify/delete"
    ),
    "a rename and a mode": Case({"f": TEN}, {"g": TEN}, {"f": executable(TEN)}),
    "a renamed link follows only if unchanged": Case(
        {"l": link(b"a"), "z": TEN},
        {"m": link(b"a"), "z": TEN},
        {"l": link(b"b"), "z": TEN},
    ),
    # Folders that move.
    "a file added to a folder that moved": Case(
        {"old/a": TEN, "old/b": OTHER},
        {"new/a": TEN, "new/b": OTHER},
        {"old/a": TEN, "old/b": OTHER, "old/c": lines(*"xyz")},
        "directory-rename",
    ),
    "a folder that moved to two places": Case(
        {"old/a": TEN, "old/b": OTHER},
        {"one/a": TEN, "two/b": OTHER},
        {"old/a": TEN, "old/b": OTHER, "old/c": lines(*"xyz")},
        "directory-rename",
    ),
    "a change in a folder that moved": Case(
        {"old/a": TEN, "old/b": OTHER},
        {"new/a": TEN, "new/b": OTHER},
        {"old/a": edited(TEN, 0, "x"), "old/b": OTHER},
    ),
}


LEFT = {"f": edited(TEN, 4, "ours")}
RIGHT = {"f": edited(TEN, 4, "theirs")}
CR_TEN = TEN.replace(b"\n", b"\r\n")


class Ruled(NamedTuple):
    """A case that attributes decide."""

    attributes: str
    base: Files
    ours: Files
    theirs: Files
    expected: str = "clean"


RULED = {
    "merge is by lines": Ruled("f merge", {"f": TEN}, LEFT, RIGHT, "content"),
    "distant changes under -merge": Ruled(
        "f -merge",
        {"f": TEN},
        {"f": edited(TEN, 1, "ours")},
        {"f": edited(TEN, 8, "theirs")},
        "binary",
    ),
    "the macro binary": Ruled("* binary", {"f": TEN}, LEFT, RIGHT, "binary"),
    "the same change under -merge": Ruled("f -merge", {"f": TEN}, LEFT, LEFT),
    "a one-sided change under -merge": Ruled("f -merge", {"f": TEN}, {"f": TEN, "g": OTHER}, RIGHT),
    "a mode and lines under -merge": Ruled("f -merge", {"f": TEN}, {"f": executable(TEN)}, RIGHT),
    "both add it under -merge": Ruled("f -merge", {}, {"f": TEN}, {"f": OTHER}, "binary"),
    "a union of one line": Ruled("f merge=union", {"f": TEN}, LEFT, RIGHT),
    "a union of changes that touch": Ruled(
        "f merge=union", {"f": TEN}, LEFT, {"f": edited(TEN, 5, "theirs")}
    ),
    "a union of lines that both add": Ruled(
        "f merge=union", {"f": TEN}, {"f": TEN + b"ours\n"}, {"f": TEN + b"theirs\n"}
    ),
    "a union of files that both add": Ruled("f merge=union", {}, {"f": TEN}, {"f": OTHER}),
    "a union takes equal lines once": Ruled(
        "f merge=union",
        {"f": TEN},
        {"f": TEN + lines("one", "same", "x", "y", "z", "same", "two")},
        {"f": TEN + lines("eins", "same", "x", "y", "z", "same", "zwei")},
    ),
    "a union of overlaps with a line between them": Ruled(
        "f merge=union",
        {"f": TEN},
        {"f": edited(edited(TEN, 3, "a"), 5, "b")},
        {"f": edited(edited(TEN, 3, "c"), 5, "d")},
    ),
    "a union of the same text beside others": Ruled(
        "f merge=union",
        {"f": TEN},
        {"f": edited(TEN, 4, "same") + b"ours\n"},
        {"f": edited(TEN, 4, "same") + b"theirs\n"},
    ),
    "a union with an empty side": Ruled("f merge=union", {"f": TEN}, {"f": b""}, RIGHT),
    "a union with deleted lines": Ruled(
        "f merge=union", {"f": TEN}, {"f": lines(0, 1, 2, 6, 7, 8, 9)}, RIGHT
    ),
    "a union without final newlines": Ruled(
        "f merge=union", {"f": TEN[:-1]}, {"f": TEN + b"ours"}, {"f": TEN + b"theirs"}
    ),
    "a union without a final newline on our side": Ruled(
        "f merge=union", {"f": TEN}, {"f": TEN + b"ours"}, {"f": TEN + b"theirs\n"}
    ),
    "a union where our side loses its last lines": Ruled(
        "f merge=union", {"f": TEN}, {"f": TEN[:-3]}, {"f": edited(TEN, 9, "theirs")}
    ),
    "a union of carriage returns without a final newline": Ruled(
        "f merge=union", {"f": CR_TEN}, {"f": CR_TEN + b"ours"}, {"f": CR_TEN + b"theirs"}
    ),
    "a union of carriage returns on one side": Ruled(
        "f merge=union", {"f": TEN}, {"f": CR_TEN + b"ours"}, {"f": TEN + b"theirs"}
    ),
    "a union of files of one line": Ruled("f merge=union", {"f": b"a"}, {"f": b"b"}, {"f": b"c"}),
    "a union of a binary file": Ruled(
        "b merge=union", {"b": BINARY}, {"b": BINARY + b"x"}, {"b": BINARY + b"y"}, "binary"
    ),
    "a union of links": Ruled(
        "l merge=union", {"l": link(b"a")}, {"l": link(b"b")}, {"l": link(b"c")}, "symlink"
    ),
    "a renamed file goes by its new name": Ruled(
        "g merge=union", {"f": TEN}, {"g": edited(TEN, 4, "ours")}, RIGHT
    ),
    "a renamed file does not go by its old name": Ruled(
        "f merge=union", {"f": TEN}, {"g": edited(TEN, 4, "ours")}, RIGHT, "content"
    ),
    "a file in a folder that moved goes by its new name": Ruled(
        "new/** merge=union",
        {"old/a": TEN, "old/b": OTHER},
        {"new/a": edited(TEN, 4, "ours"), "new/b": OTHER},
        {"old/a": edited(TEN, 4, "theirs"), "old/b": OTHER},
    ),
    "a file moved onto another goes by its old name, then by its new one": Ruled(
        "* merge=union",
        {"f": TEN},
        {"g": edited(TEN, 4, "ours")},
        {"f": edited(TEN, 4, "theirs"), "g": OTHER},
    ),
    "a file moved onto another, not united by its new name": Ruled(
        "f merge=union",
        {"f": TEN},
        {"g": edited(TEN, 4, "ours")},
        {"f": edited(TEN, 4, "theirs"), "g": OTHER},
        "add/add",
    ),
}


@pytest.mark.oracle
@pytest.mark.parametrize("name", RULED)
def test_attributes_decide_as_they_do_for_git(name: str, store: Store, git: CGit) -> None:
    case = RULED[name]
    base, ours, theirs = (store.tree(files) for files in case[1:4])
    git.attributes(case.attributes)

    outcome = merge_trees(
        store, base=base, ours=ours, theirs=theirs, attributes=attributes_of(case.attributes)
    )

    if case.expected == "clean":
        assert isinstance(outcome, Merged), outcome
        assert outcome.tree == git.merge(store, base, ours, theirs)
    else:
        assert isinstance(outcome, Conflicted), outcome
        assert case.expected in [conflict.kind for conflict in outcome.conflicts]
        assert git.merge(store, base, ours, theirs) is None


@pytest.mark.oracle
def test_a_union_never_hides_the_conflict_of_a_file_moved_onto_another(
    store: Store, git: CGit
) -> None:
    """Git merges the moved file under its old name, and unites its conflict markers cleanly."""
    base = store.tree({"f": TEN})
    ours = store.tree({"g": edited(TEN, 4, "ours")})
    theirs = store.tree({"f": edited(TEN, 4, "theirs"), "g": OTHER})
    git.attributes("g merge=union")

    outcome = merge_trees(
        store, base=base, ours=ours, theirs=theirs, attributes=attributes_of("g merge=union")
    )

    assert isinstance(outcome, Conflicted)
    assert [conflict.kind for conflict in outcome.conflicts] == ["rename/add"]
    made = git.merge(store, base, ours, theirs)
    assert made is not None
    assert b"<<<<<<<" in git.run("show", f"{made}:g")


@pytest.mark.oracle
def test_a_rename_that_hangs_on_the_attribute_diff_is_left_to_a_person(
    store: Store, git: CGit
) -> None:
    base = store.tree({"f": CR_TEN, "z": OTHER})
    ours = store.tree({"g": TEN, "z": OTHER})
    theirs = store.tree({"f": executable(CR_TEN), "z": OTHER})

    for rules, by_git in (("", True), ("* -diff", False), ("* binary", False), ("* diff", True)):
        git.attributes(rules)
        outcome = merge_trees(
            store, base=base, ours=ours, theirs=theirs, attributes=attributes_of(rules)
        )
        assert (git.merge(store, base, ours, theirs) is not None) == by_git
        assert isinstance(outcome, Merged) == by_git


def test_a_driver_of_somebody_s_own_is_never_run_and_never_clean(store: Store) -> None:
    base, ours, theirs = (
        store.tree({"f": text, "z": OTHER})
        for text in (TEN, edited(TEN, 1, "ours"), edited(TEN, 8, "theirs"))
    )

    outcome = merge_trees(
        store, base=base, ours=ours, theirs=theirs, attributes=attributes_of("f merge=npm")
    )

    assert isinstance(outcome, Conflicted)
    (conflict,) = outcome.conflicts
    assert (conflict.kind, conflict.paths) == ("unsupported", ("f",))
    assert "merge driver npm" in conflict.detail


def test_a_merge_tells_which_files_both_sides_changed(store: Store) -> None:
    base = store.tree({"f": TEN, "old": OTHER, "z": TEN})
    ours = store.tree({"f": edited(TEN, 1, "ours"), "new": edited(OTHER, 1, "ours"), "z": TEN})
    theirs = store.tree({"f": edited(TEN, 8, "x"), "old": edited(OTHER, 8, "x"), "z": OTHER})

    outcome = merge_trees(store, base=base, ours=ours, theirs=theirs)

    assert sorted(outcome.by_lines) == [b"f", b"new"]


@pytest.mark.oracle
@pytest.mark.parametrize("name", CASES)
def test_a_named_case_is_decided_as_git_decides_it(name: str, store: Store, git: CGit) -> None:
    case = CASES[name]
    git.attributes("")
    base, ours, theirs = (store.tree(files) for files in case[:3])

    outcome = merge_trees(store, base=base, ours=ours, theirs=theirs)

    if case.expected == "clean":
        assert isinstance(outcome, Merged), outcome
        assert outcome.tree == git.merge(store, base, ours, theirs)
    else:
        assert isinstance(outcome, Conflicted), outcome
        assert case.expected in [conflict.kind for conflict in outcome.conflicts]
        assert git.merge(store, base, ours, theirs) is None


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.expected == "clean"])
def test_the_objects_of_a_merge_are_whole(name: str, store: Store) -> None:
    base, ours, theirs = (store.tree(files) for files in CASES[name][:3])

    outcome = merge_trees(store, base=base, ours=ours, theirs=theirs)

    assert isinstance(outcome, Merged)
    for made in outcome.objects:
        assert made.id not in store
        store.add(made)
    store.files(outcome.tree)  # a missing object would be an error


@pytest.mark.parametrize("name", CASES)
def test_swapping_the_sides_gives_the_same_tree_or_a_conflict(name: str, store: Store) -> None:
    base, ours, theirs = (store.tree(files) for files in CASES[name][:3])

    one = merge_trees(store, base=base, ours=ours, theirs=theirs)
    other = merge_trees(store, base=base, ours=theirs, theirs=ours)

    assert type(one) is type(other)
    assert not isinstance(one, Merged) or (isinstance(other, Merged) and one.tree == other.tree)
