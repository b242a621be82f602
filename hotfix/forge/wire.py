"""The HTTP connection under the Git protocol: the same rules as the API's session.

One connection is kept alive for all requests to a repository. It goes to one origin only, has
timeouts, takes proxies and certificates from the environment as ``requests`` does, and raises
``ForgeError`` for every answer but success. It stands on Python's own client, which is loaded in a
third of the time of ``urllib3``.
"""

from __future__ import annotations

import select
import weakref
import zlib
from base64 import b64encode
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import getproxies

from hotfix.forge.network import (
    CONNECT_SECONDS,
    LostAnswerError,
    ca_bundle,
    is_loopback,
    name_request,
    origin,
    trusted,
    unanswered,
    unreached,
)
from hotfix.forge.protocol import ForgeError
from hotfix.text import one_line

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from hotfix.forge.network import Origin

_OK = 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FEW = 5
_ERROR_BYTES = 100_000
_SHORT = 1_000_000
_USER = "oauth2"
_GZIP = zlib.MAX_WBITS | 16


class Answer:
    """An answer's body as it comes; a connection that breaks meanwhile is a ``ForgeError``."""

    def __init__(self, response: HTTPResponse, url: str, asked: str) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = dict(response.headers.items())
        self.url = url
        self.asked = asked
        self._response = response
        self._rest = b""
        coded = response.headers.get("Content-Encoding", "").strip().lower()
        if coded not in {"", "identity", "gzip", "x-gzip"}:
            raise ForgeError(
                f"GitLab answered {asked} in the encoding {one_line(coded)}, not asked for",
                status=response.status,
                code="gitlab-answer",
            )
        self._unzip = zlib.decompressobj(_GZIP) if "gzip" in coded else None

    def read(self, amount: int) -> bytes:
        """Read so many bytes; fewer only at the end."""
        try:
            return self._response.read(amount) if self._unzip is None else self._inflated(amount)
        except (HTTPException, OSError, zlib.error) as error:
            raise unanswered(error, self.asked) from None

    def _inflated(self, amount: int) -> bytes:
        stream = self._unzip
        while stream is not None and len(self._rest) < amount and not stream.eof:
            raw = stream.unconsumed_tail or self._response.read(_SHORT)
            if not raw:
                raise zlib.error("the answer ends too early")
            self._rest += stream.decompress(raw, _SHORT)
        taken, self._rest = self._rest[:amount], self._rest[amount:]
        return taken

    def finish(self) -> None:
        """Read what is left, little, so that the connection serves the next request."""
        self.read(_SHORT)
        if self._unzip is not None:
            with suppress(HTTPException, OSError):
                self._response.read(_SHORT)

    def close(self) -> None:
        """Give up what was not read."""
        self._response.close()


