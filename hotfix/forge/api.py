"""Reads that are patient and writes that are sent once, over python-gitlab's HTTP layer.

python-gitlab's own retries stay off: they would repeat writes after a lost answer, and follow any
``Retry-After`` however long. Its managers are passed over as well: an answer is wanted as JSON
with the request that brought it, so that what is missing in it can be named.
"""

from __future__ import annotations

import json
from collections import deque
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

from hotfix.forge.answer import Answer
from hotfix.forge.errors import page_title, sentence
from hotfix.forge.network import LostAnswerError, name_request
from hotfix.forge.protocol import ForgeError, NotFoundError, UnknownOutcomeError
from hotfix.forge.retry import Quiet, patiently, rate_limited, transient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from hotfix.clock import Clock

T = TypeVar("T")

PAGE = 100
"""Rows per page, GitLab's most."""

_NOTHING: Mapping[str, object] = MappingProxyType({})
_MOST_PAGES = 100
_OK = 200
_REDIRECTS = range(300, 400)
_SERVER_ERROR = 500
_HIDDEN = frozenset({403, 404})


class Client(Protocol):
    """What is used of ``gitlab.Gitlab``."""

    def http_request(
        self,
        verb: str,
        path: str,
        *,
        query_data: dict[str, Any],
        post_data: dict[str, Any] | None,
        obey_rate_limit: bool,
        retry_transient_errors: bool,
        max_retries: int,
    ) -> requests.Response:
        """Send one request to a route below ``/api/v4`` or to a whole URL."""
        ...


def route(*parts: str | int) -> str:
    """Return a route with each part quoted, a project's path as one (GitLab docs, "REST API")."""
    return "".join(f"/{quote(str(part), safe='')}" for part in parts)


def readable(read: Callable[[], T]) -> T | None:
    """Read what a tier may not have or a role may not see; ``None`` where GitLab shows it not.

    It answers 403 or 404 then, and does not tell which is why: to whoever reads the result it is
    unknown, never absent.
    """
    try:
        return read()
    except ForgeError as error:
        if error.status not in _HIDDEN:
            raise
        return None


