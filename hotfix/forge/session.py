"""The HTTP session under python-gitlab: where the token may go, and what a refusal looks like.

``requests`` takes ``Authorization`` off a redirect to another host, but not GitLab's
``PRIVATE-TOKEN``. So this session sends nothing to any origin but GitLab's own, and follows
redirects of reads alone: a redirected write would be sent on as a read of something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from hotfix.errors import InputError
from hotfix.forge.errors import sentence
from hotfix.forge.network import CONNECT_SECONDS, is_loopback, name_request, origin, unanswered
from hotfix.forge.protocol import ConflictError, ForgeError, NotFoundError
from hotfix.text import one_line

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

_FEW = 5
_SUCCESS = range(200, 300)
_NOT_FOUND = 404
_CONFLICT = 409
_HINTS = {
    401: "The token is wrong, expired or revoked: set HOTFIX_TOKEN to a valid one.",
    403: "The token's scopes or its role in the project do not allow this.",
    404: "It is not there, or the token may not see it; GitLab does not tell which.",
}


class GuardedSession(requests.Session):
    """A session that is bound to one origin and raises ``ForgeError`` for all but success."""

    def __init__(
        self, url: str, token: str, *, timeout: float, trust: ssl.SSLContext | None
    ) -> None:
        super().__init__()
        self.max_redirects = _FEW
        if trust is not None:
            self.mount("https://", _Trusting(trust))
        self._origin = origin(url)
        self._api = f"{urlsplit(url).path.rstrip('/')}/api/"
        # Plain HTTP is allowed to this machine alone, so it must not go out through a proxy.
        self.trust_env = not is_loopback(self._origin.host)
        self._token = token
        self._timeout = (CONNECT_SECONDS, timeout)

    def request(  # type: ignore[override]  # python-gitlab calls it in this way only
        self,
        method: str,
        url: str,
        **options: Any,  # noqa: ANN401  (passed on as they are)
    ) -> requests.Response:
        """Send a request with timeouts; any answer but 2xx is raised, with what GitLab said."""
        asked = name_request(method, url)
        options["timeout"] = self._timeout
        try:
            answer = super().request(method, url, **options)
        except requests.RequestException as error:
            raise unanswered(error, asked) from None
        if answer.status_code in _SUCCESS:
            return answer
        raise refusal(answer.status_code, answer.content, answer.headers, asked, self._token)

    def send(
        self,
        request: requests.PreparedRequest,
        **options: Any,  # noqa: ANN401  (passed on)
    ) -> requests.Response:
        """Send one prepared request, a redirected one too, to GitLab's own origin only."""
        if not self._is_home(request.url or ""):
            raise ForgeError(
                f"{self._origin} sent us on to {one_line(request.url or '')}; "
                "the token does not go there",
                code="gitlab-redirect",
                hint="Give the address that GitLab itself uses as --gitlab or in the spec.",
            )
        return super().send(request, **options)

    def _is_home(self, url: str) -> bool:
        try:
            return origin(url) == self._origin
        except InputError:
            return False

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Tell where a redirect leads, for reads alone, and never from the API to a web page.

        A log-in page would be taken for the answer, and one that is not there for GitLab's word
        that what was asked for is absent.
        """
        if resp.request.method not in {"GET", "HEAD"}:
            return None
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        leads_to = urljoin(resp.url, target)
        if self._is_home(leads_to) and not urlsplit(leads_to).path.startswith(self._api):
            return None
        return target

    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """Leave a redirected request as it is; ``requests`` would look into ``~/.netrc``."""


class _Trusting(HTTPAdapter):
    """Connections, also through a proxy, under one context that is given whole."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust
        super().__init__()

    def init_poolmanager(self, *sizes: Any, **options: Any) -> None:  # noqa: ANN401  (passed on)
        super().init_poolmanager(*sizes, **options, ssl_context=self._trust)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401  (passed on)
        return super().proxy_manager_for(proxy, **options, ssl_context=self._trust)

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: object,
        cert: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401  (passed on)
        del verify  # a path would be read again
        return super().build_connection_pool_key_attributes(request, verify=True, cert=cert)

    def cert_verify(self, conn: Any, url: str, verify: object, cert: object) -> None:  # noqa: ANN401
        """Leave the connection as the context has it; ``requests`` would name a file to read."""


def refusal(
    status: int, body: bytes, headers: Mapping[str, str], asked: str, token: str
) -> ForgeError:
    """Return the error for an answer that is no success, free of the token even if it is in it."""
    body = body.replace(token.encode(), b"[token]")
    said = sentence(body)
    if location := headers.get("Location"):
        said = f"redirected to {one_line(location.replace(token, '[token]'))}"
    message = f"GitLab answered {status} to {asked}" + (f": {said}" if said else "")
    if status == _CONFLICT:
        return ConflictError(message, body)
    kind = NotFoundError if status == _NOT_FOUND else ForgeError
    return kind(
        message,
        status=status,
        hint=_HINTS.get(status, ""),
        retry_after=_seconds(headers.get("Retry-After")),
    )


def _seconds(text: str | None) -> float | None:
    """Read ``Retry-After``; a date, which GitLab does not send, counts as none."""
    return float(text) if text and text.isascii() and text.isdigit() else None
