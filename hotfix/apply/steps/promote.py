"""Step ``promote``: a human's yes, and the production job pressed once.

Runbook, "Run and watch the manual production deployment pipeline": both gates are manual by design.
GitLab's play is not idempotent: pressing a job that has finished starts it again. So a job is
pressed only while it is ``manual``, and after a lost answer it is looked at, never pressed again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hotfix.apply import policy
from hotfix.apply.context import head_after, may_run
from hotfix.apply.downstream import all_jobs, jobs_named
from hotfix.apply.gate import outlook
from hotfix.apply.moves import BranchMovedError, ProductionMovedError
from hotfix.apply.ports import Press
from hotfix.clock import timestamp
from hotfix.errors import BlockedError, StaleError, WaitingError
from hotfix.evidence.model import Approval
from hotfix.forge.protocol import UnknownOutcomeError
from hotfix.identifiers import is_forbidden, short
from hotfix.plan.observe import running_deployments
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import JsonValue

    from hotfix.apply.context import Run
    from hotfix.apply.downstream import Gate
    from hotfix.apply.gate import Outlook
    from hotfix.forge.types import Job
    from hotfix.plan.model import TargetPlan


def promote(run: Run, target: TargetPlan, gate: Gate) -> Gate:
    """Ask, look once more that nothing moved, press, and see that it took.

    Returns the gate with the job as it runs. Raises ``WaitingError`` without a yes, and
    ``StaleError`` where release or production moved meanwhile.
    """
    project, job = target.project, gate.job
    earlier = _earlier(run, target, gate)
    pressed_before = run.journal.last("promote", project, "intent", job=job.id) is not None
    if pressed_before and job.status == "manual":
        job = _after_lost_answer(run, target, job) or job
    if job.status != "manual":
        return replace(gate, job=_was_pressed(run, target, job, ours=pressed_before))
    seen = gate.outlook or _outlook(run, target, gate)
    _refuse_stopped(seen)
    answer = _ask(run, target, job, earlier, seen)
    run.prove_locks()
    _look_again(run, target, gate, seen)
    run.check_stop()
    policy.break_glass(run, seen.behind_glass)
    by = run.forge.current_user().username
    run.journal.add(
        "promote",
        project,
        "intent",
        {
            "job": job.id,
            "job_name": job.name,
            "pipeline": job.pipeline_id,
            "commit": job.sha,
            "confirmed_by": by,
            "how": answer,
            "production_sha": target.production.sha,
            "earlier_jobs": [{"job": each.id, "status": each.status} for each in earlier],
            "gate": seen.facts,
            "went_past": [*seen.cautions],
        },
        approval=Approval(
            by=by,
            at=timestamp(run.clock.now()),
            what=f"press {job.name} ({job.id}) of {project} at {head_after(target)}",
            source=answer,
        ),
    )
    run.tell("promote", project, "started", f"press {one_line(job.name, 80)}", url=job.web_url)
    how = "pressed"
    try:
        run.forge.play(project, job.id)
    except UnknownOutcomeError:
        how = "found-after-lost-answer"
    found = _after_lost_answer(run, target, job)
    if found is None:
        raise WaitingError(
            "press-unknown",
            f"The production job {job.web_url} is still manual after it was pressed.",
            hint=f"Look at it in GitLab. If nobody pressed it, go on with: {run.request.command}",
        )
    return replace(gate, job=_done(run, target, found, how))


def _outlook(run: Run, target: TargetPlan, gate: Gate) -> Outlook:
    jobs = list(all_jobs(run, target, gate.pipeline))
    return outlook(run, target, gate.job, jobs)


def _refuse_stopped(seen: Outlook) -> None:
    """Wait where GitLab would refuse the press, for missing approvals say: it names no reason."""
    if seen.stops:
        first, *others = seen.stops
        lines = [first.message, *(each.message for each in others)]
        first.message = "\n".join([*lines, *(f"Caution: {each}." for each in seen.cautions)])
        raise first


def _earlier(run: Run, target: TargetPlan, gate: Gate) -> list[Job]:
    """List the production jobs of this pipeline that were pressed before and did not succeed."""
    named = jobs_named(run, target, gate.pipeline, gate.job.name)
    return [each for each in named if each.id != gate.job.id and each.started_at is not None]


def _ask(run: Run, target: TargetPlan, job: Job, earlier: Sequence[Job], seen: Outlook) -> str:
    press = Press(
        project=target.project,
        job=job.name,
        job_id=job.id,
        commit=head_after(target),
        url=job.web_url,
        environment=target.environment,
        earlier=tuple(f"{each.web_url} is {each.status}" for each in earlier),
        told=tuple(seen.told),
        cautions=tuple(seen.cautions),
    )
    answer = run.operator.approve_press(press)
    if answer is None:
        around = [
            *(f"It was pressed before: {each}." for each in press.earlier),
            *(f"Caution: {each}." for each in press.cautions),
            *(f"{each}." for each in press.told),
        ]
        raise WaitingError(
            "production-gate",
            f"The production job {one_line(job.name, 80)} of {target.project} waits for your yes, "
            f"for commit {short(press.commit)}: {job.web_url}"
            + "".join(f"\n{each}" for each in around),
            hint=f"Answer at a terminal: {run.request.command}",
        )
    return answer.source


def _look_again(run: Run, target: TargetPlan, gate: Gate, seen: Outlook) -> None:
    """Between question and press anything may have happened: the last look before the effect."""
    _refuse_changed(run, seen, _outlook(run, target, gate))
    job, after = gate.job, head_after(target)
    head = run.release_head(target)
    if head != after:
        raise BranchMovedError(target, head, short(after))
    if job.sha != after:
        raise StaleError(
            "wrong-commit",
            f"The production job {job.web_url} runs on {short(job.sha or 'an unknown commit')}; "
            f"planned is {short(after)}. It was not pressed.",
            hint="Find out which pipeline it belongs to. Do not press it by hand either.",
        )
    environment = run.forge.environment(target.project, target.environment)
    runs = environment.deployed_sha
    if runs not in may_run(run, target):
        raise ProductionMovedError(
            target,
            f"{target.environment} of {target.project} runs {short(runs or 'nothing')} now; "
            f"planned was on {short(target.production.sha)}.",
            hint=f"Somebody deployed meanwhile: {environment.web_url} Plan again.",
        )
    for busy in running_deployments(run.forge, target):
        raise StaleError(
            "production-moved",
            f"A deployment of {short(busy.sha)} to {target.environment} of {target.project} is "
            "running; nothing was pressed.",
            hint=f"Find out whose it is: {environment.web_url} Then plan again.",
        )
    named = jobs_named(run, target, gate.pipeline, job.name)
    others = [each for each in named if each.id != job.id]
    now = run.forge.job(target.project, job.id).status
    if now != "manual" or any(each.status not in {"failed", "canceled"} for each in others):
        raise StaleError(
            "job-moved",
            f"The production job {job.web_url} was pressed or retried by somebody meanwhile.",
            hint=f"Look at it, then run the same command again: {run.request.command}",
        )
    if is_forbidden(job.name):
        raise BlockedError(
            "forbidden-action",
            f"The job {job.web_url} is the cut-off action; the runbook forbids it.",
            hint="Name the production job under `deploy`, and plan again.",
        )


def _refuse_changed(run: Run, seen: Outlook, now: Outlook) -> None:
    """Ask anew where something speaks against the press that the question did not say."""
    _refuse_stopped(now)
    new = [each for each in now.cautions if each not in seen.cautions]
    if new:
        raise WaitingError(
            "gate-changed",
            f"While the question was open something came up: {'; '.join(new)}. Nothing was "
            "pressed.",
            hint=f"The same command asks again: {run.request.command}",
        )


def _after_lost_answer(run: Run, target: TargetPlan, job: Job) -> Job | None:
    """Look until the job has left ``manual``; ``None`` if it never did within the grace time."""

    def look() -> Job | None:
        found = run.forge.job(target.project, job.id)
        return found if found.status != "manual" else None

    return run.look_for(look, longest=run.request.pace.grace)


def observe_press(run: Run, target: TargetPlan, job: Job) -> Job:
    """Record a production job that ran without this run's press: somebody's in GitLab.

    Or nobody's, where it started by itself: the record says which.
    """
    is_manual = run.forge.is_manual(target.project, job.id)
    return _done(run, target, job, "observed", manual=is_manual)


def _was_pressed(run: Run, target: TargetPlan, job: Job, *, ours: bool) -> Job:
    if run.journal.last("promote", target.project, "done", job=job.id) is not None:
        run.tell("promote", target.project, "done", "the job was pressed before", url=job.web_url)
        return job
    if ours:
        return _done(run, target, job, "found-after-lost-answer")
    return observe_press(run, target, job)


def _done(run: Run, target: TargetPlan, job: Job, how: str, **more: JsonValue) -> Job:
    user = job.user.username if job.user else None
    run.journal.add(
        "promote",
        target.project,
        "done",
        {
            "job": job.id,
            "job_name": job.name,
            "status": job.status,
            "user": user,
            "how": how,
            **more,
        },
    )
    said = f"{one_line(job.name, 80)} is {job.status}, started by {one_line(user or '?', 60)}"
    run.tell("promote", target.project, "done", said, url=job.web_url)
    return job
