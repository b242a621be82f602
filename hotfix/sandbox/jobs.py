"""How jobs move: by themselves as time goes by, and by people who press, retry or cancel them.

Nothing runs in the background. Whenever anything is asked of the world, all transitions that are
due by then are made in the order of their times, each with its own time, so that what is seen does
not depend on how often somebody looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from hotfix.sandbox import artifacts, deployments, resources, scripts
from hotfix.sandbox.pipelines import ACTIVE, ENDED, Job, Order, Pipeline, add_job, create
from hotfix.sandbox.refusals import Refusal, bad_request, forbidden
from hotfix.sandbox.users import DEVELOPER

if TYPE_CHECKING:
    from datetime import datetime

    from hotfix.sandbox.users import User
    from hotfix.sandbox.world import World

Outcome = Literal["success", "failed", "stuck"]
QUEUE_SHARE: Final = 0.2
"""How long a job waits for a runner, as a share of how long it runs."""


@dataclass(eq=False, slots=True)
class Script:
    """What a test or a rehearsal wants of a job."""

    project: str
    job: str
    outcome: Outcome
    seconds: float | None
    times: int | None
    """For how many runs it holds; ``None`` is for ever."""


def advance(world: World) -> None:
    """Make every transition that is due by now."""
    now = world.clock.now()
    while True:
        job = min(
            (job for job in world.moving if job.due is not None and job.due <= now),
            key=lambda job: (job.due, job.id),
            default=None,
        )
        if job is None or job.due is None:
            return
        _step(world, job, job.due)


def process(world: World, pipeline: Pipeline, at: datetime) -> None:
    """Start every job whose turn has come, skip those that will not have one."""
    for job in pipeline.latest_jobs():
        if job.status != "created":
            continue
        earlier = [
            other
            for other in pipeline.latest_jobs()
            if pipeline.stages.index(other.definition.stage)
            < pipeline.stages.index(job.definition.stage)
        ]
        if any(other.holds_up for other in earlier):
            continue
        if not all(other.passed for other in earlier):
            _change(job, "skipped", at)
        elif job.definition.manual:
            _change(job, "manual", at)
        else:
            _enqueue(world, job, at)
    _settle(world, pipeline, at)


def _settle(world: World, pipeline: Pipeline, at: datetime) -> None:
    """Note the end of a pipeline, and tell the trigger job that follows it."""
    status = pipeline.status
    pipeline.finished_at = at if status in ENDED else None
    bridge = pipeline.upstream
    if bridge is not None and bridge.status == "running" and status in ENDED:
        _finish(world, bridge, "success" if status == "success" else "failed", at)


def _enqueue(world: World, job: Job, at: datetime) -> None:
    job.queued_at = at
    if resources.holder(job) is not None:
        _change(job, "waiting_for_resource", at)
        return
    _change(job, "pending", at)
    job.due = at + timedelta(seconds=_seconds(world, job) * QUEUE_SHARE)
    world.moving.append(job)


def _step(world: World, job: Job, at: datetime) -> None:
    if job.status == "pending":
        if not artifacts.are_there(job, at):
            job.failure_reason = "missing_dependency_failure"
            _finish(world, job, "failed", at)
            return
        job.started_at = at
        job.pipeline.started_at = job.pipeline.started_at or at
        _change(job, "running", at)
        job.due = at + timedelta(seconds=_seconds(world, job))
        if job.is_bridge:
            job.due = at
        if _outcome(world, job) == "stuck":
            _halt(world, job)
        return
    _halt(world, job)
    if job.is_bridge:
        _trigger(world, job, at)
    else:
        _complete(world, job, at)


def _complete(world: World, job: Job, at: datetime) -> None:
    script = world.scripted(job)
    outcome = _outcome(world, job)
    if script is not None and script.times is not None:
        script.times -= 1
    problem = None if outcome == "failed" else scripts.run(world, job, at)
    if outcome == "failed" or problem is not None:
        job.trace.append(problem or "ERROR: Job failed: exit code 1")
        job.failure_reason = "script_failure"
        _finish(world, job, "failed", at)
        return
    if job.definition.trigger is not None:
        _trigger(world, job, at)
    if job.status == "running":
        job.trace.append("Job succeeded")
        job.artifacts_expire_at = artifacts.expiry(job, at)
        _finish(world, job, "success", at)


def _trigger(world: World, job: Job, at: datetime) -> None:
    """Start the other project's pipeline, with the rights of whoever started this one."""
    trigger = job.definition.trigger
    target = world.find_project(trigger.project) if trigger is not None else None
    if trigger is None or target is None:
        job.failure_reason = "downstream_bridge_project_not_found"
        _finish(world, job, "failed", at)
        return
    source = "pipeline" if job.is_bridge else job.pipeline.project.settings.downstream
    order = Order(
        ref=trigger.branch or target.default_branch,
        source=source,
        upstream=job if job.is_bridge else None,
    )
    try:
        if not target.may_update(job.user, order.ref):
            raise forbidden()
        downstream = create(world, target, job.user, order, at)
    except Refusal as refusal:
        allowed = refusal.status != forbidden().status
        job.failure_reason = (
            "downstream_pipeline_creation_failed" if allowed else "insufficient_bridge_permissions"
        )
        job.trace.append(f"The downstream pipeline was refused: {refusal.body}")
        _finish(world, job, "failed", at)
        return
    if job.is_bridge:
        job.downstream = downstream
        if not trigger.follows:
            _finish(world, job, "success", at)


