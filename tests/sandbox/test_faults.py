"""Faults on request: before the effect, after it, once or several times."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import requests
from dulwich.client import HttpGitClient

from hotfix.sandbox import seed

if TYPE_CHECKING:
    from hotfix.sandbox import Sandbox
    from tests.sandbox.conftest import Client

DEVELOP = "/projects/evenergi%2Fdevelop"
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


def test_the_answer_to_a_push_is_lost(sandbox: Sandbox) -> None:
    sandbox.faults.add("POST", r"git-receive-pack$", when="after", reset=True)
    release = sandbox.world.release_sha("evenergi/bf-portal")
    with (
        closing(
            HttpGitClient(sandbox.url, username="x", password=seed.TOKENS["operator"])
        ) as client,
        pytest.raises(Exception, match=r"(?i)connection|reset|closed|aborted"),
    ):
        client.send_pack(
            "/evenergi/bf-portal.git",
            lambda _: {b"refs/heads/topic": release.encode()},
            lambda *_, **__: (0, iter([])),
        )
    assert sandbox.world.project("evenergi/bf-portal").repository.branch("topic") == release


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
