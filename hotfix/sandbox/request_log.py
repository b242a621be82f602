"""What was asked of the embedded GitLab, in order; no token is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_GIT_READS: Final = re.compile(r"/(info/refs|git-upload-pack)$")


@dataclass(frozen=True, slots=True)
class Request:
    """A request and its answer."""

    method: str
    path: str
    """Decoded; see ``raw_path`` for what was sent."""
    query: str
    body: bytes
    status: int
    """What the client was told; 0 where the connection was reset."""
    user: str | None
    raw_path: str
    content_type: str
    answer: bytes
    answer_type: str
    struck: bool
    """Whether a fault stood in for the answer."""

    @property
    def is_write(self) -> bool:
        """Whether it asked for a change; a fetch over HTTP is a POST, too, and is none."""
        if self.method in ("GET", "HEAD"):
            return False
        return _GIT_READS.search(self.path) is None and not self._reads_by_graphql()

    def _reads_by_graphql(self) -> bool:
        return self.path == "/api/graphql" and b"mutation" not in self.body


class RequestLog(list[Request]):
    """All requests so far, the oldest first."""

    def writes(self) -> list[Request]:
        """Return those that asked for a change."""
        return [request for request in self if request.is_write]

    def matching(self, method: str, path: str) -> list[Request]:
        """Return those of a method whose path contains a pattern."""
        return [one for one in self if one.method == method and re.search(path, one.path)]
