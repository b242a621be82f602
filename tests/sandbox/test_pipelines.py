"""Pipelines that move with the clock, and the gates that people press."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.sandbox.jobs import retry

if TYPE_CHECKING:
    from hotfix.sandbox import Sandbox
    from tests.conftest import FixedClock
    from tests.sandbox.conftest import Client, Json

CORE = "/projects/evenergi%2Fbf-manage-core"
BILLING = "/projects/evenergi%2Fbf-billing"
DEVELOP = "/projects/evenergi%2Fdevelop"
INPUTS = {
    "action": "deploy-release-branch-to-staging",
    "project": "evenergi/bf-manage-core",
    "confirm": True,
}


def start(client: Client, **inputs: Json) -> Json:
    response = client.post(f"{DEVELOP}/pipeline", ref="main", inputs={**INPUTS, **inputs})
    assert response.status_code == 201, response.text
    return response.json()


def downstream(client: Client, clock: FixedClock, **inputs: Json) -> Json:
    """Run the guided pipeline until the other project's pipeline waits for the manual job."""
    orchestration = start(client, **inputs)
    clock.advance(60)
    return client.get(f"{DEVELOP}/pipelines/{orchestration['id']}/bridges")[0][
        "downstream_pipeline"
    ]


def jobs(client: Client, pipeline: Json, project: str = CORE) -> dict[str, Json]:
    found = client.get(f"{project}/pipelines/{pipeline['id']}/jobs")
    return {job["name"]: job for job in found}


def test_the_guided_pipeline_releases_the_head_of_release(
    sandbox: Sandbox, client: Client, clock: FixedClock
) -> None:
    orchestration = start(client)
    assert (orchestration["source"], orchestration["status"]) == ("api", "pending")
    bridges = client.get(f"{DEVELOP}/pipelines/{orchestration['id']}/bridges")
    assert (bridges[0]["status"], bridges[0]["downstream_pipeline"]) == ("created", None)
    clock.advance(60)
    bridge = client.get(f"{DEVELOP}/pipelines/{orchestration['id']}/bridges")[0]
    below = bridge["downstream_pipeline"]
    assert bridge["status"] == "success"
    assert below["sha"] == sandbox.world.release_sha("evenergi/bf-manage-core")
    assert (below["ref"], below["source"], below["status"]) == ("release", "pipeline", "manual")
    assert below["project_id"] == client.get(CORE)["id"]


def test_jobs_move_with_the_clock_whether_or_not_somebody_looks(
    client: Client, clock: FixedClock
) -> None:
    below = downstream(client, clock)
    found = jobs(client, below)
    assert {name: job["status"] for name, job in found.items()} == {
        "build": "success",
        "test": "success",
        "deploy-staging": "success",
        "deploy-production": "manual",
    }
    # Each job waits a fifth of a second and runs one; the next begins when it ends.
    assert found["build"]["duration"] == 1.0
    assert found["test"]["created_at"] < found["build"]["finished_at"] < found["test"]["started_at"]


def test_a_pressed_job_goes_through_its_states_and_deploys(
    sandbox: Sandbox, client: Client, clock: FixedClock
) -> None:
    below = downstream(client, clock)
    job = jobs(client, below)["deploy-production"]
    record = client.get(f"{CORE}/deployments", environment="production", sort="desc")[0]
    assert (record["status"], record["deployable"]["id"]) == ("created", job["id"])
    pressed = client.post(f"{CORE}/jobs/{job['id']}/play")
    assert (pressed.status_code, pressed.json()["status"]) == (200, "pending")
    clock.advance(0.3)
    assert client.get(f"{CORE}/jobs/{job['id']}")["status"] == "running"
    assert client.get(f"{CORE}/deployments/{record['id']}")["status"] == "running"
    clock.advance(2)
    done = client.get(f"{CORE}/deployments/{record['id']}")
    assert (done["status"], done["deployable"]["status"]) == ("success", "success")
    assert sandbox.world.production_sha("evenergi/bf-manage-core") == below["sha"]
    assert client.get(f"{CORE}/pipelines/{below['id']}")["status"] == "success"
    health = client.session.get(
        f"{client.url}/-/services/evenergi/bf-manage-core/health", timeout=5
    )
    assert health.json() == {"status": "ok", "version": below["sha"]}


