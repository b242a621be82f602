"""Routes: environments and deployments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hotfix.sandbox import history
from hotfix.sandbox.deployments import Approval, approves, follow
from hotfix.sandbox.entities import ci as entities
from hotfix.sandbox.entities import merge_requests as merge_request_entities
from hotfix.sandbox.refusals import bad_request, forbidden, invalid, not_found
from hotfix.sandbox.rest.calls import Answer, Call, Page
from hotfix.sandbox.rest.routing import Result, route
from hotfix.sandbox.users import DEVELOPER, REPORTER

if TYPE_CHECKING:
    from hotfix.sandbox.deployments import Deployment

STATUSES = ("created", "running", "success", "failed", "canceled", "skipped", "blocked")
ORDERS = ("id", "iid", "created_at", "updated_at", "finished_at", "ref")
_SEARCH_LENGTH = 3


@route("GET", "/projects/<project>/environments", level=REPORTER)
def environments(call: Call) -> Result:
    """List environments, without their last deployments."""
    name, search = call.text("name"), call.text("search")
    if name and search:
        raise invalid("name, search", "are mutually exclusive")
    if search and len(search) < _SEARCH_LENGTH:
        raise bad_request("Search query is less than 3 characters")
    found = [
        one for one in call.project.environments if name in ("", one.name) and search in one.name
    ]
    return Page(found, entities.environment_listed)


@route("GET", "/projects/<project>/environments/<environment_id>", level=REPORTER)
def environment(call: Call) -> Result:
    """Show one environment, with its last successful deployment."""
    number = call.integer("environment_id")
    for one in call.project.environments:
        if one.id == number:
            return entities.environment(call.world, call.project, one)
    raise not_found()


@route("GET", "/projects/<project>/deployments", level=REPORTER)
def deployments(call: Call) -> Result:
    """List deployments, the oldest first unless asked otherwise."""
    order = call.choice("order_by", ORDERS, "id")
    descending = call.choice("sort", ("asc", "desc"), "asc") == "desc"
    statuses = call.many("status")
    if any(status not in STATUSES for status in statuses):
        raise invalid("status", "does not have a valid value")
    _check_times(call, order, statuses)
    found = [
        one
        for one in call.project.deployments
        if call.text("environment") in ("", one.environment.name)
        and (not statuses or one.status in statuses)
        and _within(call, "updated", one.updated_at)
        and _within(call, "finished", one.finished_at)
    ]
    never = datetime.max.replace(tzinfo=UTC)
    found.sort(key=lambda one: (getattr(one, order) or never, one.id), reverse=descending)
    return Page(found, lambda one: entities.deployment(call.world, one))


def _check_times(call: Call, order: str, statuses: list[str]) -> None:
    for name in ("updated", "finished"):
        asked = any(call.params.get(f"{name}_{side}") for side in ("after", "before"))
        if asked and order != f"{name}_at":
            raise bad_request(f"`{name}_at` filter requires `{name}_at` sort")
        if asked and name == "finished" and statuses != ["success"]:
            raise bad_request("`finished_at` filter must be combined with `success` status filter.")
    if order == "finished_at" and statuses != ["success"]:
        raise bad_request("`finished_at` sort must be combined with `success` status filter.")


def _within(call: Call, name: str, at: datetime | None) -> bool:
    after, before = call.moment(f"{name}_after"), call.moment(f"{name}_before")
    if after is None and before is None:
        return True
    return at is not None and (after is None or at >= after) and (before is None or at <= before)


def _one(call: Call) -> Deployment:
    number = call.integer("deployment_id")
    for one in call.project.deployments:
        if one.id == number:
            return one
    raise not_found("Deployment")


@route("GET", "/projects/<project>/deployments/<deployment_id>", level=REPORTER)
def deployment(call: Call) -> Result:
    """Show one deployment."""
    return entities.deployment_detail(call.world, call.project, _one(call))


@route("POST", "/projects/<project>/deployments/<deployment_id>/approval", level=DEVELOPER)
def approve(call: Call) -> Result:
    """Approve or reject a deployment that waits for it; that does not start its job."""
    found = _one(call)
    if call.world.tier == "free" or found.status != "blocked":
        raise bad_request("This deployment is not waiting for approvals.")
    if any(one.user is call.user for one in found.approvals):
        raise bad_request("You have already approved this deployment.")
    if found.job is not None and found.job.pipeline.user is call.user:
        raise forbidden("You cannot approve your own deployment")
    if not _may_approve(call, found):
        raise forbidden()
    status = call.choice("status", ("approved", "rejected"), "")
    given = Approval(call.user, status, call.world.clock.now(), call.text("comment"))
    found.approvals.append(given)
    if found.job is not None:
        follow(found.job, given.created_at)
    return Answer(entities.approval(call.world, given), 201)


def _may_approve(call: Call, found: Deployment) -> bool:
    rules = [
        rule for rule in call.project.protected_environments if rule.name == found.environment.name
    ]
    level = call.project.access_level(call.user)
    return any(
        any(approves(call.project, own, call.user) for own in rule.approval_rules)
        if rule.approval_rules
        else rule.may_deploy(call.user, level)
        for rule in rules
    )


@route("GET", "/projects/<project>/deployments/<deployment_id>/merge_requests", level=REPORTER)
def shipped(call: Call) -> Result:
    """List the merge requests that a deployment brought first."""
    found, project = _one(call), call.project
    before = [
        one.sha
        for one in project.deployments
        if one.environment is found.environment and one.status == "success" and one.id < found.id
    ]
    brought = history.ancestors(project.repository, [found.sha])
    brought -= history.ancestors(project.repository, before[-1:])
    shipped_now = [
        one for one in project.merge_requests.values() if brought.intersection(one.landed())
    ]
    return Page(shipped_now, lambda one: merge_request_entities.merge_request(call.world, one))
