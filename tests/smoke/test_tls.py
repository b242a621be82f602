from __future__ import annotations

import hashlib
import ssl
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from hotfix.smoke.result import SmokeResult
    from tests.conftest import FixedClock

    Check = Callable[..., SmokeResult]
    Serve = Callable[[Callable[[socket.socket], object]], int]
    ServeTls = Callable[[str], int]


@pytest.mark.usefixtures("trusted")
def test_a_valid_certificate_is_green_with_its_facts(
    check: Check, serve_tls: ServeTls, data: Path
) -> None:
    result = check(tls={"host": "localhost", "port": serve_tls("localhost")})

    encoded = ssl.PEM_cert_to_DER_cert((data / "localhost.pem").read_text())
    assert (result.outcome, result.kind) == ("passed", "tls")
    assert result.detail == "the certificate is valid until 2126-01-01T00:00:00Z"
    assert result.facts == {
        "not_after": "2126-01-01T00:00:00Z",
        "fingerprint": "sha256:" + hashlib.sha256(encoded).hexdigest(),
        "protocol": "TLSv1.3",
        "latency_ms": 0,
    }


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(("days", "outcome"), [(30, "passed"), (31, "failed")])
def test_a_certificate_must_stay_valid_for_the_days_asked(
    check: Check, serve_tls: ServeTls, clock: FixedClock, days: int, outcome: str
) -> None:
    ends = clock.now().replace(year=2126, month=1, day=1, hour=0)
    clock.advance((ends - timedelta(days=30) - clock.now()).total_seconds())

    result = check(tls={"host": "localhost", "port": serve_tls("localhost"), "valid_days": days})

    assert result.outcome == outcome
    if outcome == "failed":
        assert result.detail.endswith("until 2126-01-01T00:00:00Z, expected 31 more days")
        assert result.facts["not_after"] == "2126-01-01T00:00:00Z"


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("certificate", "reason"),
    [("expired", "certificate has expired"), ("other-host", "not valid for 'localhost'")],
)
def test_a_certificate_that_is_not_the_hosts_or_not_in_date_is_red(
    check: Check, serve_tls: ServeTls, certificate: str, reason: str
) -> None:
    result = check(tls={"host": "localhost", "port": serve_tls(certificate)})

    assert result.outcome == "failed"
    assert result.detail.startswith("the certificate is refused: ")
    assert reason in result.detail
    assert result.detail.endswith(", expected a valid certificate")


def test_an_authority_that_nobody_trusts_is_red(check: Check, serve_tls: ServeTls) -> None:
    result = check(tls={"host": "localhost", "port": serve_tls("localhost")})

    assert result.outcome == "failed"
    assert result.detail.startswith("the certificate is refused: ")


@pytest.mark.usefixtures("trusted")
def test_a_plain_server_is_red(check: Check, serve: Serve) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    result = check(tls={"host": "localhost", "port": serve(talk)})

    assert result.outcome == "failed"
    assert result.detail.startswith("no TLS connection: ")


def test_a_refused_connection_is_red(check: Check, closed_port: int) -> None:
    result = check(tls={"host": "localhost", "port": closed_port})

    assert result.detail == ("no connection: Connection refused, expected a valid certificate")


def test_a_server_that_never_shakes_hands_is_cut_off_in_time(check: Check, serve: Serve) -> None:
    over = threading.Event()
    port = serve(lambda _: over.wait(10))

    result = check(tls={"host": "localhost", "port": port}, timeout=0.2)
    over.set()

    assert (result.outcome, result.detail) == ("failed", "no answer within 0.2 s")


def test_authorities_that_are_not_there_are_named(
    check: Check, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "nowhere.pem")

    results = [
        check(tls={"host": "localhost", "port": closed_port}),
        check(http={"url": f"https://localhost:{closed_port}/"}),
    ]

    for result in results:
        assert result.outcome == "failed"
        assert "the file that SSL_CERT_FILE names is not there" in result.detail
