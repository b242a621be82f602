from __future__ import annotations

import ssl
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hotfix.errors import InputError
from hotfix.forge import convert
from hotfix.forge.answer import Answer
from hotfix.forge.gitlab import GitLabForge
from hotfix.forge.protocol import ForgeError, NotFoundError, UnknownOutcomeError
from hotfix.parallel import in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.forge.conftest import Answers, StillClock, Stub

CERTIFICATES = Path(__file__).parents[1] / "smoke" / "data"


def test_the_token_goes_in_gitlabs_own_header(
    forge: GitLabForge, stub: Stub, answers: Answers, token: str
) -> None:
    stub.on("GET", "/user", answers.user)

    assert forge.current_user().username == "ada"
    assert stub.requests[0].headers["PRIVATE-TOKEN"] == token


def test_a_redirect_to_another_host_gets_neither_token_nor_request(
    forge: GitLabForge, make_stub: Callable[[], Stub], stub: Stub, answers: Answers
) -> None:
    other = make_stub()
    other.on("GET", "/user", answers.user)
    stub.on("GET", "/user", status=302, headers={"Location": f"{other.url}/api/v4/user"})

    with pytest.raises(ForgeError, match="the token does not go there") as caught:
        forge.current_user()

    assert caught.value.code == "gitlab-redirect"
    assert other.requests == []


