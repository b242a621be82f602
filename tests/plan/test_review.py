"""An approval is of what somebody saw: what was pushed afterwards nobody approved."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hotfix.forge.types import Approval, Approvals, MergeRequestRule, Version
from hotfix.identifiers import Sha
from hotfix.plan.model import ObservedApproval
from hotfix.views.plan_markdown import plan_markdown
from hotfix.views.plan_text import plan_text

from .conftest import AUTHOR, NOON, OPERATOR, PROJECT, REVIEWER

if TYPE_CHECKING:
    from hotfix.plan.model import Finding, ObservedMergeRequest, Plan

    from .conftest import Case

FIRST, SECOND = Sha("1" * 40), Sha("2" * 40)
MORNING = NOON - timedelta(hours=3)


def pushed(head: Sha, hours: int, patch: str | None = None) -> Version:
    return Version(head, MORNING + timedelta(hours=hours), patch)


def review(case: Case, *versions: Version, approvals: tuple[Approval, ...]) -> None:
    """Have !812 pushed at some hours of the morning, and approved; its last head is merged."""
    (seen,) = case.merge_requests
    assert seen.merge_request is not None
    newest = tuple(sorted(versions, key=lambda each: each.created_at, reverse=True))
    case.merge_requests[0] = replace(
        seen,
        merge_request=replace(seen.merge_request, sha=newest[0].head if newest else None),
        approvals=Approvals(approvals, None),
        versions=newest,
    )


def approved(who: object = REVIEWER, hours: float = 1.0) -> Approval:
    return Approval(who, MORNING + timedelta(hours=hours))  # type: ignore[arg-type]


def found(plan: Plan) -> list[Finding]:
    return [each for each in plan.warnings if each.code == "mr-pushed-after-approval"]


def observed(plan: Plan) -> ObservedMergeRequest:
    return plan.targets[0].observed.merge_requests[0]


def test_what_was_pushed_after_the_last_approval_is_told_with_what_to_read(case: Case) -> None:
    review(case, pushed(FIRST, 0), pushed(SECOND, 2), approvals=(approved(),))

    plan = case.plan().plan

    (warning,) = found(plan)
    assert warning.message == (
        "!812 was approved by reviewer at 11111111, and merged at 22222222: what was pushed in "
        "between nobody approved."
    )
    assert warning.hint == (
        f"Read what came: https://gitlab.example.com/{PROJECT}/-/compare/{FIRST}...{SECOND}"
    )
    assert warning.decision == "warn"
    assert not plan.blockers
    assert observed(plan).head == SECOND
    assert observed(plan).approvals == (
        ObservedApproval(by="reviewer", at="2026-11-22T10:00:00Z", head=FIRST),
    )
    screen = plan_text(plan, width=100, colour=False, next_command=None)
    assert "approved by reviewer at 11111111" in screen
    assert "approved by `reviewer` at 11111111" in plan_markdown(plan, next_command=None)


def test_an_approval_of_the_merged_head_is_enough_though_another_is_older(case: Case) -> None:
    both = (approved(), approved(OPERATOR, 2.5))
    review(case, pushed(FIRST, 0), pushed(SECOND, 2), approvals=both)
    assert not found(case.plan().plan)

    case.minimum = 2
    assert found(case.plan().plan), "the policy asks for two"


def test_the_authors_own_approval_does_not_make_up_for_it(case: Case) -> None:
    both = (approved(), approved(AUTHOR, 2.5))
    review(case, pushed(FIRST, 0), pushed(SECOND, 2), approvals=both)

    assert found(case.plan().plan)


@pytest.mark.parametrize(
    ("patch", "is_told"), [("the same", False), ("another", True), (None, True)]
)
def test_a_rebase_pushes_the_same_change_again(
    case: Case, patch: str | None, *, is_told: bool
) -> None:
    first = pushed(FIRST, 0, None if patch is None else "the same")
    review(case, first, pushed(SECOND, 2, patch), approvals=(approved(),))

    assert bool(found(case.plan().plan)) is is_told


def test_where_it_cannot_be_told_the_record_has_a_gap_and_nobody_is_accused(case: Case) -> None:
    review(case, approvals=(approved(),))
    assert not found(case.plan().plan)
    assert observed(case.plan().plan).approvals[0].head is None

    review(case, pushed(SECOND, 2), approvals=(approved(),))
    assert not found(case.plan().plan), "it was approved before anything that is known"

    review(case, pushed(SECOND, 2), approvals=(Approval(REVIEWER, None),))
    assert observed(case.plan().plan).approvals[0].at is None


def test_a_merge_request_that_is_not_merged_is_no_matter_of_its_pushes(case: Case) -> None:
    review(case, pushed(FIRST, 0), pushed(SECOND, 2), approvals=(approved(),))
    (seen,) = case.merge_requests
    assert seen.merge_request is not None
    case.merge_requests[0] = replace(
        seen, merge_request=replace(seen.merge_request, state="opened")
    )

    plan = case.plan().plan

    assert [each.code for each in plan.blockers] == ["mr-not-merged"]
    assert not found(plan)


def test_gitlabs_own_rules_are_shown_and_recorded(case: Case) -> None:
    rule = MergeRequestRule("Secu\x1b[31mrity", "regular", 2, approved=False, approved_by=("ada",))
    case.merge_requests[0] = replace(case.merge_requests[0], rules=(rule,))

    plan = case.plan().plan

    assert observed(plan).rules is not None
    screen = plan_text(plan, width=100, colour=False, next_command=None)
    assert r"GitLab's rules: Secu\x1b[31mrity 1 of 2, not approved" in screen
    assert "1 of 2, not approved" in plan_markdown(plan, next_command=None)


def test_a_tier_without_rules_says_nothing_of_them_in_old_files_form(case: Case) -> None:
    written = case.plan().plan.model_dump(mode="json")["targets"][0]["observed"]

    assert "rules" not in written["merge_requests"][0]
    assert "approvals_reset_on_push" not in written
