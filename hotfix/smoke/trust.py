"""Which authorities a check trusts, and in which words a broken connection is told."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")


def ca_bundle(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the file of authorities that the environment names, the same for HTTP and TLS.

    Raises ``FileNotFoundError`` where it names one that is not there.
    """
    name = next((name for name in _CA_VARIABLES if environ.get(name)), None)
    if name is None:
        return None
    if not Path(environ[name]).exists():
        raise FileNotFoundError(errno.ENOENT, f"the file that {name} names is not there")
    return environ[name]


def why(error: BaseException) -> str:
    """Say why there was no answer, from what the system said and never from a library's text.

    A library's text may quote the address of a proxy with its password.
    """
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is refused: {one_line(cause.verify_message)}"
    for cause in causes:
        match cause:
            case socket.gaierror():
                return "the host's name is not known"
            case ssl.SSLError():
                return f"no TLS connection: {one_line(cause.reason or 'the server broke it off')}"
            case OSError(strerror=str(reason)) if cause.errno:
                return f"no connection: {one_line(reason)}"
    return f"no valid answer ({type(error).__name__})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk from an exception to what it came from; urllib3 also hides causes in attributes."""
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending:
        cause = pending.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        pending += [getattr(cause, "reason", None), cause.__cause__, cause.__context__, *cause.args]
