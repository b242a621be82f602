"""Routes: jobs, and the resource groups that they wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.sandbox import jobs, resources
from hotfix.sandbox.entities import ci as entities
from hotfix.sandbox.refusals import bad_request, not_found
from hotfix.sandbox.rest.calls import Answer, Call, Page
from hotfix.sandbox.rest.routing import Result, route
from hotfix.sandbox.users import DEVELOPER, REPORTER

if TYPE_CHECKING:
    from hotfix.sandbox.pipelines import Job

_ONE = "/projects/<project>/jobs/<job_id>"


def _one(call: Call, *, bridges: bool = False) -> Job:
    number = call.integer("job_id")
    for job in call.project.jobs():
        if job.id == number and (bridges or not job.is_bridge):
            return job
    raise not_found()


@route("GET", "/projects/<project>/jobs", level=REPORTER)
def project_jobs(call: Call) -> Result:
    """List all jobs of the project, the newest first."""
    scope = call.many("scope")
    found = [
        job
        for job in reversed(call.project.jobs())
        if not job.is_bridge
        and (not scope or job.status in scope)
        and call.text("ref") in ("", job.pipeline.ref)
    ]
    return Page(found, lambda job: entities.job(call.world, job))


@route("GET", _ONE, level=REPORTER)
def job(call: Call) -> Result:
    """Show a job; a trigger job is not found here, though it can be played."""
    return entities.job(call.world, _one(call))


@route("POST", f"{_ONE}/play", level=DEVELOPER)
def play(call: Call) -> Result:
    """Press a manual job. Not idempotent: see ``jobs.play``."""
    if call.params.get("job_inputs"):
        raise bad_request({"base": ["Given inputs not defined in the `inputs` of the job"]})
    return entities.job_or_bridge(
        call.world, jobs.play(call.world, _one(call, bridges=True), call.user)
    )


@route("POST", f"{_ONE}/retry", level=DEVELOPER)
def retry(call: Call) -> Result:
    """Start an ended job anew; the answer shows the new one."""
    again = jobs.retry(call.world, _one(call, bridges=True), call.user)
    return Answer(entities.job_or_bridge(call.world, again), 201)


@route("POST", f"{_ONE}/cancel", level=DEVELOPER)
def cancel(call: Call) -> Result:
    """Cancel a job."""
    return Answer(entities.job(call.world, jobs.cancel(call.world, _one(call), call.user)), 201)


@route("GET", f"{_ONE}/trace", level=REPORTER)
def trace(call: Call) -> Result:
    """Read a job's log; empty where it has not run."""
    lines = "".join(f"{line}\n" for line in _one(call).trace)
    return Answer(lines, content_type="text/plain")


@route("GET", "/projects/<project>/resource_groups", level=REPORTER)
def resource_groups(call: Call) -> Result:
    """List the groups that jobs name."""
    return Page(list(enumerate(_groups(call), start=1)), lambda one: _group(*one))


@route("GET", "/projects/<project>/resource_groups/<key>", level=REPORTER)
def resource_group(call: Call) -> Result:
    """Show one group."""
    names = _groups(call)
    if call.segments["key"] not in names:
        raise not_found()
    return _group(names.index(call.segments["key"]) + 1, call.segments["key"])


@route("GET", "/projects/<project>/resource_groups/<key>/current_job", level=REPORTER)
def current_job(call: Call) -> Result:
    """Show the job that has a group now."""
    found = resources.current(call.project, call.segments["key"])
    if found is None:
        raise not_found()
    return entities.job_basic(call.world, found)


@route("GET", "/projects/<project>/resource_groups/<key>/upcoming_jobs", level=REPORTER)
def upcoming_jobs(call: Call) -> Result:
    """List the jobs that wait for a group."""
    found = resources.upcoming(call.project, call.segments["key"])
    return Page(found, lambda job: entities.job_basic(call.world, job))


def _groups(call: Call) -> list[str]:
    named = (job.definition.resource_group for job in call.project.jobs())
    return sorted({name for name in named if name is not None})


def _group(number: int, key: str) -> dict[str, object]:
    return {"id": number, "key": key, "process_mode": "unordered"}
