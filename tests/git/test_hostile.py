"""A hostile repository is refused or merged, within the budget and without a traceback.

The sizes here are those at which a missing bound shows at once; `benchmarks/hostile.py` measures
the full ones.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest
from dulwich.objects import Blob, Commit

from hotfix.errors import FailedError
from hotfix.git import diff as diff_module
from hotfix.git import merge as merge_module
from hotfix.git.commits import Identity, read_commit
from hotfix.git.conflicts import Conflicted
from hotfix.git.diff import changed_files
from hotfix.git.merge import Merged, merge_trees
from hotfix.git.needed import needed_objects
from hotfix.git.pick import pick
from hotfix.git.rules import Effort, Rules
from hotfix.git.trees import MAX_DEPTH, UnsafeTreeError
from hotfix.identifiers import Sha
from hotfix.text import printable

from .making import File, Store, lines

if TYPE_CHECKING:
    from collections.abc import Callable

FILE, FOLDER, LINK, MODULE = 0o100644, 0o040000, 0o120000, 0o160000
TEN = lines(*range(10))
SIDES = (TEN, b"ours\n" + TEN, TEN + b"theirs\n")
ROBOT = Identity("Robot", "robot@example.com")

Trees = tuple[Sha, Sha, Sha]


def bomb(store: Store, text: bytes) -> Sha:
    """Make ten billion files of eleven trees: ten names for the same folder, ten levels deep."""
    tree = store.tree({"f": text})
    for _ in range(10):
        tree = store.raw_tree(*((b"d%d" % number, FOLDER, tree) for number in range(10)))
    return tree


def beside(store: Store, folder: Sha | None, text: bytes) -> Sha:
    entries = [(b"d", FOLDER, folder)] if folder else []
    return store.raw_tree(*entries, (b"z", FILE, store.blob(text)))


def nested(store: Store, text: bytes, depth: int) -> Sha:
    tree = store.tree({"f": text})
    for _ in range(depth):
        tree = store.raw_tree((b"d", FOLDER, tree))
    return tree


def three(make: Callable[[bytes], Sha]) -> Trees:
    base, ours, theirs = map(make, SIDES)
    return base, ours, theirs


def of_budget(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    monkeypatch.setattr(merge_module, "Rules", lambda: Rules(effort=Effort(steps)))


BOMBS: dict[str, Callable[[Store], Trees]] = {
    "changed on both sides": lambda store: three(lambda text: bomb(store, text)),
    "added on both sides": lambda store: (
        beside(store, None, TEN),
        beside(store, bomb(store, b"1\n"), TEN),
        beside(store, bomb(store, b"2\n"), TEN),
    ),
    "moved here and changed there": lambda store: (
        store.raw_tree((b"a", FOLDER, bomb(store, TEN))),
        store.raw_tree((b"b", FOLDER, bomb(store, TEN))),
        store.raw_tree((b"a", FOLDER, bomb(store, TEN + b"x\n"))),
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_few_trees_that_stand_for_billions_of_paths_are_refused_within_the_budget(
    name: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, ours, theirs = BOMBS[name](store)
    of_budget(monkeypatch, 50_000)

    outcome = merge_trees(store, base=base, ours=ours, theirs=theirs)

    assert isinstance(outcome, Conflicted)
    assert [conflict.kind for conflict in outcome.conflicts] == ["unsupported"]


def test_the_real_budget_holds_half_a_million_paths_at_most() -> None:
    effort = Rules().effort

    assert effort.left // 25 <= 500_000


def test_a_bomb_that_a_pick_brings_is_refused_before_its_files_are_listed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, ours = beside(store, None, TEN), beside(store, None, TEN + b"ours\n")
    theirs = beside(store, bomb(store, TEN), TEN)
    monkeypatch.setattr(diff_module, "_MOST_PLACES", 5_000)
    onto, parent = store.commit(ours), store.commit(base)

    with pytest.raises(UnsafeTreeError, match="differs in more than 5000 places"):
        pick(
            store,
            onto=onto,
            commit=store.commit(theirs, parent),
            trailers=(),
            committer=ROBOT,
            when=read_commit(store, onto).committer_time,
        )


def test_a_bomb_of_empty_folders_is_counted_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diff_module, "_MOST_PLACES", 5_000)
    empty = store.raw_tree()
    for _ in range(10):
        empty = store.raw_tree(*((b"d%d" % number, FOLDER, empty) for number in range(10)))

    with pytest.raises(UnsafeTreeError, match="differs in more than"):
        changed_files(store, store.raw_tree(), empty)


def test_the_objects_of_a_bomb_are_few(store: Store) -> None:
    base, theirs = beside(store, None, TEN), beside(store, bomb(store, TEN), TEN)

    assert len(list(islice(needed_objects(store, base, base, theirs), 100))) == 14


def test_a_text_of_many_lines_is_refused_before_the_lines_are_made(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, ours, theirs = (
        store.tree({"f": text})
        for text in (b"\n" * 50_000, b"a\n" + b"\n" * 50_000, b"\n" * 50_000 + b"b\n")
    )
    of_budget(monkeypatch, 20_000)

    outcome = merge_trees(store, base=base, ours=ours, theirs=theirs)

    assert isinstance(outcome, Conflicted)
    assert [conflict.kind for conflict in outcome.conflicts] == ["unsupported"]


def test_a_single_line_of_5_megabytes_changed_on_both_sides_is_one_conflict(store: Store) -> None:
    line = b"x" * 5_000_000
    base, ours, theirs = (store.tree({"f": text}) for text in (line, b"a" + line, line + b"b"))

    outcome = merge_trees(store, base=base, ours=ours, theirs=theirs)

    assert isinstance(outcome, Conflicted)
    assert [conflict.kind for conflict in outcome.conflicts] == ["content"]


def test_the_deepest_nesting_that_is_allowed_merges(store: Store) -> None:
    base, ours, theirs = three(lambda text: nested(store, text, MAX_DEPTH))

    outcome = merge_trees(store, base=base, ours=ours, theirs=theirs)

    assert isinstance(outcome, Merged)
    for made in outcome.objects:
        store.add(made)
    (changed,) = changed_files(store, ours, outcome.tree)
    assert changed.path == "d/" * MAX_DEPTH + "f"


def test_deep_nesting_that_only_one_side_brings_is_refused_by_the_list_of_files(
    store: Store,
) -> None:
    base, ours = beside(store, None, TEN), beside(store, None, TEN + b"ours\n")
    theirs = beside(store, nested(store, TEN, 3 * MAX_DEPTH), TEN)

    outcome = merge_trees(store, base=base, ours=ours, theirs=theirs)

    assert isinstance(outcome, Merged), "the folder is taken whole"
    for made in outcome.objects:
        store.add(made)
    with pytest.raises(UnsafeTreeError, match="nested deeper"):
        changed_files(store, ours, outcome.tree)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(
            lambda store, text: store.raw_tree((b"d", FOLDER, store.blob(text))),
            id="a blob as a folder",
        ),
        pytest.param(
            lambda store, text: store.raw_tree((b"d", FILE, store.tree({"f": text}))),
            id="a folder as a file",
        ),
        pytest.param(
            lambda store, text: store.raw_tree((b"d", FILE, store.commit(store.tree({"f": text})))),
            id="a commit as a file",
        ),
        pytest.param(
            lambda _store, text: Sha(f"{len(text):040x}"),
            id="no tree at all",
        ),
        pytest.param(
            lambda store, text: store.raw_tree((b"d", FILE, Sha(f"{len(text):040x}"))),
            id="a file that is missing",
        ),
        pytest.param(
            lambda store, text: store.raw_tree(
                (b"a", FILE, store.blob(text)), (b"a", FILE, store.blob(text))
            ),
            id="one name twice",
        ),
        pytest.param(
            lambda store, text: store.raw_tree(
                (b"b", FILE, store.blob(text)), (b"a", FILE, store.blob(text))
            ),
            id="names out of order",
        ),
        pytest.param(
            lambda store, text: store.raw_tree((b".git", FOLDER, store.tree({"config": text}))),
            id="a folder .git",
        ),
        pytest.param(
            lambda store, text: store.raw_tree((b"..", FOLDER, store.tree({"f": text}))),
            id="a folder ..",
        ),
    ],
)
def test_a_tree_that_is_not_what_it_says_is_refused_by_its_id(
    make: Callable[[Store, bytes], Sha], store: Store
) -> None:
    base, ours, theirs = three(lambda text: make(store, text))

    with pytest.raises(FailedError, match=r"the Git (tree|object) [0-9a-f]{40}"):
        merge_trees(store, base=base, ours=ours, theirs=theirs)


def test_names_of_any_bytes_merge_and_are_told_without_control_characters(store: Store) -> None:
    names = sorted(
        [b"\n", b"\x1b[31m", b"\xff\xfe", b"a\r", b"\x01", "x\u202e".encode(), b"n" * 100_000]
    )
    base, ours, theirs = three(
        lambda text: store.raw_tree(*((name, FILE, store.blob(text)) for name in names))
    )

    outcome = merge_trees(store, base=base, ours=ours, theirs=theirs)

    assert isinstance(outcome, Merged)
    for made in outcome.objects:
        store.add(made)
    told = [printable(each.path) for each in changed_files(store, ours, outcome.tree)]
    assert len(told) == len(names)
    assert all(path.isprintable() for path in told)
    assert "\\xff\\xfe" in told


def test_submodules_and_links_beside_each_other_are_taken_by_their_ids(store: Store) -> None:
    def made(number: int) -> Sha:
        return store.tree(
            {
                "m": File(b"%040x" % number, MODULE),
                "l": File(b"../" * 1000 + b"etc/passwd", LINK),
                "z": SIDES[number],
            }
        )

    base, ours, theirs = made(0), made(1), made(2)

    outcome = merge_trees(store, base=base, ours=ours, theirs=theirs)

    assert isinstance(outcome, Conflicted)
    assert [conflict.kind for conflict in outcome.conflicts] == ["submodule"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"tree\n\n",
        b"tree " + b"z" * 40 + b"\n\nx",
        b"tree %s\nparent x\n\n",
        b"tree %s\n\nno author",
        b"tree %s\nauthor\ncommitter\n\n",
        b"tree %s\nauthor A <a@b> 99999999999999999999 +0000\ncommitter A <a@b> 1 +0000\n\n",
        b"tree %s\nauthor A <a@b> 1 +99999999\ncommitter A <a@b> -1 -2500\n\nx",
        b"tree %s\nauthor \xff\0 <\x1b> 1 +0000\ncommitter A <a@b> 1 +0000\nencoding \xff\n\n\xff",
        b"tree %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\nencoding utf-7\n\n+AAo-",
        b"tree %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\nencoding rot13\n\nx",
        b"tree %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\nencoding zip\n\n\0\x01",
        b"tree %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\ngpgsig x\n y\n z\n\n\0",
        b"tree %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n" + b"x y\n" * 9999 + b"\n",
    ],
)
def test_a_commit_of_garbage_is_picked_or_refused(data: bytes, store: Store) -> None:
    base, ours, theirs = three(lambda text: store.tree({"f": text}))
    parent, onto = store.commit(base), store.commit(ours)
    raw = data.replace(b"%s", theirs.encode(), 1)
    raw = raw.replace(b"\nauthor", b"\nparent " + parent.encode() + b"\nauthor", 1)
    sha = store.add(RawCommit.from_string(raw))

    try:
        read_commit(store, sha)
        made = pick(
            store,
            onto=onto,
            commit=sha,
            trailers=("Hotfix: x",),
            committer=ROBOT,
            when=read_commit(store, onto).committer_time,
        )
        told = f"{sha} {made}"
    except FailedError as error:
        told = error.message

    assert sha in told


class RawCommit(Blob):
    """A commit of any bytes; a real one cannot even be made of all of them."""

    type_num = Commit.type_num
    type_name = Commit.type_name
