from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from hotfix.smoke.result import SmokeResult

    Check = Callable[..., SmokeResult]
    Serve = Callable[[Callable[[socket.socket], object]], int]


def test_a_port_that_accepts_is_green(check: Check, serve: Serve) -> None:
    port = serve(lambda _: None)

    result = check(tcp={"host": "127.0.0.1", "port": port})

    assert (result.outcome, result.kind) == ("passed", "tcp")
    assert result.detail == f"port {port} accepted in 0 ms"
    assert result.facts == {"address": "127.0.0.1", "latency_ms": 0}


def test_a_port_that_refuses_is_red(check: Check, closed_port: int) -> None:
    result = check(tcp={"host": "localhost", "port": closed_port})

    assert result.outcome == "failed"
    assert result.detail == (
        f"no connection: Connection refused, expected port {closed_port} to accept"
    )


def test_a_name_that_cannot_be_is_red(check: Check) -> None:
    result = check(tcp={"host": "a..b", "port": 80})

    assert result.outcome == "failed"
    assert "expected port 80 to accept" in result.detail
