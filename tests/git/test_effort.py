"""What a merge may cost: little for real changes, and never more than its budget."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfix.git import merge as merge_module
from hotfix.git.conflicts import Conflicted
from hotfix.git.merge import Merged, merge_trees
from hotfix.git.rules import Effort, Rules, TooMuchWorkError, later_rules
from hotfix.git.text import merge3
from hotfix.git.text.ends import Ends, sure_ends
from hotfix.git.text.merge3 import merge_texts

from .making import Files, Store, lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.identifiers import Sha

TEN = lines(*range(10))


def many(store: Store, child: Sha, count: int, other: Sha, *places: int) -> Sha:
    """Make a folder of equal folders, some of them exchanged."""
    return store.raw_tree(
        *(
            (b"d%03d" % number, 0o040000, other if number in places else child)
            for number in range(count)
        )
    )


def test_a_pick_in_a_tree_of_200000_files_reads_fewer_than_100_objects(store: Store) -> None:
    files: Files = {f"file{number}": TEN for number in range(100)}
    leaf = store.tree(files)
    fixed = store.tree(files | {"file7": TEN + b"fix\n"})
    older = store.tree(files | {"file7": b"older\n" + TEN})
    middle = many(store, leaf, 40, leaf)
    base = many(store, middle, 50, middle)
    ours = many(store, middle, 50, many(store, leaf, 40, older, 3), 1, 20, 45)
    theirs = many(store, middle, 50, many(store, leaf, 40, fixed, 3), 1, 20, 45)
    store.reads.clear()

    outcome = merge_trees(store, base=base, ours=ours, theirs=theirs)

    assert isinstance(outcome, Merged)
    assert len(store.reads) < 100
    for made in outcome.objects:
        store.add(made)
    inner = store.files(outcome.tree)
    assert len(inner) == 200_000
    assert inner["d020/d003/file7"] == b"older\n" + TEN + b"fix\n"


@pytest.mark.parametrize("shape", ["shuffled", "frequent lines", "few kinds of lines"])
def test_a_hostile_text_ends_in_a_refusal_within_its_budget(
    shape: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(1)  # noqa: S311 - examples
    count = 4000
    shapes: dict[str, Callable[[], list[str]]] = {
        "shuffled": lambda: [f"line {number}" for number in chance.sample(range(count), count)],
        "frequent lines": lambda: [f"line {chance.randrange(40)}" for _ in range(count)],
        "few kinds of lines": lambda: [chance.choice("ab") for _ in range(count)],
    }
    made = shapes[shape]
    base, ours, theirs = (store.tree({"f": lines(*made())}) for _ in range(3))
    monkeypatch.setattr(merge_module, "Rules", lambda: Rules(effort=Effort(20_000)))

    outcome = merge_trees(store, base=base, ours=ours, theirs=theirs)

    assert isinstance(outcome, Conflicted)
    assert [conflict.kind for conflict in outcome.conflicts] == ["unsupported"]


def test_work_is_counted_in_steps_and_not_in_seconds() -> None:
    effort = Effort(10)
    effort.spend(10)

    with pytest.raises(TooMuchWorkError):
        effort.spend(1)


def test_a_text_of_50_megabytes_is_merged(store: Store) -> None:
    big = b"".join(b"line number %d of a large generated file\n" % n for n in range(1_100_000))
    base = store.tree({"f": big})
    ours = store.tree({"f": b"ours\n" + big})
    theirs = store.tree({"f": big + b"theirs\n"})

    outcome = merge_trees(store, base=base, ours=ours, theirs=theirs)

    assert isinstance(outcome, Merged)
    assert outcome.objects[0].as_raw_string() == b"ours\n" + big + b"theirs\n"


def test_later_rules_are_tried_only_where_they_mattered() -> None:
    assert later_rules(set()) == []
    assert [each.redo_slid for each in later_rules({"final_span"})] == [False]
    assert [each.redo_slid for each in later_rules({"redo_slid", "final_span"})] == [False, True]


blocks = st.lists(
    st.sampled_from(
        ["", "}", "  return x;", "dup line one", "dup line two", *(f"unique {n}" for n in range(9))]
    ),
    max_size=24,
)


@given(blocks, blocks, blocks, st.integers(0, 2))
def test_leaving_out_common_ends_changes_nothing(
    start: list[str], one: list[str], other: list[str], context: int
) -> None:
    base = lines(*start, *one, *start, *other)
    ours = lines(*start, *one, *one, *start, *other)
    theirs = lines(*start, *other, *start, "fix", *other)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge3, "_CONTEXT", context)
        trimmed = merge_texts(base, ours, theirs, Rules())
        patch.setattr(merge3, "sure_ends", lambda _old, _new: Ends(0, 0))
        whole = merge_texts(base, ours, theirs, Rules())

    assert trimmed == whole


def test_a_common_end_is_sure_only_with_a_line_that_stands_once() -> None:
    twice = lines("some line", "some line", "some line", "some line")

    assert sure_ends(twice + b"old\n", twice + b"new\n") == (0, 0)
    assert sure_ends(TEN + b"a longer line\nold\n", TEN + b"a longer line\nnew\n") == (34, 0)
