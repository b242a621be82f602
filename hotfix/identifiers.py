"""Names that are the same in every room: commits, projects, the action that is forbidden."""

from __future__ import annotations

import re
import unicodedata
from typing import NewType

Sha = NewType("Sha", str)
"""A Git object id: 40 lower-case hex digits."""

ZERO = Sha("0" * 40)
"""What Git's protocol writes for "no object": a ref that does not exist."""

SHA_PATTERN = r"^[0-9a-f]{40}$"
PROJECT_PATTERN = r"^[A-Za-z0-9_.][A-Za-z0-9_.-]*(/[A-Za-z0-9_.][A-Za-z0-9_.-]*)+$"

FORBIDDEN_ACTION = "bring-all-code-to-release-branch"


def short(sha: str) -> str:
    """Return the eight digits that GitLab shows of a commit."""
    return sha[:8]


def is_forbidden(value: object) -> bool:
    """Tell whether a value names the cut-off action, in any spelling.

    The runbook, step 4: do not choose the cut-off action; it fills ``release`` with unreleased
    work. Letters are compared after Unicode compatibility folding, without case and without
    whatever stands between them, and anywhere inside a longer text or a nested value.
    """
    if isinstance(value, dict):
        return any(is_forbidden(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple | set | frozenset):
        return any(is_forbidden(part) for part in value)
    return isinstance(value, str) and _letters(FORBIDDEN_ACTION) in _letters(value)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", unicodedata.normalize("NFKC", text).casefold())
