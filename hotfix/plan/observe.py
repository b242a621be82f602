"""What GitLab says, gathered for a plan. Reads only: a read-only token is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hotfix.forge.protocol import NotFoundError
from hotfix.plan.resolve import needs_source_commits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from hotfix.clock import Clock
    from hotfix.forge.protocol import Forge, Repository
    from hotfix.forge.types import (
        Approvals,
        Deployment,
        Environment,
        Issue,
        MergeRequest,
        Project,
        User,
    )
    from hotfix.identifiers import Sha
    from hotfix.plan.model import TargetChange
    from hotfix.spec.model import MergeRequestRef, Spec, Target

CI_FILE: Final = ".gitlab-ci.yml"
HEADS: Final = "refs/heads/"


@dataclass(frozen=True, slots=True)
class SeenMergeRequest:
    """A merge request that the spec names; ``None`` where GitLab shows none."""

    ref: MergeRequestRef
    merge_request: MergeRequest | None
    approvals: Approvals | None
    commits: tuple[Sha, ...]
    """Of the source branch, oldest first; asked for only where they are needed."""


@dataclass(frozen=True, slots=True)
class SeenTarget:
    """A target as GitLab shows it."""

    target: Target
    project: Project
    heads: Mapping[str, Sha]
    """Branch name to head."""
    environment: Environment | None
    deployments: tuple[Deployment, ...]
    """The environment's successful ones, the last finished first."""
    merge_requests: tuple[SeenMergeRequest, ...]
    running: tuple[Deployment, ...] = ()
    """Deployments to the environment that are under way right now."""

    @property
    def release_head(self) -> Sha | None:
        """The head of the release branch, ``None`` where there is no such branch."""
        return self.heads.get(self.target.release_branch)


@dataclass(frozen=True, slots=True)
class SeenOrchestrator:
    """The project whose guided pipeline deploys."""

    project: Project
    ref: str
    config: bytes | None


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that a plan is made from, less the Git objects."""

    at: datetime
    user: User
    orchestrator: SeenOrchestrator
    incident: Issue | None
    targets: tuple[SeenTarget, ...]


def observe(spec: Spec, forge: Forge, repositories: Mapping[str, Repository], clock: Clock) -> Seen:
    """Ask GitLab for all that the plan of a spec needs; ``repositories`` by project path."""
    return Seen(
        at=clock.now(),
        user=forge.current_user(),
        orchestrator=_orchestrator(spec, forge),
        incident=_incident(spec, forge),
        targets=tuple(
            _target(target, forge, repositories[target.project]) for target in spec.targets
        ),
    )


def running_deployments(forge: Forge, target: Target | TargetChange) -> tuple[Deployment, ...]:
    """List the deployments to a target's environment that are under way right now."""
    return forge.deployments(target.project, target.environment, status="running", order_by="id")


def _orchestrator(spec: Spec, forge: Forge) -> SeenOrchestrator:
    project = forge.project(spec.orchestration.project)
    ref = spec.orchestration.ref or project.default_branch
    try:
        config = forge.file(project.path, CI_FILE, ref)
    except NotFoundError:
        config = None
    return SeenOrchestrator(project, ref, config)


def _incident(spec: Spec, forge: Forge) -> Issue | None:
    if spec.incident.iid is None:
        return None
    return forge.issue(spec.incident.project, spec.incident.iid)


def _target(target: Target, forge: Forge, repository: Repository) -> SeenTarget:
    project = forge.project(target.project)
    refs = repository.refs(HEADS)
    try:
        environment = forge.environment(target.project, target.environment)
    except NotFoundError:
        environment = None
    deployments = (
        forge.deployments(target.project, target.environment, status="success", limit=5)
        if environment
        else ()
    )
    running = running_deployments(forge, target) if environment else ()
    return SeenTarget(
        target=target,
        project=project,
        heads={ref.removeprefix(HEADS): sha for ref, sha in refs.items()},
        environment=environment,
        deployments=deployments,
        merge_requests=tuple(_merge_request(ref, forge) for ref in target.merge_requests),
        running=running,
    )


def _merge_request(ref: MergeRequestRef, forge: Forge) -> SeenMergeRequest:
    try:
        found = forge.merge_request(ref.project, ref.iid)
    except NotFoundError:
        return SeenMergeRequest(ref, None, None, ())
    approvals = forge.approvals(ref.project, ref.iid)
    commits = (
        forge.merge_request_commits(ref.project, ref.iid)
        if found.state == "merged" and needs_source_commits(found)
        else ()
    )
    return SeenMergeRequest(ref, found, approvals, commits)
