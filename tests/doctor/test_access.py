"""Who may do what: each rule red, green, and not shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from hotfix.doctor import access
from hotfix.forge.types import ApprovalRule, BranchRule, Grant, Protection, Server, Token
from tests.plan.conftest import NOON

from .conftest import FREE, PAID, WEB, caller, project, role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotfix.spec.model import Target

GITLAB = "https://gitlab.example.com"
GROUP = role(40, group=5)


@pytest.mark.parametrize(
    ("days", "outcome"),
    [(None, "passed"), (-1, "failed"), (0, "failed"), (1, "failed"), (2, "warning"), (9, "passed")],
)
def test_a_token_must_outlive_the_run(days: int | None, outcome: str) -> None:
    last = None if days is None else NOON.date() + timedelta(days=days)

    scopes, expiry = access.token_checks(Token(frozenset({"api"}), last), NOON, GITLAB)

    assert (scopes.outcome, expiry.outcome) == ("passed", outcome)
    assert bool(expiry.look_at) == (outcome != "passed")


def test_a_token_that_reads_can_plan_and_apply_nothing() -> None:
    scopes, _ = access.token_checks(Token(frozenset({"read_api"}), None), NOON, GITLAB)

    assert (scopes.outcome, scopes.look_at) == (
        "failed",
        f"{GITLAB}/-/user_settings/personal_access_tokens",
    )
    assert "`read_api`: it can plan, and apply nothing" in scopes.message


def test_a_token_of_which_nothing_is_told_is_a_gap() -> None:
    (gap,) = access.token_checks(None, NOON, GITLAB)

    assert (gap.id, gap.outcome) == ("token-scopes", "not-seen")


@pytest.mark.parametrize(
    ("level", "needed", "outcome"),
    [
        (30, 30, "passed"),
        (20, 30, "failed"),
        (30, 40, "failed"),
        (25, 30, "failed"),
        (None, 30, "not-seen"),
    ],
)
def test_a_run_needs_its_role(level: int | None, needed: int, outcome: str) -> None:
    check = access.role_check(project(), caller(level), needed=needed, purpose="push")

    assert check.outcome == outcome
    assert bool(check.hint) == bool(check.look_at) == (outcome != "passed")


@pytest.mark.parametrize(
    ("level", "outcome"),
    [(15, "failed"), (20, "warning"), (30, "passed"), (None, "not-seen")],
)
def test_an_incident_needs_a_reporter_and_only_its_timeline_a_developer(
    level: int | None, outcome: str
) -> None:
    check = access.incident_check(project(level), caller(level))

    assert (check.id, check.outcome) == ("role", outcome)
    assert bool(check.look_at) == (outcome != "passed")


def test_in_an_archived_project_no_role_suffices() -> None:
    archived = replace(project(), archived=True)

    check = access.role_check(archived, caller(50), needed=30, purpose="push")

    assert (check.outcome, "archived" in check.message) == ("failed", True)


@pytest.mark.parametrize(
    ("rules", "level", "outcome"),
    [
        ([], 30, "passed"),
        ([("main", role(0))], 30, "passed"),
        ([("release-1", role(0))], 30, "passed"),
        ([("releas?", role(0))], 30, "passed"),
        ([("rel*", role(40))], 30, "failed"),
        ([("rel*se", role(40))], 40, "passed"),
        ([("release", role(40)), ("*", role(30))], 30, "passed"),
        ([("release", role(0))], 50, "failed"),
        ([("release", role(40)), ("release", role(None, user=9))], 30, "passed"),
        ([("release", role(40)), ("release", role(40, user=8))], 30, "failed"),
        ([("release", role(40, user=8))], 50, "failed"),
        ([("release", GROUP)], 50, "not-seen"),
        ([("release", role(60))], 50, "not-seen"),
        ([("release", role(40))], None, "not-seen"),
        (None, 40, "not-seen"),
    ],
)
def test_who_may_push_to_release(
    target: Target, rules: list[tuple[str, Grant]] | None, level: int | None, outcome: str
) -> None:
    seen = rules and [BranchRule(name, (grant,), (role(30),)) for name, grant in rules]

    check = access.push_check(target, project(), seen, caller(level))

    assert (check.id, check.outcome) == ("push-release", outcome)
    assert (check.look_at is None) == (outcome == "passed")


def test_whoever_may_not_push_is_told_who_may(target: Target) -> None:
    nobody = Grant("No one", 0, None, None)
    maintainers = Grant("Maintainers", 40, None, None)

    closed = access.push_check(
        target, project(), [BranchRule("release", (nobody,), ())], caller(50)
    )
    narrow = access.push_check(
        target, project(), [BranchRule("release", (nobody, maintainers), ())], caller(30)
    )

    assert closed.message == "operator as Owner (50) may not push to release: it is open to nobody."
    assert narrow.message.endswith(
        "as Developer (30) may not push to release: it is open to Maintainers."
    )


@pytest.mark.parametrize(
    ("pusher", "merger", "outcome"),
    [(40, 40, "failed"), (40, 30, "passed"), (30, 40, "passed"), (None, None, "not-seen")],
)
def test_a_pipeline_on_a_protected_branch_needs_the_right_to_push_or_to_merge(
    pusher: int | None, merger: int | None, outcome: str
) -> None:
    rules = pusher and [BranchRule("ma*", (role(pusher),), (role(merger),))]

    check = access.pipeline_check(project(), "main", rules or None, caller(30))

    assert (check.id, check.outcome) == ("run-pipeline", outcome)


def test_a_pipeline_on_an_open_branch_needs_no_more() -> None:
    assert access.pipeline_check(project(), "main", [], caller(30)).outcome == "passed"


@pytest.mark.parametrize(
    ("rules", "server", "level", "outcomes"),
    [
        ([], PAID, 30, ["passed"]),
        ([Protection("staging", (role(50),), 0)], PAID, 30, ["passed"]),
        ([Protection("production", (role(40),), 0)], PAID, 40, ["passed"]),
        ([Protection("production", (role(40),), 0)], PAID, 30, ["failed"]),
        ([Protection("production", (role(None, user=9),), 0)], PAID, 30, ["passed"]),
        ([Protection("production", (role(None, group=5),), 0)], PAID, 30, ["not-seen"]),
        (None, FREE, 40, ["passed"]),
        (None, PAID, 40, ["not-seen"]),
        (None, Server(None, None), 40, ["not-seen"]),
        (None, None, 40, ["not-seen"]),
    ],
)
def test_who_may_deploy_to_production(
    target: Target,
    rules: Sequence[Protection] | None,
    server: Server | None,
    level: int,
    outcomes: list[str],
) -> None:
    found = access.deploy_checks(target, project(), rules, server, caller(level))

    assert [check.outcome for check in found] == outcomes


def test_a_deployment_that_others_approve_is_told_with_who_they_are(target: Target) -> None:
    by_rule = ApprovalRule(Grant("SRE", None, None, 5), 2, ())
    named = Protection("production", (role(40),), 0, (by_rule,))
    counted = Protection("production", (role(40),), 1)

    of_rule, of_count = (
        list(access.deploy_checks(target, project(), [each], PAID, caller()))[1]
        for each in (named, counted)
    )

    assert (of_rule.id, of_rule.outcome) == ("deployment-approvals", "warning")
    assert of_rule.message.endswith("approved in GitLab: 2 of SRE.")
    assert of_count.message.endswith("approved in GitLab: 1 approval.")
    assert str(of_count.look_at).startswith(f"{WEB}/-/settings/ci_cd")
