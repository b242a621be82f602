"""Pipelines and jobs: what they are, how a pipeline is made, and what its status is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from hotfix.identifiers import ZERO
from hotfix.sandbox import ci, deployments
from hotfix.sandbox.ci_inputs import ConfigurationError
from hotfix.sandbox.refusals import bad_request, forbidden
from hotfix.sandbox.users import DEVELOPER, MAINTAINER, OWNER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hotfix.identifiers import Sha
    from hotfix.sandbox.deployments import Deployment
    from hotfix.sandbox.projects import Project
    from hotfix.sandbox.users import User
    from hotfix.sandbox.world import World

ENDED: Final = frozenset({"success", "failed", "canceled", "skipped"})
ACTIVE: Final = frozenset({"created", "waiting_for_resource", "pending", "running"})
NO_RIGHT: Final = (
    "You do not have sufficient permission to run a pipeline on '{ref}'. Please select a "
    "different branch or contact your administrator for assistance."
)
VARIABLE_ROLES: Final = {"developer": DEVELOPER, "maintainer": MAINTAINER, "owner": OWNER}


@dataclass(eq=False, slots=True)
class Job:
    """A job, or a bridge: a trigger job, which has a pipeline of another project below it."""

    id: int
    pipeline: Pipeline
    definition: ci.JobDefinition
    user: User
    created_at: datetime
    is_bridge: bool
    status: str = "created"
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    due: datetime | None = None
    """When it moves on by itself."""
    retried: bool = False
    failure_reason: str | None = None
    artifacts_expire_at: datetime | None = None
    trace: list[str] = field(default_factory=list)
    deployment: Deployment | None = None
    downstream: Pipeline | None = None

    @property
    def name(self) -> str:
        """The name that the CI file gives it."""
        return self.definition.name

    @property
    def holds_up(self) -> bool:
        """Whether later stages wait for it."""
        waiting_for_somebody = self.status == "manual" and not self.definition.allow_failure
        return self.status in ACTIVE or waiting_for_somebody

    @property
    def passed(self) -> bool:
        """Whether later stages may go on after it."""
        return self.status == "success" or (
            self.definition.allow_failure and self.status in (*ENDED, "manual")
        )


@dataclass(eq=False, slots=True)
class Pipeline:
    """A pipeline with its jobs, retried ones included."""

    id: int
    iid: int
    project: Project
    ref: str
    sha: Sha
    before_sha: Sha
    source: str
    user: User
    created_at: datetime
    updated_at: datetime
    stages: tuple[str, ...]
    inputs: dict[str, Any]
    variables: list[dict[str, str]]
    name: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    upstream: Job | None = None
    jobs: list[Job] = field(default_factory=list)

    def latest_jobs(self) -> list[Job]:
        """List the jobs that count: of a retried one the newest."""
        return [job for job in self.jobs if not job.retried]

    @property
    def status(self) -> str:
        """The status that GitLab composes of the jobs' statuses."""
        return _composite([_counted(job) for job in self.latest_jobs()])


def _counted(job: Job) -> str:
    if job.definition.allow_failure:
        if job.status in ("manual", "canceled"):
            return "skipped"
        if job.status == "failed":
            return "success"
    return job.status


def _composite(statuses: list[str]) -> str:
    found = set(statuses)
    for whole, parts in _WHOLE:
        if found <= parts:
            return whole
    for sign, whole in _SIGNS:
        if sign in found:
            return whole
    return "failed"


_WHOLE: Final = (
    ("skipped", {"skipped"}),
    ("success", {"success", "skipped"}),
    ("created", {"created"}),
    ("canceled", {"canceled", "success", "skipped"}),
    ("pending", {"created", "skipped", "pending"}),
)
_SIGNS: Final = (
    ("running", "running"),
    ("waiting_for_resource", "waiting_for_resource"),
    ("pending", "running"),
    ("manual", "manual"),
    ("created", "running"),
)


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody asks of a project's CI."""

    ref: str
    source: str
    inputs: Mapping[str, Any] | None = None
    variables: tuple[dict[str, str], ...] = ()
    upstream: Job | None = None


def create(world: World, project: Project, user: User, order: Order, at: datetime) -> Pipeline:
    """Make a pipeline at the head of a branch or tag; raises ``Refusal``.

    Nothing is kept of a pipeline whose configuration is wrong (``save_on_errors: false``).
    """
    _check_rights(project, user, order)
    sha = project.repository.resolve(order.ref)
    if sha is None or f"refs/heads/{order.ref}" not in project.repository.refs:
        raise bad_request({"base": ["Reference not found"]})
    try:
        configuration = _configuration(project, order, sha)
    except ConfigurationError as error:
        raise bad_request({"base": error.messages}) from error
    pipeline = Pipeline(
        id=world.next_id("pipeline"),
        iid=len(project.pipelines) + 1,
        project=project,
        ref=order.ref,
        sha=sha,
        before_sha=ZERO,
        source=order.source,
        user=user,
        created_at=at,
        updated_at=at,
        stages=configuration.stages,
        inputs=configuration.inputs,
        variables=list(order.variables),
        name=configuration.name,
        upstream=order.upstream,
    )
    project.pipelines.append(pipeline)
    project.repository.refs[f"refs/pipelines/{pipeline.id}"] = sha
    project.last_activity_at = at
    for definition in configuration.jobs:
        add_job(world, pipeline, definition, user, at)
    world.process(pipeline, at)
    return pipeline


def _check_rights(project: Project, user: User, order: Order) -> None:
    if project.access_level(user) < DEVELOPER:
        raise forbidden()
    if not project.may_update(user, order.ref):
        raise bad_request({"base": [NO_RIGHT.format(ref=order.ref)]})
    role = project.settings.ci_pipeline_variables_minimum_override_role
    if order.variables and project.access_level(user) < VARIABLE_ROLES.get(role, OWNER + 1):
        raise bad_request({"base": ["Insufficient permissions to set pipeline variables"]})


def _configuration(project: Project, order: Order, sha: Sha) -> ci.Configuration:
    if project.stand_in is not None:
        return project.stand_in(order)
    variables = _variables(project, order, sha)
    return ci.configuration(_ci_file(project, sha), inputs=order.inputs, variables=variables)


def _ci_file(project: Project, sha: Sha) -> str:
    entry = project.repository.files(sha).get(ci.PATH)
    if entry is None:
        raise ConfigurationError("Missing CI config file")
    return project.repository.blob(entry.sha).decode()


def _variables(project: Project, order: Order, sha: Sha) -> dict[str, str]:
    given = {variable["key"]: variable["value"] for variable in order.variables}
    return given | {
        "CI": "true",
        "CI_COMMIT_BRANCH": order.ref,
        "CI_COMMIT_REF_NAME": order.ref,
        "CI_COMMIT_SHA": sha,
        "CI_DEFAULT_BRANCH": project.default_branch,
        "CI_PIPELINE_SOURCE": order.source,
        "CI_PROJECT_NAME": project.name,
        "CI_PROJECT_PATH": project.path,
    }


def add_job(
    world: World, pipeline: Pipeline, definition: ci.JobDefinition, user: User, at: datetime
) -> Job:
    """Add a job, with the record of its deployment if it makes one."""
    bridge = definition.trigger is not None and pipeline.project.settings.downstream == "bridge"
    job = Job(world.next_id("job"), pipeline, definition, user, at, is_bridge=bridge)
    pipeline.jobs.append(job)
    job.deployment = deployments.record(world, pipeline.project, job)
    return job
