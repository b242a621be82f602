"""Open a connection, and close it again."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from hotfix.smoke.result import Finding, timed_out
from hotfix.smoke.trust import why

if TYPE_CHECKING:
    from hotfix.clock import Clock
    from hotfix.spec.model import TcpCheck


def observe(check: TcpCheck, timeout: float, clock: Clock) -> Finding:
    """Connect, and send nothing: that the port accepts is all that is asked."""
    begin = clock.monotonic()
    try:
        with socket.create_connection((check.host.strip("[]"), check.port), timeout) as connection:
            address = str(connection.getpeername()[0])
    except TimeoutError:
        return timed_out(timeout)
    except (OSError, UnicodeError) as error:
        return Finding(passed=False, detail=f"{why(error)}, expected port {check.port} to accept")
    latency = round((clock.monotonic() - begin) * 1000)
    return Finding(
        passed=True,
        detail=f"port {check.port} accepted in {latency} ms",
        facts={"address": address, "latency_ms": latency},
    )
