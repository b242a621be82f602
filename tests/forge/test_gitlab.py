from __future__ import annotations

import base64
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from hotfix.errors import BlockedError
from hotfix.forge.protocol import ForgeError, NotFoundError, UnknownOutcomeError
from hotfix.forge.types import NewIncident

if TYPE_CHECKING:
    from hotfix.forge.gitlab import GitLabForge
    from tests.forge.conftest import Answers, Stub

PROJECT = "/projects/group/app"


def test_the_room_is_light_until_gitlab_is_asked() -> None:
    code = (
        "import sys; import hotfix.forge.gitlab as g; g.GitLabForge('https://g.example', 't');"
        "print([m for m in ('gitlab', 'requests', 'dulwich', 'urllib3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_project_and_the_user_are_asked_for_once(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    stub.on("GET", PROJECT, answers.project())
    stub.on("GET", "/user", answers.user)

    for _ in range(2):
        assert forge.project("group/app").access_level == 40
        assert forge.current_user().name == "Ada"

    assert len(stub.requests) == 2


def test_the_role_is_the_higher_one_of_project_and_group(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    both = {"project_access": {"access_level": 30}, "group_access": {"access_level": 20}}
    stub.on("GET", "/projects/a/both", answers.project(permissions=both))
    stub.on("GET", "/projects/a/none", answers.project(permissions=None))

    assert forge.project("a/both").access_level == 30
    assert forge.project("a/none").access_level is None


def test_a_merge_request_is_read_with_its_times_in_utc(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    stub.on("GET", f"{PROJECT}/merge_requests/812", answers.merge_request())

    found = forge.merge_request("group/app", 812)

    assert (found.sha, found.merge_commit_sha) == (answers.sha, answers.other_sha)
    assert found.squash_commit_sha is None
    assert found.merged_at == datetime(2026, 3, 1, 9, 0, 0, 123000, tzinfo=UTC)


def test_the_commits_of_a_merge_request_come_oldest_first_from_all_pages(
    forge: GitLabForge, stub: Stub
) -> None:
    path = f"{PROJECT}/merge_requests/812/commits"
    shas = [f"{n:040x}" for n in range(250)]
    newest_first = [{"id": sha} for sha in reversed(shas)]
    for page in range(3):
        more = {"Link": f'<{stub.url}/api/v4/x?page={page + 2}&per_page=100>; rel="next"'}
        rows = newest_first[page * 100 : page * 100 + 100]
        stub.on("GET", path, rows, headers=more if page < 2 else {})

    assert list(forge.merge_request_commits("group/app", 812)) == shas
    assert [seen.query.get("page") for seen in stub.requests] == [None, "2", "3"]


def test_a_row_that_moved_to_the_next_page_is_taken_once(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    path = f"{PROJECT}/pipelines"
    first = [answers.pipeline(9), answers.pipeline(8)]
    stub.on("GET", path, first, headers={"Link": '<http://x/api?page=2>; rel="next"'})
    stub.on("GET", path, [answers.pipeline(8), answers.pipeline(7)])

    assert [found.id for found in forge.pipelines("group/app")] == [9, 8, 7]


def test_no_more_rows_are_asked_for_than_wanted(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    rows = [answers.pipeline(n) for n in (9, 8, 7)]
    link = {"Link": '<http://x/api?page=2>; rel="next"'}
    stub.on("GET", f"{PROJECT}/pipelines", rows, headers=link)

    found = forge.pipelines("group/app", ref="main", sha=None, username="ada", limit=2)

    assert [pipeline.id for pipeline in found] == [9, 8]
    assert len(stub.requests) == 1
    assert stub.requests[0].query == {
        "ref": "main",
        "username": "ada",
        "order_by": "id",
        "sort": "desc",
        "per_page": "2",
    }


def test_pages_without_end_are_an_error(forge: GitLabForge, stub: Stub) -> None:
    link = {"Link": '<http://x/api?page=2>; rel="next"'}
    stub.on("GET", f"{PROJECT}/pipelines/5/bridges", [], headers=link)

    with pytest.raises(ForgeError, match="more than 100 pages"):
        forge.bridges("group/app", 5)


def test_approvals_are_the_names_and_not_the_flag(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    path = f"{PROJECT}/merge_requests/812/approvals"
    stub.on("GET", path, {"approved": True, "approved_by": []})
    stub.on(
        "GET",
        path,
        {"approved": False, "approved_by": [{"user": answers.user}], "approvals_left": 1},
    )

    free = forge.approvals("group/app", 812)
    paid = forge.approvals("group/app", 812)

    assert (free.approved_by, free.approvals_left) == ((), None)
    assert ([each.user.username for each in paid.approved_by], paid.approvals_left) == (["ada"], 1)


def test_the_merge_requests_of_a_commit_are_listed(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    path = f"{PROJECT}/repository/commits/{answers.sha}/merge_requests"
    stub.on("GET", path, [answers.merge_request(1), answers.merge_request(2)])

    found = forge.commit_merge_requests("group/app", answers.sha)  # type: ignore[arg-type]

    assert [each.iid for each in found] == [1, 2]


def test_an_environment_is_found_by_its_exact_name_and_got_by_its_id(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    row = {"id": 2, "name": "production", "slug": "production", "external_url": None}
    stub.on("GET", f"{PROJECT}/environments", [row | {"id": 1, "name": "production/eu"}, row])
    stub.on("GET", f"{PROJECT}/environments/2", row | {"last_deployment": answers.deployment()})

    found = forge.environment("group/app", "production")

    assert found.web_url == f"{stub.url}/group/app/-/environments/2"
    assert found.last_deployment is not None
    assert found.last_deployment.sha == answers.sha
    assert stub.requests[0].query["name"] == "production"


def test_an_environment_that_is_not_there_is_named(forge: GitLabForge, stub: Stub) -> None:
    stub.on("GET", f"{PROJECT}/environments", [])

    with pytest.raises(NotFoundError, match="group/app has no environment 'production'"):
        forge.environment("group/app", "production")


def test_two_environments_of_one_name_are_ambiguous(forge: GitLabForge, stub: Stub) -> None:
    rows = [{"id": n, "name": "production", "slug": f"p{n}"} for n in (1, 2)]
    stub.on("GET", f"{PROJECT}/environments", rows)

    with pytest.raises(ForgeError, match=r"2 environments 'production' \(ids 1, 2\)") as caught:
        forge.environment("group/app", "production")

    assert caught.value.code == "environment-ambiguous"


def test_deployments_by_finish_time_are_asked_for_as_gitlab_demands(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    made_by_api = answers.deployment(4, deployable=None)
    stub.on("GET", f"{PROJECT}/deployments", [answers.deployment(), made_by_api])

    found = forge.deployments("group/app", "production", limit=5)

    assert found[0].finished_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (found[1].finished_at, found[1].job) == (None, None)
    assert stub.requests[0].query == {
        "environment": "production",
        "status": "success",
        "order_by": "finished_at",
        "sort": "desc",
        "finished_after": "1970-01-01T00:00:00Z",
        "per_page": "5",
    }


def test_deployments_in_any_state_are_ordered_by_id(forge: GitLabForge, stub: Stub) -> None:
    stub.on("GET", f"{PROJECT}/deployments", [])

    assert forge.deployments("group/app", "production", order_by="id") == ()
    assert "status" not in stub.requests[0].query
    assert "finished_after" not in stub.requests[0].query


def test_what_gitlab_cannot_order_by_finish_time_is_not_asked(
    forge: GitLabForge, stub: Stub
) -> None:
    with pytest.raises(ValueError, match="running deployments"):
        forge.deployments("group/app", "production", status="running")

    assert stub.requests == []


def test_a_files_bytes_come_back_as_they_are(forge: GitLabForge, stub: Stub) -> None:
    content = b"spec:\n  inputs: {}\n\xff\x00"
    path = f"{PROJECT}/repository/files/ci/a b.yml"
    stub.on("GET", path, {"content": base64.b64encode(content).decode(), "encoding": "base64"})

    assert forge.file("group/app", "ci/a b.yml", "main") == content
    assert stub.requests[0].query == {"ref": "main"}


def test_a_file_that_is_no_base64_is_refused(forge: GitLabForge, stub: Stub) -> None:
    stub.on("GET", f"{PROJECT}/repository/files/a", {"content": "plain text!"})

    with pytest.raises(ForgeError, match="holds no base64"):
        forge.file("group/app", "a", "main")


def test_bridges_tell_the_downstream_pipeline_or_why_there_is_none(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    failed = {"failure_reason": "downstream_pipeline_creation_failed", "downstream_pipeline": None}
    rows = [
        answers.job(1, name="trigger", status="success", downstream_pipeline=answers.pipeline(77)),
        answers.job(2, name="other", status="failed") | failed,
    ]
    stub.on("GET", f"{PROJECT}/pipelines/5/bridges", rows)

    made, broken = forge.bridges("group/app", 5)

    assert made.downstream is not None
    assert made.downstream.id == 77
    assert (broken.downstream, broken.failure_reason) == (
        None,
        "downstream_pipeline_creation_failed",
    )


def test_jobs_come_newest_first_with_the_retried_ones(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    stub.on("GET", f"{PROJECT}/pipelines/5/jobs", [answers.job(1), answers.job(3), answers.job(2)])

    assert [job.id for job in forge.jobs("group/app", 5)] == [3, 2, 1]
    assert stub.requests[0].query["include_retried"] == "true"


def test_a_jobs_log_is_text_whatever_its_bytes(forge: GitLabForge, stub: Stub) -> None:
    stub.on("GET", f"{PROJECT}/jobs/9/trace", b"a\xffb\x1b[0m", kind="text/plain")
    stub.on("GET", f"{PROJECT}/jobs/10/trace", b"", kind="text/plain")

    assert forge.trace("group/app", 9) == "a\ufffdb\x1b[0m"
    assert forge.trace("group/app", 10) == ""


def test_a_pipeline_is_started_with_its_inputs(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    stub.on("POST", f"{PROJECT}/pipeline", answers.pipeline(6), status=201)

    made = forge.create_pipeline("group/app", "main", inputs={"action": "deploy", "confirm": True})

    assert made.id == 6
    assert stub.requests[0].json() == {
        "ref": "main",
        "inputs": {"action": "deploy", "confirm": True},
    }


def test_the_forbidden_action_is_not_sent(forge: GitLabForge, stub: Stub) -> None:
    action = {"action": "Bring all code to RELEASE branch"}

    with pytest.raises(BlockedError):
        forge.create_pipeline("group/app", "main", inputs=action)
    with pytest.raises(BlockedError):
        forge.create_pipeline("group/app", "main", variables=action)

    assert stub.requests == []


def test_play_sends_no_variables(forge: GitLabForge, stub: Stub, answers: Answers) -> None:
    stub.on("POST", f"{PROJECT}/jobs/9/play", answers.job(status="pending"))

    assert forge.play("group/app", 9).status == "pending"
    assert stub.requests[0].json() == {}
    assert stub.requests[0].query == {}


def test_incidents_are_found_by_the_very_text(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    marker = "<!-- hotfix: inc-1 -->"
    rows = [answers.issue(1), answers.issue(2, description="hotfix inc-1"), answers.issue(3)]
    stub.on("GET", f"{PROJECT}/issues", [*rows, answers.issue(4, description=None)])

    assert [issue.iid for issue in forge.find_issues("group/app", marker)] == [1, 3]
    assert stub.requests[0].query == {
        "issue_type": "incident",
        "search": marker,
        "in": "description",
        "state": "all",
        "scope": "all",
        "per_page": "100",
    }


def test_a_marker_that_gitlabs_search_passes_over_is_found_all_the_same(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    stub.on("GET", f"{PROJECT}/issues", [])
    stub.on("GET", f"{PROJECT}/issues", [answers.issue(2, description="other"), answers.issue(1)])

    found = forge.find_issues("group/app", "<!-- hotfix: inc-1 -->")

    assert [issue.iid for issue in found] == [1]
    assert stub.requests[1].query == {
        "issue_type": "incident",
        "state": "all",
        "scope": "all",
        "per_page": "100",
    }


def test_an_issue_template_is_read(forge: GitLabForge, stub: Stub) -> None:
    stub.on("GET", f"{PROJECT}/templates/issues/incident", {"content": "## What"})

    assert forge.issue_template("group/app", "incident") == "## What"


def test_an_incident_is_created_with_all_that_it_shall_hold(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    stub.on("GET", "/users", [answers.user])
    stub.on("POST", f"{PROJECT}/issues", answers.issue(), status=201)

    made = forge.create_incident(
        "group/app", NewIncident("Outage", "text", "high", ("a", "b"), ("ada",))
    )

    assert (made.iid, made.severity) == (42, "high")
    assert stub.asked("POST", f"{PROJECT}/issues")[0].json() == {
        "issue_type": "incident",
        "title": "Outage",
        "description": "text",
        "labels": "a,b",
        "assignee_ids": [7],
        "severity": "high",
    }


def test_an_assignee_that_gitlab_does_not_know_is_named_before_anything_is_created(
    forge: GitLabForge, stub: Stub
) -> None:
    stub.on("GET", "/users", [])

    with pytest.raises(NotFoundError, match="no user 'bob'"):
        forge.create_incident("group/app", NewIncident("t", "d", None, (), ("bob",)))

    assert [seen.method for seen in stub.requests] == ["GET"]


def test_a_severity_that_rest_does_not_take_is_set_by_graphql(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    stub.on("POST", f"{PROJECT}/issues", answers.issue(severity="UNKNOWN"), status=201)
    payload = {"issueSetSeverity": {"issue": {"severity": "HIGH"}, "errors": []}}
    stub.on("POST", "/api/graphql", {"data": payload})
    stub.on("GET", f"{PROJECT}/issues/42", answers.issue(severity="HIGH"))

    made = forge.create_incident("group/app", NewIncident("t", "d", "high", (), ()))

    assert made.severity == "high"
    assert stub.asked("POST", "/api/graphql")[0].json()["variables"] == {
        "input": {"projectPath": "group/app", "iid": "42", "severity": "HIGH"}
    }


def test_an_incident_stands_even_if_its_severity_cannot_be_set(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    stub.on("POST", f"{PROJECT}/issues", answers.issue(severity=None), status=201)
    stub.on("POST", "/api/graphql", {"errors": [{"message": "no"}]})

    made = forge.create_incident("group/app", NewIncident("t", "d", "high", (), ()))

    assert (made.iid, made.severity) == (42, None)


def test_a_description_is_put_once_and_the_stored_one_returned(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    stub.on("PUT", f"{PROJECT}/issues/42", answers.issue(description="without /close"))

    stored = forge.update_description("group/app", 42, "with\n/close")

    assert stored.description == "without /close"
    assert [seen.json() for seen in stub.requests] == [{"description": "with\n/close"}]


@pytest.mark.parametrize("missing", ["id", "sha", "status", "ref", "project_id"])
def test_an_answer_that_lacks_a_key_is_refused_with_request_and_key(
    forge: GitLabForge, stub: Stub, answers: Answers, missing: str
) -> None:
    answer = answers.pipeline()
    del answer[missing]
    stub.on("GET", f"{PROJECT}/pipelines/5", answer)

    with pytest.raises(ForgeError, match=rf"GET {PROJECT}/pipelines/5 has no {missing} that is"):
        forge.pipeline("group/app", 5)


@pytest.mark.parametrize(
    "answer", [[], "text", 5, None, {"id": True}, {"id": "5"}, {"id": 5, "username": None}]
)
def test_an_answer_of_the_wrong_type_is_refused(
    forge: GitLabForge, stub: Stub, answer: object
) -> None:
    stub.on("GET", "/user", answer)

    with pytest.raises(ForgeError, match="answer to GET /user") as caught:
        forge.current_user()

    assert caught.value.code == "gitlab-answer"


@pytest.mark.parametrize("answer", [{"message": "x"}, ["text"], [None], [{"id": None}], "x"])
def test_a_list_of_the_wrong_shape_is_refused(
    forge: GitLabForge, stub: Stub, answer: object
) -> None:
    stub.on("GET", f"{PROJECT}/pipelines/5/jobs", answer)

    with pytest.raises(ForgeError, match="answer to GET"):
        forge.jobs("group/app", 5)


@pytest.mark.parametrize("sha", ["5f2c0d0c", "", "z" * 40, "a" * 64])
def test_a_commit_id_that_is_none_is_refused(
    forge: GitLabForge, stub: Stub, answers: Answers, sha: str
) -> None:
    stub.on("GET", f"{PROJECT}/pipelines/5", answers.pipeline(sha=sha))

    with pytest.raises(ForgeError, match="40 hex digits"):
        forge.pipeline("group/app", 5)


@pytest.mark.parametrize("moment", ["yesterday", "2026-03-01T10:00:00", 5])
def test_a_time_that_is_none_is_refused(
    forge: GitLabForge, stub: Stub, answers: Answers, moment: object
) -> None:
    stub.on("GET", f"{PROJECT}/pipelines/5", answers.pipeline(created_at=moment))

    with pytest.raises(ForgeError, match="no created_at that is"):
        forge.pipeline("group/app", 5)


def test_a_created_thing_that_cannot_be_read_may_have_been_created(
    forge: GitLabForge, stub: Stub
) -> None:
    stub.on("POST", f"{PROJECT}/issues", {"iid": 3}, status=201)

    with pytest.raises(UnknownOutcomeError, match="has no id"):
        forge.create_incident("group/app", NewIncident("t", "d", None, (), ()))
