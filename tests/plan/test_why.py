from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.identifiers import short
from hotfix.plan.guards import conflict_guard
from hotfix.plan.why import missing_below, why
from hotfix.views.plan_markdown import plan_markdown
from hotfix.views.plan_text import plan_text

from .conftest import BASE, PROJECT, Case

if TYPE_CHECKING:
    from hotfix.identifiers import Sha
    from hotfix.plan.model import Finding, Plan

TEN = "".join(f"line {number}\n" for number in range(10))


class Story:
    """Production, work on the main line that it lacks, and fixes at its end."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.files = {**BASE, "ten.txt": TEN}
        self.main = case.production = case.history.commit(self.files)
        self.release = case.history.commit({**self.files, "staged.txt": "1\n"}, self.main)
        self.brought_by: dict[Sha, int] = {}
        case.merge_requests = []

    def change(self, old: str, new: str, iid: int | None = None) -> Sha:
        """Commit on the main line, for a merge request that may be known."""
        self.files["ten.txt"] = self.files["ten.txt"].replace(old, new)
        self.main = self.case.history.commit(self.files, self.main)
        if iid is not None:
            self.brought_by[self.main] = iid
        return self.main

    def fix(self, iid: int, *commits: Sha) -> None:
        """Ask for a merge request."""
        if len(commits) == 1:
            self.case.merge_request(iid, merge_commit_sha=commits[0])
        else:
            self.case.merge_request(iid, sha=commits[-1], commits=commits)

    def plan(self) -> Plan:
        """Plan as the command does, the conflict explained."""
        self.case.heads = {"main": self.main, "release": self.release}
        built = self.case.plan()
        conflict, target = built.conflicts[PROJECT], self.case.spec().targets[0]
        reason = why(conflict, target, missing_below(conflict, target), self.brought_by)
        return built.plan.model_copy(
            update={"blockers": (conflict_guard(target, conflict, reason),)}
        )

    def finding(self) -> Finding:
        return self.plan().blockers[0]


@pytest.fixture
def story(case: Case) -> Story:
    return Story(case)


def stands_on_two(story: Story) -> None:
    story.change("line 4\n", "line 4 of !799\n", 799)
    story.change("line 8\n", "line 8 elsewhere\n", 801)
    story.change("line 5\n", "line 5 of !803\n", 803)
    fixed = story.change("!799\nline 5 of !803\n", "!799, fixed\nline 5 of !803, fixed\n", 812)
    story.fix(812, fixed)


def test_the_sentence_names_what_is_missing_and_the_spec_that_plans_clean(story: Story) -> None:
    stands_on_two(story)

    finding = story.finding()

    assert finding.code == "depends-on-unreleased"
    assert finding.hint == (
        "!812 stands on lines that came with !799 and !803, which are not in production. "
        "The runbook says: stop and escalate. If they may ship too, add them before !812: "
        "`merge_requests: [799, 803, 812]` plans clean."
    )


def test_the_named_spec_really_plans_clean(story: Story) -> None:
    stands_on_two(story)
    order = story.finding().hint.partition("[")[2].partition("]")[0]
    fixed, by_iid = story.main, {iid: sha for sha, iid in story.brought_by.items()}
    story.case.merge_requests = []
    for iid in map(int, order.split(",")):
        story.fix(iid, by_iid[iid])
    story.case.heads = {"main": fixed, "release": story.release}

    built = story.case.plan()

    assert built.plan.blockers == ()
    assert [commit.merge_request for commit in built.plan.targets[0].commits] == [
        None,
        799,
        803,
        812,
    ]


@pytest.mark.parametrize("medium", ["text", "markdown"])
def test_every_medium_shows_the_hunk_first_then_the_sentence(story: Story, medium: str) -> None:
    stands_on_two(story)
    plan = story.plan()

    shown = (
        plan_text(plan, width=1000, colour=False, next_command=None)
        if medium == "text"
        else plan_markdown(plan, next_command=None)
    )

    parts = ["ten.txt", "<<<<<<< on the branch", "||||||| before the fix", ">>>>>>> the fix"]
    parts += ["stands on lines that came with", "stop and escalate", "merge_requests: [799"]
    assert all(part in shown for part in parts)
    assert sorted(parts, key=shown.index) == parts


def test_where_no_set_exists_it_says_so_and_shows_the_hunks(story: Story) -> None:
    story.change("line 4\n", "line 4 of !799\n", 799)
    fixed = story.change("line 4 of !799\nline 5\n", "fixed\nfixed too\n", 812)
    story.case.production = story.case.history.commit(
        {**BASE, "ten.txt": TEN.replace("line 5\n", "production's own\n")}, story.case.production
    )
    story.fix(812, fixed)

    finding = story.finding()

    assert finding.hint == (
        "!812 stands on lines that came with !799, which is not in production. "
        "The runbook says: stop and escalate. "
        "No set of merge requests was found that would make the pick clean."
    )
    assert "production's own" in finding.detail


def test_a_commit_without_a_merge_request_is_named_as_what_no_spec_can_name(story: Story) -> None:
    nameless = story.change("line 4\n", "pushed by hand\n")
    story.fix(812, story.change("pushed by hand\n", "pushed by hand, fixed\n", 812))

    finding = story.finding()

    assert finding.hint.endswith(
        f"The pick would be clean after {short(nameless)}, but a spec names merge requests, "
        f"and none is known for {short(nameless)}."
    )


def test_a_later_pick_that_conflicts_is_not_called_clean(story: Story) -> None:
    story.change("line 2\n", "line 2 of !799\n", 799)
    one = story.change("line 2 of !799\n", "line 2 of !799, fixed\n", 812)
    story.change("line 7\n", "line 7 of !803\n", 803)
    other = story.change("line 7 of !803\n", "line 7 of !803, fixed\n", 815)
    story.fix(812, one)
    story.fix(815, other)

    hint = story.finding().hint

    assert "plans clean" not in hint
    assert "`merge_requests: [799, 812, 815]` lets !812 be picked" in hint


def test_a_merge_request_that_comes_later_in_the_spec_is_moved_before(story: Story) -> None:
    needed = story.change("line 2\n", "line 2 of !799\n", 799)
    fixed = story.change("line 2 of !799\n", "line 2 of !799, fixed\n", 812)
    story.fix(812, fixed)
    story.fix(799, needed)

    assert "`merge_requests: [799, 812]` plans clean." in story.finding().hint


def test_of_several_commits_the_second_may_need_what_goes_before_the_first(story: Story) -> None:
    story.change("line 7\n", "line 7 of !799\n", 799)
    first = story.change("line 2\n", "line 2, fixed\n", 812)
    second = story.change("line 7 of !799\n", "line 7 of !799, fixed\n", 812)
    story.fix(812, first, second)

    assert "`merge_requests: [799, 812]` plans clean." in story.finding().hint


def test_what_was_picked_before_the_conflict_is_not_called_missing(story: Story) -> None:
    first = story.change("line 4\n", "line 4 of !810\n", 810)
    story.change("line 5\n", "line 5 of !799\n", 799)
    fixed = story.change("!810\nline 5 of !799\n", "!810, fixed\nline 5 of !799, fixed\n", 812)
    story.fix(810, first)
    story.fix(812, fixed)

    hint = story.finding().hint

    assert hint.startswith("!812 stands on lines that came with !799, which is not in production.")
    assert "`merge_requests: [810, 799, 812]` plans clean." in hint
