"""Comments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.sandbox.entities.common import JSON, moment, user
from hotfix.sandbox.issues import Issue

if TYPE_CHECKING:
    from hotfix.sandbox.merge_requests import MergeRequest
    from hotfix.sandbox.notes import Note
    from hotfix.sandbox.world import World


def note(found: Note, of: Issue | MergeRequest, world: World) -> JSON:
    """Render a comment."""
    return {
        "id": found.id,
        "type": None,
        "body": found.body,
        "author": user(world, found.author),
        "created_at": moment(found.created_at),
        "updated_at": moment(found.updated_at),
        "system": found.system,
        "noteable_id": of.id,
        "noteable_type": "Issue" if isinstance(of, Issue) else "MergeRequest",
        "noteable_iid": of.iid,
        "project_id": of.project.id,
        "resolvable": False,
        "confidential": found.internal,
        "internal": found.internal,
        "imported": found.imported,
        "imported_from": "gitlab_project" if found.imported else "none",
        "commands_changes": {},
    }