def test_a_plain_manual_job_lets_its_pipeline_pass_without_it(
    client: Client, clock: FixedClock
) -> None:
    below = downstream(client, clock, project="evenergi/bf-billing")
    assert jobs(client, below, BILLING)["deploy-production"]["status"] == "manual"
    assert client.get(f"{BILLING}/pipelines/{below['id']}")["status"] == "success"


def test_a_job_that_runs_cannot_be_pressed_again(client: Client, clock: FixedClock) -> None:
    job = jobs(client, downstream(client, clock))["deploy-production"]
    client.post(f"{CORE}/jobs/{job['id']}/play")
    again = client.post(f"{CORE}/jobs/{job['id']}/play")
    assert again.status_code == 400
    assert "Unplayable Job" in again.json()["message"]


def test_pressing_a_finished_job_silently_deploys_a_second_time(
    client: Client, clock: FixedClock
) -> None:
    below = downstream(client, clock)
    job = jobs(client, below)["deploy-production"]
    client.post(f"{CORE}/jobs/{job['id']}/play")
    clock.advance(5)
    again = client.post(f"{CORE}/jobs/{job['id']}/play")
    assert (again.status_code, again.json()["id"]) == (200, job["id"])
    clock.advance(5)
    listed = client.get(f"{CORE}/pipelines/{below['id']}/jobs", include_retried="true")
    pressed = [one for one in listed if one["name"] == "deploy-production"]
    assert [one["status"] for one in pressed] == ["success", "success"]
    assert pressed[0]["id"] > job["id"]
    done = client.get(f"{CORE}/deployments", environment="production", status="success")
    assert sum(one["sha"] == below["sha"] for one in done) == 2


def test_a_job_that_is_not_manual_cannot_be_pressed(client: Client, clock: FixedClock) -> None:
    build = jobs(client, downstream(client, clock))["build"]
    assert client.post(f"{CORE}/jobs/{build['id']}/play").status_code == 400


def test_an_older_deployment_job_cannot_be_pressed_after_a_newer_one(
    sandbox: Sandbox, client: Client, clock: FixedClock
) -> None:
    settings = sandbox.world.project("evenergi/bf-manage-core").settings
    settings.ci_forward_deployment_enabled = True
    old = jobs(client, downstream(client, clock))["deploy-production"]
    new = jobs(client, downstream(client, clock))["deploy-production"]
    client.post(f"{CORE}/jobs/{new['id']}/play")
    clock.advance(5)
    assert client.post(f"{CORE}/jobs/{old['id']}/play").status_code == 400


def test_a_failed_job_skips_what_comes_after_and_can_be_retried(
    sandbox: Sandbox, client: Client, clock: FixedClock
) -> None:
    sandbox.world.script("evenergi/bf-manage-core", "test", outcome="failed", times=1)
    below = downstream(client, clock)
    found = jobs(client, below)
    assert below["status"] == "failed"
    assert found["test"]["failure_reason"] == "script_failure"
    assert found["deploy-staging"]["status"] == "skipped"
    assert (
        "ERROR: Job failed" in client.send("GET", f"{CORE}/jobs/{found['test']['id']}/trace").text
    )
    again = client.post(f"{CORE}/jobs/{found['test']['id']}/retry")
    assert (again.status_code, again.json()["id"] > found["test"]["id"]) == (201, True)
    clock.advance(60)
    assert jobs(client, below)["deploy-staging"]["status"] == "success"
    assert client.post(f"{CORE}/jobs/{found['test']['id']}/retry").status_code == 403


def test_a_stuck_job_runs_until_it_is_cancelled(
    sandbox: Sandbox, client: Client, clock: FixedClock
) -> None:
    sandbox.world.script("evenergi/bf-manage-core", "build", outcome="stuck")
    below = downstream(client, clock)
    assert below["status"] == "running"
    build = jobs(client, below)["build"]
    assert client.post(f"{CORE}/jobs/{build['id']}/cancel").json()["status"] == "canceled"
    assert client.get(f"{CORE}/pipelines/{below['id']}")["status"] == "canceled"
    assert client.post(f"{CORE}/pipelines/{below['id']}/cancel").status_code == 200
    assert client.post(f"{CORE}/pipelines/{below['id']}/retry").status_code == 201


