"""What GitLab says, gathered for a plan. Reads only: a read-only token is enough."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from hotfix.forge.protocol import ForgeError, NotFoundError
from hotfix.parallel import Together
from hotfix.plan.resolve import needs_source_commits, stated_commits
from hotfix.smoke.version import reported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from hotfix.clock import Clock
    from hotfix.forge.protocol import Forge
    from hotfix.forge.types import (
        Approvals,
        Deployment,
        Environment,
        Issue,
        Job,
        MergeRequest,
        MergeRequestRule,
        Pipeline,
        Project,
        Tag,
        User,
        Version,
    )
    from hotfix.freeze import FreezePeriod
    from hotfix.identifiers import Sha
    from hotfix.plan.model import TargetChange
    from hotfix.smoke.version import AskVersion, Reported
    from hotfix.spec.model import MergeRequestRef, Spec, Target

T = TypeVar("T")

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
    pipeline: Pipeline | None = None
    """The newest one of the commit that brought it to its target branch."""
    rules: tuple[MergeRequestRule, ...] | None = None
    """GitLab's own rules of approval; ``None`` where it does not show them."""
    versions: tuple[Version, ...] | None = None
    """What it was after each push, the newest first; ``None`` likewise."""


@dataclass(frozen=True, slots=True)
class SeenElsewhere:
    """What is looked at beside the environment before the way forward.

    What else tells which commit production runs, and what speaks against deploying now. An error
    stands for what GitLab would not show: that is told, and refuses no plan.
    """

    jobs: tuple[Job, ...] | ForgeError = ()
    """Jobs that succeeded, the newest id first."""
    tags: tuple[Tag, ...] | ForgeError = ()
    """Tags and releases, those of the newest commits first."""
    service: Reported | None = None
    """What the running service says; ``None`` where the spec names no address for it."""
    waiting: tuple[Deployment, ...] | ForgeError = ()
    """Deployments that wait for an approval."""
    freezes: tuple[FreezePeriod, ...] | ForgeError | None = ()
    """The project's deploy freezes, in force or not; ``None`` where GitLab does not show them."""


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
    elsewhere: SeenElsewhere = SeenElsewhere()
    resets_approvals: bool | None = None
    """Whether a push takes approvals off; ``None`` where GitLab does not say."""

    @property
    def release_head(self) -> Sha | None:
        """The head of the release branch, ``None`` where there is no such branch."""
        return self.heads.get(self.target.release_branch)

    @property
    def deployed_sha(self) -> Sha | None:
        """The commit of the environment's last successful deployment."""
        return self.environment.deployed_sha if self.environment else None


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


