"""Ask the running service which commit it is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from hotfix.smoke.deadline import within
from hotfix.smoke.result import Finding, extract, shown, timed_out
from hotfix.spec.json_path import value_at
from hotfix.spec.model import HttpCheck

if TYPE_CHECKING:
    from datetime import datetime

    from hotfix.clock import Clock
    from hotfix.spec.model import ProductionVersion

TIMEOUT_SECONDS: Final = 10.0
"""A plan waits so long and no longer: in an incident the service may not answer at all."""

_COMMIT: Final = re.compile(r"[0-9a-f]{7,40}")


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
    if complaint := http.complaint_of(check, answer):
        return None, complaint
    said = value_at(json.loads(answer.body), version.json_path)
    if not isinstance(said, str) or not _COMMIT.fullmatch(said.strip().lower()):
        seen = "nothing" if said is None else shown(extract(str(said).encode("utf-8", "replace")))
        return None, f"at `{version.json_path}` it says {seen}, expected a commit id"
    return said.strip().lower(), f"it says {said.strip().lower()}"
