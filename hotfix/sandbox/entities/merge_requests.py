"""Merge requests and their approvals."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from hotfix.sandbox.entities.common import JSON, maybe_moment, moment, user
from hotfix.sandbox.history import changes
from hotfix.sandbox.users import DEVELOPER

if TYPE_CHECKING:
    from hotfix.sandbox.merge_requests import MergeRequest, Version
    from hotfix.sandbox.projects import Project
    from hotfix.sandbox.users import User
    from hotfix.sandbox.world import World


def merge_request(world: World, found: MergeRequest) -> JSON:
    """Render a merge request as in lists."""
    merged_by = user(world, found.merge_user) if found.merge_user else None
    reviewers = [user(world, reviewer) for reviewer in found.reviewers]
    return {
        "id": found.id,
        "iid": found.iid,
        "project_id": found.project.id,
        "title": found.title,
        "description": found.description,
        "state": found.state,
        "created_at": moment(found.created_at),
        "updated_at": moment(found.updated_at),
        "merged_by": merged_by,
        "merge_user": merged_by,
        "merged_at": maybe_moment(found.merged_at),
        "closed_by": None,
        "closed_at": None,
        "target_branch": found.target_branch,
        "source_branch": found.source_branch,
        "user_notes_count": len(found.notes),
        "upvotes": 0,
        "downvotes": 0,
        "author": user(world, found.author),
        "assignees": [],
        "assignee": None,
        "reviewers": reviewers,
        "source_project_id": found.project.id,
        "target_project_id": found.project.id,
        "labels": found.labels,
        "draft": found.draft,
        "imported": False,
        "imported_from": "none",
        "work_in_progress": found.draft,
        "milestone": None,
        "merge_when_pipeline_succeeds": False,
        "merge_status": "can_be_merged",
        "detailed_merge_status": "mergeable" if found.state == "opened" else "not_open",
        "merge_after": None,
        "sha": found.sha,
        "merge_commit_sha": found.merge_commit_sha,
        "squash_commit_sha": found.squash_commit_sha,
        "discussion_locked": None,
        "should_remove_source_branch": None,
        "force_remove_source_branch": True,
        "prepared_at": moment(found.created_at),
        "reference": f"!{found.iid}",
        "references": {
            "short": f"!{found.iid}",
            "relative": f"!{found.iid}",
            "full": found.reference,
        },
        "web_url": f"{world.url}/{found.project.path}/-/merge_requests/{found.iid}",
        "time_stats": {
            "time_estimate": 0,
            "total_time_spent": 0,
            "human_time_estimate": None,
            "human_total_time_spent": None,
        },
        "squash": found.squash,
        "squash_on_merge": found.squash,
        "task_completion_status": {"count": 0, "completed_count": 0},
        "has_conflicts": False,
        "blocking_discussions_resolved": True,
    }


def merge_request_detail(world: World, found: MergeRequest) -> JSON:
    """Render one merge request."""
    return merge_request(world, found) | {
        "subscribed": False,
        "changes_count": str(found.changed_files()),
        "latest_build_started_at": None,
        "latest_build_finished_at": None,
        "first_deployed_to_production_at": None,
        "pipeline": None,
        "head_pipeline": None,
        "diff_refs": {
            "base_sha": found.base_sha,
            "head_sha": found.sha,
            "start_sha": found.start_sha,
        },
        "merge_error": None,
        "first_contribution": False,
        "user": {"can_merge": False},
    }


def approvals(world: World, found: MergeRequest, who: User) -> JSON:
    """Who approved; what is still required is known to Premium alone."""
    people = [approver for approver, _ in found.approvals]
    answer = {
        "user_has_approved": who in people,
        "user_can_approve": who not in people
        and found.project.access_level(who) >= DEVELOPER
        and found.state == "opened",
        "approved": True,
        "approved_by": [
            {"user": user(world, approver), "approved_at": moment(at)}
            for approver, at in found.approvals
        ],
    }
    if world.tier == "free":
        return answer
    left = max(0, 1 - len(people))
    return answer | {
        "approved": not left,
        "approvals_required": 1,
        "approvals_left": left,
        "require_password_to_approve": False,
        "approval_rules_left": [],
        "has_approval_rules": True,
        "merge_request_approvers_available": True,
    }


def version(found: MergeRequest, one: Version) -> JSON:
    """Render what a merge request was after a push."""
    repository = found.project.repository
    files = changes(repository.files(one.base), repository.files(one.head))
    return {
        "id": one.number,
        "head_commit_sha": one.head,
        "base_commit_sha": one.base,
        "start_commit_sha": one.start,
        "created_at": moment(one.created_at),
        "merge_request_id": found.id,
        "state": "collected",
        "real_size": str(len(files)),
        "patch_id_sha": hashlib.sha1(repr(files).encode(), usedforsecurity=False).hexdigest(),
    }


def approval_settings(project: Project) -> JSON:
    """Render how a project's merge requests are approved (Premium)."""
    return {
        "approvals_before_merge": 1,
        "reset_approvals_on_push": project.settings.reset_approvals_on_push,
        "selective_code_owner_removals": False,
        "disable_overriding_approvers_per_merge_request": False,
        "merge_requests_author_approval": False,
        "merge_requests_disable_committers_approval": False,
        "require_password_to_approve": False,
    }


def approval_state(world: World, found: MergeRequest) -> JSON:
    """Render the rules of Premium: here always one, any person."""
    people = [user(world, approver) for approver, _ in found.approvals]
    rule = {
        "id": found.id,
        "name": "All Members",
        "rule_type": "any_approver",
        "eligible_approvers": [],
        "approvals_required": 1,
        "users": [],
        "groups": [],
        "contains_hidden_groups": False,
        "approved_by": people,
        "approved": bool(people),
    }
    return {"approval_rules_overwritten": False, "rules": [rule]}