def test_a_job_takes_as_long_as_it_is_told(
    sandbox: Sandbox, client: Client, clock: FixedClock
) -> None:
    sandbox.world.script("evenergi/bf-manage-core", "build", seconds=100)
    below = downstream(client, clock)
    assert jobs(client, below)["build"]["status"] == "running"
    clock.advance(100)
    assert jobs(client, below)["build"]["status"] == "success"


def test_without_confirmation_nothing_is_released(client: Client, clock: FixedClock) -> None:
    orchestration = start(client, confirm=False)
    clock.advance(60)
    assert client.get(f"{DEVELOP}/pipelines/{orchestration['id']}")["status"] == "failed"
    bridge = client.get(f"{DEVELOP}/pipelines/{orchestration['id']}/bridges")[0]
    assert (bridge["status"], bridge["downstream_pipeline"]) == ("skipped", None)


def test_the_cut_off_really_brings_all_code_to_release(
    sandbox: Sandbox, client: Client, clock: FixedClock
) -> None:
    before = sandbox.world.release_sha("evenergi/bf-manage-core")
    orchestration = start(client, action="bring-all-code-to-release-branch")
    clock.advance(60)
    assert client.get(f"{DEVELOP}/pipelines/{orchestration['id']}")["status"] == "success"
    project = sandbox.world.project("evenergi/bf-manage-core")
    after = sandbox.world.release_sha("evenergi/bf-manage-core")
    assert project.repository.parents(after) == [before, project.repository.branch("main")]


@pytest.mark.parametrize("source", ["api", "trigger"])
def test_a_script_that_calls_the_api_leaves_no_bridge(
    sandbox: Sandbox, client: Client, clock: FixedClock, source: str
) -> None:
    sandbox.world.project("evenergi/develop").settings.downstream = source  # type: ignore[assignment]
    orchestration = start(client)
    clock.advance(60)
    assert client.get(f"{DEVELOP}/pipelines/{orchestration['id']}/bridges") == []
    found = client.get(
        f"{CORE}/pipelines", ref="release", source=source, created_after=orchestration["created_at"]
    )
    assert [one["status"] for one in found] == ["manual"]


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({"confirm": "true"}, "`confirm` input: provided value is not a boolean"),
        ({"action": True}, "`action` input: provided value is not a string"),
        ({"action": "deploy"}, "is not in the list of allowed options"),
        ({"Action": "x"}, "unknown input arguments: Action"),
    ],
)
def test_inputs_are_checked_by_the_header(
    client: Client, inputs: dict[str, object], problem: str
) -> None:
    refused = client.post(f"{DEVELOP}/pipeline", ref="main", inputs={**INPUTS, **inputs})
    assert refused.status_code == 400
    assert problem in refused.json()["message"]["base"][0]


def test_a_missing_input_and_a_file_without_header_are_refused(client: Client) -> None:
    missing = client.post(f"{DEVELOP}/pipeline", ref="main", inputs={"confirm": True})
    assert missing.json()["message"]["base"] == [
        "`action` input: required value has not been provided",
        "`project` input: required value has not been provided",
    ]
    undeclared = client.post(f"{CORE}/pipeline", ref="release", inputs={"x": "y"})
    assert "not defined in the `spec` section" in undeclared.json()["message"]["base"][0]


def test_a_refused_pipeline_leaves_nothing_behind(client: Client) -> None:
    before = client.get(f"{DEVELOP}/pipelines")
    client.post(f"{DEVELOP}/pipeline", ref="main", inputs={"action": "x"})
    assert client.post(f"{DEVELOP}/pipeline", ref="none").json() == {
        "message": {"base": ["Reference not found"]}
    }
    assert client.send("POST", f"{DEVELOP}/pipeline").json() == {"error": "ref is missing"}
    assert client.get(f"{DEVELOP}/pipelines") == before


def test_variables_are_taken_where_the_project_lets_the_role(
    sandbox: Sandbox, client: Client
) -> None:
    variables = [{"key": "COLOUR", "value": "blue"}]
    body = {"ref": "release", "variables": variables}
    refused = client.post(f"{CORE}/pipeline", **body)
    assert refused.json() == {
        "message": {"base": ["Insufficient permissions to set pipeline variables"]}
    }
    settings = sandbox.world.project("evenergi/bf-manage-core").settings
    settings.ci_pipeline_variables_minimum_override_role = "maintainer"
    made = client.post(f"{CORE}/pipeline", **body).json()
    assert client.get(f"{CORE}/pipelines/{made['id']}/variables") == [
        {"key": "COLOUR", "value": "blue", "variable_type": "env_var"}
    ]


