"""What a smoke check found: a value for the lockfile, never an exception."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from hotfix.spec.secrets import mask
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pydantic import JsonValue

EXTRACT_CHARACTERS = 200
"""How much of a foreign text is kept: enough to recognise it, too little to fill a lockfile."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one try saw, with what was expected, on one printable line."""

    passed: bool
    detail: str
    facts: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SmokeResult:
    """The end of a check after all its tries; ``detail`` and ``facts`` are the last try's."""

    name: str
    kind: str
    outcome: Literal["passed", "failed"]
    detail: str
    attempts: int
    started_at: datetime
    finished_at: datetime
    facts: Mapping[str, JsonValue]


def timed_out(seconds: float) -> Finding:
    """Return the finding of a try that was not over in time."""
    return Finding(passed=False, detail=f"no answer within {seconds:g} s")


def extract(content: bytes) -> str:
    """Return the beginning of foreign bytes as a line that is safe to show and to keep."""
    text = content[: 4 * EXTRACT_CHARACTERS].decode("utf-8", "replace")
    return one_line(mask(text), EXTRACT_CHARACTERS)


def shown(value: object) -> str:
    """Return a foreign value as a short quotation for a sentence."""
    return f"`{one_line(mask(str(value)), 60)}`"
