"""Issues, comments, links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.sandbox.entities.common import JSON, maybe_moment, moment, user

if TYPE_CHECKING:
    from hotfix.sandbox.issues import Issue, Link
    from hotfix.sandbox.world import World


def issue(world: World, found: Issue) -> JSON:
    """Render an issue; the severity is in upper case, unlike in requests."""
    assignees = [user(world, one) for one in found.assignees]
    return {
        "id": found.id,
        "iid": found.iid,
        "project_id": found.project.id,
        "title": found.title,
        "description": found.description,
        "state": found.state,
        "created_at": moment(found.created_at),
        "updated_at": moment(found.updated_at),
        "closed_at": maybe_moment(found.closed_at),
        "closed_by": user(world, found.closed_by) if found.closed_by else None,
        "labels": found.labels,
        "milestone": None,
        "assignees": assignees,
        "author": user(world, found.author),
        "type": found.issue_type.upper(),
        "assignee": assignees[0] if assignees else None,
        "user_notes_count": len(found.notes),
        "merge_requests_count": 0,
        "upvotes": 0,
        "downvotes": 0,
        "due_date": found.due_date,
        "confidential": found.confidential,
        "discussion_locked": None,
        "issue_type": found.issue_type,
        "web_url": web_url(world, found),
        "time_stats": {
            "time_estimate": 0,
            "total_time_spent": 0,
            "human_time_estimate": None,
            "human_total_time_spent": None,
        },
        "task_completion_status": {"count": 0, "completed_count": 0},
        "references": {
            "short": f"#{found.iid}",
            "relative": f"#{found.iid}",
            "full": f"{found.project.path}#{found.iid}",
        },
        "severity": found.severity.upper(),
        "imported": False,
        "imported_from": "none",
    }


def web_url(world: World, found: Issue) -> str:
    """Where people read it."""
    place = "issues/incident" if found.issue_type == "incident" else "issues"
    return f"{world.url}/{found.project.path}/-/{place}/{found.iid}"


def related_issue(world: World, found: Link) -> JSON:
    """Render an issue as another's links list it."""
    return issue(world, found.other) | {
        "issue_link_id": found.id,
        "link_type": found.link_type,
        "link_created_at": moment(found.created_at),
        "link_updated_at": moment(found.created_at),
    }


def issue_link(world: World, source: Issue, found: Link) -> JSON:
    """Render a new link."""
    return {
        "id": found.id,
        "source_issue": issue(world, source),
        "target_issue": issue(world, found.other),
        "link_type": found.link_type,
    }
