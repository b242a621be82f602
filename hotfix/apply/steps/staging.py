"""Step ``staging``: follow the pipeline until only the production gate is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from hotfix.apply.context import head_after
from hotfix.apply.downstream import (
    Downstream,
    Gate,
    all_jobs,
    find_downstream,
    hold_downstream,
    job_state,
)
from hotfix.apply.gate import outlook
from hotfix.errors import FailedError
from hotfix.forge.types import PIPELINE_ENDED
from hotfix.identifiers import Sha
from hotfix.text import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotfix.apply.context import Run, Way
    from hotfix.evidence.model import Entry
    from hotfix.forge.types import Job, Pipeline
    from hotfix.plan.model import TargetPlan

_AT_WORK = frozenset(
    {"created", "preparing", "pending", "running", "waiting_for_resource", "waiting_for_callback"}
)
_BEGUN = _AT_WORK - {"created"}
_TRACE_LINES = 20


def staging(run: Run, target: TargetPlan) -> Way[Gate]:
    """Wait until the production job can be pressed, and return it as it stands.

    Raises ``FailedError`` where the pipeline or a job before the gate failed, with the end of its
    log, or where no job or several bear the planned name.
    """
    downstream = yield from _downstream(run, target)
    pipeline = downstream.pipeline
    _record(run, target, downstream, "observed", {})
    name = f"pipeline {pipeline.id} of {target.project}"
    held_up = _HeldUp(run, target, downstream)
    job = yield from run.wait_for(
        lambda: _gate(run, target, pipeline, held_up),
        step="staging",
        what=lambda: (
            f"{name} to reach the production gate{held_up.said or f': {pipeline.web_url}'}"
        ),
    )
    jobs = list(all_jobs(run, target, pipeline))
    ahead = outlook(run, target, job, jobs) if job.status == "manual" else None
    _record(
        run,
        target,
        downstream,
        "done",
        {
            "jobs": [{"name": e.name, "status": e.status, "url": e.web_url} for e in jobs],
            "job": job.id,
            "job_status": job.status,
            **({"gate": ahead.facts} if ahead else {}),
        },
    )
    said = f"{one_line(job.name, 80)} is {job.status}; all before it passed"
    run.tell("staging", target.project, "done", said, url=job.web_url)
    return Gate(job, pipeline, ahead)


class _HeldUp:
    """The manual jobs before the production job that somebody has to press in GitLab."""

    def __init__(self, run: Run, target: TargetPlan, downstream: Downstream) -> None:
        self.run = run
        self.target = target
        self.downstream = downstream
        self.names = self.said = ""

    def look(self, waiting: Sequence[Job], jobs: Sequence[Job]) -> None:
        """Tell of each once who may press it, and write it down."""
        names = ", ".join(one_line(each.name, 80) for each in waiting)
        urls = "".join(f" {each.web_url}" for each in waiting)
        self.names = f"; somebody has to press {names} in GitLab" if names else ""
        self.said = f"{self.names},{urls}" if names else ""
        for job in waiting:
            known = self.run.journal.last(
                "staging", self.target.project, "observed", waits_for=job.id
            )
            if known is None:
                found = outlook(self.run, self.target, job, jobs)
                more: dict[str, Any] = {"waits_for": job.id, "gate": found.facts}
                _record(self.run, self.target, self.downstream, "observed", more, again=True)
                for said in (*found.told, *found.cautions, *(e.message for e in found.stops)):
                    self.run.tell("staging", self.target.project, "note", said)


def record_failed_job(
    run: Run, step: Literal["staging", "verify-production"], target: TargetPlan, job: Job
) -> str:
    """Record that a job failed, and return the last lines of its log, safe to show."""
    lines = run.forge.trace(target.project, job.id).splitlines()[-_TRACE_LINES:]
    tail = "\n".join(printable(line)[:200] for line in lines)
    facts: dict[str, Any] = {"job": job.id, "job_status": job.status, "trace": tail}
    run.journal.add(step, target.project, "failed", facts)
    return tail


def ended_as(job: Job) -> str:
    """Say how a job ended, and by GitLab's word why: of one that never ran there is no log."""
    because = job.failure_reason if job.status == "failed" else None
    return f"{job.status} ({one_line(because, 80)})" if because else job.status


def _downstream(run: Run, target: TargetPlan) -> Way[Downstream]:
    head = head_after(target)
    started = run.journal.last("orchestrate", target.project, "done")
    if started is None:
        raise ValueError("orchestrate comes before staging")
    number = int(str(started.facts["pipeline"]))
    recorded = run.journal.last("staging", target.project, "observed")
    if recorded is not None or _is_downstream(started):
        # A resumed run holds to the pipeline that it followed before, whatever came since.
        known = int(str(recorded.facts["pipeline"])) if recorded else number
        pipeline = run.forge.pipeline(target.project, known)
        hold_downstream(target, pipeline, head)
        return Downstream(pipeline, None)
    orchestrator = str(started.facts["project"])
    ended: list[float] = []

    def look() -> Downstream | None:
        found = find_downstream(run, target, orchestrator, number, head)
        if found is not None:
            return found
        status = run.forge.pipeline(orchestrator, number).status
        said = f"pipeline {number} of {orchestrator} is {status}"
        run.tell("staging", target.project, "waiting", said)
        if status in PIPELINE_ENDED:
            ended.append(run.clock.monotonic())
        if ended and (status != "success" or ended[-1] - ended[0] >= run.request.pace.grace):
            raise FailedError(
                "orchestration-failed",
                f"The orchestration pipeline {started.facts['url']} is {status}, and it "
                f"started no pipeline of {target.project}. {_led(run, orchestrator, number)}",
                hint=f"See its log in GitLab. Nothing of {target.project} was deployed.",
            )
        return None

    what = f"{orchestrator} to start a pipeline of {target.project}"
    return (yield from run.wait_for(look, step="staging", what=what))


