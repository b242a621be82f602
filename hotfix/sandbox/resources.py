"""Resource groups: of the jobs that name one, one at a time is at work.

The others wait as ``waiting_for_resource``, before they take a runner; GitLab's process mode here
is ``unordered``, of which the oldest first is one order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hotfix.sandbox.pipelines import Job
    from hotfix.sandbox.projects import Project


def holder(job: Job) -> Job | None:
    """Return the other job that has the group of this one now."""
    key = job.definition.resource_group
    found = current(job.pipeline.project, key) if key is not None else None
    return None if found is job else found


def current(project: Project, key: str) -> Job | None:
    """Return the job that has a group."""
    return next((job for job in _of(project, key) if job.status in {"pending", "running"}), None)


def upcoming(project: Project, key: str) -> list[Job]:
    """List the jobs that wait for a group, the oldest first."""
    return [job for job in _of(project, key) if job.status == "waiting_for_resource"]


def next_in_line(job: Job) -> Job | None:
    """Return whose turn it is once a job has ended."""
    key = job.definition.resource_group
    if key is None or holder(job) is not None:
        return None
    return next(iter(upcoming(job.pipeline.project, key)), None)


def _of(project: Project, key: str) -> list[Job]:
    return [job for job in project.jobs() if job.definition.resource_group == key]
