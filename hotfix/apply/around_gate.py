"""What GitLab shows around a manual job, as far as this token sees it; ``gate`` says it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from hotfix.parallel import Together, in_parallel
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotfix.apply.context import Run
    from hotfix.forge.types import (
        Deployment,
        DeploymentApprovals,
        Job,
        Member,
        Protection,
    )
    from hotfix.freeze import FreezePeriod
    from hotfix.plan.model import TargetPlan

_DEPLOYMENTS: Final = 50
_GROUPS: Final = 20
"""How many deployments and resource groups are looked at."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What GitLab shows around a job; ``None`` is what it does not show."""

    run: Run
    target: TargetPlan
    job: Job
    jobs: Sequence[Job]
    environment: str | None
    deployments: tuple[Deployment, ...]
    protections: tuple[Protection, ...] | None
    freezes: tuple[FreezePeriod, ...] | None
    ahead: tuple[str, ...] | None
    approvals: DeploymentApprovals | None
    members: tuple[Member, ...]

    @property
    def deployment(self) -> Deployment | None:
        """The record of the job's own deployment, which is there as soon as the job is."""
        return next((each for each in self.deployments if _is_of(each, self.job)), None)

    @property
    def protection(self) -> Protection | None:
        """The rule of the environment, if one of the project's own is shown."""
        rules = self.protections or ()
        return next((each for each in rules if each.environment == self.environment), None)


def look_around(run: Run, target: TargetPlan, job: Job, jobs: Sequence[Job]) -> Seen:
    """Ask for all that stands around a job; members only where a rule asks who they are."""
    forge, project = run.forge, target.project
    together = Together()
    listed = together.add(
        partial(forge.deployments, project, None, order_by="id", limit=_DEPLOYMENTS)
    )
    protections = together.add(partial(forge.protections, project))
    freezes = together.add(partial(forge.freeze_periods, project))
    together.run()
    own = next((each for each in listed.result if _is_of(each, job)), None)
    environment = own.environment if own else _planned_environment(target, job)
    approvals = forge.deployment_approvals(project, own.id) if own else None
    rules = protections.result or ()
    is_ruled = bool(approvals and approvals.pending) or environment in {
        each.environment for each in rules
    }
    return Seen(
        run=run,
        target=target,
        job=job,
        jobs=jobs,
        environment=environment,
        deployments=listed.result,
        protections=protections.result,
        freezes=freezes.result,
        ahead=ahead_of(run, project, job),
        approvals=approvals,
        members=(forge.members(project) or ()) if is_ruled else (),
    )


def ahead_of(run: Run, project: str, job: Job) -> tuple[str, ...] | None:
    """Name the jobs that are ahead of a job in a resource group; ``None`` where none is shown.

    GitLab does not tell of a job which group is its: it is one in whose queue it stands, or that a
    job of the same name has now.
    """
    keys = run.forge.resource_groups(project)
    if keys is None:
        return None
    keys = keys[:_GROUPS]
    current = in_parallel(partial(run.forge.current_job, project, key) for key in keys)
    ahead: list[str] = []
    for key, holder in zip(keys, current, strict=True):
        if holder is None or holder.id == job.id:
            continue
        waits = run.forge.upcoming_jobs(project, key)
        place = next((number for number, each in enumerate(waits) if each.id == job.id), None)
        if place is not None or holder.name == job.name:
            before = (holder, *waits[:place])
            ahead += [
                f"{_named(each)} has resource group {one_line(key, 60)}" for each in before[:1]
            ]
            ahead += [f"{_named(each)} waits for it before this one" for each in before[1:]]
    return tuple(ahead)


def _planned_environment(target: TargetPlan, job: Job) -> str | None:
    is_planned = target.deploy is not None and target.deploy.job == job.name
    return target.environment if is_planned else None


def _is_of(deployment: Deployment, job: Job) -> bool:
    return deployment.job is not None and deployment.job.id == job.id


def _named(job: Job) -> str:
    of = f" of pipeline {job.pipeline_id}" if job.pipeline_id else ""
    by = f", started by {one_line(job.user.username, 60)}" if job.user else ""
    return f"{one_line(job.name, 80)} ({job.id}{of}{by}, {job.web_url})"
