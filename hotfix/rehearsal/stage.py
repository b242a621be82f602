"""The embedded GitLab of one rehearsal: a world built of what was observed.

Its pipelines are stand-ins. A project's own CI file may include whatever it likes and runs scripts;
here the orchestrator starts the planned target's pipeline for exactly the planned inputs, and that
one has the jobs that were seen in the pipeline of the last deployment, none of which does anything.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from hotfix.identifiers import ZERO, Sha
from hotfix.plan.approvals import places, sentence
from hotfix.sandbox import issues, notes
from hotfix.sandbox.ci import Configuration, JobDefinition, Trigger
from hotfix.sandbox.ci_inputs import ConfigurationError
from hotfix.sandbox.deployments import Deployment, Environment
from hotfix.sandbox.merge_requests import MergeRequest
from hotfix.sandbox.pipelines import Job, Pipeline
from hotfix.sandbox.projects import Project, Settings
from hotfix.sandbox.repositories import File, Repository, Signature
from hotfix.sandbox.users import DEVELOPER, MAINTAINER, Group, Token, User
from hotfix.sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hotfix.clock import Clock
    from hotfix.forge import types as seen
    from hotfix.plan.model import PlannedPipeline, TargetPlan
    from hotfix.rehearsal.scene import Scene
    from hotfix.sandbox.pipelines import Order

PACE: Final = 2.0
"""How long a job runs, in seconds of the rehearsal's own clock."""
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
_NOBODY: Final = "somebody"
_EDGES: Final = (".pre", ".post")
"""The stages that GitLab puts before and after all others."""
_NOT_RUN: Final = frozenset({"manual", "skipped", "canceled"})
"""How a job ends that nobody pressed, or that did not have its turn."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A world, and the token that opens it."""

    world: World
    token: str


def set_stage(scene: Scene, clock: Clock) -> Stage:
    """Build the world; each rehearsal has one of its own."""
    return _Builder(scene, clock).built()


