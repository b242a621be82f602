"""Step ``staging``: follow the pipeline until only the production gate is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotfix.apply.context import head_after
from hotfix.apply.downstream import Downstream, all_jobs, find_downstream, jobs_named
from hotfix.apply.events import JobState
from hotfix.errors import FailedError
from hotfix.forge.types import PIPELINE_ENDED
from hotfix.identifiers import Sha
from hotfix.text import one_line, printable

if TYPE_CHECKING:
    from hotfix.apply.context import Run
    from hotfix.forge.types import Job, Pipeline
    from hotfix.plan.model import TargetPlan

_AT_WORK = frozenset(
    {"created", "preparing", "pending", "running", "waiting_for_resource", "waiting_for_callback"}
)
_TRACE_LINES = 20


def staging(run: Run, target: TargetPlan) -> Job:
    """Wait until the production job can be pressed, and return it as it stands.

    Raises ``FailedError`` where the pipeline or a job before the gate failed, with the end of its
    log, or where no job or several bear the planned name.
    """
    downstream = _downstream(run, target)
    pipeline = downstream.pipeline
    _record(run, target, downstream, "observed", {})
    job = run.wait_for(
        lambda: _gate(run, target, pipeline),
        what=f"pipeline {pipeline.id} of {target.project} to reach the production gate",
    )
    jobs = [
        {"name": each.name, "status": each.status, "url": each.web_url}
        for each in all_jobs(run, target, pipeline.id)
    ]
    _record(
        run,
        target,
        downstream,
        "done",
        {"jobs": jobs, "job": job.id, "job_status": job.status},
    )
    said = f"{one_line(job.name, 80)} is {job.status}; all before it passed"
    run.tell("staging", target.project, "done", said, url=job.web_url)
    return job


def trace_tail(run: Run, target: TargetPlan, job: Job) -> str:
    """Read the last lines of a job's log, safe to show."""
    lines = run.forge.trace(target.project, job.id).splitlines()[-_TRACE_LINES:]
    return "\n".join(printable(line)[:200] for line in lines)


def _downstream(run: Run, target: TargetPlan) -> Downstream:
    head = head_after(target)
    started = run.journal.last("orchestrate", target.project, "done")
    if started is None:
        raise ValueError("orchestrate comes before staging")
    number = int(str(started.facts["pipeline"]))
    if started.facts["how"] == "observed":
        return Downstream(run.forge.pipeline(target.project, number), None)
    orchestrator = str(started.facts["project"])

    def look() -> Downstream | None:
        found = find_downstream(run, target, orchestrator, number, head)
        if found is None:
            status = run.forge.pipeline(orchestrator, number).status
            said = f"pipeline {number} of {orchestrator} is {status}"
            run.tell("staging", target.project, "waiting", said)
            if status in {"failed", "canceled", "skipped"}:
                raise FailedError(
                    "orchestration-failed",
                    f"The orchestration pipeline {started.facts['url']} is {status}, and it "
                    f"started no pipeline of {target.project}.",
                    hint="See its log in GitLab. Nothing was deployed.",
                )
        return found

    return run.wait_for(look, what=f"{orchestrator} to start a pipeline of {target.project}")


def _gate(run: Run, target: TargetPlan, pipeline: Pipeline) -> Job | None:
    """Return the production job once nothing before it is at work any more."""
    name = target.deploy.job if target.deploy else ""
    jobs = sorted(all_jobs(run, target, pipeline.id), key=lambda job: job.id)
    named = jobs_named(run, target, pipeline.id, name)
    status = run.forge.pipeline(target.project, pipeline.id).status
    run.tell(
        "staging",
        target.project,
        "waiting",
        f"pipeline {pipeline.id} is {status}",
        url=pipeline.web_url,
        jobs=tuple(
            JobState(stage=job.stage, name=job.name, status=job.status, url=job.web_url)
            for job in jobs
        ),
    )
    if named and named[0].status not in {"manual", "created", "skipped"}:
        return named[0]  # pressed by somebody, or by the run that this one resumes
    _refuse_failed(run, target, jobs, name)
    others_at_work = any(job.status in _AT_WORK for job in jobs if job.name != name)
    if named and named[0].status == "manual" and not others_at_work:
        return named[0]
    if status in PIPELINE_ENDED and not named:
        raise FailedError(
            "deploy-job-missing",
            f"Pipeline {pipeline.web_url} is {status} and has no job {name}.",
            hint="Set `deploy: {job: NAME}` in the spec to the manual production job's name.",
        )
    return None


def _refuse_failed(run: Run, target: TargetPlan, jobs: list[Job], name: str) -> None:
    newest: dict[str, Job] = {}
    for job in jobs:
        newest[job.name] = job
    for job in newest.values():
        if job.name != name and job.status in {"failed", "canceled"} and not job.allow_failure:
            tail = trace_tail(run, target, job)
            run.journal.add(
                "staging",
                target.project,
                "failed",
                {"job": job.id, "job_status": job.status, "trace": tail},
            )
            raise FailedError(
                "staging-failed",
                f"The job {one_line(job.name, 80)} before the production gate is {job.status}: "
                f"{job.web_url}\n{tail}",
                hint="Production was not touched. Retry that job in GitLab if its cause is gone, "
                f"then go on with: {run.request.command}",
            )


def _record(
    run: Run, target: TargetPlan, found: Downstream, phase: str, more: dict[str, Any]
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
    if phase == "done" or last is None:
        run.journal.add("staging", target.project, "done" if phase == "done" else "observed", facts)
