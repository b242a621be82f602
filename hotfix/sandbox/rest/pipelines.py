"""Routes: pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotfix.sandbox import jobs
from hotfix.sandbox.entities import ci as entities
from hotfix.sandbox.pipelines import Order, create
from hotfix.sandbox.refusals import bad_request, forbidden, invalid, not_found, unauthorized
from hotfix.sandbox.rest.calls import Answer, Call, Page
from hotfix.sandbox.rest.routing import Result, route
from hotfix.sandbox.users import DEVELOPER, MAINTAINER, REPORTER

if TYPE_CHECKING:
    from hotfix.sandbox.pipelines import Job, Pipeline

ORDERS = ("id", "status", "ref", "updated_at", "user_id")
SCOPES = {
    "running": {"running"},
    "pending": {"pending"},
    "finished": {"success", "failed", "canceled"},
}
_ONE = "/projects/<project>/pipelines/<pipeline_id>"


@route("GET", "/projects/<project>/pipelines", level=REPORTER)
def pipelines(call: Call) -> Result:
    """List pipelines, the newest first unless asked otherwise."""
    found = [one for one in call.project.pipelines if _asked_for(call, one)]
    order = call.choice("order_by", ORDERS, "id")
    descending = call.choice("sort", ("asc", "desc"), "desc") == "desc"
    found.sort(key=lambda one: (_key(one, order), one.id), reverse=descending)
    return Page(found, lambda one: entities.pipeline_listed(call.world, one))


def _asked_for(call: Call, one: Pipeline) -> bool:
    wanted = {
        "ref": one.ref,
        "sha": one.sha,
        "source": one.source,
        "status": one.status,
        "username": one.user.username,
        "name": one.name,
    }
    if any(call.text(name) not in ("", value) for name, value in wanted.items()):
        return False
    scope = call.text("scope")
    if scope in SCOPES and one.status not in SCOPES[scope]:
        return False
    times = {"created": one.created_at, "updated": one.updated_at}
    for name, at in times.items():
        after, before = call.moment(f"{name}_after"), call.moment(f"{name}_before")
        if (after is not None and at <= after) or (before is not None and at >= before):
            return False
    return True


def _key(one: Pipeline, order: str) -> Any:  # noqa: ANN401 - whatever is sorted by
    return one.user.id if order == "user_id" else getattr(one, order)


def _one(call: Call) -> Pipeline:
    number = call.integer("pipeline_id")
    for one in call.project.pipelines:
        if one.id == number:
            return one
    raise not_found()


@route("POST", "/projects/<project>/pipeline", level=REPORTER)
def create_pipeline(call: Call) -> Result:
    """Start a pipeline; the head of the branch is looked up now."""
    return _create(call, "api", _variable_list(call.params.get("variables")))


def _create(call: Call, source: str, variables: tuple[dict[str, str], ...]) -> Answer:
    inputs = call.params.get("inputs")
    if inputs is not None and not isinstance(inputs, dict):
        raise invalid("inputs", "is invalid")
    order = Order(call.required("ref"), source, inputs, variables)
    made = create(call.world, call.project, call.user, order, call.world.clock.now())
    return Answer(entities.pipeline(call.world, made), 201)


def _variable_list(given: object) -> tuple[dict[str, str], ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise invalid("variables", "is invalid")
    return tuple(
        {
            "key": str(one.get("key", "")),
            "value": str(one.get("value", "")),
            "variable_type": str(one.get("variable_type", "env_var")),
        }
        for one in given
    )


@route("POST", "/projects/<project>/trigger/pipeline", scoped=False)
def trigger_pipeline(call: Call) -> Result:
    """Start a pipeline with a trigger token; it acts as the token's owner."""
    owner = call.project.trigger_tokens.get(call.required("token"))
    if owner is None:
        raise not_found()
    if owner is not call.user:
        raise unauthorized()
    given = call.params.get("variables") or {}
    if not isinstance(given, dict):
        raise invalid("variables", "is invalid")
    variables = tuple(
        {"key": key, "value": str(value), "variable_type": "env_var"}
        for key, value in given.items()
    )
    return _create(call, "trigger", variables)


@route("GET", "/projects/<project>/pipelines/latest", level=REPORTER)
def latest(call: Call) -> Result:
    """Show the newest pipeline of a branch's head; 403 where there is none, as in GitLab."""
    ref = call.text("ref") or call.project.default_branch
    sha = call.project.repository.branch(ref)
    own = [one for one in call.project.pipelines if (one.ref, one.sha) == (ref, sha)]
    if not own:
        raise forbidden()
    return entities.pipeline(call.world, own[-1])


@route("GET", _ONE, level=REPORTER)
def pipeline(call: Call) -> Result:
    """Show one pipeline."""
    return entities.pipeline(call.world, _one(call))


@route("GET", f"{_ONE}/jobs", level=REPORTER)
def pipeline_jobs(call: Call) -> Result:
    """List the jobs of a pipeline, without trigger jobs, the newest first."""
    own = [job for job in _visible(call, _one(call).jobs) if not job.is_bridge]
    return Page(own, lambda job: entities.job(call.world, job))


@route("GET", f"{_ONE}/bridges", level=REPORTER)
def bridges(call: Call) -> Result:
    """List the trigger jobs of a pipeline, each with the pipeline below it."""
    own = [job for job in _visible(call, _one(call).jobs) if job.is_bridge]
    return Page(own, lambda job: entities.bridge(call.world, job))


def _visible(call: Call, found: list[Job]) -> list[Job]:
    scope, retried = call.many("scope"), call.flag("include_retried")
    return [
        job
        for job in sorted(found, key=lambda job: -job.id)
        if (not scope or job.status in scope) and (retried or not job.retried)
    ]


@route("PUT", f"{_ONE}/metadata", level=DEVELOPER)
def metadata(call: Call) -> Result:
    """Name a pipeline."""
    found = _one(call)
    if not call.project.may_update(call.user, found.ref):
        raise forbidden()
    name = call.required("name")
    if len(name) > 255:  # noqa: PLR2004 - GitLab's limit
        raise bad_request({"name": ["is too long (maximum is 255 characters)"]})
    found.name = name
    found.updated_at = call.world.clock.now()
    return entities.pipeline(call.world, found)


@route("GET", f"{_ONE}/variables", level=REPORTER)
def variables(call: Call) -> Result:
    """List the variables that a pipeline was started with; inputs are not given back anywhere."""
    found = _one(call)
    own = found.user is call.user and call.project.may_update(call.user, found.ref)
    if call.project.access_level(call.user) < MAINTAINER and not own:
        raise forbidden()
    return Page(found.variables, dict)


@route("GET", f"{_ONE}/test_report_summary", level=REPORTER)
def test_report_summary(call: Call) -> Result:
    """Sum up the test reports: jobs here upload none."""
    _one(call)
    nothing = {"time": 0, "count": 0, "success": 0, "failed": 0, "skipped": 0, "error": 0}
    return {"total": nothing | {"suite_error": None}, "test_suites": []}


@route("POST", f"{_ONE}/cancel", level=DEVELOPER)
def cancel(call: Call) -> Result:
    """Cancel what has not ended; the answer is the same where nothing had to be cancelled."""
    found = _one(call)
    jobs.cancel_pipeline(call.world, found, call.user)
    return entities.pipeline(call.world, found)


@route("POST", f"{_ONE}/retry", level=DEVELOPER)
def retry(call: Call) -> Result:
    """Retry the jobs that failed."""
    found = _one(call)
    jobs.retry_pipeline(call.world, found, call.user)
    return Answer(entities.pipeline(call.world, found), 201)
