"""Made-up histories: git and this program agree on the tree, or both conflict."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from hotfix.git.attributes import attributes_of
from hotfix.git.merge import Conflicted, Merged, merge_trees

from .cgit import OracleCrashedError
from .making import Content, File, Files, Store

if TYPE_CHECKING:
    from .cgit import CGit

EXAMPLES = int(os.environ.get("HOTFIX_ORACLE_EXAMPLES") or 500)

# What git of some version calls clean and this program leaves to a person: results that depend
# on git's version, and files that a folder rename moves back to where they were, which git
# before 2.51 mishandled.
SAFER = {"unsupported", "directory-rename"}

LINES = ["\n", "}\n", "  x\n", "a\r\n", "b\rb\n", "one\n", "two\n", "three\n", "a longer line\n"]
NAMES = ["a", "b", "a.b", "a-b", "Makefile"]
FOLDERS = ["", "d/", "d/e/", "d-x/", "a/", "f/g/", "new/"]

texts = st.lists(st.sampled_from(LINES), max_size=14).map(lambda rows: "".join(rows).encode())
distinct = st.tuples(st.sampled_from("PQRS"), st.integers(3, 12)).map(
    lambda made: b"".join(f"{made[0]}{number}\n".encode() for number in range(made[1]))
)
crs = distinct.map(lambda text: text.replace(b"\n", b"\r\n"))
files = st.one_of(
    texts,
    distinct,
    texts.map(lambda text: text.rstrip(b"\n")),
    st.integers(0, 2).map(lambda number: b"\0" + bytes([number])),
)
contents: st.SearchStrategy[Content] = st.one_of(
    files,
    files,
    files.map(lambda data: File(data, 0o100755)),
    st.integers(0, 2).map(lambda number: File(b"target%d" % number, 0o120000)),
    st.integers(1, 3).map(lambda number: File(b"%040x" % number, 0o160000)),
)
paths = st.builds(str.__add__, st.sampled_from(FOLDERS), st.sampled_from(NAMES))


def put(tree: Files, path: str, content: Content) -> None:
    """Put a file where it may stand in for a folder, or a folder for a file."""
    for other in list(tree):
        if other.startswith(path + "/") or path.startswith(other + "/"):
            del tree[other]
    tree[path] = content


@st.composite
def trees(draw: st.DrawFn) -> Files:
    tree: Files = {}
    for path, content in draw(st.lists(st.tuples(paths, contents), min_size=1, max_size=10)):
        put(tree, path, content)
    return tree


@st.composite
def edits(draw: st.DrawFn, text: bytes) -> bytes:
    rows = text.splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(rows)))
        count = draw(st.integers(0, 3))
        rows[place : place + count] = draw(
            st.lists(st.sampled_from(LINES).map(str.encode), max_size=3)
        )
    return b"".join(rows)


@st.composite
def changed(draw: st.DrawFn, before: Files) -> Files:
    tree = dict(before)
    for _ in range(draw(st.integers(0, 4))):
        what = draw(st.sampled_from(["add", "edit", "edit", "mode", "move", "folder", "remove"]))
        path = draw(st.sampled_from(sorted(tree))) if tree else ""
        content = tree.get(path)
        if what == "add" or content is None:
            put(tree, draw(paths), draw(contents))
        elif what in {"edit", "mode"}:
            if isinstance(content, bytes):
                tree[path] = draw(edits(content)) if what == "edit" else File(content, 0o100755)
        elif what == "folder":
            move_folder(tree, path.rpartition("/")[0], draw(st.sampled_from(FOLDERS)))
        else:
            del tree[path]
            if what == "move":
                if isinstance(content, bytes) and draw(st.booleans()):
                    content = draw(edits(content))
                put(tree, draw(paths), content)
    return tree


def move_folder(tree: Files, old: str, new: str) -> None:
    for path in [path for path in tree if old and path.startswith(old + "/")]:
        if path in tree:
            put(tree, new + path.removeprefix(old + "/"), tree.pop(path))


@st.composite
def histories(draw: st.DrawFn) -> tuple[Files, Files, Files]:
    base = draw(trees())
    return base, draw(changed(base)), draw(changed(base))


@st.composite
def text_histories(draw: st.DrawFn) -> tuple[Files, Files, Files]:
    base = draw(st.one_of(texts, texts.map(lambda text: text * 3), distinct, crs))
    tails = st.sampled_from([b"", b"", b"", b"ours", b"theirs", b"\r", b"end\r\n"])
    ours, theirs = draw(edits(base)), draw(edits(base))
    return {"f": base}, {"f": ours + draw(tails)}, {"f": theirs + draw(tails)}


rules = st.lists(
    st.builds(
        "{} {}".format,
        st.sampled_from(["*", *NAMES, "a*", "d/**", "/a", "*/b", "f/g/*"]),
        st.sampled_from(["merge=union", "merge=union", "-merge", "binary", "merge", "!merge"]),
    ),
    min_size=1,
    max_size=3,
).map("\n".join)


@pytest.mark.oracle
@settings(max_examples=EXAMPLES // 4)
@given(history=histories())
def test_trees_merge_as_in_git(git: CGit, history: tuple[Files, Files, Files]) -> None:
    agree(git, history)


@pytest.mark.oracle
@settings(max_examples=EXAMPLES // 4)
@given(history=histories(), text=rules)
def test_trees_merge_by_attributes_as_in_git(
    git: CGit, history: tuple[Files, Files, Files], text: str
) -> None:
    agree(git, history, text)


@pytest.mark.oracle
@settings(max_examples=EXAMPLES // 4)
@given(history=text_histories())
def test_texts_unite_as_in_git(git: CGit, history: tuple[Files, Files, Files]) -> None:
    agree(git, history, "f merge=union")


@pytest.mark.oracle
@settings(max_examples=EXAMPLES // 4)
@given(history=text_histories())
def test_texts_merge_as_in_git(git: CGit, history: tuple[Files, Files, Files]) -> None:
    agree(git, history)


def agree(git: CGit, history: tuple[Files, Files, Files], rules: str = "") -> None:
    git.attributes(rules)
    store = Store()
    base, ours, theirs = (store.tree(tree) for tree in history)
    attributes = attributes_of(rules)
    outcome = merge_trees(store, base=base, ours=ours, theirs=theirs, attributes=attributes)
    try:
        expected = git.merge(store, base, ours, theirs)
    except OracleCrashedError:
        reject()
    if isinstance(outcome, Merged):
        assert outcome.tree == expected
    elif expected is not None:
        assert isinstance(outcome, Conflicted)
        # With a union git may also take its own conflict markers in a moved file for text.
        safer = SAFER | {"rename/add"} if rules else SAFER
        assert safer & {conflict.kind for conflict in outcome.conflicts}