class Wire:
    """Requests to one repository's origin, with its token, over one connection."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float,
        trust: Callable[[], ssl.SSLContext] = lambda: trusted(ca_bundle()),
    ) -> None:
        self._trust = trust
        self._origin = origin(url)
        self._token = token
        self._timeout = timeout
        self._proxy = _proxy(url, self._origin)
        self._connection: HTTPConnection | None = None
        self._answer: Answer | None = None
        secret = b64encode(f"{_USER}:{token}".encode()).decode()
        self._headers = {"User-Agent": "git/2.0 (hotfix)", "Authorization": f"Basic {secret}"}

    def get(self, url: str, headers: Mapping[str, str]) -> Answer:
        """Ask for a URL, following redirects within the origin that keep its end, as git does.

        The answer tells where it came from in the end.
        """
        tail = url[url.rindex("/info/refs") :]
        for _ in range(_FEW):
            answer = self._send("GET", url, headers, None)
            target = answer.headers.get("Location") if answer.status in _REDIRECTS else None
            place = urljoin(url, target) if target else ""
            if not self._is_home(place) or not place.endswith(tail):
                return self._checked(answer)
            answer.finish()
            url = place
        return self._checked(answer)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a body once; the answer is to be read."""
        return self._checked(self._send("POST", url, headers, body))

    def _is_home(self, place: str) -> bool:
        with suppress(Exception):
            return origin(place) == self._origin
        return False

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        asked = name_request(method, url)
        if origin(url) != self._origin:
            raise ForgeError(f"{asked} would leave {self._origin}", code="gitlab-redirect")
        parts = urlsplit(url)
        route = parts.path + (f"?{parts.query}" if parts.query else "")
        connection = self._connected(asked)
        try:
            connection.request(method, route, body, {**self._headers, **headers})
            self._answer = Answer(connection.getresponse(), url, asked)
        except (HTTPException, OSError) as error:
            self._drop()
            raise unanswered(error, asked) from None
        return self._answer

    def _checked(self, answer: Answer) -> Answer:
        """Return the answer of a success; raise any other with what GitLab said."""
        if answer.status == _OK:
            return answer
        from hotfix.forge.session import refusal  # noqa: PLC0415  (loads `requests`)

        try:
            body = answer.read(_ERROR_BYTES)
        except LostAnswerError:
            body = b""
        self._drop()
        raise refusal(answer.status, body, answer.headers, answer.asked, self._token)

    def _connected(self, asked: str) -> HTTPConnection:
        """Return the connection, a new one where the last is used up or was closed meanwhile."""
        if self._connection is not None and not self._is_idle(self._connection):
            self._drop()
        if self._connection is None:
            connection = self._new_connection()
            try:
                connection.connect()
            except (HTTPException, OSError) as error:
                connection.close()
                raise unreached(error, asked, proxied=self._proxy is not None) from None
            connection.sock.settimeout(self._timeout)
            self._connection = connection
            self._closing = weakref.finalize(self, connection.close)
        return self._connection

    def _is_idle(self, connection: HTTPConnection) -> bool:
        if self._answer is not None and not self._answer._response.isclosed():  # noqa: SLF001
            return False
        if connection.sock is None:
            return False
        waiting = select.poll()
        waiting.register(connection.sock, select.POLLIN)
        return not waiting.poll(0)  # between requests a server says nothing but farewell

    def _new_connection(self) -> HTTPConnection:
        where = self._origin
        if where.scheme == "http":
            return HTTPConnection(where.host, where.port, timeout=CONNECT_SECONDS)
        context = self._trust()
        if self._proxy is None:
            return HTTPSConnection(where.host, where.port, timeout=CONNECT_SECONDS, context=context)
        proxy = urlsplit(self._proxy)
        connection = HTTPSConnection(
            proxy.hostname or "", proxy.port or 80, timeout=CONNECT_SECONDS, context=context
        )
        connection.set_tunnel(where.host, where.port, _proxy_headers(self._proxy))
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._closing()
        self._connection = self._answer = None


def _proxy(url: str, where: Origin) -> str | None:
    """Return the proxy that the environment names for a URL; ``no_proxy`` as ``requests`` has it.

    Raises ``ForgeError`` for one that cannot be used.
    """
    if is_loopback(where.host) or not getproxies():
        return None
    from requests.utils import (  # noqa: PLC0415  (only for those who have a proxy)
        get_environ_proxies,
        select_proxy,
    )

    found = select_proxy(url, get_environ_proxies(url))
    if not found:
        return None
    found = found if "://" in found else f"http://{found}"
    parts = urlsplit(found)
    if parts.scheme != "http" or not parts.hostname:
        raise ForgeError(
            "GitLab cannot be used: the proxy's address is not valid; one that begins with "
            f"http:// is expected, not {one_line(parts.scheme)}://",
            code="gitlab-unusable",
            hint="Correct https_proxy; an http:// proxy lets TLS through to GitLab untouched.",
        )
    return found


def _proxy_headers(proxy: str) -> dict[str, str]:
    parts = urlsplit(proxy)
    if not parts.username:
        return {}
    secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Proxy-Authorization": "Basic " + b64encode(secret.encode()).decode()}