def observe(
    spec: Spec,
    forge: Forge,
    clock: Clock,
    *,
    elsewhere: bool = True,
    ask_version: AskVersion = reported,
) -> Seen:
    """Ask GitLab for all that the plan of a spec needs, each thing once, in two rounds of waiting.

    ``elsewhere`` looks beyond the environment: a way forward rests on a commit that all agree on,
    a way back must wait neither for a service that is broken nor for the end of a freeze. A
    rehearsal has another ``ask_version``: the real service does not run what is deployed there.

    What is asked does not depend on what else is answered, but for what a name stands for: the
    project's branch and address, the environment's number. Of what turns out to be missing its
    approvals or deployments are asked all the same, which costs a request where a plan is blocked
    and saves a wait in every other.
    """
    together, at = Together(), clock.now()
    user = together.add(forge.current_user)
    orchestrator = together.add(partial(_orchestrator, spec, forge))
    incident = together.add(partial(_incident, spec, forge))
    targets = [
        seen_target(
            target,
            forge,
            together,
            seen_elsewhere(target, forge, clock, together, ask_version)
            if elsewhere
            else SeenElsewhere,
        )
        for target in spec.targets
    ]
    together.run()
    return Seen(
        at=at,
        user=user.result,
        orchestrator=orchestrator.result,
        incident=incident.result,
        targets=tuple(seen() for seen in targets),
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


def seen_target(
    target: Target, forge: Forge, together: Together, elsewhere: Callable[[], SeenElsewhere]
) -> Callable[[], SeenTarget]:
    """Add what is asked about a target; what is returned puts the answers together."""
    where = target.project, target.environment
    project = together.add(partial(_project, forge, target.project))
    environment = together.add(partial(_unless_missing, partial(forge.environment, *where)))
    deployments = together.add(
        partial(_unless_missing, partial(forge.deployments, *where, status="success", limit=5))
    )
    running = together.add(partial(_unless_missing, partial(running_deployments, forge, target)))
    merge_requests = [_merge_request(ref, forge, together) for ref in target.merge_requests]
    resets = partial(forge.approvals_reset_on_push, target.project)
    resets_approvals = together.add(lambda: _shown(resets)) if merge_requests else None

    def seen() -> SeenTarget:
        shown, refs = project.result
        known = environment.result is not None
        return SeenTarget(
            target=target,
            project=shown,
            heads={ref.removeprefix(HEADS): sha for ref, sha in refs.items()},
            environment=environment.result,
            deployments=(deployments.result or ()) if known else (),
            merge_requests=tuple(each() for each in merge_requests),
            running=(running.result or ()) if known else (),
            elsewhere=elsewhere(),
            resets_approvals=resets_approvals.result if resets_approvals else None,
        )

    return seen


def seen_elsewhere(
    target: Target,
    forge: Forge,
    clock: Clock,
    together: Together,
    ask_version: AskVersion = reported,
) -> Callable[[], SeenElsewhere]:
    """Add what else is asked before the way forward."""
    jobs = partial(forge.successful_jobs, target.project, ref=target.release_branch)
    where = target.project, target.environment
    waiting = partial(forge.deployments, *where, status="blocked", order_by="id")
    asked_jobs = together.add(partial(_unless_refused, jobs))
    asked_tags = together.add(partial(_unless_refused, partial(forge.tags, target.project)))
    asked_waiting = together.add(partial(_unless_refused, waiting))
    asked_freezes = together.add(
        partial(_unless_refused, partial(forge.freeze_periods, target.project))
    )
    version = target.production_version
    service = together.add(lambda: None if version is None else ask_version(version, clock))
    return lambda: SeenElsewhere(
        jobs=asked_jobs.result,
        tags=asked_tags.result,
        service=service.result,
        waiting=asked_waiting.result,
        freezes=asked_freezes.result,
    )


def _project(forge: Forge, path: str) -> tuple[Project, Mapping[str, Sha]]:
    project = forge.project(path)
    return project, forge.repository(project).refs(HEADS)


def _merge_request(
    ref: MergeRequestRef, forge: Forge, together: Together
) -> Callable[[], SeenMergeRequest]:
    request = together.add(partial(_unless_missing, partial(_with_what_it_brought, ref, forge)))
    approvals = together.add(partial(_approvals, ref, forge))
    where = ref.project, ref.iid
    rules = together.add(lambda: _shown(partial(forge.merge_request_rules, *where)))
    versions = together.add(lambda: _shown(partial(forge.merge_request_versions, *where)))

    def seen() -> SeenMergeRequest:
        if request.result is None:
            return SeenMergeRequest(ref, None, None, ())
        if isinstance(approvals.result, NotFoundError):
            raise approvals.result  # it is there, so who approved it must be told
        found, commits, pipeline = request.result
        return SeenMergeRequest(
            ref, found, approvals.result, commits, pipeline, rules.result, versions.result
        )

    return seen


def _with_what_it_brought(
    ref: MergeRequestRef, forge: Forge
) -> tuple[MergeRequest, tuple[Sha, ...], Pipeline | None]:
    found = forge.merge_request(ref.project, ref.iid)
    if found.state != "merged":
        return found, (), None
    commits: tuple[Sha, ...] = ()
    if needs_source_commits(found):
        commits = forge.merge_request_commits(ref.project, ref.iid)
    brought = stated_commits(found, commits)
    pipelines = forge.pipelines(ref.project, sha=brought[-1], limit=1) if brought else ()
    return found, commits, next(iter(pipelines), None)


def _approvals(ref: MergeRequestRef, forge: Forge) -> Approvals | NotFoundError:
    try:
        return forge.approvals(ref.project, ref.iid)
    except NotFoundError as error:
        return error


def _unless_refused(ask: Callable[[], T]) -> T | ForgeError:
    """Return the refusal of what may be missing; a GitLab that is not there is raised."""
    try:
        return ask()
    except ForgeError as error:
        if not error.status:
            raise
        return error


def _shown(ask: Callable[[], T | None]) -> T | None:
    """Return what is told to readers and stops nobody; ``None`` where GitLab refuses to say."""
    found = _unless_refused(ask)
    return None if isinstance(found, ForgeError) else found


def _unless_missing(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except NotFoundError:
        return None
