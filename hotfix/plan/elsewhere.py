"""Who else knows which commit production runs, beside the environment's deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.clock import timestamp
from hotfix.forge.protocol import ForgeError
from hotfix.identifiers import short
from hotfix.plan.model import SourceOfSha
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from hotfix.forge.types import Job, Tag
    from hotfix.plan.observe import SeenTarget
    from hotfix.smoke.version import Reported

SERVICE: Final = "the service itself"
"""The source that only a spec with `production_version` has."""

_JOB: Final = "last production job"
_TAG: Final = "tag or release"


def other_sources_of_sha(
    seen: SeenTarget, records: Sequence[SourceOfSha]
) -> tuple[SourceOfSha, ...]:
    """Tell what else knows which commit production runs, each with its value or why it has none.

    The last job by the production job's name, which deployed even where no record says so; the
    tag that was deployed or made of the deployed commit; the running service itself.
    """
    known = [record.sha for record in records if record.sha]
    service = seen.elsewhere.service
    return (
        _job_source(seen),
        _tag_source(seen, known),
        *([_service_source(service, known)] if service else []),
    )


def _job_source(seen: SeenTarget) -> SourceOfSha:
    """Tell the job that ended last, among those listed and those that the records name.

    The list ends somewhere, and a job has its id since its pipeline was made: so the newest of the
    list is not taken for the last where a record names a later one.
    """
    name, listed = production_job(seen), seen.elsewhere.jobs
    if isinstance(listed, ForgeError):
        return _silent(_JOB, one_line(listed.message))
    recorded = (each.job for each in seen.deployments if each.job is not None)
    found = [job for job in (*listed, *recorded) if job.name == name and job.finished_at]
    last = max(found, key=_ended, default=None)
    if last is None:
        why = f"no job {one_line(name)} that succeeded" if name else "its name is not known"
        return _silent(_JOB, why)
    sha, at = last.pipeline_sha or last.sha, maybe_timestamp(last.finished_at)
    where = f"pipeline {last.pipeline_id}" if last.pipeline_id else "no known pipeline"
    detail = f"{short(sha or 'nothing')}, {one_line(last.name)} ({last.id}) of {where} at {at}"
    return SourceOfSha(source=_JOB, sha=sha, at=at, url=last.web_url or None, detail=detail)


def _ended(job: Job) -> tuple[float, int]:
    return (job.finished_at.timestamp() if job.finished_at else 0.0, job.id)


def production_job(seen: SeenTarget) -> str | None:
    """Name the job that deploys: the spec's, else the one that made the last deployment."""
    last = seen.environment.last_deployment if seen.environment else None
    return seen.target.deploy.job or (last.job.name if last and last.job else None)


def _tag_source(seen: SeenTarget, known: Sequence[str]) -> SourceOfSha:
    """Tell the tag that was deployed, else one of the deployed commit.

    A tag of another commit says nothing: releases are also made before they are deployed, and stay
    when production is rolled back.
    """
    tags = seen.elsewhere.tags
    if isinstance(tags, ForgeError):
        return _silent(_TAG, one_line(tags.message))
    last = seen.environment.last_deployment if seen.environment else None
    ref = last.ref if last and last.ref not in seen.heads else None
    deployed = [tag for tag in tags if tag.name == ref]
    of_commit = [tag for tag in tags if tag.sha in known]
    tag = next(iter([*deployed, *of_commit]), None)
    if tag is None:
        newest = f"; the newest is {_named(tags[0])}" if tags else ""
        return _silent(_TAG, f"none of the deployed commit{newest}")
    at = maybe_timestamp(tag.created_at)
    detail = _named(tag) + (f", made at {at}" if at else "")
    return SourceOfSha(source=_TAG, sha=tag.sha, at=at, url=tag.web_url, detail=detail)


def _named(tag: Tag) -> str:
    kind = "release" if tag.is_release else "tag"
    return f"{short(tag.sha)}, {kind} {one_line(tag.name, 80)}"


def _service_source(said: Reported, known: Sequence[str]) -> SourceOfSha:
    """Tell what the service says; a shortened id stands for the commit that it begins."""
    whole = next((sha for sha in known if said.commit and sha.startswith(said.commit)), said.commit)
    at = timestamp(said.at)
    return SourceOfSha(
        source=SERVICE, sha=whole, at=at, url=said.url, detail=f"{said.detail}, asked at {at}"
    )


def _silent(name: str, why: str) -> SourceOfSha:
    return SourceOfSha(source=name, sha=None, at=None, url=None, detail=why)


def maybe_timestamp(moment: datetime | None) -> str | None:
    """Write a moment that GitLab may not have told."""
    return timestamp(moment) if moment else None
