"""Every shape in which GitLab says no, made one sentence.

GitLab's API answers an error as ``{"message": ...}`` with a string, a list or a map from field to
complaints, as ``{"error": ..., "error_description": ...}``, as GraphQL's ``{"errors": [...]}``, as
plain text, or, from a proxy in front of it, as a web page. What it says is hostile text: it is
made printable and bounded here, before anybody can show it.

Source: GitLab docs, "REST API troubleshooting", status codes and validation errors.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping

from hotfix.text import one_line

LIMIT = 500
"""The most characters of a server's text that a sentence of ours repeats."""

_DEEPEST = 5
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


def sentence(body: bytes) -> str:
    """Return what the body of an error answer says, in one printable line; empty if nothing."""
    text = body.decode("utf-8", "replace")
    try:
        said = _said(json.loads(text))
    except (ValueError, RecursionError):
        said = page_title(body) or text
    return one_line(said, LIMIT)


def page_title(body: bytes) -> str | None:
    """Return how a web page is called that came where JSON or text was expected."""
    text = body[:20_000].decode("utf-8", "replace")
    if not text.lstrip()[:200].lower().startswith(("<!doctype", "<html", "<head")):
        return None
    found = _TITLE.search(text)
    title = one_line(html.unescape(found[1]), LIMIT) if found else ""
    return f"a web page titled {title!r}" if title else "a web page without a title"


def _said(value: object, depth: int = 0) -> str:
    if depth > _DEEPEST:
        return "…"
    match value:
        case None | False:
            return ""
        case Mapping():
            return _of_map(value, depth)
        case list():
            return ", ".join(filter(None, (_said(part, depth + 1) for part in value)))
        case _:
            return str(value)


def _of_map(value: Mapping[object, object], depth: int) -> str:
    """Join the keys that GitLab speaks through; of a map of fields, each with its complaints."""
    for key in ("message", "error", "errors"):
        if value.get(key):
            extra = [value.get("error_description"), _scope(value.get("scope"))]
            parts = [_said(value[key], depth + 1), *(_said(part, depth + 1) for part in extra)]
            return ": ".join(filter(None, parts))
    return "; ".join(_of_field(key, said, depth) for key, said in value.items())


def _of_field(key: object, said: object, depth: int) -> str:
    text = _said(said, depth + 1)
    return text if key == "base" else f"{key} {text}"


def _scope(value: object) -> str:
    return f"needs the scope {_said(value)}" if value else ""