class Api:
    """GitLab's REST and GraphQL APIs as JSON in and out; every failure is a ``ForgeError``.

    Several threads may ask at a time. ``requests`` does not promise that they may share a session,
    so a client is out of the pool while it sends: there are as many as ever sent at once, and
    whoever comes next takes the one that was put back last, with its open connection.
    """

    def __init__(self, connect: Callable[[], Client], url: str, clock: Clock) -> None:
        self._connect = connect
        self._idle: deque[Client] = deque()
        self._graphql = f"{url}/api/graphql"
        self._sleep = clock.sleep
        self._quiet = Quiet(clock)

    def get(self, path: str, query: Mapping[str, object] = _NOTHING) -> Answer:
        """Read one JSON value."""
        return _json(self._read("get", path, query), name_request("get", path))

    def dated(self, path: str) -> tuple[Answer, str]:
        """Read one JSON value, and what the server's clock said, as the answer bears it."""
        answer = self._read("get", path, _NOTHING)
        return _json(answer, name_request("get", path)), answer.headers.get("Date", "")

    def text(self, path: str) -> str:
        """Read plain text, of whatever encoding."""
        body = self._read("get", path, _NOTHING).content
        if title := page_title(body):
            raise _unfit(name_request("get", path), f"is {title}, not plain text")
        return body.decode("utf-8", "replace")

    def rows(
        self,
        path: str,
        query: Mapping[str, object] = _NOTHING,
        *,
        limit: int | None = None,
        key: str = "id",
    ) -> list[Answer]:
        """Read a list, page after page by the ``Link`` header, up to ``limit`` rows.

        Totals are never counted on: GitLab leaves them out of long lists. Of a link only the
        query is taken, so that it leads nowhere else. A row that moved to the next page while
        reading is taken once, by the ``key`` that tells rows apart.
        """
        query = {**query, "per_page": min(limit or PAGE, PAGE)}
        found: dict[object, Answer] = {}
        for _ in range(_MOST_PAGES):
            answer = self._read("get", path, query)
            for row in _json(answer, name_request("get", path)).rows():
                found.setdefault(row.key(key), row)
            following = answer.links.get("next", {}).get("url")
            if not following or (limit is not None and len(found) >= limit):
                return list(found.values())[:limit]
            query = dict(parse_qsl(urlsplit(following).query))
        raise _unfit(name_request("get", path), f"has more than {_MOST_PAGES} pages")

    def query(self, document: str, variables: Mapping[str, object]) -> Answer:
        """Ask GraphQL; it is a POST, yet changes nothing, so it is repeated as a read is."""
        body = {"query": document, "variables": dict(variables)}
        answer = self._read("post", self._graphql, _NOTHING, body)
        return _data(_json(answer, name_request("post", self._graphql)))

    def project_nodes(
        self, project: str, document: str, name: str, variables: Mapping[str, object] = _NOTHING
    ) -> list[Answer]:
        """Read a connection of a project by GraphQL, page after page.

        The document asks for ``project(fullPath: $project)`` and in it for the connection ``name``
        with ``after: $after``. None is there where the token may not read it.
        """
        found: list[Answer] = []
        after: str | None = None
        for _ in range(_MOST_PAGES):
            asked = {"project": project, "after": after, **variables}
            page = _connection(self.query(document, asked), project, name)
            if page is None:
                return found
            found += page.children("nodes")
            info = page.maybe_child("pageInfo")
            if info is None or not info.flag("hasNextPage"):
                return found
            after = info.text("endCursor")
        raise ForgeError(f"the {name} of {project} have more than {_MOST_PAGES} pages")

    def mutate(self, document: str, variables: Mapping[str, object], name: str) -> None:
        """Change something by GraphQL, once; errors may stand above or inside the payload."""
        body = {"query": document, "variables": dict(variables)}
        self.write("post", self._graphql, body, lambda answer: _payload(_data(answer), name))

    def write(
        self, verb: str, path: str, body: Mapping[str, object], convert: Callable[[Answer], T]
    ) -> T:
        """Send a write once and return what it made.

        Only a 429 is followed by another try, since GitLab turned it away unread. Where it is not
        known whether the write happened (no answer, a server's error, an answer that makes no
        sense) ``UnknownOutcomeError`` is raised.
        """
        asked = name_request(verb, path)
        return self._once(verb, path, lambda answer: convert(_json(answer, asked)), body=body)

    def delete(self, path: str, query: Mapping[str, object]) -> None:
        """Send a deletion once, as ``write`` does; what GitLab answers to it is not read."""
        self._once("delete", path, lambda _: None, query=query)

    def _once(
        self,
        verb: str,
        path: str,
        read: Callable[[requests.Response], T],
        *,
        query: Mapping[str, object] = _NOTHING,
        body: Mapping[str, object] | None = None,
    ) -> T:
        try:
            answer = patiently(
                lambda: self._send(verb, path, query, body), rate_limited, self._sleep
            )
            return read(answer)
        except ForgeError as error:
            if _is_refusal(error):
                raise
            raise UnknownOutcomeError(
                f"it is not known whether {name_request(verb, path)} happened: {error.message}",
                status=error.status,
                code="outcome-unknown",
                hint="Run the same command again: it looks first and does nothing twice.",
            ) from error

    def _read(
        self,
        verb: str,
        path: str,
        query: Mapping[str, object],
        body: Mapping[str, object] | None = None,
    ) -> requests.Response:
        return patiently(lambda: self._send(verb, path, query, body), transient, self._sleep)

    def _send(
        self,
        verb: str,
        path: str,
        query: Mapping[str, object],
        body: Mapping[str, object] | None,
    ) -> requests.Response:
        self._quiet.wait()
        client = self._client()
        try:
            return client.http_request(
                verb,
                path,
                query_data={key: value for key, value in query.items() if value is not None},
                post_data=None if body is None else dict(body),
                obey_rate_limit=False,
                retry_transient_errors=False,
                max_retries=0,
            )
        except ForgeError as error:
            self._quiet.keep(error)
            raise
        finally:
            self._idle.append(client)

    def _client(self) -> Client:
        try:
            return self._idle.pop()
        except IndexError:
            return self._connect()


def _json(answer: requests.Response, asked: str) -> Answer:
    try:
        return Answer(asked, json.loads(answer.content))
    except (ValueError, RecursionError):
        seen = page_title(answer.content) or "no JSON"
        raise _unfit(asked, f"is {seen}; is a log-in page or a proxy in between?") from None


def _data(answer: Answer) -> Answer:
    """Return the ``data`` of a GraphQL answer; its errors come with status 200."""
    if isinstance(answer.value, dict) and answer.value.get("errors"):
        raise _graphql_refusal(answer.value)
    return answer.child("data")


def _connection(data: Answer, project: str, name: str) -> Answer | None:
    found = data.maybe_child("project")
    if found is None:
        raise NotFoundError(
            f"GitLab's GraphQL API knows no project {project}, or the token may not see it",
            status=404,
        )
    return found.maybe_child(name)


def _payload(data: Answer, name: str) -> None:
    """Check the payload of a mutation, which has errors of its own."""
    payload = data.child(name)
    if isinstance(payload.value, dict) and payload.value.get("errors"):
        raise _graphql_refusal(payload.value)


def _graphql_refusal(value: Mapping[str, object]) -> ForgeError:
    said = sentence(json.dumps({"errors": value["errors"]}).encode())
    return ForgeError(f"GitLab refused POST /api/graphql: {said}", status=_OK)


def _is_refusal(error: ForgeError) -> bool:
    """Tell whether a write surely did not happen: never sent, or refused in GitLab's own words.

    A redirect is no refusal: it may be a log-in page that a proxy put in the answer's place.
    """
    if isinstance(error, LostAnswerError):
        return False
    if error.status in _REDIRECTS or error.status >= _SERVER_ERROR:
        return False
    return error.code != "gitlab-answer"


def _unfit(asked: str, what: str) -> ForgeError:
    return ForgeError(
        f"GitLab's answer to {asked} {what}",
        status=_OK,
        code="gitlab-answer",
        hint="Check that the address is a GitLab's and that the token is valid.",
    )
