"""Look at the certificate that a host shows."""

from __future__ import annotations

import hashlib
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hotfix.clock import timestamp
from hotfix.smoke.result import Finding, timed_out
from hotfix.smoke.trust import ca_bundle, why

if TYPE_CHECKING:
    from hotfix.clock import Clock
    from hotfix.spec.model import TlsCheck


def observe(check: TlsCheck, timeout: float, clock: Clock) -> Finding:
    """Shake hands as a browser would: chain, host name and dates are verified by OpenSSL.

    The authorities are the environment's, or else the system's. Beyond that the certificate must
    stay valid for ``valid_days``, so that a hotfix does not end in an outage next week.
    """
    begin = clock.monotonic()
    try:
        ends, encoded, protocol = _handshake(check, timeout)
    except TimeoutError:
        return timed_out(timeout)
    except (OSError, UnicodeError) as error:
        return Finding(passed=False, detail=f"{why(error)}, expected a valid certificate")
    not_after = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC)
    days = (not_after - clock.now()).days
    seen = f"the certificate is valid until {timestamp(not_after)}"
    return Finding(
        passed=days >= check.valid_days,
        detail=seen
        if days >= check.valid_days
        else f"{seen}, expected {check.valid_days} more days",
        facts={
            "not_after": timestamp(not_after),
            "fingerprint": "sha256:" + hashlib.sha256(encoded).hexdigest(),
            "protocol": protocol,
            "latency_ms": round((clock.monotonic() - begin) * 1000),
        },
    )


def _handshake(check: TlsCheck, timeout: float) -> tuple[str, bytes, str]:
    """Return the certificate's last moment, its bytes, and the protocol's version."""
    host = check.host.strip("[]")
    context = _context()
    with (
        socket.create_connection((host, check.port), timeout) as connection,
        context.wrap_socket(connection, server_hostname=host) as secured,
    ):
        certificate, encoded = secured.getpeercert(), secured.getpeercert(binary_form=True)
        if not certificate or not encoded:  # cannot be, where one is required
            raise ssl.SSLError(0, "no certificate was shown")
        return str(certificate["notAfter"]), encoded, secured.version() or ""


def _context() -> ssl.SSLContext:
    bundle = ca_bundle()
    if bundle is not None and Path(bundle).is_dir():
        return ssl.create_default_context(capath=bundle)
    return ssl.create_default_context(cafile=bundle)
