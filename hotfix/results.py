"""How each target of a hotfix ended, told side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Result = Literal["done", "under-way", "waiting", "stale", "blocked", "failed", "not-begun"]


@dataclass(frozen=True, slots=True)
class TargetResult:
    """A target's end: the result, why, and whose end kept it from beginning."""

    project: str
    result: Result
    reason: str = ""
    """The code of what ended it, or the step that it stands at."""
    message: str = ""
    """The same as a sentence, as it was told."""
    cause: str = ""
    """The project that it waits for, where it was not begun."""
