"""What a run tells while it goes: one event at a time, for a screen or as a line of JSON."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hotfix.evidence.model import StepName
from hotfix.models import Frozen


class JobState(Frozen):
    """A job as the live display shows it."""

    stage: str
    name: str
    status: str
    url: str
    seconds: int | None = Field(default=None, description="How long it has run, or ran.")


class Event(Frozen):
    """One thing that happened, or that is being waited for.

    Of a step: ``started``, any number of ``waiting`` and ``note``, then ``done`` or ``failed``.
    ``done`` says in ``message`` what is now true, also where nothing had to be done.
    """

    at: str
    step: StepName
    target: str | None
    phase: Literal["started", "waiting", "note", "done", "failed"]
    message: str
    url: str | None = None
    jobs: tuple[JobState, ...] = ()
