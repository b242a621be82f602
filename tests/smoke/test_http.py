from __future__ import annotations

import gzip
import hashlib
import json
import threading
import time
from typing import TYPE_CHECKING

import pytest

from hotfix.clock import SystemClock
from hotfix.smoke.answer import MAX_BODY

from .conftest import DEPLOYED

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from hotfix.smoke.result import SmokeResult
    from tests.conftest import FixedClock
    from tests.smoke.conftest import Site

    Check = Callable[..., SmokeResult]
    Serve = Callable[[Callable[[socket.socket], object]], int]

SERVICES = b'{"services": [{"name": "ocpp", "status": "ok"}, {"name": "tariffs", "status": "ok"}]}'


def test_an_expected_answer_is_green_with_its_facts(check: Check, site: Site) -> None:
    result = check(http={"url": f"{site.url}/health", "json": {"status": "ok"}})

    assert result.outcome == "passed"
    assert (result.name, result.kind, result.attempts) == ("health", "http", 1)
    assert result.detail == "HTTP 200, 16 bytes in 0 ms"
    assert result.facts == {
        "status": 200,
        "latency_ms": 0,
        "body_bytes": 16,
        "body_complete": True,
        "body_digest": "sha256:" + hashlib.sha256(site.body).hexdigest(),
        "extract": '{"status": "ok"}',
    }


def test_another_status_is_red_and_both_are_named(check: Check, site: Site) -> None:
    site.status = 503

    result = check(http={"url": site.url})

    assert (result.outcome, result.detail) == ("failed", "HTTP 503, expected 200")


def test_a_red_status_that_is_expected_is_green(check: Check, site: Site) -> None:
    site.status = 404

    assert check(http={"url": site.url, "status": 404}).outcome == "passed"


def test_it_is_tried_again_until_it_is_green(check: Check, site: Site, clock: FixedClock) -> None:
    site.statuses = [502, 503]

    result = check(http={"url": site.url}, retries=5, delay=7)

    assert (result.outcome, result.attempts) == ("passed", 3)
    assert clock.slept == [7, 7]
    assert (result.finished_at - result.started_at).total_seconds() == 14


def test_after_the_last_retry_it_is_red(check: Check, site: Site, clock: FixedClock) -> None:
    site.status = 500

    result = check(http={"url": site.url}, retries=2, delay=1.5)

    assert (result.outcome, result.attempts, len(site.requests)) == ("failed", 3, 3)
    assert clock.slept == [1.5, 1.5]


@pytest.mark.parametrize(
    ("found", "detail"),
    [
        ({"status": "degraded"}, 'at `status` the JSON is `"degraded"`, expected `"ok"`'),
        ({"state": "ok"}, 'the JSON has no `status`, expected `"ok"`'),
        ([{"status": "ok"}], 'the JSON is `[{"status": "ok"}]`, expected `{"status": "ok"}`'),
        (None, 'the JSON is `null`, expected `{"status": "ok"}`'),
    ],
)
def test_other_json_is_red_with_its_place(
    check: Check, site: Site, found: object, detail: str
) -> None:
    site.body = json.dumps(found).encode()

    result = check(http={"url": site.url, "json": {"status": "ok"}})

    assert (result.outcome, result.detail) == ("failed", detail)


@pytest.mark.parametrize(
    "body", [b"<html>ok</html>", b"", b"\xff\xfe\xfa", b"[" * 100_000, b"9" * 5_000]
)
def test_what_is_no_json_object_is_red(check: Check, site: Site, body: bytes) -> None:
    site.body = body

    result = check(http={"url": site.url, "json": {"status": "ok"}})

    assert result.outcome == "failed"
    assert result.detail == "the body is no JSON, expected an object"


def test_a_text_in_the_body_is_found(check: Check, site: Site) -> None:
    site.body = "Zürich läuft".encode()

    assert check(http={"url": site.url, "contains": "läuft"}).outcome == "passed"
    missing = check(http={"url": site.url, "contains": "steht"})
    assert missing.detail == "the body does not contain `steht`"


def test_head_asks_for_no_body(check: Check, site: Site) -> None:
    result = check(http={"url": site.url, "method": "HEAD"})

    assert result.outcome == "passed"
    assert site.requests[0][0] == "HEAD"
    assert result.facts["body_bytes"] == 0


def test_a_redirect_is_the_answer_and_is_not_followed(check: Check, site: Site) -> None:
    site.status, site.headers = 302, {"Location": f"{site.url}/login"}

    result = check(http={"url": f"{site.url}/health"})

    assert result.outcome == "failed"
    assert result.detail == f"HTTP 302 to `{site.url}/login`, expected 200"
    assert [path for _, path, _ in site.requests] == ["/health"]
    assert check(http={"url": site.url, "status": 302}).outcome == "passed"


