from __future__ import annotations

import random
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from hotfix.git.history import History, commits_between, first_parents, is_ancestor
from hotfix.git.objects import EMPTY_TREE, MissingObjectError
from hotfix.identifiers import Sha

from .making import START, Store

if TYPE_CHECKING:
    from .cgit import CGit


def grown(store: Store, chance: random.Random, size: int, *, skewed: bool) -> list[Sha]:
    """Make a history with merges; with ``skewed``, by computers whose clocks are wrong."""
    commits = [store.commit(EMPTY_TREE, commit_time=START)]
    for number in range(1, size):
        parents = chance.sample(commits[-8:], min(len(commits), chance.choice([1, 1, 1, 2])))
        when = START + number * 60
        if skewed and chance.random() < 0.4:
            when += chance.randint(-100_000, 100_000)
        commits.append(
            store.commit(EMPTY_TREE, *parents, commit_time=when, message=b"%d\n" % number)
        )
    return commits


@pytest.mark.parametrize("skewed", [False, True], ids=["right clocks", "wrong clocks"])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.oracle
def test_ancestors_and_ranges_are_those_of_git(
    seed: int,
    skewed: bool,  # noqa: FBT001 - a parameter of the table
    store: Store,
    git: CGit,
) -> None:
    chance = random.Random(seed)  # noqa: S311 - examples
    commits = grown(store, chance, 60, skewed=skewed)
    git.take(store.objects.values())
    histories = {sha: History(store, sha) for sha in commits}
    for _ in range(12):
        one, other = chance.choice(commits), chance.choice(commits)
        expected = git.run("rev-list", "--date-order", one, f"^{other}").decode().split()
        everything = set(git.run("rev-list", one).decode().split())

        found = commits_between(store, exclude=other, include=one)

        assert set(found) == everything - set(git.run("rev-list", other).decode().split())
        assert list(found) == expected or skewed
        assert is_ancestor(store, other, one) == (other in everything)
        assert {sha for sha in commits if sha in histories[one]} == everything


def test_no_parent_stands_before_its_child_even_with_wrong_clocks(store: Store) -> None:
    commits = grown(store, random.Random(7), 80, skewed=True)  # noqa: S311 - examples

    found = commits_between(store, exclude=commits[0], include=commits[-1])

    place = {sha: number for number, sha in enumerate(found)}
    for sha in found:
        for parent in store.objects[sha.encode()].parents:  # type: ignore[attr-defined]
            assert place.get(Sha(parent.decode()), len(found)) > place[sha]


def test_a_commit_contains_itself(store: Store) -> None:
    commit = store.commit(EMPTY_TREE)

    assert is_ancestor(store, commit, commit)
    assert commits_between(store, exclude=commit, include=commit) == ()


def test_whether_it_is_an_ancestor_is_known_after_what_lies_between(store: Store) -> None:
    commits = [store.commit(EMPTY_TREE, commit_time=START)]
    for number in range(1, 2000):
        commits.append(store.commit(EMPTY_TREE, commits[-1], commit_time=START + number))
    store.reads.clear()

    assert is_ancestor(store, commits[-10], commits[-1])
    assert not is_ancestor(store, commits[-1], commits[-10])

    assert len(store.reads) < 60


def test_a_branch_is_walked_once_for_all_that_is_asked_of_it(store: Store) -> None:
    commits = [store.commit(EMPTY_TREE, commit_time=START)]
    for number in range(1, 2000):
        commits.append(store.commit(EMPTY_TREE, commits[-1], commit_time=START + number))
    branch = History(store, commits[-1])
    store.reads.clear()

    assert all(sha in branch for sha in commits[-400:])

    assert len(store.reads) < 2 * 400 + 10


def test_a_history_of_first_parents_leaves_merged_branches_out(store: Store) -> None:
    root = store.commit(EMPTY_TREE)
    branch = store.commit(EMPTY_TREE, root, message=b"branch\n")
    merge = store.commit(EMPTY_TREE, root, branch, message=b"merge\n")

    assert [commit.sha for commit in first_parents(store, merge)] == [merge, root]


def test_a_walk_reads_only_as_far_as_it_is_asked(store: Store) -> None:
    head = store.commit(EMPTY_TREE, Sha("1" * 40))

    assert next(first_parents(store, head)).sha == head
    with pytest.raises(MissingObjectError):
        list(islice(first_parents(store, head), 2))
