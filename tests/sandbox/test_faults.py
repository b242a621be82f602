"""Faults on request: before the effect, after it, once or several times."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import requests
from dulwich.client import HttpGitClient

from hotfix.sandbox import seed
from hotfix.sandbox.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.sandbox import Sandbox
    from hotfix.sandbox.faults import Kind
    from tests.sandbox.conftest import Client

DEVELOP = "/projects/evenergi%2Fdevelop"
PORTAL = "evenergi/bf-portal"
BODY = {"title": "x", "issue_type": "incident"}


def test_an_answer_is_spoilt_after_the_effect(sandbox: Sandbox, client: Client) -> None:
    sandbox.faults.add("POST", r"develop/issues$", when="after", status=502, body=b"bad gateway")
    before = len(sandbox.world.project("evenergi/develop").issues)
    lost = client.post(f"{DEVELOP}/issues", **BODY)
    assert (lost.status_code, lost.text) == (502, "bad gateway")
    assert len(sandbox.world.project("evenergi/develop").issues) == before + 1
    assert client.post(f"{DEVELOP}/issues", **BODY).status_code == 201


def test_a_request_is_refused_before_the_effect(sandbox: Sandbox, client: Client) -> None:
    sandbox.faults.add("POST", r"develop/issues$", status=429)
    before = len(sandbox.world.project("evenergi/develop").issues)
    refused = client.post(f"{DEVELOP}/issues", **BODY)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "0")
    assert refused.headers["x-request-id"]
    assert len(sandbox.world.project("evenergi/develop").issues) == before


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_connection_is_reset(sandbox: Sandbox, client: Client, when: str, made: int) -> None:
    sandbox.faults.add("POST", r"develop/issues$", when=when, reset=True)  # type: ignore[arg-type]
    before = len(sandbox.world.project("evenergi/develop").issues)
    with pytest.raises(requests.ConnectionError):
        client.post(f"{DEVELOP}/issues", **BODY)
    assert len(sandbox.world.project("evenergi/develop").issues) == before + made
    assert sandbox.requests[-1].status == 0


def test_a_fault_waits_for_its_occurrence_and_repeats(sandbox: Sandbox, client: Client) -> None:
    sandbox.faults.add("*", r"/user$", occurrence=2, times=2, status=503)
    seen = [client.send("GET", "/user").status_code for _ in range(5)]
    assert seen == [200, 503, 503, 200, 200]
    sandbox.faults.clear()
    assert not sandbox.faults.planned


def test_a_slow_answer_holds_up_nobody_else(sandbox: Sandbox, client: Client) -> None:
    sandbox.faults.add("GET", r"/user$", delay=0.3)
    start = time.monotonic()
    assert client.send("GET", "/user").status_code == 200
    assert time.monotonic() - start >= 0.3


def _push(sandbox: Sandbox, branch: str = "topic") -> None:
    """Push where release stands to a branch, with dulwich's own client."""
    release = sandbox.world.release_sha(PORTAL)
    with closing(
        HttpGitClient(sandbox.url, username="x", password=seed.TOKENS["operator"])
    ) as client:
        result = client.send_pack(
            f"/{PORTAL}.git",
            lambda _: {f"refs/heads/{branch}".encode(): release.encode()},
            lambda *_, **__: (0, iter([])),
        )
    for problem in (result.ref_status or {}).values():
        if problem is not None:
            raise RuntimeError(problem)


def test_the_answer_to_a_push_is_lost(sandbox: Sandbox) -> None:
    sandbox.faults.plan([Fault("git push", "reset", when="after")])
    with pytest.raises(Exception, match=r"(?i)connection|reset|closed|aborted"):
        _push(sandbox)
    assert sandbox.world.project(PORTAL).repository.branch("topic")


def test_a_push_of_a_ref_is_told_from_pushes_of_others(sandbox: Sandbox) -> None:
    fault = Fault("git push refs/heads/topic", "hook-declined")
    sandbox.faults.plan([fault])
    _push(sandbox, "topic-2")
    with pytest.raises(RuntimeError, match="pre-receive hook declined"):
        _push(sandbox)
    _push(sandbox)
    assert [strike.fault for strike in sandbox.faults.struck] == [fault]


def test_a_fetch_is_reset_and_the_next_one_is_served(sandbox: Sandbox) -> None:
    sandbox.faults.plan([Fault("git fetch", "reset")])
    url = f"{sandbox.url}/{PORTAL}.git/git-upload-pack"
    want = b"0032want " + sandbox.world.release_sha(PORTAL).encode() + b"\n00000009done\n"
    with pytest.raises(requests.ConnectionError):
        requests.post(url, want, auth=("x", seed.TOKENS["reader"]), timeout=5)
    answer = requests.post(url, want, auth=("x", seed.TOKENS["reader"]), timeout=5)
    assert b"PACK" in answer.content


def test_a_truncated_answer_ends_too_early(sandbox: Sandbox, client: Client) -> None:
    sandbox.faults.plan([Fault("POST /projects/:id/issues", "truncated", when="after")])
    before = len(sandbox.world.project("evenergi/develop").issues)
    with pytest.raises(requests.RequestException):
        client.post(f"{DEVELOP}/issues", **BODY)
    assert len(sandbox.world.project("evenergi/develop").issues) == before + 1


