"""Tokens, scopes and roles: who gets which answer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import requests

from hotfix.sandbox import seed
from hotfix.sandbox.users import GUEST, Group

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.sandbox import Sandbox
    from hotfix.sandbox.world import World
    from tests.conftest import FixedClock
    from tests.sandbox.conftest import Client

CORE = "/projects/evenergi%2Fbf-manage-core"
DEVELOP = "/projects/evenergi%2Fdevelop"
INPUTS = {
    "action": "deploy-release-branch-to-staging",
    "project": "evenergi/bf-manage-core",
    "confirm": True,
}


def test_without_a_token_nothing_is_told(sandbox: Sandbox) -> None:
    response = requests.get(f"{sandbox.url}/api/v4/user", timeout=5)
    assert (response.status_code, response.json()) == (401, {"message": "401 Unauthorized"})


def test_an_unknown_a_revoked_and_an_expired_token_are_refused(
    sandbox: Sandbox, as_user: Callable[[str], Client]
) -> None:
    known = sandbox.world.tokens[seed.TOKENS["operator"]]
    assert as_user("glpat-unknown").send("GET", "/user").status_code == 401
    known.expires_at = sandbox.world.clock.now() - timedelta(days=1)
    assert as_user("operator").send("GET", "/user").status_code == 401
    known.expires_at, known.revoked = None, True
    assert as_user("operator").send("GET", "/user").status_code == 401


def test_a_token_may_be_sent_as_a_bearer(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {seed.TOKENS['reader']}"}
    response = requests.get(f"{sandbox.url}/api/v4/user", headers=headers, timeout=5)
    assert response.json()["username"] == "reader"


def test_a_reading_token_reads_and_does_not_write(as_user: Callable[[str], Client]) -> None:
    client = as_user("operator-readonly")
    assert client.get(f"{CORE}/merge_requests/812")["state"] == "merged"
    refused = client.post(f"{DEVELOP}/pipeline", ref="main", inputs=INPUTS)
    assert refused.status_code == 403
    assert refused.json()["error"] == "insufficient_scope"
    assert refused.json()["scope"] == "api"


def test_a_token_without_any_api_scope_can_only_ask_about_itself(
    sandbox: Sandbox, as_user: Callable[[str], Client]
) -> None:
    sandbox.world.tokens[seed.TOKENS["reader"]].scopes = frozenset({"read_repository"})
    client = as_user("reader")
    assert client.send("GET", "/user").status_code == 403
    assert client.get("/personal_access_tokens/self")["scopes"] == ["read_repository"]


def test_who_is_no_member_does_not_see_that_a_project_exists(
    as_user: Callable[[str], Client],
) -> None:
    client = as_user("outsider")
    for path in (CORE, f"{CORE}/pipelines", f"{CORE}/repository/branches"):
        assert client.send("GET", path).json() == {"message": "404 Project Not Found"}


def test_a_guest_sees_no_code_and_no_pipelines(
    sandbox: Sandbox, as_user: Callable[[str], Client]
) -> None:
    group = sandbox.world.groups["evenergi"]
    group.members[sandbox.world.user("reader").id] = 10
    client = as_user("reader")
    assert client.send("GET", CORE).status_code == 200
    assert client.send("GET", f"{CORE}/pipelines").status_code == 403
    assert client.send("GET", f"{CORE}/repository/commits").status_code == 403


def test_settings_of_ci_show_to_maintainers_only(as_user: Callable[[str], Client]) -> None:
    name = "ci_pipeline_variables_minimum_override_role"
    assert as_user("operator").get(CORE)[name] == "no_one_allowed"
    assert name not in as_user("author").get(CORE)


@pytest.mark.parametrize(("name", "may"), [("operator", True), ("author", False)])
def test_a_branch_tells_whether_the_caller_may_push(
    as_user: Callable[[str], Client], name: str, *, may: bool
) -> None:
    client = as_user(name)
    assert client.get(f"{CORE}/repository/branches/release")["can_push"] is may
    assert client.get(f"{CORE}/repository/branches/main")["can_push"] is False


def test_a_developer_runs_no_pipeline_on_the_protected_release_branch(
    as_user: Callable[[str], Client],
) -> None:
    refused = as_user("author").post(f"{CORE}/pipeline", ref="release")
    assert refused.status_code == 400
    assert (
        "sufficient permission to run a pipeline on 'release'"
        in refused.json()["message"]["base"][0]
    )
    assert as_user("author").post(f"{CORE}/pipeline", ref="main").status_code == 201


def test_a_developer_does_not_press_a_job_of_the_protected_branch(
    sandbox: Sandbox, as_user: Callable[[str], Client]
) -> None:
    job = sandbox.world.project("evenergi/bf-manage-core").pipelines[-1].latest_jobs()[-1]
    assert job.status == "manual"
    assert as_user("author").post(f"{CORE}/jobs/{job.id}/play").status_code == 403
    assert job.status == "manual"


def test_a_protected_environment_wants_its_own_role(
    sandbox: Sandbox, as_user: Callable[[str], Client]
) -> None:
    from hotfix.sandbox.projects import ProtectedEnvironment  # noqa: PLC0415 - used here alone

    project = sandbox.world.project("evenergi/bf-manage-core")
    project.protected_environments.append(ProtectedEnvironment("production", deploy_level=50))
    job = project.pipelines[-1].latest_jobs()[-1]
    assert as_user("operator").post(f"{CORE}/jobs/{job.id}/play").status_code == 403


def test_an_orchestrator_started_by_a_developer_may_not_release(
    clock: FixedClock, as_user: Callable[[str], Client]
) -> None:
    client = as_user("author")
    made = client.post(f"{DEVELOP}/pipeline", ref="main", inputs=INPUTS)
    assert made.status_code == 201
    clock.advance(60)
    bridge = client.get(f"{DEVELOP}/pipelines/{made.json()['id']}/bridges")[0]
    assert bridge["status"] == "failed"
    assert bridge["failure_reason"] == "insufficient_bridge_permissions"
    assert bridge["downstream_pipeline"] is None


def test_a_maintainer_changes_another_ones_comment_and_only_its_time_tells(
    clock: FixedClock, as_user: Callable[[str], Client]
) -> None:
    notes = f"{CORE}/merge_requests/812/notes"
    written = as_user("reviewer").post(notes, body="Looks good\n/close").json()
    clock.advance(60)

    edited = as_user("operator").put(f"{notes}/{written['id']}", body="Ship it").json()

    assert (written["body"], edited["body"]) == ("Looks good", "Ship it")
    assert edited["author"]["username"] == "reviewer"
    assert edited["created_at"] == written["created_at"] == written["updated_at"]
    assert edited["updated_at"] > edited["created_at"]
    assert as_user("operator").get(f"{CORE}/merge_requests/812")["user_notes_count"] == 1
    refused = as_user("author").put(f"{notes}/{written['id']}", body="No")
    assert refused.status_code == 403


def test_a_group_shows_its_own_members_to_those_who_see_it(
    world: World, client: Client, as_user: Callable[[str], Client]
) -> None:
    reviewer, operator = world.user("reviewer").id, world.user("operator").id
    world.groups["evenergi/release"] = Group(99, "evenergi/release", {reviewer: GUEST})
    members = "/groups/evenergi%2Frelease/members"

    assert client.get(f"{members}/{reviewer}")["access_level"] == GUEST
    assert client.send("GET", f"{members}/{operator}").status_code == 404
    assert as_user("outsider").send("GET", f"{members}/{reviewer}").status_code == 404
    assert client.get(f"/users/{reviewer}")["bot"] is False
    assert client.send("GET", "/users/999").status_code == 404
