"""How a merge request was reviewed: GitLab's own rules, and which commit an approval was given to.

As in ``gates``, ``None`` is what GitLab does not show to this token, never what is not there: rules
and settings are of Premium (GitLab's documentation, "Merge request approvals API").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.forge.api import readable, route
from hotfix.forge.types import MergeRequestRule, Version

if TYPE_CHECKING:
    from hotfix.forge.answer import Answer
    from hotfix.forge.api import Api


def merge_request_rules(api: Api, project: str, iid: int) -> tuple[MergeRequestRule, ...] | None:
    """List the rules that a merge request is approved by, and who approved under each."""
    path = route("projects", project, "merge_requests", iid, "approval_state")
    found = readable(lambda: api.get(path))
    rules = found.maybe_children("rules") if found is not None else None
    return None if rules is None else tuple(map(_rule, rules))


def merge_request_versions(api: Api, project: str, iid: int) -> tuple[Version, ...] | None:
    """List what was pushed to a merge request, the newest first; each push makes a version."""
    path = route("projects", project, "merge_requests", iid, "versions")
    rows = readable(lambda: api.rows(path))
    if rows is None:
        return None
    versions = (
        Version(row.sha("head_commit_sha"), row.time("created_at"), row.maybe_text("patch_id_sha"))
        for row in rows
    )
    return tuple(sorted(versions, key=lambda each: each.created_at, reverse=True))


def approvals_reset_on_push(api: Api, project: str) -> bool | None:
    """Tell whether a push to a merge request takes the approvals off that it had."""
    found = readable(lambda: api.get(route("projects", project, "approvals")))
    return None if found is None else found.maybe_flag("reset_approvals_on_push")


def _rule(answer: Answer) -> MergeRequestRule:
    people = answer.maybe_children("approved_by") or ()
    return MergeRequestRule(
        name=answer.text("name"),
        kind=answer.maybe_text("rule_type") or "",
        required=answer.maybe_number("approvals_required") or 0,
        approved=answer.flag("approved"),
        approved_by=tuple(person.text("username") for person in people),
    )
