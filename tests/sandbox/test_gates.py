"""What stands before a manual job in GitLab: a queue, approvals, files that have expired."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.sandbox import pipelines
from hotfix.sandbox.deployments import Approval
from hotfix.sandbox.jobs import retry
from hotfix.sandbox.projects import ApprovalRule, ProtectedEnvironment
from hotfix.sandbox.users import DEVELOPER

if TYPE_CHECKING:
    from hotfix.sandbox.world import World
    from tests.conftest import FixedClock
    from tests.sandbox.conftest import Client, Json

CORE = "/projects/evenergi%2Fbf-manage-core"


@pytest.fixture
def gate(client: Client, world: World, clock: FixedClock) -> Json:
    """Let the pipeline of release come to its manual production job."""
    order = pipelines.Order("release", "web")
    project = world.project("evenergi/bf-manage-core")
    made = pipelines.create(world, project, world.user("operator"), order, clock.now())
    clock.advance(60)
    found = client.get(f"{CORE}/pipelines/{made.id}/jobs")
    return next(job for job in found if job["name"] == "deploy-production")


def test_one_job_of_a_resource_group_runs_at_a_time(
    client: Client, world: World, clock: FixedClock, gate: Json
) -> None:
    project = world.project("evenergi/bf-manage-core")
    group = f"{CORE}/resource_groups/production"
    assert client.send("GET", f"{group}/current_job").status_code == 404
    other = next(each for each in project.jobs() if each.name == "deploy-production")
    with world.lock:
        again = retry(world, other, world.user("operator"))

    assert client.post(f"{CORE}/jobs/{gate['id']}/play").json()["status"] == "waiting_for_resource"
    assert client.get(f"{group}/current_job")["id"] == again.id
    assert [each["id"] for each in client.get(f"{group}/upcoming_jobs")] == [gate["id"]]
    clock.advance(10)
    assert client.get(f"{CORE}/jobs/{gate['id']}")["status"] == "success"
    assert client.get(f"{group}/upcoming_jobs") == []


def test_an_approval_rule_counts_whom_it_names(client: Client, world: World, gate: Json) -> None:
    world.tier = "premium"
    project = world.project("evenergi/bf-manage-core")
    rules = (ApprovalRule(1, world.user("reviewer")), ApprovalRule(1, DEVELOPER))
    project.protected_environments.append(
        ProtectedEnvironment("production", deployers=(world.user("author"),), approval_rules=rules)
    )
    deployment = next(
        each for each in project.deployments if each.job and each.job.id == gate["id"]
    )
    deployment.approvals.append(Approval(world.user("author"), "approved", world.clock.now(), ""))

    shown = client.get(f"{CORE}/deployments/{deployment.id}")

    assert shown["pending_approval_count"] == 1
    told = [
        (rule["access_level_description"], len(rule["deployment_approvals"]))
        for rule in shown["approval_summary"]["rules"]
    ]
    assert told == [("Rita Reviewer", 0), ("Developers + Maintainers", 1)]
    (protected,) = client.get(f"{CORE}/protected_environments")
    levels = [each["access_level_description"] for each in protected["deploy_access_levels"]]
    assert levels == ["Maintainers", "Arthur Author"]


def test_artifacts_expire_and_a_job_that_needs_them_fails(
    client: Client, world: World, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = "    - make build\n  artifacts: {expire_in: 1 hour, paths: [dist]}\n"
    real = pipelines._ci_file
    monkeypatch.setattr(
        pipelines, "_ci_file", lambda *given: real(*given).replace("    - make build\n", kept)
    )
    project = world.project("evenergi/bf-manage-core")
    order = pipelines.Order("release", "web")
    made = pipelines.create(world, project, world.user("operator"), order, world.clock.now())
    clock.advance(60)
    build = next(each for each in made.jobs if each.name == "build")
    assert client.get(f"{CORE}/jobs/{build.id}")["artifacts"][0]["file_type"] == "archive"
    clock.advance(3600)

    shown = client.get(f"{CORE}/jobs/{build.id}")
    deploy = next(each for each in made.jobs if each.name == "deploy-production")
    client.post(f"{CORE}/jobs/{deploy.id}/play")
    clock.advance(10)

    assert (shown["artifacts"], shown["artifacts_expire_at"] is not None) == ([], True)
    assert client.get(f"{CORE}/jobs/{deploy.id}")["failure_reason"] == "missing_dependency_failure"