def test_nothing_that_names_the_operator_is_sent(
    check: Check, site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ada password canary-netrc\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOTFIX_TOKEN", "canary-token")
    site.headers = {"Set-Cookie": "id=canary-cookie"}

    check(http={"url": site.url, "headers": {"Accept": "text/plain"}, "status": 201}, retries=1)

    assert len(site.requests) == 2
    for _, _, headers in site.requests:
        assert headers["Accept"] == "text/plain"
        assert "canary" not in str(headers)
        assert not {"Authorization", "Cookie", "PRIVATE-TOKEN"} & headers.keys()


def test_a_huge_body_is_read_up_to_the_bound(check: Check, site: Site) -> None:
    site.body = b"x" * (3 * MAX_BODY)

    result = check(http={"url": site.url})
    too_late = check(http={"url": site.url, "contains": "y"})

    assert result.outcome == "passed"
    assert result.facts["body_bytes"] == MAX_BODY
    assert result.facts["body_complete"] is False
    assert "its first 1048576 bytes were read" in too_late.detail


def test_an_endless_body_ends_at_the_bound(check: Check, serve: Serve) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    result = check(http={"url": f"http://127.0.0.1:{serve(talk)}/"}, timeout=20)

    assert result.outcome == "passed"
    assert result.facts["body_bytes"] == MAX_BODY


def test_a_compressed_body_is_not_unpacked(check: Check, site: Site) -> None:
    site.body = gzip.compress(b"0" * 10_000_000)
    site.headers = {"Content-Encoding": "gzip"}

    result = check(http={"url": site.url, "contains": "0"})

    assert site.requests[0][2]["Accept-Encoding"] == "identity"
    assert result.detail == "the body is encoded as `gzip`, expected it plain"
    assert result.facts["body_bytes"] == len(site.body)


def test_a_hostile_body_is_harmless_and_a_secret_in_it_is_covered(check: Check, site: Site) -> None:
    site.body = b"\x1b]0;owned\x07\r\n\xe2\x80\xaeglpat-canary12345678901234 [red]"

    result = check(http={"url": site.url, "contains": "nothing"})

    shown = f"{result.detail} {result.facts['extract']}"
    assert shown.isprintable()
    assert "canary" not in shown
    assert "[red]" in shown


def test_a_refused_connection_is_red(check: Check, closed_port: int) -> None:
    result = check(http={"url": f"http://127.0.0.1:{closed_port}/"})

    assert (result.outcome, result.detail) == ("failed", "no connection: Connection refused")


def test_a_name_that_cannot_be_resolved_is_red(check: Check) -> None:
    result = check(http={"url": "http://a..b/"})

    assert result.outcome == "failed"


def test_the_password_of_a_proxy_is_not_shown(
    check: Check, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://ada:canary@127.0.0.1:{closed_port}")

    result = check(http={"url": "http://app.example.com/"})

    assert (result.outcome, result.detail) == ("failed", "no connection: Connection refused")


def test_what_is_no_http_is_red(check: Check, serve: Serve) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    result = check(http={"url": f"http://127.0.0.1:{serve(talk)}/"})

    assert result.outcome == "failed"
    assert result.detail.startswith("no valid answer")


def test_a_connection_that_breaks_off_within_the_body_is_red(check: Check, serve: Serve) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")

    assert check(http={"url": f"http://127.0.0.1:{serve(talk)}/"}).outcome == "failed"


@pytest.mark.parametrize("drips", ["headers", "body"])
def test_a_server_that_drips_is_cut_off_in_time(check: Check, serve: Serve, drips: str) -> None:
    over = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        if drips == "body":
            connection.sendall(b"x\r\nContent-Length: 100000\r\n\r\n")
        while not over.wait(0.05):
            connection.sendall(b"x")

    port = serve(talk)
    begin = time.monotonic()
    result = check(http={"url": f"http://127.0.0.1:{port}/"}, timeout=0.4, using=SystemClock())
    seconds = time.monotonic() - begin
    over.set()

    assert (result.outcome, result.detail) == ("failed", "no answer within 0.4 s")
    assert 0.35 < seconds < 2


def test_a_server_that_never_answers_is_cut_off_in_time(check: Check, serve: Serve) -> None:
    over = threading.Event()
    port = serve(lambda _: over.wait(10))

    result = check(http={"url": f"http://127.0.0.1:{port}/"}, timeout=0.2)
    over.set()

    assert (result.outcome, result.detail) == ("failed", "no answer within 0.2 s")


@pytest.mark.usefixtures("trusted")
def test_https_trusts_the_authorities_of_the_environment(
    check: Check, serve_tls: Callable[[str], int]
) -> None:
    port = serve_tls("localhost")

    assert check(http={"url": f"https://127.0.0.1:{port}/", "contains": "ok"}).outcome == "passed"


@pytest.mark.parametrize(
    ("certificate", "environment", "reason"),
    [
        ("localhost", {}, "self-signed certificate in certificate chain|unable to get local"),
        ("expired", {"SSL_CERT_FILE": "ca.pem"}, "certificate has expired"),
        ("other-host", {"SSL_CERT_FILE": "ca.pem"}, "not valid for '127.0.0.1'"),
    ],
)
def test_https_refuses_a_certificate_and_says_why(
    check: Check,
    serve_tls: Callable[[str], int],
    monkeypatch: pytest.MonkeyPatch,
    data: Path,
    certificate: str,
    environment: dict[str, str],
    reason: str,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, str(data / value))

    result = check(http={"url": f"https://127.0.0.1:{serve_tls(certificate)}/"})

    assert result.outcome == "failed"
    assert result.detail.startswith("the certificate is refused: ")
    assert any(part in result.detail for part in reason.split("|"))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("services[?status!='ok'] | length(@)", 0),
        ("services[0].name", "ocpp"),
        ("missing", None),
        ("services[*].name", ["ocpp", "tariffs"]),
    ],
)
def test_what_an_expression_gives_may_be_expected(
    check: Check, site: Site, expression: str, value: object
) -> None:
    site.body = SERVICES

    assert check(http={"url": site.url, "jmespath": {expression: value}}).outcome == "passed"