def _is_downstream(started: Entry) -> bool:
    """Tell whether what was found is the target's own pipeline; records of old do not say so."""
    return bool(started.facts.get("downstream", started.facts["how"] == "observed"))


def _led(run: Run, project: str, pipeline_id: int) -> str:
    """Say what the trigger jobs of a pipeline came to."""
    told = [
        f"{one_line(each.name, 60)} is {each.status}"
        + (f" ({one_line(each.failure_reason, 80)})" if each.failure_reason else "")
        + (f", led to {each.downstream.web_url}" if each.downstream else "")
        for each in run.forge.bridges(project, pipeline_id)
    ]
    return f"Its trigger jobs: {'; '.join(told)}." if told else "It has no trigger job."


def _gate(run: Run, target: TargetPlan, pipeline: Pipeline, held_up: _HeldUp) -> Job | None:
    """Return the production job once nothing before it is at work any more.

    Jobs that stand after a blocking manual job stay ``created``; the pipeline's own status
    ``manual`` says that it waits for that job and nothing else. The status is asked before the
    jobs: a pipeline that has ended moves no job any more, so what is read after it is its last.
    """
    name = target.deploy.job if target.deploy else ""
    status = run.forge.pipeline(target.project, pipeline.id).status
    jobs = sorted(all_jobs(run, target, pipeline), key=lambda job: job.id)
    before = [each for each in jobs if each.name != name and _must_be_pressed(each)]
    held_up.look(before if status == "manual" else (), jobs)
    run.tell(
        "staging",
        target.project,
        "waiting",
        f"pipeline {pipeline.id} is {status}{held_up.names}",
        url=pipeline.web_url,
        jobs=tuple(job_state(run, job) for job in jobs),
    )
    job = _the_one(target, [job for job in jobs if job.name == name])
    if job is not None and _was_started(job):
        return job  # pressed by somebody, or by the run that this one resumes
    _refuse_failed(run, target, jobs, name)
    others = {each.status for each in jobs if each.name != name}
    waits = status == "manual" or status in PIPELINE_ENDED
    if job is not None and job.status == "manual" and status not in {"failed", "canceled"}:
        return job if not others & (_AT_WORK - ({"created"} if waits else set())) else None
    if status in PIPELINE_ENDED:
        if {each.status for each in jobs} & _BEGUN:
            return None  # a job was retried since: the pipeline goes on, and is looked at again
        where = f"its job {name} is {job.status}" if job else f"it has no job {name}"
        raise FailedError(
            "deploy-job-missing",
            f"Pipeline {pipeline.web_url} is {status}, and {where}. "
            f"{_led(run, target.project, pipeline.id)}",
            hint=f"{_untouched(target)} "
            "Mend what failed; or set `deploy: {job: NAME}` to the manual production job's name.",
        )
    return None


def _untouched(target: TargetPlan) -> str:
    """Say it of this target alone: others of the hotfix may be in production."""
    return f"Nothing of {target.project} was deployed to {target.environment}."


def _must_be_pressed(job: Job) -> bool:
    """Tell whether a pipeline stands still before a manual job."""
    return job.status == "manual" and not job.allow_failure


def _the_one(target: TargetPlan, named: Sequence[Job]) -> Job | None:
    """Return the newest job of the name: earlier ones of one pipeline were retried."""
    if len({job.pipeline_id for job in named}) > 1:
        listed = "; ".join(job.web_url for job in named)
        raise FailedError(
            "deploy-job-ambiguous",
            f"Several pipelines of {target.project} have the production job: {listed}.",
            hint="Exactly one may bear the name under `deploy`. Give them names of their own.",
        )
    return named[-1] if named else None


def _was_started(job: Job) -> bool:
    """Tell whether a job ran or is about to; a canceled one that never began did not."""
    if job.status in {"failed", "canceled", "canceling"}:
        return job.started_at is not None
    return job.status not in {"manual", "created", "skipped", "scheduled", "preparing"}


def _refuse_failed(run: Run, target: TargetPlan, jobs: list[Job], name: str) -> None:
    newest: dict[str, Job] = {}
    for job in jobs:
        newest[job.name] = job
    for job in newest.values():
        if job.name != name and job.status in {"failed", "canceled"} and not job.allow_failure:
            tail = record_failed_job(run, "staging", target, job)
            raise FailedError(
                "staging-failed",
                f"The job {one_line(job.name, 80)} before the production gate is {ended_as(job)}: "
                f"{job.web_url}\n{tail}",
                hint=f"{_untouched(target)} Retry that job in GitLab if its cause is gone, "
                f"then go on with: {run.request.command}",
            )


def _record(
    run: Run,
    target: TargetPlan,
    found: Downstream,
    phase: str,
    more: dict[str, Any],
    *,
    again: bool = False,
) -> None:
    pipeline = found.pipeline
    facts: dict[str, Any] = {
        "pipeline": pipeline.id,
        "project": target.project,
        "ref": pipeline.ref,
        "sha": Sha(pipeline.sha),
        "url": pipeline.web_url,
        "via": "bridge" if found.bridge else "search",
        "bridge": found.bridge.id if found.bridge else None,
        **more,
    }
    last = run.journal.last("staging", target.project, "observed", pipeline=pipeline.id)
    if phase == "done" or last is None or again:
        run.journal.add("staging", target.project, "done" if phase == "done" else "observed", facts)
