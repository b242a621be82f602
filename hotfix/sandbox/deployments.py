"""Environments and the record of what was deployed to them.

A record exists as soon as its job does, long before anything is deployed. An environment's *last
deployment* is the successful one that finished last, not the one with the highest id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from hotfix.identifiers import Sha
    from hotfix.sandbox.pipelines import Job
    from hotfix.sandbox.projects import ApprovalRule, Project
    from hotfix.sandbox.users import User
    from hotfix.sandbox.world import World

DEPLOYMENT_STATUS: Final = {
    "created": "created",
    "manual": "created",
    "waiting_for_resource": "created",
    "pending": "created",
    "running": "running",
    "success": "success",
    "failed": "failed",
    "canceled": "canceled",
    "skipped": "skipped",
}
"""What a job's status means for its deployment."""


@dataclass(eq=False, slots=True)
class Environment:
    """A place that a project is deployed to."""

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    external_url: str | None = None

    @property
    def slug(self) -> str:
        """The name as GitLab puts it into URLs."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")[:24]

    @property
    def tier(self) -> str:
        """What GitLab guesses from the name."""
        for tier, pattern in _TIERS.items():
            if re.search(pattern, self.name, re.IGNORECASE):
                return tier
        return "other"


_TIERS: Final = {
    "production": r"prod|live",
    "staging": r"stag|preprod|model",
    "testing": r"test|qa|uat",
    "development": r"dev|review|trunk",
}


@dataclass(eq=False, slots=True)
class Approval:
    """A person's word on a deployment that needs approvals (Premium)."""

    user: User
    status: str
    created_at: datetime
    comment: str


@dataclass(eq=False, slots=True)
class Deployment:
    """One deployment, or the intention of one."""

    id: int
    iid: int
    environment: Environment
    ref: str
    sha: Sha
    user: User
    job: Job | None
    status: str
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    approvals: list[Approval]


def last_deployment(project: Project, environment: Environment) -> Deployment | None:
    """Return the successful deployment that finished last."""
    done = [
        deployment
        for deployment in project.deployments
        if deployment.environment is environment and deployment.status == "success"
    ]
    return max(done, key=lambda d: (d.finished_at or d.created_at, d.id), default=None)


def record(world: World, project: Project, job: Job) -> Deployment | None:
    """Make the record of a job that deploys; the environment is made when first named."""
    name = job.definition.environment
    if name is None:
        return None
    deployment = Deployment(
        id=world.next_id("deployment"),
        iid=len(project.deployments) + 1,
        environment=_environment(world, project, name, job.definition.environment_url),
        ref=job.pipeline.ref,
        sha=job.pipeline.sha,
        user=job.user,
        job=job,
        status="created",
        created_at=job.created_at,
        updated_at=job.created_at,
        finished_at=None,
        approvals=[],
    )
    project.deployments.append(deployment)
    return deployment


def _environment(world: World, project: Project, name: str, url: str | None) -> Environment:
    environment = project.environment(name)
    if environment is None:
        now = world.clock.now()
        environment = Environment(world.next_id("environment"), name, now, now, url)
        project.environments.append(environment)
    return environment


def follow(job: Job, at: datetime) -> None:
    """Bring a job's deployment to where the job is."""
    deployment = job.deployment
    if deployment is None:
        return
    status = DEPLOYMENT_STATUS[job.status]
    if status == "created" and needs_approval(job):
        status = "blocked"
    if status == deployment.status and deployment.user is job.user:
        return
    deployment.status, deployment.updated_at, deployment.user = status, at, job.user
    if status in ("success", "failed", "canceled"):
        deployment.finished_at = at
        deployment.environment.updated_at = at


def needs_approval(job: Job) -> bool:
    """Tell whether a job's deployment still waits for approvals."""
    deployment = job.deployment
    return deployment is not None and pending(job.pipeline.project, deployment) > 0


def pending(project: Project, deployment: Deployment) -> int:
    """Count the approvals that are still missing."""
    given = [one.user for one in deployment.approvals if one.status == "approved"]
    missing = 0
    for rule in project.protected_environments:
        if rule.name != deployment.environment.name:
            continue
        if not rule.approval_rules:
            missing += max(0, rule.required_approvals - len(given))
        for own in rule.approval_rules:
            fitting = [user for user in given if approves(project, own, user)]
            missing += max(0, own.required - len(fitting))
    return missing


def approves(project: Project, rule: ApprovalRule, user: User) -> bool:
    """Tell whether a user's approval counts for a rule."""
    if isinstance(rule.by, int):
        return project.access_level(user) >= rule.by
    return rule.by is user


def outdated(job: Job) -> bool:
    """Tell whether a newer job has deployed already ("prevent outdated deployment jobs")."""
    project, deployment = job.pipeline.project, job.deployment
    if deployment is None or not project.settings.ci_forward_deployment_enabled:
        return False
    last = last_deployment(project, deployment.environment)
    return last is not None and last.job is not None and last.job.id > job.id
