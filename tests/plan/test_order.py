"""In which order merge requests are picked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from .conftest import BASE, NOON, Case

if TYPE_CHECKING:
    from hotfix.plan.model import Plan

TEN = "".join(f"line {number}\n" for number in range(10))


@pytest.fixture
def later_first(case: Case) -> Case:
    """Two fixes of one line, the second on top of the first, named in the wrong order."""
    history = case.history
    case.production = history.commit({**BASE, "ten.txt": TEN})
    first = history.commit({**BASE, "ten.txt": TEN.replace("line 4", "4th")}, case.production)
    second = history.commit({**BASE, "ten.txt": TEN.replace("line 4", "fourth")}, first)
    case.heads = {"main": second, "release": case.production}
    case.merge_requests = []
    case.merge_request(815, merge_commit_sha=second, merged_at=NOON)
    case.merge_request(812, merge_commit_sha=first, merged_at=NOON - timedelta(hours=1))
    return case


def picked(plan: Plan) -> list[int | None]:
    return [commit.merge_request for commit in plan.targets[0].commits if commit.action == "pick"]


def test_merge_requests_are_picked_in_the_order_in_which_they_were_merged(
    later_first: Case,
) -> None:
    plan = later_first.plan().plan

    assert picked(plan) == [812, 815]
    assert plan.blockers == ()
    (warning,) = plan.warnings
    assert warning.code == "picks-reordered"
    assert "!812, !815; the spec names them as !815, !812" in warning.message


def test_in_the_order_of_the_merges_nothing_is_said(later_first: Case) -> None:
    later_first.merge_requests.reverse()

    plan = later_first.plan().plan

    assert picked(plan) == [812, 815]
    assert plan.warnings == ()


def test_the_specs_own_order_is_held_to_where_it_is_meant(later_first: Case) -> None:
    later_first.order = "as-written"

    plan = later_first.plan().plan

    (blocker,) = plan.blockers
    assert blocker.code == "pick-conflict"
    assert blocker.message.startswith("In the spec's own order, picking ")
    assert "all of them pick clean: !812, !815." in blocker.hint
    assert "<<<<<<< on the branch" in blocker.detail


def test_a_conflict_in_either_order_is_explained_as_ever(later_first: Case) -> None:
    later_first.order = "as-written"
    later_first.merge_requests.reverse()
    history = later_first.history
    third = history.commit({**BASE, "ten.txt": TEN.replace("line 4", "4.")}, later_first.production)
    main = history.commit(
        {**BASE, "ten.txt": TEN.replace("line 4", "fourth")}, later_first.heads["main"], third
    )
    later_first.heads["main"] = main
    later_first.merge_request(809, merge_commit_sha=third, merged_at=NOON + timedelta(hours=1))

    (blocker,) = later_first.plan().plan.blockers

    assert "!809 conflicts in ten.txt" in blocker.message
    assert "all of them pick clean" not in blocker.hint


def test_an_order_that_gitlab_does_not_tell_is_the_specs(later_first: Case) -> None:
    for place, seen in enumerate(later_first.merge_requests):
        assert seen.merge_request is not None
        timeless = replace(seen.merge_request, merged_at=None)
        later_first.merge_requests[place] = replace(seen, merge_request=timeless)

    plan = later_first.plan().plan

    assert plan.warnings == ()
    (blocker,) = plan.blockers
    assert "!815 conflicts in ten.txt" in blocker.message
