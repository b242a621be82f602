"""The base URL of a GitLab: where a token may be sent."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from hotfix.errors import InputError
from hotfix.spec.rules import Complaint, Rule, quoted


def normalized(url: str) -> str:
    """Return the URL in one spelling: no slash at the end, scheme and host in lower case.

    Raises ``InputError`` for one that is not fit: anything but https (http on loopback addresses
    alone: a token would cross the network readable), a user or a password in it, a query.
    """
    complaint = _gitlab_url(url)
    if complaint is not None:
        raise InputError("invalid-gitlab-url", complaint[0], hint=complaint[1])
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def host(url: str) -> str:
    """Return the host without its port, as it stands in the built-in committer's address."""
    return urlsplit(url).hostname or ""


def _gitlab_url(value: str) -> Complaint | None:
    example = "Write its base, such as `https://gitlab.example.com`."
    parts = _split(value)
    if parts is None:
        return f"{quoted(value)} is no base URL of a GitLab", example
    if parts.username is not None:
        return "the URL carries a user or a password", "Take it out; the token has its own place."
    if "?" in value or "#" in value:
        return "the URL of a GitLab has no query and no fragment", example
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        return "plain http is for loopback addresses alone", f"Write `https://{parts.netloc}`."
    return None


def _split(value: str) -> SplitResult | None:
    if not re.fullmatch(_PATTERN, value):
        return None
    try:
        parts = urlsplit(value)
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        return None
    return parts if re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", name) else None


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


_PATTERN = r"^[hH][tT][tT][pP][sS]?://[^\s\u0000-\u0020\u007f\\]+$"

GitLabUrl = Annotated[
    str,
    Rule(
        _gitlab_url,
        {
            "pattern": r"^(https://|http://(localhost|127\.[0-9.]+|\[::1\])(:[0-9]+)?(/|$))"
            r"[^\s@?#\\]*$"
        },
    ),
]