def _finish(world: World, job: Job, status: str, at: datetime) -> None:
    _halt(world, job)
    job.finished_at = at
    _change(job, status, at)
    following = resources.next_in_line(job)
    if following is not None:
        _enqueue(world, following, at)
    process(world, job.pipeline, at)


def _halt(world: World, job: Job) -> None:
    job.due = None
    if job in world.moving:
        world.moving.remove(job)


def _change(job: Job, status: str, at: datetime) -> None:
    job.status = status
    job.pipeline.updated_at = at
    deployments.follow(job, at)


def _seconds(world: World, job: Job) -> float:
    script = world.scripted(job)
    return world.pace if script is None or script.seconds is None else script.seconds


def _outcome(world: World, job: Job) -> Outcome:
    script = world.scripted(job)
    return "success" if script is None else script.outcome


def play(world: World, job: Job, user: User) -> Job:
    """Press a manual job; returns the job that was pressed.

    Not idempotent, as in GitLab: a manual job that has ended is silently started anew, as a new
    job, while the answer shows the old one. Raises ``Refusal``.
    """
    _check_update(job, user)
    now = world.clock.now()
    if job.status == "manual" and not deployments.needs_approval(job):
        if deployments.outdated(job):
            raise bad_request("400 Bad request - Unplayable Job")
        job.user = user
        _reopen_later_stages(job)
        _enqueue(world, job, now)
    elif job.definition.manual and job.status in ENDED - {"skipped"} and not job.retried:
        retry(world, job, user)
    else:
        raise bad_request("400 Bad request - Unplayable Job")
    return job


def retry(world: World, job: Job, user: User) -> Job:
    """Start an ended job anew, as a new job, which is returned; raises ``Refusal``."""
    _check_update(job, user)
    if job.status not in ENDED - {"skipped"} or job.retried or _old_rollback(job):
        raise forbidden("Job is not retryable")
    now = world.clock.now()
    job.retried = True
    again = add_job(world, job.pipeline, job.definition, user, now)
    _reopen_later_stages(again)
    _enqueue(world, again, now)
    return again


def _old_rollback(job: Job) -> bool:
    settings = job.pipeline.project.settings
    return deployments.outdated(job) and not settings.ci_forward_deployment_rollback_allowed


def _reopen_later_stages(job: Job) -> None:
    stages = job.pipeline.stages
    for other in job.pipeline.latest_jobs():
        later = stages.index(other.definition.stage) > stages.index(job.definition.stage)
        if later and other.status == "skipped":
            other.status = "created"


def cancel(world: World, job: Job, user: User) -> Job:
    """Cancel a job that has not ended; one that has stays as it is."""
    _check_update(job, user)
    if job.status in ACTIVE:
        _finish(world, job, "canceled", world.clock.now())
    return job


def cancel_pipeline(world: World, pipeline: Pipeline, user: User) -> None:
    """Cancel whatever of a pipeline has not ended."""
    for job in pipeline.latest_jobs():
        cancel(world, job, user)


def retry_pipeline(world: World, pipeline: Pipeline, user: User) -> None:
    """Retry the jobs of a pipeline that failed or were cancelled."""
    for job in pipeline.latest_jobs():
        if job.status in ("failed", "canceled"):
            retry(world, job, user)


def _check_update(job: Job, user: User) -> None:
    """Refuse who may not run a job: on a protected branch it takes the right to merge."""
    project = job.pipeline.project
    level = project.access_level(user)
    if level < DEVELOPER or not project.may_update(user, job.pipeline.ref):
        raise forbidden()
    environment = job.definition.environment
    if any(
        rule.name == environment and not rule.may_deploy(user, level)
        for rule in project.protected_environments
    ):
        raise forbidden()
