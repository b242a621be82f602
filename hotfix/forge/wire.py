"""The HTTP connection under dulwich's Git client: the same rules as the API's session.

dulwich asks a urllib3 pool manager for its requests. This one stands in its place: it goes to one
origin only, follows no redirect, has timeouts, takes proxies and certificates from the environment
as ``requests`` does, and raises ``ForgeError`` for every answer but success.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3
from requests.utils import (
    DEFAULT_CA_BUNDLE_PATH,
    get_auth_from_url,
    get_environ_proxies,
    select_proxy,
)

from hotfix.forge.network import (
    CONNECT_SECONDS,
    LostAnswerError,
    ca_bundle,
    is_loopback,
    name_request,
    origin,
    unanswered,
)
from hotfix.forge.protocol import ForgeError
from hotfix.forge.session import refusal
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_OK = 200
_ERROR_BYTES = 100_000
_WHOLE_BYTES = 100_000_000
_HEAD_BYTES = 1_024


class RefusedWantError(ForgeError):
    """The server does not have a commit that was asked for, or does not give it by its id.

    git's ``upload-pack`` says ``not our ref`` to both.
    """


class Reply:
    """An answer as dulwich reads it; a connection that breaks meanwhile is a ``ForgeError``."""

    def __init__(self, answer: urllib3.BaseHTTPResponse, url: str, asked: str) -> None:
        self.status = answer.status
        self.headers = answer.headers
        self._answer = answer
        self._url = url
        self._asked = asked
        self._head = b""

    def geturl(self) -> str:
        """Tell the URL that was asked; there are no redirects."""
        return self._url

    def read(self, amount: int | None = None) -> bytes:
        """Read up to so many bytes, or all."""
        if self._head and amount is not None:
            taken, self._head = self._head[:amount], self._head[amount:]
            return taken if len(taken) == amount else taken + self.read(amount - len(taken))
        try:
            rest = self._answer.read(amount)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise unanswered(error, self._asked) from None
        rest, self._head = self._head + rest, b""
        return rest

    def raise_error_packet(self) -> None:
        """Raise what the server says in an ``ERR`` packet at the start, and keep the rest.

        Git's protocol has it in place of an answer; dulwich would say only that it hung up.
        """
        self._head = self.read(_HEAD_BYTES)
        if self._head[4:8] == b"ERR ":
            said = one_line(self._head[8:].decode("utf-8", "replace"))
            kind = RefusedWantError if "not our ref" in said else ForgeError
            raise kind(f"GitLab refused {self._asked}: {said}", status=_OK, code="git-refused")

    def read_ahead(self) -> None:
        """Read a short answer to its end: a break shows here, and the connection stays open."""
        self._head = self.read(_WHOLE_BYTES)

    def close(self) -> None:
        """Drop the connection, unless all was read and it went back to its pool already."""
        self._answer.close()


class Wire:
    """What dulwich takes for its pool manager; made for one repository's URL."""

    def __init__(self, url: str, token: str, *, timeout: float) -> None:
        self.headers: Mapping[str, str] = {"User-Agent": "git/2.0 (hotfix)"}
        self._origin = origin(url)
        self._token = token
        self._timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=timeout)
        self._pool = _pool(url)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | Iterator[bytes] | None = None,
        **_: object,
    ) -> Reply:
        """Send one request and return the answer unread; any status but 200 is raised."""
        asked = name_request(method, url)
        if origin(url) != self._origin:
            raise ForgeError(f"{asked} would leave {self._origin}", code="gitlab-redirect")
        try:
            answer = self._pool.request(
                method,
                url,
                headers=dict(headers),
                body=body,
                timeout=self._timeout,
                redirect=False,
                retries=False,
                preload_content=False,
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise unanswered(error, asked) from None
        reply = Reply(answer, url, asked)
        try:
            self._begin(reply, method, url, asked)
        except BaseException:
            reply.close()
            raise
        return reply

    def _begin(self, reply: Reply, method: str, url: str, asked: str) -> None:
        """Raise what is no success, and read what is short; only packs are read as they come."""
        if reply.status != _OK:
            raise self._refusal(reply, asked)
        if method == "GET":
            _check_advertisement(reply, asked)
        if method == "GET" or url.endswith("git-receive-pack"):
            reply.read_ahead()
        else:
            reply.raise_error_packet()

    def _refusal(self, reply: Reply, asked: str) -> ForgeError:
        try:
            body = reply.read(_ERROR_BYTES)
        except LostAnswerError:
            body = b""
        return refusal(reply.status, body, reply.headers, asked, self._token)


def _check_advertisement(reply: Reply, asked: str) -> None:
    """Refuse what is no Git server's answer; dulwich would read a web page as a list of refs."""
    kind = reply.headers.get("Content-Type", "")
    if not kind.startswith("application/x-git-"):
        raise ForgeError(
            f"GitLab's answer to {asked} is {one_line(kind) or 'of no type'}, not Git's",
            status=_OK,
            code="gitlab-answer",
            hint="Check that no log-in page or proxy answers in GitLab's place.",
        )


def _pool(url: str) -> urllib3.PoolManager:
    """Return a pool with the proxy and the certificates that the API's session has, too."""
    trusted = ca_bundle() or DEFAULT_CA_BUNDLE_PATH
    certificates: dict[str, Any] = {
        "ca_cert_dir" if Path(trusted).is_dir() else "ca_certs": trusted
    }
    proxy = None if is_loopback(origin(url).host) else select_proxy(url, get_environ_proxies(url))
    if proxy is None:
        return urllib3.PoolManager(**certificates)
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    user, password = get_auth_from_url(proxy)
    headers = urllib3.make_headers(proxy_basic_auth=f"{user}:{password}") if user else None
    return urllib3.ProxyManager(proxy, proxy_headers=headers, **certificates)
