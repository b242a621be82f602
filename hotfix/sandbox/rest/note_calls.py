"""What the routes of comments share, on whatever they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotfix.sandbox.entities import notes as entities
from hotfix.sandbox.refusals import not_found
from hotfix.sandbox.rest.calls import Answer, Call, Page

if TYPE_CHECKING:
    from hotfix.sandbox.issues import Issue
    from hotfix.sandbox.merge_requests import MergeRequest
    from hotfix.sandbox.notes import Note


def page(call: Call, on: Issue | MergeRequest) -> Page[Note]:
    """List the comments, the newest first unless asked otherwise."""
    order = call.choice("order_by", ("created_at", "updated_at"), "created_at")
    descending = call.choice("sort", ("asc", "desc"), "desc") == "desc"
    listed = sorted(on.notes, key=lambda note: (getattr(note, order), note.id), reverse=descending)
    return Page(listed, lambda note: entities.note(note, on, call.world))


def made(
    call: Call, note: Note | None, on: Issue | MergeRequest, changed: dict[str, Any]
) -> Answer:
    """Answer with a new comment; 202 where the text held nothing but quick actions."""
    if note is None:
        return Answer({"commands_changes": changed, "summary": sorted(changed)}, 202)
    return Answer(entities.note(note, on, call.world) | {"commands_changes": changed}, 201)


def one(call: Call, on: Issue | MergeRequest) -> Note:
    """Find the comment of the path."""
    number = call.integer("note_id")
    found = next((note for note in on.notes if note.id == number), None)
    if found is None:
        raise not_found("Note")
    return found
