"""The team's policy and a spec's: the stricter holds, and what is weaker is refused there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hotfix.freeze import FreezePeriod
from hotfix.models import to_json
from hotfix.spec.load import load_spec
from hotfix.spec.policy import RULES, Policy
from hotfix.spec.problem import SpecError

WEEKEND = '{start: "0 18 * * 5", end: "0 6 * * 1", timezone: Europe/Berlin, reason: weekend}'
HOLIDAYS = '{start: "0 0 20 12 *", end: "0 0 2 1 *"}'

Resolve = Callable[[str, str], Policy]


@pytest.fixture
def policy(plans: Path) -> Callable[[str, str], Policy]:
    """Resolve what a spec's and the team's policy come to."""

    def resolve(spec: str, defaults: str) -> Policy:
        (plans / "hotfix.yaml").write_text(
            "version: 1\n"
            "id: inc-1042\n"
            "title: Heartbeats\n"
            "project: evenergi/bf-manage-core\n"
            f"production_sha: {'5f' * 20}\n"
            "merge_requests: [812]\n"
            "smoke_checks: [{name: port, tcp: {host: core.example.com, port: 443}}]\n"
            f"policy: {{{spec}}}\n"
        )
        (plans / "defaults.yaml").write_text(
            "version: 1\n"
            "gitlab: https://gitlab.example.com\n"
            "orchestration: {project: evenergi/develop}\n"
            f"policy: {{{defaults}}}\n"
        )
        return load_spec(Path("hotfix.yaml"), gitlab=None).spec.policy

    return resolve


def test_a_policy_that_says_nothing_more_is_written_as_it_always_was(policy: Resolve) -> None:
    found = policy("", "")

    assert to_json(found) == {
        "approvals": {"minimum": 1, "not_author": True},
        "allow_commands": False,
    }


def test_what_nobody_decided_is_as_the_rule_itself_says(policy: Resolve) -> None:
    found = policy("", "decisions: {mr-other-branch: deny}")

    assert found.decision("mr-other-branch") == "deny"
    assert found.decision("deploy-freeze") == "ask"
    assert found.decision("smoke-check-required") == "deny"
    assert found.decision("picks-reordered") == "warn"
    assert found.decision("pick-conflict") is None, "the runbook's own is nobody's to decide"


def test_a_team_may_soften_a_rule_for_all_its_hotfixes(policy: Resolve) -> None:
    assert policy("", "decisions: {deploy-freeze: warn}").decision("deploy-freeze") == "warn"


def test_a_spec_is_stricter_and_adds_to_what_the_team_asks_for(policy: Resolve) -> None:
    found = policy(
        "decisions: {picks-reordered: ask}, required_smoke_checks: [login], "
        f"freezes: [{HOLIDAYS}], max_plan_age_hours: 4, break_glass: false",
        "decisions: {mr-other-branch: deny}, required_smoke_checks: [health], "
        f"freezes: [{WEEKEND}], max_plan_age_hours: 24",
    )

    assert dict(found.decisions) == {"mr-other-branch": "deny", "picks-reordered": "ask"}
    assert found.required_smoke_checks == ("health", "login")
    assert [each.period() for each in found.freezes] == [
        FreezePeriod("0 18 * * 5", "0 6 * * 1", "Europe/Berlin", "weekend"),
        FreezePeriod("0 0 20 12 *", "0 0 2 1 *", "UTC"),
    ]
    assert (found.max_plan_age_hours, found.break_glass) == (4, False)


@pytest.mark.parametrize(
    ("spec", "defaults", "said"),
    [
        ("decisions: {mr-other-branch: ask}", "decisions: {mr-other-branch: deny}", "`deny`"),
        ("decisions: {deploy-freeze: warn}", "", "`ask`"),
        ("max_plan_age_hours: 48", "max_plan_age_hours: 24", "`24"),
        ("break_glass: true", "break_glass: false", "`false`"),
    ],
)
def test_a_spec_that_is_weaker_is_refused_where_it_says_so(
    policy: Resolve, spec: str, defaults: str, said: str
) -> None:
    with pytest.raises(SpecError) as caught:
        policy(spec, defaults)

    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("hotfix.yaml", 8)
    assert "asks for less than the team's policy does" in problem.message
    assert said.strip("`") in problem.message
    assert "never weaker" in problem.hint


@pytest.mark.parametrize(
    ("written", "said", "hint"),
    [
        ("decisions: {mr-other-brunch: deny}", "is no rule", "Did you mean `mr-other-branch`?"),
        ("decisions: {pick-conflict: warn}", "is no rule", "`deploy-freeze`"),
        ("decisions: {mr-other-branch: maybe}", "maybe", "deny"),
        ('freezes: [{start: "friday", end: "0 6 * * 1"}]', "no cron expression", "five fields"),
        ('freezes: [{start: "0 1 * * 1", end: "0 6 31 2 *"}]', "no cron expression", "five fields"),
        (
            'freezes: [{start: "0 1 * * 1", end: "0 6 * * 1", timezone: Berlin}]',
            "no time zone",
            "Europe/Berlin",
        ),
        ("freezes: []", "empty", ""),
        ("required_smoke_checks: []", "empty", ""),
        ("max_plan_age_hours: 0", "out of bounds", "from 0.1 to"),
        ("break_glass: sometimes", "true or false", ""),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_to_write(
    policy: Resolve, written: str, said: str, hint: str
) -> None:
    with pytest.raises(SpecError) as caught:
        policy("", written)

    (problem,) = caught.value.problems
    assert problem.file.endswith("defaults.yaml")
    assert said in problem.message
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("own", "key"),
    [
        ({}, None),
        ({"decisions": {"mr-other-branch": "deny", "picks-reordered": "ask"}}, None),
        ({"decisions": {"mr-other-branch": "warn"}}, ("decisions", "mr-other-branch")),
        ({"required_smoke_checks": ()}, ("required_smoke_checks",)),
        ({"freezes": ()}, ("freezes",)),
        ({"max_plan_age_hours": None}, ("max_plan_age_hours",)),
        ({"max_plan_age_hours": 25.0}, ("max_plan_age_hours",)),
        ({"max_plan_age_hours": 23.0}, None),
        ({"break_glass": True}, ("break_glass",)),
    ],
)
def test_a_saved_plans_policy_that_is_weaker_is_named(
    policy: Resolve, own: dict[str, object], key: tuple[str, ...] | None
) -> None:
    team = policy(
        "",
        "decisions: {mr-other-branch: ask}, required_smoke_checks: [port], "
        f"freezes: [{WEEKEND}], max_plan_age_hours: 24, break_glass: false",
    )

    assert team.model_copy(update=own).weaker_than(team) == key


def test_every_rule_says_what_it_asks_for_in_one_sentence() -> None:
    for name, rule in RULES.items():
        assert rule.sentence.endswith("."), name
        assert "\n" not in rule.sentence, name
