"""Ask the running service which commit it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from hotfix.smoke.answer import commit_at, complaint_about
from hotfix.smoke.deadline import within
from hotfix.smoke.result import Finding, timed_out
from hotfix.spec.model import HttpCheck

if TYPE_CHECKING:
    from datetime import datetime

    from hotfix.clock import Clock
    from hotfix.spec.model import ProductionVersion

TIMEOUT_SECONDS: Final = 10.0
"""A plan waits so long and no longer: in an incident the service may not answer at all."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What a service says of itself; ``commit`` is ``None`` where it does not say."""

    commit: str | None
    """Seven digits of the commit's id or more."""
    at: datetime
    url: str
    detail: str
    """What was answered, or why there was no answer that tells a commit."""


class AskVersion(Protocol):
    """Asks a service which commit it is."""

    def __call__(self, version: ProductionVersion, clock: Clock, /) -> Reported:
        """Return what it says; no answer is a result, never an exception."""
        ...


def reported(version: ProductionVersion, clock: Clock) -> Reported:
    """Ask once, by the rules of an ``http`` check; no answer is a result, never an exception."""
    commit, detail = _asked(version, clock)
    return Reported(commit, clock.now(), version.url, detail)


def _asked(version: ProductionVersion, clock: Clock) -> tuple[str | None, str]:
    from hotfix.smoke import http  # noqa: PLC0415  (requests loads slowly)

    check = HttpCheck(url=version.url, json_subset={})
    try:
        answer = within(TIMEOUT_SECONDS, partial(http.ask, check, TIMEOUT_SECONDS, clock))
    except TimeoutError:
        answer = timed_out(TIMEOUT_SECONDS)
    if isinstance(answer, Finding):
        return None, answer.detail
    if complaint := complaint_about(answer, check, deployed=""):
        return None, complaint
    return commit_at(version.json_path, json.loads(answer.body))
