"""What stands before a job that deploys: protections, approvals, freezes, a queue.

Much of it is there on some tiers only or shows to some roles only, and GitLab answers 403 or 404 to
both. ``None`` is what is not shown, never what is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.forge import convert
from hotfix.forge.api import readable, route
from hotfix.forge.types import (
    ApprovalRule,
    DeploymentApproval,
    DeploymentApprovals,
    Grant,
    Member,
    Protection,
)
from hotfix.freeze import FreezePeriod

if TYPE_CHECKING:
    from hotfix.forge.answer import Answer
    from hotfix.forge.api import Api
    from hotfix.forge.types import Job


def protections(api: Api, project: str) -> tuple[Protection, ...] | None:
    """List the project's protected environments (Premium); a group's own rules are not among them.

    The list is asked for and not the one: a 404 for one could mean either.
    """
    path = route("projects", project, "protected_environments")
    rows = readable(lambda: api.rows(path, key="name"))
    return None if rows is None else tuple(map(_protection, rows))


def deployment_approvals(api: Api, project: str, deployment_id: int) -> DeploymentApprovals | None:
    """Tell where a deployment's approvals stand; a free GitLab leaves the fields out."""
    path = route("projects", project, "deployments", deployment_id)
    answer = readable(lambda: api.get(path))
    pending = answer.maybe_number("pending_approval_count") if answer is not None else None
    if answer is None or pending is None:
        return None
    summary = answer.maybe_child("approval_summary")
    rules = summary.maybe_children("rules") if summary else None
    return DeploymentApprovals(
        pending=pending,
        given=tuple(map(_approval, answer.maybe_children("approvals") or ())),
        rules=tuple(map(_rule, rules or ())),
    )


def members(api: Api, project: str) -> tuple[Member, ...] | None:
    """List a project's members, inherited ones included."""
    rows = readable(lambda: api.rows(route("projects", project, "members", "all")))
    if rows is None:
        return None
    return tuple(Member(convert.user(row), row.number("access_level")) for row in rows)


def freeze_periods(api: Api, project: str) -> tuple[FreezePeriod, ...] | None:
    """List a project's deploy freezes, in force or not."""
    rows = readable(lambda: api.rows(route("projects", project, "freeze_periods")))
    if rows is None:
        return None
    return tuple(
        FreezePeriod(
            row.text("freeze_start"),
            row.text("freeze_end"),
            row.maybe_text("cron_timezone") or "UTC",
        )
        for row in rows
    )


def resource_groups(api: Api, project: str) -> tuple[str, ...] | None:
    """List the keys of a project's resource groups."""
    rows = readable(lambda: api.rows(route("projects", project, "resource_groups")))
    return None if rows is None else tuple(row.text("key") for row in rows)


def current_job(api: Api, project: str, key: str) -> Job | None:
    """Tell which job has a resource group now; ``None`` if none has it, or none is shown."""
    path = route("projects", project, "resource_groups", key, "current_job")
    answer = readable(lambda: api.get(path))
    return convert.job(answer) if answer is not None and answer.value else None


def upcoming_jobs(api: Api, project: str, key: str) -> tuple[Job, ...]:
    """List the jobs that wait for a resource group, as far as they are shown."""
    path = route("projects", project, "resource_groups", key, "upcoming_jobs")
    return tuple(map(convert.job, readable(lambda: api.rows(path)) or ()))


def _protection(answer: Answer) -> Protection:
    return Protection(
        environment=answer.text("name"),
        deployers=tuple(map(grant, answer.children("deploy_access_levels"))),
        required_approvals=answer.maybe_number("required_approval_count") or 0,
        rules=tuple(map(_rule, answer.maybe_children("approval_rules") or ())),
    )


def grant(answer: Answer) -> Grant:
    """Read whom a line of a protection rule lets in."""
    return Grant(
        description=answer.maybe_text("access_level_description")
        or "somebody GitLab does not name",
        access_level=answer.maybe_number("access_level"),
        user_id=answer.maybe_number("user_id"),
        group_id=answer.maybe_number("group_id"),
    )


def _approval(answer: Answer) -> DeploymentApproval:
    return DeploymentApproval(
        convert.user(answer.child("user")), answer.text("status"), answer.maybe_time("created_at")
    )


def _rule(answer: Answer) -> ApprovalRule:
    given = map(_approval, answer.maybe_children("deployment_approvals") or ())
    return ApprovalRule(
        by=grant(answer),
        required=answer.maybe_number("required_approvals") or 0,
        given=tuple(each.user.username for each in given if each.status == "approved"),
    )
