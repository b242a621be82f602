"""What the policy decides of what was found: told, asked or denied, each by its rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.freeze import FreezePeriod
from hotfix.models import to_json
from hotfix.plan.model import Finding
from hotfix.plan.observe import SeenElsewhere
from hotfix.plan.policy import blocks, decided, is_denied, to_answer_for, warnings_hash
from hotfix.spec.policy import ApprovalPolicy, FreezeWindow, Policy

from .conftest import NOON

if TYPE_CHECKING:
    from .conftest import Case

AROUND_NOON = FreezePeriod("0 11 * * *", "0 13 * * *", "UTC")
BEFORE_NOON = FreezePeriod("0 9 * * *", "0 10 * * *", "UTC")
OWN = FreezeWindow(start="0 11 * * *", end="0 13 * * *", reason="lunch")


def policy(**more: Any) -> Policy:  # noqa: ANN401
    approvals = ApprovalPolicy(minimum=1, not_author=True)
    return Policy(approvals=approvals, allow_commands=False, **more)


def finding(code: str, message: str = "Seen.", target: str | None = None) -> Finding:
    return Finding(code=code, target=target, message=message, hint="")


def test_a_rules_finding_gets_its_decision_and_sentence_and_others_get_none() -> None:
    given = [finding("mr-other-branch"), finding("pick-conflict"), finding("apply-not-permitted")]

    found = list(decided(given, policy(decisions={"mr-other-branch": "deny"})))

    assert [(each.decision, blocks(each), is_denied(each)) for each in found] == [
        ("deny", True, True),
        (None, True, False),
        (None, False, False),
    ]
    assert found[0].rule == "What is released was merged into the default branch."
    assert to_json(found[1]) == to_json(given[1]), "what no rule weighs is written as before"


def test_warnings_that_ask_are_answered_for_by_the_hash_of_their_sorted_list() -> None:
    one, two = (
        finding("deploy-freeze", each).model_copy(update={"decision": "ask"}) for each in "ab"
    )
    told = finding("picks-reordered").model_copy(update={"decision": "warn"})

    asked = to_answer_for([two, told, one, two])

    assert asked == (one, two)
    assert warnings_hash(asked) == warnings_hash(to_answer_for([one, two]))
    assert warnings_hash(asked) != warnings_hash(to_answer_for([one]))


@pytest.mark.parametrize(
    ("decision", "place"), [("warn", "warnings"), ("ask", "warnings"), ("deny", "blockers")]
)
def test_a_freeze_in_force_is_weighed_as_the_team_decides(
    case: Case, decision: str, place: str
) -> None:
    case.policy = policy(decisions={"deploy-freeze": decision})
    case.elsewhere = SeenElsewhere(freezes=(BEFORE_NOON, AROUND_NOON))

    plan = case.plan().plan

    (found,) = getattr(plan, place)
    assert (found.code, found.decision) == ("deploy-freeze", decision)
    assert "until 2026-11-22T13:00:00Z (0 11 * * * to 0 13 * * *, UTC)" in found.message


def test_a_freeze_of_the_teams_own_is_told_with_its_reason(case: Case) -> None:
    case.policy = policy(freezes=(OWN,))

    (found,) = case.plan().plan.warnings

    assert (found.code, found.decision, "UTC: lunch" in found.message) == (
        "deploy-freeze",
        "ask",
        True,
    )


def test_when_the_freeze_is_over_nothing_is_said(case: Case) -> None:
    case.elsewhere = SeenElsewhere(freezes=(AROUND_NOON,))
    case.at = NOON + timedelta(hours=2)

    assert case.plan().plan.warnings == ()


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (None, "GitLab does not show deploy freezes to this token"),
        (
            (replace(AROUND_NOON, timezone="Eastern Time (US & Canada)"),),
            "Eastern Time (US & Canada) cannot be read here",
        ),
    ],
)
def test_what_is_not_known_of_freezes_is_said_to_be_unknown(
    case: Case, shown: tuple[FreezePeriod, ...] | None, said: str
) -> None:
    case.elsewhere = SeenElsewhere(freezes=shown)

    (found,) = case.plan().plan.warnings

    assert (found.code, said in found.message) == ("freeze-unknown", True), found.message


def test_a_smoke_check_that_the_team_requires_is_denied_where_it_is_missing(case: Case) -> None:
    case.policy = policy(required_smoke_checks=("port", "login"))

    (found,) = case.plan().plan.blockers

    assert (found.code, found.decision) == ("smoke-check-required", "deny")
    assert "`login`" in found.message


def test_a_freeze_changes_no_digest(case: Case) -> None:
    before = case.plan().plan.digest
    case.elsewhere = SeenElsewhere(freezes=(AROUND_NOON,))

    assert case.plan().plan.digest == before
