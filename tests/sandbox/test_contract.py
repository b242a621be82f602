"""Every answer has the shape of GitLab's API document; the fixture checks each exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from hotfix.identifiers import ZERO
from hotfix.sandbox import seed

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.sandbox import Sandbox
    from tests.sandbox.conftest import Client, Contract

CORE = "/projects/evenergi%2Fbf-manage-core"


def paths_of(project: str, facts: dict[str, Any]) -> list[str]:
    """List the readable paths of a project."""
    base = f"/projects/{quote(project, safe='')}"
    repository, sha = f"{base}/repository", facts["sha"]
    paths = [
        base,
        f"{base}/members/all/{facts['user']}",
        f"{base}/protected_branches",
        f"{base}/protected_branches/release",
        f"{base}/environments",
        f"{base}/deployments",
        f"{base}/freeze_periods",
        f"{base}/merge_requests",
        f"{base}/issues",
        f"{base}/pipelines",
        f"{base}/jobs",
        f"{base}/releases",
        f"{base}/resource_groups",
        f"{base}/ci/lint",
        f"{base}/templates/issues",
        f"{repository}/branches",
        f"{repository}/branches/main",
        f"{repository}/tags",
        f"{repository}/commits?ref_name=release",
        f"{repository}/commits/{sha}",
        f"{repository}/commits/{sha}/refs?type=branch",
        f"{repository}/commits/{sha}/merge_requests",
        f"{repository}/commits/{sha}/diff",
        f"{repository}/commits/{sha}/statuses",
        f"{repository}/compare?from=main&to=release&straight=true",
        f"{repository}/merge_base?refs[]=main&refs[]=release",
        f"{repository}/files/.gitlab-ci.yml?ref=main",
        f"{repository}/tree?recursive=true&per_page=100",
    ]
    paths += [f"{base}/environments/{one}" for one in facts["environments"]]
    for one in facts["deployments"]:
        paths += [f"{base}/deployments/{one}", f"{base}/deployments/{one}/merge_requests"]
    for one in facts["pipelines"]:
        below = ("", "/jobs", "/bridges", "/variables", "/test_report_summary")
        paths += [f"{base}/pipelines/{one}{part}" for part in below]
    for one in facts["jobs"]:
        paths += [f"{base}/jobs/{one}", f"{base}/jobs/{one}/trace"]
    for one in facts["merge_requests"]:
        below = (
            "",
            "/commits",
            "/diffs",
            "/approvals",
            "/versions",
            "/closes_issues",
            "/related_issues",
            "/pipelines",
            "/notes",
        )
        paths += [f"{base}/merge_requests/{one}{part}" for part in below]
    for one in facts["issues"]:
        below = ("", "/notes", "/links", "/related_merge_requests")
        paths += [f"{base}/issues/{one}{part}" for part in below]
    return paths


def facts_of(sandbox: Sandbox, project: str) -> dict[str, Any]:
    found = sandbox.world.project(project)
    return {
        "sha": found.repository.refs[
            "refs/heads/release" if found.deployments else "refs/heads/main"
        ],
        "user": sandbox.world.user("operator").id,
        "environments": [one.id for one in found.environments],
        "deployments": [one.id for one in found.deployments],
        "pipelines": [one.id for one in found.pipelines][-3:],
        "jobs": [one.id for one in found.jobs() if not one.is_bridge][-6:],
        "merge_requests": list(found.merge_requests),
        "issues": list(found.issues),
    }


@pytest.mark.parametrize("project", seed.TARGETS)
def test_everything_of_a_project_can_be_read(
    sandbox: Sandbox, client: Client, project: str
) -> None:
    for path in paths_of(project, facts_of(sandbox, project)):
        response = client.send("GET", path)
        assert response.status_code == 200, (path, response.text)
        assert response.headers["x-request-id"]
        assert response.headers["Date"] == "Sun, 22 Nov 2026 12:00:00 GMT"


def test_everything_of_the_orchestrator_can_be_read(sandbox: Sandbox, client: Client) -> None:
    no_release = ("protected", "compare", "merge_base", "commits?")
    for path in paths_of(seed.ORCHESTRATOR, facts_of(sandbox, seed.ORCHESTRATOR)):
        if not any(part in path for part in no_release):
            assert client.send("GET", path).status_code == 200, path


def test_the_caller_and_the_server_are_told(client: Client) -> None:
    assert client.get("/user")["email"] == "operator@example.com"
    assert client.get("/metadata") == client.get("/version")
    token = client.get("/personal_access_tokens/self")
    assert token["scopes"] == ["api", "write_repository"]
    assert client.get("/users", username="author")[0]["name"] == "Arthur Author"


def test_the_free_tier_has_no_rules_of_premium(sandbox: Sandbox, client: Client) -> None:
    premium = [
        f"{CORE}/push_rule",
        f"{CORE}/protected_environments",
        f"{CORE}/protected_environments/production",
        f"{CORE}/merge_requests/812/approval_state",
        f"{CORE}/approvals",
    ]
    assert [client.send("GET", path).status_code for path in premium] == [404] * 5
    sandbox.world.tier = "premium"
    assert client.get(f"{CORE}/merge_requests/812/approval_state")["rules"][0]["approved"]
    assert client.get(f"{CORE}/merge_requests/817/approvals")["approvals_left"] == 1
    assert client.get(f"{CORE}/approvals")["reset_approvals_on_push"] is False


def test_a_project_is_named_by_its_id_or_its_path(client: Client) -> None:
    by_path = client.get(CORE)
    assert by_path == client.get(f"/projects/{by_path['id']}")
    assert by_path["http_url_to_repo"].endswith("/evenergi/bf-manage-core.git")
    assert by_path["permissions"]["group_access"]["access_level"] == 40


def test_lists_come_in_pages(client: Client) -> None:
    url, numbers = f"{CORE}/jobs?per_page=3", []
    response = client.send("GET", url)
    total, pages = int(response.headers["x-total"]), int(response.headers["x-total-pages"])
    while True:
        numbers += [job["id"] for job in response.json()]
        if "next" not in response.links:
            break
        response = client.session.get(response.links["next"]["url"], timeout=10)
    assert len(numbers) == len(set(numbers)) == total == 16
    assert pages == 6
    assert response.headers["x-next-page"] == ""
    assert response.links["first"]["url"].endswith("page=1&per_page=3")
    assert client.send("GET", f"{CORE}/jobs?page=99").json() == []
    assert client.send("GET", f"{CORE}/jobs?page=zero").status_code == 400


def test_an_unknown_route_and_an_unknown_thing_are_not_found(client: Client) -> None:
    assert client.send("GET", "/nothing/here").json() == {"error": "404 Not Found"}
    gone = client.send("GET", "/projects/evenergi%2Fnone")
    assert (gone.status_code, gone.json()) == (404, {"message": "404 Project Not Found"})
    for path in ("pipelines/1", "jobs/1", "merge_requests/1", "deployments/999", "issues/5"):
        assert client.send("GET", f"{CORE}/{path}").status_code == 404


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"order_by": "finished_at"}, "`finished_at` sort must be combined"),
        ({"updated_after": "2025-01-01T00:00:00Z"}, "`updated_at` filter requires"),
        (
            {"finished_after": "2025-01-01T00:00:00Z", "order_by": "finished_at"},
            "`finished_at` filter must be combined",
        ),
    ],
)
def test_deployments_are_not_listed_by_times_that_do_not_go_together(
    client: Client, query: dict[str, str], problem: str
) -> None:
    response = client.send("GET", f"{CORE}/deployments", params=query)
    assert response.status_code == 400
    assert problem in response.json()["message"]


def test_the_newest_deployment_by_number_is_not_the_one_that_is_live(
    sandbox: Sandbox, client: Client
) -> None:
    live = sandbox.world.production_sha("evenergi/bf-manage-core")
    asked = {"environment": "production", "status": "success", "sort": "desc"}
    by_number = client.get(f"{CORE}/deployments", **asked)
    by_time = client.get(f"{CORE}/deployments", order_by="finished_at", **asked)
    environment = client.get(f"{CORE}/environments", name="production")[0]
    assert "last_deployment" not in environment
    last = client.get(f"{CORE}/environments/{environment['id']}")["last_deployment"]
    assert by_number[0]["sha"] != live
    assert by_time[0]["sha"] == last["sha"] == last["deployable"]["pipeline"]["sha"] == live
    newest = client.get(f"{CORE}/deployments", environment="production", sort="desc")[0]
    assert newest["status"] == "created"


def test_environments_are_found_by_name_or_by_search_not_both(client: Client) -> None:
    assert client.get(f"{CORE}/environments", search="prod")[0]["tier"] == "production"
    for query in ({"search": "pr"}, {"search": "prod", "name": "production"}):
        assert client.send("GET", f"{CORE}/environments", params=query).status_code == 400


def test_the_whole_document_is_covered_but_for_what_a_hotfix_never_uses(
    as_user: Callable[[str], Client], sandbox: Sandbox, contract: Contract
) -> None:
    client = as_user("operator")
    for path in paths_of("evenergi/bf-manage-core", facts_of(sandbox, "evenergi/bf-manage-core")):
        client.send("GET", path)
    for exchange in sandbox.requests:
        contract.check(exchange)
    assert len(contract.seen) > 40


def test_tags_come_newest_commit_first_and_say_whether_they_are_releases(
    sandbox: Sandbox, client: Client
) -> None:
    core = sandbox.world.project("evenergi/bf-manage-core")
    live = sandbox.world.production_sha(core.path)
    core.repository.update_ref("refs/tags/v41", ZERO, live)
    core.repository.update_ref("refs/tags/a-main", ZERO, core.repository.refs["refs/heads/main"])
    core.releases["v41"] = sandbox.world.clock.now()

    first, second = client.get(f"{CORE}/repository/tags", order_by="updated", sort="desc")

    assert (first["name"], first["release"]) == ("a-main", None)
    assert (second["commit"]["id"], second["release"]["tag_name"]) == (live, "v41")
    assert client.get(f"{CORE}/repository/tags", sort="asc")[0]["name"] == "v41"
    (release,) = client.get(f"{CORE}/releases")
    assert (release["tag_name"], release["commit"]["id"]) == ("v41", live)


def test_jobs_are_listed_by_their_branch(client: Client) -> None:
    jobs = client.get(f"{CORE}/jobs", ref="release", **{"scope[]": "success"})

    assert {(job["ref"], job["status"]) for job in jobs} == {("release", "success")}
    assert client.get(f"{CORE}/jobs", ref="none") == []