def test_a_pipeline_is_found_by_its_name(client: Client) -> None:
    made = start(client)
    named = client.put(f"{DEVELOP}/pipelines/{made['id']}/metadata", name="hotfix 1042")
    assert named.json()["name"] == "hotfix 1042"
    assert [one["id"] for one in client.get(f"{DEVELOP}/pipelines", name="hotfix 1042")] == [
        made["id"]
    ]
    mine = {"username": "operator", "source": "api", "order_by": "id", "sort": "desc"}
    assert client.get(f"{DEVELOP}/pipelines", **mine)[0]["id"] == made["id"]
    assert client.get(f"{DEVELOP}/pipelines", username="author") == []
    assert client.get(f"{DEVELOP}/pipelines/latest", ref="main")["id"] == made["id"]
    assert client.send("GET", f"{DEVELOP}/pipelines/latest?ref=none").status_code == 403


def test_a_trigger_token_acts_for_its_owner(sandbox: Sandbox, client: Client) -> None:
    project = sandbox.world.project("evenergi/bf-manage-core")
    project.trigger_tokens["glptt-sandbox"] = sandbox.world.user("operator")
    made = client.post(f"{CORE}/trigger/pipeline", token="glptt-sandbox", ref="release")
    assert (made.status_code, made.json()["source"]) == (201, "trigger")
    wrong = client.post(f"{CORE}/trigger/pipeline", token="glptt-other", ref="release")
    assert wrong.status_code == 404


def test_jobs_are_listed_by_their_scope(client: Client, clock: FixedClock) -> None:
    below = downstream(client, clock)
    url = f"{CORE}/pipelines/{below['id']}/jobs?scope[]=manual&scope[]=failed"
    assert [job["name"] for job in client.send("GET", url).json()] == ["deploy-production"]


def test_a_bridge_is_no_job_but_can_be_retried(
    sandbox: Sandbox, client: Client, clock: FixedClock
) -> None:
    orchestration = start(client)
    clock.advance(60)
    bridge = client.get(f"{DEVELOP}/pipelines/{orchestration['id']}/bridges")[0]
    assert client.send("GET", f"{DEVELOP}/jobs/{bridge['id']}").status_code == 404
    world = sandbox.world
    project = world.project("evenergi/develop")
    found = next(job for job in project.jobs() if job.id == bridge["id"])
    again = retry(world, found, world.user("operator"))
    clock.advance(60)
    assert client.get(f"{DEVELOP}/pipelines/{orchestration['id']}/bridges")[0]["id"] == again.id
    assert len(client.get(f"{CORE}/pipelines", created_after=orchestration["created_at"])) == 2


def test_a_deployment_that_needs_approval_cannot_be_pressed_before(
    sandbox: Sandbox, client: Client, clock: FixedClock
) -> None:
    from hotfix.sandbox.projects import ProtectedEnvironment  # noqa: PLC0415 - used here alone

    world = sandbox.world
    world.tier = "premium"
    world.groups["evenergi"].members[world.user("reviewer").id] = 40
    project = world.project("evenergi/bf-manage-core")
    project.protected_environments.append(ProtectedEnvironment("production", 40, 1))
    job = jobs(client, downstream(client, clock))["deploy-production"]
    record = client.get(f"{CORE}/deployments", environment="production", sort="desc")[0]
    assert (job["status"], record["status"]) == ("manual", "blocked")
    assert client.post(f"{CORE}/jobs/{job['id']}/play").status_code == 400
    path = f"{CORE}/deployments/{record['id']}/approval"
    assert client.post(path, status="approved").status_code == 403
    client.session.headers["PRIVATE-TOKEN"] = "glpat-sandbox-reviewer-0003"
    assert client.post(path, status="approved", comment="go").status_code == 201
    shown = client.get(f"{CORE}/deployments/{record['id']}")
    assert (shown["pending_approval_count"], shown["status"]) == (0, "created")
    assert client.post(f"{CORE}/jobs/{job['id']}/play").status_code == 200
