"""What every connection to GitLab obeys: where it may go, and what it means when it breaks."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from hotfix.errors import InputError
from hotfix.forge.protocol import ForgeError
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONNECT_SECONDS = 10.0
"""How long a connection may take to stand; the other timeout is for each part of an answer."""

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE")


class LostAnswerError(ForgeError):
    """A request may have gone out and no answer came back; of a write the outcome is unknown."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: what a token is bound to."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def origin(url: str) -> Origin:
    """Return where a URL leads; raises ``InputError`` for what is not a plain HTTP(S) URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    except (ValueError, KeyError):
        raise _bad_url(url, "it is no HTTPS address") from None
    if not parts.hostname or not set(url) <= _URL_CHARACTERS:
        raise _bad_url(url, "it is no HTTPS address")
    return Origin(parts.scheme, parts.hostname.lower(), port)


def name_request(method: str, url: str) -> str:
    """Name a request as GitLab's documentation does, with the project's path readable."""
    route = urlsplit(url).path.rpartition("/api/v4")[2]
    return one_line(f"{method.upper()} {unquote(route)}")


def check_base_url(url: str) -> str:
    """Return the URL of a GitLab without a trailing slash, fit to be given a token.

    Plain HTTP is accepted for loopback addresses alone, since anybody on the way could read the
    token. Raises ``InputError``.
    """
    where = origin(url)
    parts = urlsplit(url)
    if parts.username or parts.password or "@" in parts.netloc:
        raise InputError(
            "gitlab-url",
            "the GitLab URL holds a user name or password",
            hint="Give the address alone; the token comes from HOTFIX_TOKEN.",
        )
    if parts.query or parts.fragment:
        raise _bad_url(url, "it has more than a host and a path")
    if where.scheme == "http" and not is_loopback(where.host):
        raise _bad_url(url, "plain HTTP would show the token to everybody on the way")
    return url.rstrip("/")


def check_token(token: str) -> str:
    """Return the token, or raise ``InputError`` for one that no header can carry.

    The libraries below quote a header that they refuse, token and all; so it is refused here.
    """
    if token and token.isascii() and token.isprintable() and " " not in token:
        return token
    seen = "it is empty" if not token.strip() else "it has blanks, line breaks or odd characters"
    raise InputError(
        "token", f"the GitLab token cannot be used: {seen}", hint="Set HOTFIX_TOKEN to the token."
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, without asking a name server."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def ca_bundle(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the trusted certificates that the environment names, the same for both doors.

    ``requests``, Python, git and curl each have their own variable for a file or folder; the
    first one set counts. Raises ``InputError`` where there is nothing at that path.
    """
    for name in _CA_VARIABLES:
        if path := environ.get(name):
            if Path(path).exists():
                return path
            raise InputError(
                "ca-bundle",
                f"{name} names {one_line(path)}, where there are no certificates",
                hint=f"Correct {name}, or unset it to trust the usual authorities.",
            )
    return None


def trusted(bundle: str | None) -> ssl.SSLContext:
    """Return what decides whom to trust: a file or folder of certificates, else the usual ones.

    Reading them takes tens of milliseconds, which ``requests`` spends on every connection; so a
    run does it once, for the API and for Git. Raises ``InputError`` for a file without any.
    """
    if bundle is None:
        import certifi  # noqa: PLC0415  (finding its file takes a while)

        bundle = certifi.where()
    try:
        if Path(bundle).is_dir():
            return ssl.create_default_context(capath=bundle)
        return ssl.create_default_context(cafile=bundle)
    except ssl.SSLError:
        raise InputError(
            "ca-bundle",
            f"{one_line(bundle)} holds no certificates that can be read",
            hint="Name a file of certificates in PEM form, or unset the variable that names it.",
        ) from None


def unanswered(error: BaseException, asked: str) -> ForgeError:
    """Return the error for an exception of ``requests`` or ``urllib3``, judged by what caused it.

    Only a connection that never stood is proof that nothing was sent; else it is a
    ``LostAnswerError``. The libraries' own texts are not repeated: they may name a proxy with its
    password.
    """
    causes = list(_causes(error))
    names = {kind.__name__ for cause in causes for kind in type(cause).__mro__}
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return _unusable(asked, _certificate(causes))
    for name, reason in _UNUSABLE.items():
        if name in names:
            return _unusable(asked, reason)
    for name, reason in _NOT_SENT.items():
        if name in names:
            return _unreachable(asked, reason)
    reason = "no answer in time" if "TimeoutError" in names else "the connection broke off"
    return LostAnswerError(
        f"GitLab did not answer {asked}: {reason}",
        code="gitlab-unreachable",
        hint="Run the command again.",
    )


def unreached(error: BaseException, asked: str, *, proxied: bool) -> ForgeError:
    """Return the error for a connection of Python's own client that never stood."""
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
        return unanswered(error, asked)
    if isinstance(error, socket.gaierror):
        return _unreachable(asked, _NOT_SENT["NameResolutionError"])
    if isinstance(error, TimeoutError):
        return _unreachable(asked, _NOT_SENT["ConnectTimeoutError"])
    if proxied and not isinstance(error, ConnectionError | ssl.SSLError):
        return _unreachable(asked, _NOT_SENT["ProxyError"])
    return _unreachable(asked, _NOT_SENT["NewConnectionError"])


def _unreachable(asked: str, reason: str) -> ForgeError:
    return ForgeError(
        f"GitLab cannot be reached for {asked}: {reason}",
        code="gitlab-unreachable",
        hint="Check the address, the network and the proxy, and run the command again.",
    )


_UNUSABLE = {
    "InvalidProxyURL": "the proxy's address is not valid",
    "ProxySchemeUnknown": "the proxy's address is not valid",
    "InvalidURL": "the address is not valid",
    "TooManyRedirects": "it redirects in a circle",
}
_NOT_SENT = {
    # From the narrower to the wider: each of these three is a kind of the one below it.
    "NameResolutionError": "the host's name is not known",
    "NewConnectionError": "the connection was refused",
    "ConnectTimeoutError": "no connection in time",
    "ProxyError": "the proxy does not let it through",
}


def _unusable(asked: str, reason: str) -> ForgeError:
    return ForgeError(
        f"GitLab cannot be used for {asked}: {reason}",
        code="gitlab-unusable",
        hint="Check the address, the proxy and the certificates that the environment names "
        f"({', '.join(_CA_VARIABLES)}).",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk down what an exception wraps; both libraries keep it in ``args`` or ``reason``."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        cause = waiting.pop()
        if cause in seen:
            continue
        seen.append(cause)
        yield cause
        inner = [*cause.args, getattr(cause, "reason", None), cause.__cause__]
        waiting += [each for each in inner if isinstance(each, BaseException)]


def _certificate(causes: list[BaseException]) -> str:
    reason = next(
        cause.verify_message for cause in causes if isinstance(cause, ssl.SSLCertVerificationError)
    )
    return f"its certificate is not trusted ({one_line(reason)})"


def _bad_url(url: str, reason: str) -> InputError:
    shown = one_line(url.rpartition("@")[2])
    return InputError(
        "gitlab-url",
        f"the GitLab URL {shown!r} cannot be used: {reason}",
        hint="Write it as https://gitlab.example.com, with a path only where GitLab has one.",
    )


_URL_CHARACTERS = frozenset(map(chr, range(0x21, 0x7F))) - set('"<>\\^`{|}')