@pytest.mark.parametrize(
    ("kind", "sees"),
    [
        ("garbage", lambda answer: answer.content.startswith(b"\xff")),
        ("wrong-json", lambda answer: answer.json()["id"] is None),
        ("html", lambda answer: "<title>Maintenance</title>" in answer.text),
        ("login-page", lambda answer: answer.url.endswith("/users/sign_in")),
    ],
)
def test_an_answer_is_not_what_was_asked_for(
    sandbox: Sandbox, client: Client, kind: Kind, sees: Callable[[requests.Response], bool]
) -> None:
    sandbox.faults.plan([Fault("GET /user", kind)])
    answer = client.send("GET", "/user")
    assert answer.status_code == 200
    assert sees(answer)
    assert client.get("/user")["username"] == "operator"


def test_too_many_requests_is_told_as_gitlab_tells_it(sandbox: Sandbox, client: Client) -> None:
    sandbox.faults.plan([Fault("GET /user", "status", status=429, seconds=7)])
    start = time.monotonic()
    refused = client.send("GET", "/user")
    assert (refused.status_code, refused.text) == (429, "Retry later\n")
    assert refused.headers["Content-Type"].startswith("text/plain")
    assert refused.headers["Retry-After"] == "7"
    assert time.monotonic() - start < 5, "it is the client who waits"


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_token_expires_half_way_and_is_renewed(
    sandbox: Sandbox, client: Client, when: str, made: int
) -> None:
    fault = Fault("POST /projects/:id/issues", "token-expired", when=when)  # type: ignore[arg-type]
    sandbox.faults.plan([fault])
    before = len(sandbox.world.project("evenergi/develop").issues)
    assert client.get("/user")
    expected = 201 if made else 401
    assert client.post(f"{DEVELOP}/issues", **BODY).status_code == expected
    assert [client.send("GET", "/user").status_code for _ in range(2)] == [401, 401]
    with pytest.raises(Exception, match=r"(?i)unauthorized|denied|valid credentials"):
        _push(sandbox)
    assert sandbox.faults.mend()
    assert client.get("/user")
    assert len(sandbox.world.project("evenergi/develop").issues) == before + made


def test_a_pipeline_vanishes_with_all_below_it(sandbox: Sandbox, client: Client) -> None:
    one = "/projects/:id/pipelines/:pipeline_id"
    sandbox.faults.plan([Fault(f"GET {one}", "vanished", nth=2)])
    first, second, *_ = sandbox.world.project(PORTAL).pipelines
    path = f"/projects/evenergi%2Fbf-portal/pipelines/{first.id}"
    asked = (path, path, path, f"{path}/jobs", path.replace(str(first.id), str(second.id)))
    assert [client.send("GET", each).status_code for each in asked] == [200, 404, 404, 404, 200]
    sandbox.faults.mend()
    assert client.get(path)["id"] == first.id


def test_it_is_told_which_faults_struck_and_which_did_not(sandbox: Sandbox, client: Client) -> None:
    twice = Fault("GET /user", "status", times=2, status=503)
    never = Fault("POST /projects/:id/pipeline", "reset")
    sandbox.faults.plan([twice, never])
    for _ in range(3):
        client.send("GET", "/user")
    assert [(strike.fault, strike.path) for strike in sandbox.faults.struck] == [
        (twice, "/api/v4/user")
    ] * 2
    assert sandbox.faults.planned == (twice, never)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ({"route": "PUSH /x", "kind": "reset"}, "no route"),
        ({"route": "GET /x", "kind": "rest"}, "no kind"),
        ({"route": "GET /x", "kind": "status"}, "a status belongs"),
        ({"route": "GET /x", "kind": "reset", "status": 500}, "a status belongs"),
        ({"route": "GET /x", "kind": "status", "status": 199}, "no status of an answer"),
        ({"route": "GET /x", "kind": "reset", "nth": 0}, "counted from 1"),
        ({"route": "POST /x", "kind": "hook-declined"}, "a hook declines"),
    ],
)
def test_a_fault_that_cannot_happen_is_refused(fault: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Fault(**fault)  # type: ignore[arg-type]


def test_the_log_tells_writes_from_reads_and_keeps_no_token(
    sandbox: Sandbox, client: Client
) -> None:
    client.get("/user")
    client.post(f"{DEVELOP}/issues", **BODY)
    client.graphql("{ currentUser { username } }")
    assert [request.path for request in sandbox.requests.writes()] == [
        "/api/v4/projects/evenergi/develop/issues"
    ]
    assert sandbox.requests.matching("GET", "/user$")[0].user == "operator"
    assert not any(token in repr(list(sandbox.requests)) for token in seed.TOKENS.values())


def test_a_service_can_be_turned_red(sandbox: Sandbox, client: Client) -> None:
    url = f"{sandbox.url}/-/services/evenergi/bf-portal/health"
    assert requests.get(url, timeout=5).status_code == 200
    sandbox.world.project("evenergi/bf-portal").service_status = "down"
    red = requests.get(url, timeout=5)
    assert (red.status_code, red.json()["status"]) == (503, "down")
    assert requests.get(f"{sandbox.url}/-/services/x/health", timeout=5).status_code == 404
    assert client.get("/user")["username"] == "operator"