@pytest.mark.parametrize(
    ("expression", "value", "said"),
    [
        ("services[0].status", "degraded", '`services[0].status`: the JSON is `"ok"`, expected'),
        ("length(services)", True, "`length(services)`: the JSON is `2`, expected `true`"),
        ("length(missing)", 0, "`length(missing)`: `In function length()"),
    ],
)
def test_an_expression_that_gives_something_else_is_red(
    check: Check, site: Site, expression: str, value: object, said: str
) -> None:
    site.body = SERVICES

    result = check(http={"url": site.url, "jmespath": {expression: value}})

    assert result.outcome == "failed"
    assert result.detail.startswith(said)


def test_the_answers_headers_may_be_expected_in_any_case(check: Check, site: Site) -> None:
    site.headers = {"Content-Type": "application/JSON; charset=utf-8"}

    def expecting(name: str, text: str) -> SmokeResult:
        return check(http={"url": site.url, "answer_headers": {name: text}})

    assert expecting("content-type", "application/json").outcome == "passed"
    other = expecting("Content-Type", "text/html")
    assert other.detail == (
        "the header Content-Type is `application/JSON; charset=utf-8`, expected `text/html` in it"
    )
    assert expecting("X-Version", "4").detail == (
        "the header X-Version is not there, expected `4` in it"
    )


def test_an_answer_that_takes_too_long_is_red(check: Check, site: Site) -> None:
    class Slow(SystemClock):
        def __init__(self) -> None:
            self._seconds = 0.0

        def monotonic(self) -> float:
            self._seconds += 0.9
            return self._seconds

    assert check(http={"url": site.url, "max_latency": 900}, using=Slow()).outcome == "passed"
    late = check(http={"url": site.url, "max_latency": 899}, using=Slow())
    assert late.detail == "it took 900 ms, expected at most 899"


@pytest.mark.parametrize("digits", [7, 12, 40])
def test_the_service_may_have_to_name_the_commit_that_was_deployed(
    check: Check, site: Site, digits: int
) -> None:
    site.body = json.dumps({"git": {"sha": DEPLOYED[:digits]}}).encode()

    assert check(http={"url": site.url, "commit": "git.sha"}).outcome == "passed"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"git": {"sha": "a" * 40}}, "it runs aaaaaaaa, expected 5f2c0d0c"),
        ({"git": {"sha": DEPLOYED[:6]}}, "at `git.sha` it says `5f2c0d`, expected a commit id"),
        ({"git": {"sha": 5}}, "at `git.sha` it says `5`, expected a commit id"),
        ({"sha": DEPLOYED}, "at `git.sha` it says nothing, expected a commit id"),
        ([], "at `git.sha` it says nothing, expected a commit id"),
    ],
)
def test_another_commit_or_none_is_red(check: Check, site: Site, answer: object, said: str) -> None:
    site.body = json.dumps(answer).encode()

    assert check(http={"url": site.url, "commit": "git.sha"}).detail == said


def test_the_service_is_given_time_to_settle_once(
    check: Check, site: Site, clock: FixedClock
) -> None:
    site.statuses = [503]
    begin = clock.monotonic()

    result = check(http={"url": site.url}, settle=30, retries=1, delay=2)

    assert (result.outcome, result.attempts) == ("passed", 2)
    assert clock.monotonic() - begin == 32
    assert (result.finished_at - result.started_at).total_seconds() == 32
