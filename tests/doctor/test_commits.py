"""What push rules refuse of the planned commits: each rule red and green."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hotfix.doctor.commits import matches, push_rule_checks
from hotfix.forge.types import PushRule, Server, User
from hotfix.plan.model import FileChange, PlannedCommit

from .conftest import FREE, ME, PAID, project

if TYPE_CHECKING:
    from hotfix.doctor.model import Check
    from hotfix.spec.model import Spec

SHA = "71d00ecb" * 5
HOTFIX = "hotfix <hotfix@noreply.gitlab.example.com>"


def commit(action: Any, message: str, **changes: Any) -> PlannedCommit:  # noqa: ANN401
    made = {
        "action": action,
        "outcome": "new",
        "sha": SHA,
        "tree": SHA,
        "parent": SHA,
        "message": message,
        "author": HOTFIX if action == "restore" else "An Author <author@example.com>",
        "committer": HOTFIX,
        "merge_request": None if action == "restore" else 812,
        "picked_from": None,
        "resolution": None,
        "files": (FileChange(path="src/new.key", change="added"),),
        "reason": "",
    }
    return PlannedCommit.model_validate({**made, **changes})


COMMITS = (
    commit("restore", "fix: restore release\n\nHotfix: inc-1\n"),
    commit("pick", "fix: heartbeat\n\nSigned-off-by: A <a@example.com>\nHotfix: inc-1\n"),
)


def checked(
    spec: Spec,
    rule: PushRule | None,
    commits: tuple[PlannedCommit, ...] | None = COMMITS,
    *,
    server: Server | None = PAID,
    user: User = ME,
) -> list[Check]:
    return list(
        push_rule_checks(
            spec.targets[0],
            project(),
            rule,
            server,
            commits,
            committer=spec.committer,
            user=user,
        )
    )


@pytest.mark.parametrize(
    ("rule", "outcome", "said"),
    [
        (PushRule(), "passed", "No push rule refuses 2 planned commits."),
        (PushRule(only_own_commits=True), "failed", "hotfix@noreply.gitlab.example.com"),
        (PushRule(only_own_name=True), "failed", "the spec's committer is hotfix"),
        (PushRule(only_signed=True), "failed", "bear no signature"),
        (PushRule(only_signed_off=True), "failed", "signed off, which refuses restore 71d00ecb."),
        (PushRule(only_members=True), "not-seen", "author@example.com, hotfix@noreply.gitlab."),
        (PushRule(message="^fix: "), "passed", ""),
        (PushRule(message="^Hotfix: inc-\\d$"), "passed", ""),
        (PushRule(message="heartbeat"), "failed", "which refuses restore 71d00ecb."),
        (
            PushRule(message="JIRA-[0-9]+"),
            "failed",
            "refuses restore 71d00ecb, pick of !812 71d00ecb.",
        ),
        (PushRule(message_not="WIP"), "passed", ""),
        (PushRule(message_not="heart"), "failed", "which refuses pick of !812 71d00ecb."),
        (PushRule(message="(a+)+$"), "not-seen", "not tried here"),
        (PushRule(author_email="example\\.com$"), "passed", ""),
        (PushRule(author_email="@corp\\.example$"), "failed", "author and committer must match"),
        (PushRule(author_email="@example\\.com$"), "failed", "refuses restore 71d00ecb, pick of"),
        (PushRule(file_name_not="\\.pem$"), "passed", ""),
        (PushRule(file_name_not="\\.key$"), "failed", "file names must not match"),
        (PushRule(branch_name="^(release|main)$"), "passed", ""),
        (PushRule(branch_name="^feature/"), "failed", "release must match `^feature/`, and does"),
        (PushRule(branch_name="(?P<"), "not-seen", "is not tried here"),
        (PushRule(max_file_megabytes=5), "not-seen", "Files over 5 MB"),
    ],
)
def test_what_push_rules_would_refuse(spec: Spec, rule: PushRule, outcome: str, said: str) -> None:
    (check,) = checked(spec, rule)

    assert (check.outcome, said in check.message) == (outcome, True), check.message
    assert bool(check.hint) == bool(check.look_at) == (outcome != "passed")


def test_the_pushers_own_commits_are_taken(spec: Spec) -> None:
    me = User(9, spec.committer.name, spec.committer.name, frozenset({spec.committer.email}))
    rule = PushRule(only_own_commits=True, only_own_name=True)

    assert [check.outcome for check in checked(spec, rule, user=me)] == ["passed"]


def test_a_pick_may_bear_its_authors_name_and_a_restore_only_the_pushers(spec: Spec) -> None:
    rule, (restore, pick) = PushRule(only_own_name=True), COMMITS

    outcomes = [
        [each.outcome for each in checked(spec, rule, made)] for made in ((pick,), (restore,), None)
    ]

    assert outcomes == [["passed"], ["failed"], ["failed", "not-seen"]]


def test_the_remedy_names_the_pushers_own_address(spec: Spec) -> None:
    (check,) = checked(spec, PushRule(only_own_commits=True))

    assert "`committer: {email: operator@example.com}`" in check.hint


@pytest.mark.parametrize("action", ["restore", "keep"])
def test_only_commits_that_would_be_pushed_are_held_against_the_rules(
    spec: Spec, action: str
) -> None:
    there = commit(action, "anything\n", outcome="already-there")

    (check,) = checked(spec, PushRule(message="^fix", only_signed=True), (there,))

    assert (check.outcome, check.message) == ("passed", "No push rule refuses 0 planned commits.")


@pytest.mark.parametrize(
    ("server", "outcome"), [(FREE, "passed"), (PAID, "not-seen"), (None, "not-seen")]
)
def test_push_rules_that_are_not_shown_are_a_gap_unless_there_can_be_none(
    spec: Spec, server: Server | None, outcome: str
) -> None:
    (check,) = checked(spec, None, server=server)

    assert check.outcome == outcome


def test_without_a_plan_the_rules_are_told_and_the_commits_are_a_gap(spec: Spec) -> None:
    found = checked(spec, PushRule(only_own_commits=True), None)

    assert [check.outcome for check in found] == ["failed", "not-seen"]


@pytest.mark.parametrize(
    "pattern",
    [
        "(a|aa)+$",
        "(.*)*x",
        "a*a*a*a*x",
        "a?" * 30,
        "(?P<",
        "((a+))+b",
        "(x{1,9}){9}",
    ],
)
def test_a_pattern_that_could_take_forever_is_not_tried(pattern: str) -> None:
    assert matches(pattern, "a" * 400) is None


@pytest.mark.parametrize("pattern", ["^[[:upper:]]+-[0-9]+", "^\\p{Lu}", "\\AOPS-12\\z"])
def test_a_pattern_that_python_reads_as_something_else_is_not_tried(pattern: str) -> None:
    assert matches(pattern, "OPS-12") is None


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^\\w+:", "é: no letter to RE2\n", False),
        ("^(feat|fix)(\\(.+\\))?!?: .+", "fix(ocpp): keep\n", True),
        ("^(feat|fix)(\\(.+\\))?!?: .+", "restore\n", False),
        ("^Refs: [A-Z]+-\\d+$", "fix\n\nRefs: OPS-12\nmore\n", True),
    ],
)
def test_patterns_in_use_are_tried_line_by_line(pattern: str, text: str, *, found: bool) -> None:
    assert matches(pattern, text) is found