class _Builder:
    """Puts people, projects and their past into a world."""

    def __init__(self, scene: Scene, clock: Clock) -> None:
        self._scene = scene
        self._answers = scene.answers
        self._world = World(clock=clock, pace=PACE)
        self._now = clock.now()
        me: seen.User = self._answers.answers("current_user")[()]
        self._me = self._user(me.username, me.name)

    def built(self) -> Stage:
        plan, world = self._scene.plan, self._world
        for target in plan.targets:
            self._target(target)
        self._orchestrator()
        self._incidents()
        self._approve()
        token = f"rehearsal-{secrets.token_hex(16)}"
        scopes = frozenset({"api", "write_repository"})
        number = world.next_id("token")
        world.tokens[token] = Token(number, "rehearsal", self._me, scopes, self._now)
        return Stage(world, token)

    # people and projects
    def _user(self, username: str, name: str) -> User:
        found = self._world.find_user(username)
        if found is None:
            number = self._world.next_id("user")
            found = User(number, username, name, f"{username}@example.com", self._now)
            self._world.users[number] = found
        return found

    def _project(self, path: str) -> Project:
        found = self._world.find_project(path)
        if found is not None:
            return found
        told: seen.Project | None = self._answers.answers("project").get((path,))
        place, _, name = path.rpartition("/")
        world = self._world
        made = Project(
            id=world.next_id("project"),
            group=self._group(place),
            name=name,
            description="",
            created_at=_LONG_AGO,
            creator=self._me,
            settings=Settings(merge_method=_merge_method(told)),
        )
        made.repository.default_branch = told.default_branch if told else "main"
        world.projects[made.id] = made
        return made

    # a target
    def _target(self, target: TargetPlan) -> None:
        project = self._project(target.project)
        project.repository = self._repository(target.project, project.default_branch)
        self._tags(project)
        pipeline = _deploying(target, self._scene.environments[target.project].jobs)
        project.stand_in = lambda _: pipeline
        for (path, iid), request in self._answers.answers("merge_request").items():
            if path == target.project:
                commits = self._answers.answers("merge_request_commits").get((path, iid), ())
                self._merge_request(project, request, commits, ())
        brought = self._answers.answers("commit_merge_requests")
        for (path, sha), requests in brought.items():
            for request in requests if path == target.project else ():
                self._merge_request(project, request, (), (sha,))
        self._environment(project, target)

    def _repository(self, path: str, default_branch: str) -> Repository:
        scene = self._scene
        made = Repository(default_branch, promised=scene.promised[path])
        for thing in scene.objects[path].values():
            made.add(thing)
        made.refs.update(self._answers.heads[path])
        return made

    def _tags(self, project: Project) -> None:
        """Bring the tags of the commits that are at hand: of the others nothing is said."""
        for tag in self._answers.answers("tags").get((project.path,), ()):
            if tag.sha not in self._scene.objects[project.path]:
                continue
            project.repository.refs[f"refs/tags/{tag.name}"] = tag.sha
            if tag.is_release:
                project.releases[tag.name] = tag.created_at or _LONG_AGO

    def _merge_request(
        self,
        project: Project,
        request: seen.MergeRequest,
        commits: Iterable[Sha],
        brought: Iterable[Sha],
    ) -> None:
        known = project.merge_requests.get(request.iid)
        if isinstance(known, SeenMergeRequest):
            known.brought |= {*commits, *brought}
            return
        made = SeenMergeRequest(
            id=self._world.next_id("merge_request"),
            iid=request.iid,
            project=project,
            title=request.title,
            description="",
            author=self._user(request.author.username, request.author.name),
            source_branch=f"seen-{request.iid}",
            target_branch=request.target_branch,
            created_at=request.merged_at or _LONG_AGO,
            updated_at=request.merged_at or _LONG_AGO,
            sha=request.sha or ZERO,
            base_sha=ZERO,
            start_sha=ZERO,
            state=request.state,
            merged_at=request.merged_at,
            merge_commit_sha=request.merge_commit_sha,
            squash_commit_sha=request.squash_commit_sha,
            source=tuple(commits)[::-1],
            brought={*commits, *brought},
        )
        told: seen.Approvals | None = self._answers.answers("approvals").get(
            (project.path, request.iid)
        )
        made.approvals = [
            (self._user(each.user.username, each.user.name), each.approved_at or _LONG_AGO)
            for each in (told.approved_by if told else ())
        ]
        project.merge_requests[request.iid] = made

    def _environment(self, project: Project, target: TargetPlan) -> None:
        told = self._scene.environments[target.project]
        number, url = self._world.next_id("environment"), told.environment.external_url
        made = Environment(number, told.environment.name, _LONG_AGO, self._now, url)
        project.environments.append(made)
        for each in told.deployments:
            self._deployment(project, made, each)

    def _deployment(self, project: Project, place: Environment, told: seen.Deployment) -> None:
        world, at = self._world, told.finished_at or told.created_at or _LONG_AGO
        job = self._deploying_job(project, place, told, told.job) if told.job else None
        deployment = Deployment(
            id=world.next_id("deployment"),
            iid=len(project.deployments) + 1,
            environment=place,
            ref=told.ref,
            sha=told.sha,
            user=job.user if job else self._me,
            job=job,
            status=told.status,
            created_at=told.created_at or at,
            updated_at=at,
            finished_at=at,
            approvals=[],
        )
        project.deployments.append(deployment)
        if job is not None:
            job.deployment = deployment

    def _deploying_job(
        self, project: Project, place: Environment, told: seen.Deployment, job: seen.Job
    ) -> Job:
        """Make the pipeline of the past whose job deployed; nothing else of it is known."""
        world, at = self._world, told.finished_at or told.created_at or _LONG_AGO
        user = self._user(job.user.username, job.user.name) if job.user else self._me
        pipeline = Pipeline(
            id=world.next_id("pipeline"),
            iid=len(project.pipelines) + 1,
            project=project,
            ref=told.ref,
            sha=told.sha,
            before_sha=ZERO,
            source="pipeline",
            user=user,
            created_at=told.created_at or at,
            updated_at=at,
            stages=(job.stage,),
            inputs={},
            variables=[],
            started_at=at,
            finished_at=at,
        )
        definition = JobDefinition(job.name, job.stage, manual=True, environment=place.name)
        made = Job(world.next_id("job"), pipeline, definition, user, at, is_bridge=False)
        made.status, made.started_at, made.finished_at = job.status, job.started_at or at, at
        pipeline.jobs.append(made)
        project.pipelines.append(pipeline)
        return made

    # the orchestrator and the incident
    def _orchestrator(self) -> None:
        """Give the orchestrator its real CI file, which a plan reads, and a stand-in to run."""
        for path in {target.pipeline.project for target in self._targets() if target.pipeline}:
            refs = {target.pipeline.ref for target in self._targets() if target.pipeline}
            project = self._project(path)
            files = {
                file: File(content)
                for (where, file, _), content in self._answers.answers("file").items()
                if where == path
            }
            self._files(project, files, refs)
            own = project.stand_in
            project.stand_in = _orchestrating(self._targets(), own)

    def _targets(self) -> tuple[TargetPlan, ...]:
        return self._scene.plan.targets

    def _incidents(self) -> None:
        planned, template = self._scene.plan.incident, self._scene.template
        project = self._project(planned.project)
        if template is not None and planned.template:
            place = f".gitlab/issue_templates/{planned.template}.md"
            self._files(project, {place: File(template.encode())}, ())
        for name in planned.assignees:
            self._user(name, name)
        if planned.iid is not None:
            issue = issues.create(
                self._world, project, self._me, title=planned.title, issue_type="incident"
            )
            del project.issues[issue.iid]
            issue.iid = planned.iid
            project.issues[planned.iid] = issue

    def _approve(self) -> None:
        """Let stand-ins approve the plan as its policy asks; whether people would is not known."""
        plan, world = self._scene.plan, self._world
        policy = plan.spec.policy.plan_approvals
        if policy.minimum == 0:
            return
        on = places(plan)[0]
        for number in range(1, policy.minimum + 1):
            who = self._user(f"rehearsed-approver-{number}", "Stand-in")
            for group in [self._group(path) for path in policy.groups] or world.groups.values():
                group.members[who.id] = DEVELOPER
            notes.add(world, world.project(on.project).merge_requests[on.iid], who, sentence(plan))

    def _group(self, path: str) -> Group:
        groups = self._world.groups
        if path not in groups:
            roles = {self._me.id: MAINTAINER}
            groups[path] = Group(self._world.next_id("group"), path, roles)
        return groups[path]

    def _files(self, project: Project, files: dict[str, File], refs: Iterable[str]) -> None:
        """Commit files to a project of which nothing else is needed; a target has its own."""
        repository = project.repository
        if project.path in self._scene.objects:
            for file in files.values():
                repository.write_blob(file.content)
            return
        head = repository.branch(project.default_branch)
        tree = repository.edited(head, dict(files))
        who = Signature(_NOBODY, "somebody@example.invalid", self._now)
        sha = repository.write_commit(tree, [head] if head else [], "chore: as seen\n", who)
        for name in {project.default_branch, *refs}:
            repository.refs[f"refs/heads/{name}"] = sha


