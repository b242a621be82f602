"""What the doctor looked at and what it found, as people and scripts read it."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from hotfix.models import Frozen

Outcome = Literal["failed", "warning", "not-seen", "passed"]

OUTCOMES: Final[tuple[Outcome, ...]] = ("failed", "warning", "not-seen", "passed")
"""What has to be looked at first, first."""

QUESTION: Final = "Operational, not code: is this really a code fix?"
ADVICE: Final = (
    "If a restart, a setting, a certificate or more capacity would mend it, stop here: the runbook "
    "says to switch to the service's own incident or infrastructure recovery path."
)


class Check(Frozen):
    """One thing that was looked at."""

    id: str = Field(description="A fixed name, such as `push-rules`; of a blocker the plan's code.")
    target: str | None = Field(
        description="The project that it is about; null is the token or this machine."
    )
    outcome: Outcome = Field(
        description="`failed` would stop the hotfix. `not-seen` is a gap: GitLab does not show it "
        "to this token, or nothing was tried; it is never a green light."
    )
    message: str
    hint: str = Field(default="", description="What mends it, or who can tell.")
    look_at: str | None = Field(default=None, description="The page where it is seen or mended.")
    command: str | None = Field(default=None, description="What to type next.")


class Examination(Frozen):
    """All that was looked at for one spec at a time, the question before it all."""

    format: Literal["doctor/1"]
    hotfix: str
    gitlab: str
    tool_version: str
    by: str
    at: str
    question: str
    advice: str
    again: str = Field(description="What to type to look again, when something was mended.")
    checks: tuple[Check, ...] = Field(description="What has to be looked at first, first.")

    @property
    def stops(self) -> bool:
        """Whether something was found that would stop the hotfix."""
        return any(check.outcome == "failed" for check in self.checks)

    def of(self, outcome: Outcome) -> tuple[Check, ...]:
        """Return the checks of an outcome."""
        return tuple(check for check in self.checks if check.outcome == outcome)
