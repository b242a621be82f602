"""Artifacts: how long a job's files are kept, and whether the jobs that need them find them.

Nothing is stored. A job gets those of all earlier stages unless its ``dependencies`` say which; one
whose files have expired fails before it starts (GitLab: ``missing_dependency_failure``).
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from hotfix.sandbox.pipelines import Job

_UNITS: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DEFAULT: Final = "30 days"


def lifetime(expire_in: str) -> timedelta | None:
    """Read ``expire_in``; ``None`` is for ever. Months and years are not among what is read."""
    if expire_in == "never":
        return None
    parts = re.findall(r"(\d+)\s*([a-z])[a-z]*", expire_in or _DEFAULT)
    return timedelta(seconds=sum(int(count) * _UNITS[unit] for count, unit in parts))


def expiry(job: Job, at: datetime) -> datetime | None:
    """Tell when the files of a job that ended now expire."""
    kept = job.definition.artifacts
    own = lifetime(kept) if kept is not None else None
    return at + own if own is not None else None


def has_files(job: Job, now: datetime) -> bool:
    """Tell whether a job's files are there."""
    if job.status != "success" or job.definition.artifacts is None:
        return False
    return job.artifacts_expire_at is None or now < job.artifacts_expire_at


def are_there(job: Job, now: datetime) -> bool:
    """Tell whether a job finds the files that it needs."""
    stages, wanted = job.pipeline.stages, job.definition.dependencies
    own = stages.index(job.definition.stage)
    return all(
        has_files(other, now)
        for other in job.pipeline.latest_jobs()
        if other.status == "success" and other.definition.artifacts is not None
        if stages.index(other.definition.stage) < own
        if wanted is None or other.name in wanted
    )
