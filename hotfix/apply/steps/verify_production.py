"""Step ``verify-production``: the deployment of that very job, and the environment that shows it.

Runbook, step 5 and "Validation And Evidence". A pipeline can turn green without production having
been deployed, so its status proves nothing: the job and the deployment record do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.apply.around_gate import ahead_of
from hotfix.apply.context import head_after, or_go_back
from hotfix.apply.downstream import job_state, jobs_named
from hotfix.apply.moves import BranchMovedError
from hotfix.apply.steps.promote import observe_press
from hotfix.apply.steps.staging import ended_as, record_failed_job
from hotfix.clock import timestamp
from hotfix.errors import FailedError
from hotfix.forge.types import PIPELINE_ENDED
from hotfix.identifiers import short
from hotfix.text import one_line

if TYPE_CHECKING:
    from hotfix.apply.context import Run, Way
    from hotfix.apply.downstream import Gate
    from hotfix.forge.types import Deployment, Job
    from hotfix.plan.model import TargetPlan


def verify_production(run: Run, target: TargetPlan, gate: Gate) -> Way[None]:
    """Wait for the job to end, then read what production runs.

    Raises ``FailedError`` where the job failed, or the environment shows another commit.
    """
    name, states = one_line(gate.job.name, 80), [f"is {gate.job.status}"]
    ended = yield from run.wait_for(
        lambda: _ended(run, target, gate, states),
        step="verify-production",
        what=lambda: f"{name} to end; it {states[-1]}: {gate.job.web_url}",
    )
    if run.journal.last("promote", target.project, "done", job=ended.id) is None:
        observe_press(run, target, ended)  # retried in GitLab while it was waited for
    if ended.status != "success":
        _refuse(run, target, ended)
    deployment = yield from run.looking(
        lambda: _deployment(run, target, ended), longest=run.request.pace.grace
    )
    environment = run.forge.environment(target.project, target.environment)
    shown = environment.deployed_sha
    head, after = run.release_head(target), head_after(target)
    finished = deployment.finished_at if deployment else None
    run.journal.add(
        "verify-production",
        target.project,
        "observed",
        {
            "job": ended.id,
            "job_status": ended.status,
            "deployment": deployment.id if deployment else None,
            "deployment_status": deployment.status if deployment else None,
            "deployment_sha": deployment.sha if deployment else None,
            "finished_at": timestamp(finished) if finished else None,
            "environment": target.environment,
            "environment_sha": shown,
            "release_head": head,
        },
    )
    if deployment is None or deployment.sha != after or shown != after:
        raise FailedError(
            "production-differs",
            f"{target.environment} of {target.project} shows {short(shown or 'nothing')}, and the "
            f"deployment of job {ended.id} is of "
            f"{short(deployment.sha) if deployment else 'nothing'}; planned is {short(after)}.",
            hint=f"See {environment.web_url} Somebody may have deployed at the same time.",
        )
    if head != after:
        raise BranchMovedError(target, head, short(after))
    said = f"{target.environment} runs {short(after)}, deployment {deployment.iid}"
    run.tell("verify-production", target.project, "done", said, url=environment.web_url)


def _ended(run: Run, target: TargetPlan, gate: Gate, states: list[str]) -> Job | None:
    """Return the newest job of that name once it has ended: a person may have retried it.

    Where it stands is added to ``states``.
    """
    named = jobs_named(run, target, gate.pipeline, gate.job.name)
    newest = named[0] if named else run.forge.job(target.project, gate.job.id)
    state = f"is {newest.status}"
    if newest.status == "waiting_for_resource":
        ahead = ahead_of(run, target.project, newest)
        state += f": {'; '.join(ahead)}" if ahead else "; GitLab does not show behind what"
    states.append(state)
    run.tell(
        "verify-production",
        target.project,
        "waiting",
        f"{one_line(newest.name, 80)} {state}",
        url=newest.web_url,
        jobs=(job_state(run, newest),),
    )
    return newest if newest.status in PIPELINE_ENDED else None


def _deployment(run: Run, target: TargetPlan, job: Job) -> Deployment | None:
    last = run.forge.environment(target.project, target.environment).last_deployment
    newest = run.forge.deployments(target.project, target.environment, status="success", limit=50)
    found: Deployment
    for found in (*((last,) if last else ()), *newest):
        if found.job is not None and found.job.id == job.id and found.status == "success":
            return found
    return None


def _refuse(run: Run, target: TargetPlan, job: Job) -> None:
    tail = record_failed_job(run, "verify-production", target, job)
    raise FailedError(
        "production-failed",
        f"The production job {one_line(job.name, 80)} is {ended_as(job)}: {job.web_url}\n{tail}",
        hint="It is not pressed again by itself. Retry it in GitLab if its cause is gone, then "
        f"go on with: {run.request.command}" + or_go_back(run),
    )