@dataclass(eq=False, slots=True, kw_only=True)
class SeenMergeRequest(MergeRequest):
    """A merge request as it was told, whose own commits need not be at hand."""

    source: tuple[Sha, ...]
    """The commits of its branch, the newest first, where they were asked for."""
    brought: set[Sha]

    def commits(self) -> list[Sha]:
        """List the commits of the source branch, the newest first."""
        return list(self.source)

    def landed(self) -> list[Sha]:
        """List the commits that it is known to have brought."""
        return [*self.brought]

    def changed_files(self) -> int:
        """Count no files: which they are was not asked."""
        return 0


def _merge_method(told: seen.Project | None) -> Any:  # noqa: ANN401 - GitLab's word, told on as it is
    return told.merge_method if told else "merge"


def _deploying(target: TargetPlan, seen_jobs: Sequence[seen.Job]) -> Configuration:
    """Make the target's pipeline as the last one that deployed was, without what its jobs do.

    The production job waits to be pressed. So do others that nobody had pressed then, and they
    hold nothing up. Where no pipeline was seen there is one job before the production job.
    """
    name = target.deploy.job if target.deploy else "deploy"
    press = JobDefinition(name, "production", manual=True, environment=target.environment)
    newest: dict[str, seen.Job] = {}
    for job in seen_jobs:
        newest.setdefault(job.name, job)
    in_turn = sorted(newest.values(), key=lambda job: job.id)
    jobs = [
        replace(press, stage=job.stage)
        if job.name == name
        else JobDefinition(
            job.name,
            job.stage,
            manual=job.status in _NOT_RUN,
            allow_failure=job.allow_failure or job.status in _NOT_RUN,
        )
        for job in in_turn
    ] or [JobDefinition("rehearsed-staging", "staging"), press]
    stages = dict.fromkeys(job.stage for job in jobs if job.stage not in _EDGES)
    return Configuration((_EDGES[0], *stages, _EDGES[1]), tuple(jobs), None, {})


def _orchestrating(
    targets: tuple[TargetPlan, ...], otherwise: Callable[[Order], Configuration] | None
) -> Callable[[Order], Configuration]:
    """Make what the orchestrator does with an order: start the target that was planned with it."""

    def configuration(order: Order) -> Configuration:
        for target in targets:
            if target.pipeline is not None and is_planned(order, target.pipeline):
                trigger = Trigger(target.project, target.release_branch, follows=False)
                job = JobDefinition("rehearsed-release", "release", trigger=trigger)
                inputs = dict(order.inputs or {})
                return Configuration((".pre", "release", ".post"), (job,), None, inputs)
        if otherwise is not None:
            return otherwise(order)
        raise ConfigurationError("no pipeline was planned with these inputs")

    return configuration


def is_planned(order: Order, planned: PlannedPipeline) -> bool:
    """Tell whether an order is the planned one; the run's own key may be with it."""
    wanted: dict[str, object] = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in planned.inputs.items()
    }
    sent: dict[str, object] = dict(order.inputs or {})
    if planned.send_as == "variables":
        wanted = {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in wanted.items()
        }
        sent = {each["key"]: each["value"] for each in order.variables}
    sent.pop(planned.operation_input or "", None)
    return order.ref == planned.ref and sent == wanted
