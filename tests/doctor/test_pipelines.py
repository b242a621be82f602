"""Whether pipelines start and the job is there: each rule red, green, and not shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hotfix.doctor import pipelines
from hotfix.forge.types import Job
from hotfix.freeze import FreezePeriod
from hotfix.plan.model import Finding
from hotfix.spec.policy import ApprovalPolicy, FreezeWindow, Policy
from tests.plan.conftest import NOON

from .conftest import ME, caller, project

if TYPE_CHECKING:
    from hotfix.spec.model import Target

PLAN = "hotfix plan hotfix.yaml"


@pytest.mark.parametrize(
    ("role", "level", "outcome"),
    [
        ("developer", 30, "passed"),
        ("maintainer", 30, "failed"),
        ("owner", 40, "failed"),
        ("no_one_allowed", 50, "failed"),
        ("a new name", 50, "failed"),
        (None, 30, "not-seen"),
        ("developer", None, "not-seen"),
    ],
)
def test_who_may_send_variables(role: str | None, level: int | None, outcome: str) -> None:
    check = pipelines.variables_check(replace(project(), variables_role=role), caller(level))

    assert (check.id, check.outcome) == ("pipeline-variables", outcome)
    assert ("send_as: inputs" in check.hint) == (outcome != "passed")


@pytest.mark.parametrize(
    ("enabled", "reruns", "outcome"),
    [
        (True, True, "passed"),
        (True, None, "passed"),
        (True, False, "warning"),
        (False, True, "warning"),
        (None, None, "not-seen"),
    ],
)
def test_what_outdated_jobs_mean(
    target: Target, *, enabled: bool | None, reruns: bool | None, outcome: str
) -> None:
    seen = replace(project(), refuses_outdated=enabled, reruns_outdated=reruns)

    assert pipelines.outdated_check(target, seen).outcome == outcome


POLICY = Policy(approvals=ApprovalPolicy(minimum=1, not_author=True), allow_commands=False)
NOON_REST = FreezeWindow(start="0 11 * * *", end="0 13 * * *", reason="lunch")


def test_a_freeze_of_the_teams_own_is_told_by_its_reason(target: Target) -> None:
    policy = POLICY.model_copy(update={"freezes": (NOON_REST,)})

    (check,) = pipelines.freeze_checks(target, project(), [], policy, NOON)

    assert (check.outcome, "UTC: lunch" in check.message) == ("warning", True), check.message


def test_a_freeze_that_the_policy_denies_would_stop_the_hotfix(target: Target) -> None:
    policy = POLICY.model_copy(
        update={"freezes": (NOON_REST,), "decisions": {"deploy-freeze": "deny"}}
    )

    (check,) = pipelines.freeze_checks(target, project(), [], policy, NOON)

    assert check.outcome == "failed"


@pytest.mark.parametrize(
    ("periods", "outcome", "said"),
    [
        (None, "not-seen", "does not show"),
        ([], "passed", "No deploy freeze is in force now."),
        ([("0 1 * * *", "0 2 * * *")], "passed", "in force now (of 1 freeze known)."),
        ([("0 11 * * *", "0 13 * * *")], "warning", "until 2026-11-22T13:00:00Z (0 11 * * * to"),
        ([("whenever", "0 2 * * *")], "not-seen", "whenever to 0 2 * * *, UTC"),
    ],
)
def test_a_deploy_freeze_in_force_is_told(
    target: Target, periods: list[tuple[str, str]] | None, outcome: str, said: str
) -> None:
    known = periods if periods is None else [FreezePeriod(*each, "UTC") for each in periods]

    (check,) = pipelines.freeze_checks(target, project(), known, POLICY, NOON)

    assert (check.outcome, said in check.message) == (outcome, True), check.message


def job(name: str, number: int = 12) -> Job:
    web = f"https://gitlab.example.com/-/jobs/{number}"
    return Job(number, name, "deploy", "success", False, web, 4, ME, None, None, None)  # noqa: FBT003  (allow_failure)


@pytest.mark.parametrize(
    ("names", "manual", "outcome", "said"),
    [
        (["build", "deploy"], True, "passed", "waits for a person"),
        (["build", "deploy"], False, "failed", "starts by itself"),
        (["build", "deploy"], None, "not-seen", "does not show"),
        (["build", "deploy-it"], None, "failed", "newest has `deploy`."),
        ([], None, "not-seen", "none was shown"),
    ],
)
def test_the_production_job_is_there_and_waits(
    target: Target, names: list[str], *, manual: bool | None, outcome: str, said: str
) -> None:
    jobs = [job(name) for name in names]

    check = pipelines.job_check(target, project(), "deploy", jobs, is_manual=manual)

    assert (check.outcome, said in check.message) == (outcome, True), check.message


def test_a_job_that_is_not_there_is_answered_with_those_that_are(target: Target) -> None:
    check = pipelines.job_check(
        target, project(), "deploy", [job("build"), job("deploy-it")], is_manual=None
    )

    assert check.hint == "Set `deploy: {job: NAME}` to one of: build, deploy-it."


def test_what_the_plan_is_refused_for_is_told_with_the_command_that_shows_it(
    target: Target,
) -> None:
    own = Finding(code="mr-not-merged", target=target.project, message="It is open.", hint="Merge.")
    other = Finding(code="mr-not-found", target="group/other", message="None.", hint="")

    refused, inputs = pipelines.plan_checks(target, project(), [own, other], PLAN)

    assert (refused.id, refused.outcome, refused.command) == ("mr-not-merged", "failed", PLAN)
    assert (inputs.id, inputs.outcome) == ("orchestration-inputs", "passed")
    assert "takes `action`, `project`, `confirm`" in inputs.message


@pytest.mark.parametrize("code", ["orchestration-inputs", "forbidden-action"])
def test_inputs_that_would_be_refused_are_never_told_as_fine(target: Target, code: str) -> None:
    finding = Finding(code=code, target=target.project, message="It has none.", hint="")

    (check,) = pipelines.plan_checks(target, project(), [finding], PLAN)

    assert (check.id, check.outcome) == (code, "failed")
