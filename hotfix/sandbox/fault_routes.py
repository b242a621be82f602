"""Which requests a fault is about, in the words of GitLab's documentation and of Git.

``POST /projects/:id/pipeline``
    a REST route: ``:name`` stands for one segment, a last ``*`` for all that follows, ``*`` as the
    method for every method. A segment may also be written out, encoded or not.
``GET ~/bridges``
    a request whose decoded path and query contain a pattern.
``git push [REF]``, ``git fetch``
    the sending of objects over Git's protocol; with a ref only pushes that name it, with a last
    ``*`` one that begins so.
``graphql NAME``
    a GraphQL request whose document has the name, such as a mutation's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

API: Final = "/api/v4"
_METHODS: Final = frozenset({"*", "DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as far as a route tells it from others."""

    method: str
    uri: str
    """As it was sent, with its query."""
    body: bytes

    @property
    def path(self) -> str:
        """The path alone, as it was sent."""
        return self.uri.partition("?")[0]


Matcher = Callable[[Asked], bool]


def matcher(route: str) -> Matcher:
    """Return what tells whether a request is meant; ``ValueError`` for no route."""
    match route.split(" "):
        case ["git", "push", *refs] if len(refs) <= 1:
            return _git("git-receive-pack", _named(refs[0]) if refs else "refs/")
        case ["git", "fetch"]:
            return _git("git-upload-pack", "want [0-9a-f]{40}")
        case ["graphql", name] if name.isidentifier():
            return _graphql(name)
        case [method, path] if method in _METHODS and path[:1] == "~":
            return _pattern(method, path[1:])
        case [method, path] if method in _METHODS and path[:1] == "/":
            return _rest(method, path)
    raise ValueError(
        f"{route!r} is no route; write one such as `POST /projects/:id/pipeline`, `git push`, "
        "`git fetch` or `graphql timelineEventCreate`"
    )


def _named(ref: str) -> str:
    end = "" if ref.endswith("*") else r"(?![\w/.-])"
    return rf"[0-9a-f]{{40}} {re.escape(ref.rstrip('*'))}{end}"


def _git(service: str, said: str) -> Matcher:
    told = re.compile(said.encode())
    return lambda asked: (
        asked.path.endswith(f"/{service}")
        and asked.method == "POST"
        and told.search(asked.body) is not None
    )


def _graphql(name: str) -> Matcher:
    word = re.compile(rb"\b" + name.encode() + rb"\b")
    return lambda asked: asked.path == "/api/graphql" and word.search(asked.body) is not None


def _pattern(method: str, pattern: str) -> Matcher:
    compiled = re.compile(pattern)
    return lambda asked: (
        method in ("*", asked.method) and compiled.search(unquote(asked.uri)) is not None
    )


def _rest(method: str, path: str) -> Matcher:
    *steps, last = path.split("/")[1:]
    parts = [_segment(step) for step in steps]
    parts.append(".*" if last == "*" else _segment(last))
    compiled = re.compile("/" + "/".join(parts))

    def matches(asked: Asked) -> bool:
        found = compiled.fullmatch(asked.path.removeprefix(API))
        return method in ("*", asked.method) and asked.path.startswith(API) and bool(found)

    return matches


def _segment(step: str) -> str:
    if step[:1] == ":":
        return "[^/]+"
    plain = unquote(step)
    return f"(?:{re.escape(step)}|{re.escape(plain.replace('/', '%2F'))})"