def test_a_moved_projects_redirect_on_the_same_host_is_followed(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    stub.on("GET", "/projects/group/old", status=301, headers={"Location": "/api/v4/projects/11"})
    stub.on("GET", "/projects/11", answers.project())

    assert forge.project("group/old").path == "group/app"


def test_a_redirected_write_is_not_followed_and_not_called_refused(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    stub.on("POST", "/projects/g/p/jobs/9/play", status=302, headers={"Location": "/api/v4/user"})
    stub.on("GET", "/user", answers.user)

    with pytest.raises(UnknownOutcomeError, match="redirected to /api/v4/user"):
        forge.play("g/p", 9)

    assert [seen.method for seen in stub.requests] == ["POST"]


def test_a_read_that_is_sent_to_a_log_in_page_is_no_proof_of_absence(
    forge: GitLabForge, stub: Stub
) -> None:
    stub.on("GET", "/user", status=302, headers={"Location": "/users/sign_in"})

    with pytest.raises(ForgeError, match="redirected to /users/sign_in") as caught:
        forge.current_user()

    assert not isinstance(caught.value, NotFoundError)
    assert len(stub.requests) == 1


def test_redirects_in_a_circle_end(forge: GitLabForge, stub: Stub) -> None:
    stub.on("GET", "/user", status=302, headers={"Location": "/api/v4/user"})

    with pytest.raises(ForgeError, match="in a circle"):
        forge.current_user()

    assert len(stub.requests) < 10


def test_a_page_link_to_another_host_is_never_asked(
    forge: GitLabForge, make_stub: Callable[[], Stub], stub: Stub, answers: Answers
) -> None:
    other = make_stub()
    path = "/projects/g/p/pipelines"
    link = f'<{other.url}/api/v4/elsewhere?page=2&per_page=100>; rel="next"'
    stub.on("GET", path, [answers.pipeline(5)], headers={"Link": link})
    stub.on("GET", path, [answers.pipeline(4)])

    assert [found.id for found in forge.pipelines("g/p")] == [5, 4]
    assert stub.asked("GET", path)[1].query["page"] == "2"
    assert other.requests == []


def test_a_read_is_tried_again_after_a_server_error_a_lost_answer_and_a_rate_limit(
    forge: GitLabForge, stub: Stub, answers: Answers, clock: StillClock
) -> None:
    stub.on("GET", "/user", status=502)
    stub.on("GET", "/user", drop=True)
    stub.on("GET", "/user", b"Retry later", status=429, headers={"Retry-After": "7"})
    stub.on("GET", "/user", answers.user)

    assert forge.current_user().id == 7
    assert clock.slept == [0.5, 1.0, 7.0]


def test_a_read_is_not_tried_for_ever(forge: GitLabForge, stub: Stub, clock: StillClock) -> None:
    stub.on("GET", "/user", {"message": "500 Internal Server Error"}, status=500)

    with pytest.raises(ForgeError, match="answered 500 to GET /user: 500 Internal") as caught:
        forge.current_user()

    assert caught.value.status == 500
    assert len(stub.requests) == len(clock.slept) + 1 == 4


def test_a_wait_that_gitlab_asks_for_holds_for_whatever_is_asked_next(
    forge: GitLabForge, stub: Stub, answers: Answers, clock: StillClock
) -> None:
    stub.on("GET", "/user", b"Retry later", status=429, headers={"Retry-After": "7"})
    stub.on("GET", "/projects/g/p", answers.project())
    with pytest.raises(ForgeError, match="Retry later"):
        forge.current_user()
    assert clock.slept == [7.0] * 3

    forge.project("g/p")
    assert clock.slept == [7.0] * 3 + [pytest.approx(7.0, abs=1.0)]


def test_an_hour_of_retry_after_is_left_to_the_operator(
    forge: GitLabForge, stub: Stub, clock: StillClock
) -> None:
    stub.on("GET", "/user", b"Retry later", status=429, headers={"Retry-After": "3600"})

    with pytest.raises(ForgeError, match="Retry later"):
        forge.current_user()

    assert clock.slept == []


def test_a_refusal_is_not_tried_again_and_shows_gitlabs_words(
    forge: GitLabForge, stub: Stub
) -> None:
    body = {"error": "insufficient_scope", "error_description": "Too low.", "scope": "api"}
    stub.on("GET", "/user", body, status=403)

    with pytest.raises(ForgeError, match=r"insufficient_scope: Too low\.: needs the scope api"):
        forge.current_user()

    assert len(stub.requests) == 1


def test_absent_and_hidden_are_one_error(forge: GitLabForge) -> None:
    with pytest.raises(NotFoundError, match="GET /projects/group/app: 404 Not Found") as caught:
        forge.project("group/app")

    assert caught.value.status == 404
    assert "may not see it" in caught.value.hint


def test_a_log_in_page_with_status_200_is_told_for_what_it_is(
    forge: GitLabForge, stub: Stub
) -> None:
    page = b"<!DOCTYPE html><html><title>Sign in</title></html>"
    stub.on("GET", "/user", page, kind="text/html")

    with pytest.raises(ForgeError, match="a web page titled 'Sign in'"):
        forge.current_user()


def test_a_read_without_an_answer_ends_after_the_timeout(
    stub: Stub, clock: StillClock, token: str
) -> None:
    forge = GitLabForge(stub.url, token, timeout=0.05, clock=clock)
    stub.on("GET", "/user", delay=0.3)

    with pytest.raises(ForgeError, match="did not answer GET /user: no answer in time") as caught:
        forge.current_user()

    assert caught.value.status == 0


def test_a_server_that_is_not_there_is_named_as_such(clock: StillClock, token: str) -> None:
    forge = GitLabForge("http://127.0.0.1:9", token, clock=clock)

    with pytest.raises(ForgeError, match="cannot be reached for GET /user: the connection was"):
        forge.current_user()


def test_a_write_to_a_server_that_is_not_there_surely_did_not_happen(
    clock: StillClock, token: str
) -> None:
    forge = GitLabForge("http://127.0.0.1:9", token, clock=clock)

    with pytest.raises(ForgeError) as caught:
        forge.play("g/p", 9)

    assert not isinstance(caught.value, UnknownOutcomeError)


@pytest.mark.parametrize(
    "reply",
    [
        {"drop": True},
        {"status": 500, "body": {"message": "500 Internal Server Error"}},
        {"status": 502, "body": b"Bad Gateway", "kind": "text/html"},
        {"status": 504},
        {"status": 200, "body": b"<html><title>Sign in</title>", "kind": "text/html"},
        {"status": 201, "body": b'{"id": 5'},
        {"status": 201, "body": {"id": 5}},
        {"status": 201, "body": b""},
        {"status": 201, "body": b"{}", "headers": {"Content-Length": "1000"}},
        {"delay": 0.8, "body": {}},
    ],
)
def test_a_write_whose_answer_is_lost_is_sent_once_and_its_outcome_unknown(
    forge: GitLabForge, stub: Stub, reply: dict[str, object]
) -> None:
    stub.on("POST", "/projects/g/p/pipeline", **reply)

    with pytest.raises(UnknownOutcomeError, match="not known whether POST /projects/g/p/pipeline"):
        forge.create_pipeline("g/p", "main", inputs={"action": "deploy"})

    assert len(stub.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_write_that_gitlab_refuses_did_not_happen(
    forge: GitLabForge, stub: Stub, status: int
) -> None:
    stub.on("POST", "/projects/g/p/jobs/9/play", {"message": "Unplayable Job"}, status=status)

    with pytest.raises(ForgeError, match="Unplayable Job") as caught:
        forge.play("g/p", 9)

    assert not isinstance(caught.value, UnknownOutcomeError)
    assert caught.value.status == status
    assert len(stub.requests) == 1


def test_a_write_that_was_turned_away_unread_is_sent_again(
    forge: GitLabForge, stub: Stub, answers: Answers, clock: StillClock
) -> None:
    path = "/projects/g/p/jobs/9/play"
    stub.on("POST", path, b"Retry later", status=429, headers={"Retry-After": "2"})
    stub.on("POST", path, answers.job(status="pending"))

    assert forge.play("g/p", 9).status == "pending"
    assert clock.slept == [2.0]


def test_no_error_shows_the_token_even_if_the_server_repeats_it(
    forge: GitLabForge, stub: Stub, token: str
) -> None:
    stub.on("GET", "/user", {"message": f"bad token {token}"}, status=401)
    stub.on(
        "POST",
        "/projects/g/p/jobs/9/play",
        {"error": token},
        status=307,
        headers={"Location": f"/x?private_token={token}"},
    )

    for call in (forge.current_user, lambda: forge.play("g/p", 9)):
        with pytest.raises(ForgeError) as caught:
            call()
        shown = "".join(traceback.format_exception(caught.value)) + caught.value.hint
        assert token not in shown
    assert token not in repr(forge)


def test_plain_http_to_this_machine_never_goes_through_a_proxy(
    forge: GitLabForge,
    stub: Stub,
    answers: Answers,
    make_stub: Callable[[], Stub],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = make_stub()
    monkeypatch.setenv("http_proxy", proxy.url)
    stub.on("GET", "/user", answers.user)

    assert forge.current_user().id == 7
    assert proxy.requests == []


def test_threads_share_no_session_and_the_next_request_takes_an_open_one(
    forge: GitLabForge, stub: Stub, answers: Answers
) -> None:
    for name in "abcd":
        stub.on("GET", f"/projects/g/{name}", answers.project(), delay=0.2)
    stub.on("GET", "/user", answers.user)

    in_parallel([lambda name=name: forge.project(f"g/{name}") for name in "abcd"])
    forge.current_user()

    sessions = {id(client.session) for client in forge._api._idle}
    assert len(sessions) == len(forge._api._idle) == 4


def test_a_trusted_certificate_is_taken_for_every_thread(
    stub: Stub, answers: Answers, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = stub.secure(CERTIFICATES / "localhost.pem", CERTIFICATES / "server-key.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "ca.pem"))
    for name in "abcd":
        stub.on("GET", f"/projects/g/{name}", answers.project(), delay=0.1)
    forge = GitLabForge(url, token)

    found = in_parallel([lambda name=name: forge.project(f"g/{name}") for name in "abcd"])

    assert [project.path for project in found] == ["group/app"] * 4


def test_a_file_without_certificates_is_named_before_anything_is_sent(
    token: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    company = tmp_path / "company.pem"
    company.write_text("none", encoding="utf-8")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(company))

    with pytest.raises(InputError, match=r"company\.pem") as caught:
        GitLabForge("https://gitlab.example.com", token).current_user()

    assert caught.value.code == "ca-bundle"


def test_certificates_are_read_once_for_the_api_and_for_git(
    token: str, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[ssl.SSLContext] = []
    make = ssl.create_default_context

    def reading(**given: str) -> ssl.SSLContext:
        read.append(make(**given))
        return read[-1]

    monkeypatch.setattr(ssl, "create_default_context", reading)
    forge = GitLabForge("https://gitlab.example.com", token)
    told = answers.project(http_url_to_repo="https://gitlab.example.com/group/app.git")
    project = convert.project(Answer("the project", told))

    forge._client()
    forge._client()
    forge.repository(project)._git._wire._new_connection()

    assert len(read) == 1


@pytest.mark.parametrize(
    ("certificate", "authority", "reason"),
    [
        ("localhost", None, "unable to get local issuer certificate"),
        ("expired", "ca.pem", "certificate has expired"),
        ("other-host", "ca.pem", "is not valid for '127.0.0.1'"),
    ],
)
def test_a_certificate_that_is_not_trusted_gets_no_token(
    stub: Stub,
    token: str,
    monkeypatch: pytest.MonkeyPatch,
    certificate: str,
    authority: str | None,
    reason: str,
) -> None:
    url = stub.secure(CERTIFICATES / f"{certificate}.pem", CERTIFICATES / "server-key.pem")
    if authority:
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / authority))

    with pytest.raises(ForgeError, match=reason) as caught:
        GitLabForge(url, token).current_user()

    assert caught.value.code == "gitlab-unusable"
    assert stub.requests == []
