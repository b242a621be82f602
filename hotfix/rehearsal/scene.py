"""What was observed of the real GitLab, and the embedded one that is made to stand like it.

The plan is made once more on the real GitLab, read-only, and whatever that asked and fetched is
kept. So the embedded GitLab holds exactly what a plan looks at: branches, merge requests with
their approvals, the environment and its deployments, the orchestrator's CI file, and the Git
objects that were read, real ones to the byte. What those name and nobody read is promised, as in a
partial clone.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from hotfix.apply.hold import hold, refuse_blocked, refuse_forbidden
from hotfix.errors import InputError, StaleError
from hotfix.forge.protocol import ForgeError, NotFoundError
from hotfix.identifiers import Sha
from hotfix.plan.make import make_plan
from hotfix.rehearsal.recording import Recorder
from hotfix.sandbox.history import references

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hotfix.clock import Clock
    from hotfix.forge.protocol import Forge
    from hotfix.forge.types import Deployment, Environment, Job
    from hotfix.git.objects import GitObject, ObjectReader
    from hotfix.plan.model import Plan

_UNSEEN: Final = frozenset({403, 404})
"""How GitLab answers a token that may not see the pipelines of a project."""


@dataclass(frozen=True, slots=True)
class SeenEnvironment:
    """A target's environment, as its embedded copy is to be."""

    environment: Environment
    deployments: tuple[Deployment, ...]
    """Those whose commits are at hand, oldest first."""
    jobs: tuple[Job, ...]
    """Of the pipeline that made the last of them, the newest first; none where it is not seen."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the embedded GitLab is made of."""

    plan: Plan
    answers: Recorder
    objects: Mapping[str, Mapping[Sha, GitObject]]
    """By project: the Git objects that planning read."""
    promised: Mapping[str, frozenset[Sha]]
    """By project: what those name, and is not among them."""
    environments: Mapping[str, SeenEnvironment]
    template: str | None
    """The text of the incident's template."""


def observe_scene(plan: Plan, forge: Forge, clock: Clock) -> Scene:
    """Read from the real GitLab what the plan rests on; nothing is written there.

    Raises ``BlockedError`` and ``StaleError`` as ``apply`` would: a plan that could not be begun
    now is not worth a rehearsal.
    """
    if plan.kind != "hotfix":
        raise InputError("not-rehearsable", "Only the plan of a hotfix can be rehearsed.")
    refuse_forbidden(plan)
    refuse_blocked(plan.blockers)
    recorder = Recorder(forge)
    built = make_plan(plan.spec, recorder.as_forge(), clock, tool_version=plan.tool_version)
    hold(plan, built.plan, built.plan.blockers, begun=False)
    _refuse_begun(plan, built.plan)
    environments = {
        target.project: _environment(recorder, target.project, target.environment)
        for target in plan.targets
    }
    objects = {project: _at_hand(reader) for project, reader in built.readers.items()}
    incident = plan.incident
    template = incident.template and recorder.look(
        "issue_template", incident.project, incident.template
    )
    return Scene(
        plan=plan,
        answers=recorder,
        objects=objects,
        promised={project: _promised(found) for project, found in objects.items()},
        environments=environments,
        template=template,
    )


def _refuse_begun(plan: Plan, now: Plan) -> None:
    if plan.digest != now.digest:
        raise StaleError(
            "plan-stale",
            f"The plan is {plan.digest}, and what GitLab gives now is {now.digest}: this hotfix "
            "has begun.",
            hint="A rehearsal is for before that. Where it stands says: hotfix status SPEC",
        )


def _environment(recorder: Recorder, project: str, name: str) -> SeenEnvironment:
    """Collect the deployments that planning saw, and open their commits."""
    environment: Environment = recorder.answers("environment")[project, name]
    listed = (
        deployment
        for (where, *_), found in recorder.answers("deployments").items()
        if where == project
        for deployment in found
    )
    last = [environment.last_deployment] if environment.last_deployment else []
    found = {each.id: each for each in (*listed, *last) if each.status == "success"}
    repository = recorder.repository(recorder.answers("project")[project,])
    kept: list[Deployment] = []
    for each in sorted(found.values(), key=lambda deployment: deployment.id):
        with suppress(NotFoundError):
            repository.fetch((each.sha,))
            kept.append(each)
    return SeenEnvironment(environment, tuple(kept), _jobs(recorder, project, environment))


def _jobs(recorder: Recorder, project: str, environment: Environment) -> tuple[Job, ...]:
    """List what the pipeline of the last deployment consisted of, where the token may see it."""
    last = environment.last_deployment
    job = last.job if last else None
    if job is None or job.pipeline_id is None:
        return ()
    try:
        found: tuple[Job, ...] = recorder.as_forge().jobs(project, job.pipeline_id)
    except ForgeError as error:
        if error.status not in _UNSEEN:
            raise
        return ()
    return found


@runtime_checkable
class _Holding(Protocol):
    """A reader that can tell what it holds."""

    def at_hand(self) -> Iterator[GitObject]: ...


def _at_hand(reader: ObjectReader) -> dict[Sha, GitObject]:
    if not isinstance(reader, _Holding):
        raise TypeError("the objects of a rehearsal come from a repository that tells them")
    return {Sha(each.id.decode()): each for each in reader.at_hand()}


def _promised(objects: Mapping[Sha, GitObject]) -> frozenset[Sha]:
    return frozenset(sha for each in objects.values() for sha in references(each)) - objects.keys()
