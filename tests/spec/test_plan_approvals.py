"""``policy.plan_approvals``: a team asks for approvals, a spec for more of them, never for less."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hotfix.models import to_json
from hotfix.spec.load import load_spec
from hotfix.spec.model import PlanApprovalPolicy
from hotfix.spec.problem import SpecError

if TYPE_CHECKING:
    from collections.abc import Callable

TEAM = "plan_approvals: {minimum: 2, groups: [evenergi/release-managers, evenergi/sre]}"


@pytest.fixture
def policy(plans: Path) -> Callable[[str, str], PlanApprovalPolicy]:
    """Resolve what a spec's and the team's policy come to."""

    def resolve(spec: str, defaults: str) -> PlanApprovalPolicy:
        text = "\n".join(
            [
                "version: 1",
                "id: inc-1042",
                "title: Heartbeats",
                "project: evenergi/bf-manage-core",
                f"production_sha: {'5f' * 20}",
                "merge_requests: [812]",
                "smoke_checks: [{name: port, tcp: {host: core.example.com, port: 443}}]",
                *([f"policy: {{{spec}}}"] if spec else ()),
                "",
            ]
        )
        (plans / "hotfix.yaml").write_text(text)
        (plans / "defaults.yaml").write_text(
            "version: 1\ngitlab: https://gitlab.example.com\n"
            "orchestration: {project: evenergi/develop}\n"
            + (f"policy: {{{defaults}}}\n" if defaults else "")
        )
        return load_spec(Path("hotfix.yaml"), gitlab=None).spec.policy.plan_approvals

    return resolve


def test_nothing_is_asked_for_by_itself_and_then_nothing_is_written(
    policy: Callable[[str, str], PlanApprovalPolicy], plans: Path
) -> None:
    assert policy("", "") == PlanApprovalPolicy()
    assert policy("", "plan_approvals: {groups: [evenergi/sre]}") == PlanApprovalPolicy()
    spec = load_spec(plans / "hotfix.yaml", gitlab=None).spec

    assert "plan_approvals" not in to_json(spec)["policy"]


def test_the_team_asks_and_four_eyes_are_built_in(
    policy: Callable[[str, str], PlanApprovalPolicy], plans: Path
) -> None:
    found = policy("", TEAM)

    assert found == PlanApprovalPolicy(
        minimum=2,
        groups=("evenergi/release-managers", "evenergi/sre"),
        not_author=True,
        not_applier=True,
    )
    written = to_json(load_spec(plans / "hotfix.yaml", gitlab=None).spec)["policy"]
    assert written["plan_approvals"]["minimum"] == 2


def test_a_spec_asks_for_more(policy: Callable[[str, str], PlanApprovalPolicy]) -> None:
    assert policy("plan_approvals: {minimum: 3}", TEAM).minimum == 3
    assert policy("plan_approvals: {groups: [evenergi/sre]}", TEAM).groups == ("evenergi/sre",)
    strict = policy("plan_approvals: {not_applier: true}", TEAM[:-1] + ", not_applier: false}")
    assert strict.not_applier
    assert policy("plan_approvals: {minimum: 1, not_author: false}", "").minimum == 1


@pytest.mark.parametrize(
    ("spec", "column", "said"),
    [
        ("minimum: 1", 36, "`minimum` asks for less than the team's policy does: `2`"),
        ("minimum: 0", 36, "`minimum`"),
        ("groups: [evenergi/friends]", 35, "`groups`"),
        ("not_author: false", 39, "`not_author` asks for less than the team's policy does: `true`"),
        ("not_applier: false", 40, "`not_applier`"),
    ],
)
def test_a_spec_that_asks_for_less_is_refused_where_it_says_so(
    policy: Callable[[str, str], PlanApprovalPolicy], spec: str, column: int, said: str
) -> None:
    with pytest.raises(SpecError) as caught:
        policy(f"plan_approvals: {{{spec}}}", TEAM)

    (problem,) = caught.value.problems
    assert said in problem.message
    assert (problem.file, problem.line, problem.column) == ("hotfix.yaml", 8, column)
    assert "never weaker" in problem.hint


@pytest.mark.parametrize("group", ["", "/evenergi", "https://gitlab.example.com/g", "g g"])
def test_what_is_no_group_is_refused(
    policy: Callable[[str, str], PlanApprovalPolicy], group: str
) -> None:
    with pytest.raises(SpecError, match="is no path of a group"):
        policy("", f"plan_approvals: {{minimum: 1, groups: ['{group}']}}")
