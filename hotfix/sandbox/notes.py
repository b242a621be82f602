"""Comments on issues and merge requests: who may write and change them, as GitLab has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotfix.sandbox.quick_actions import extract
from hotfix.sandbox.refusals import bad_request, forbidden
from hotfix.sandbox.users import MAINTAINER

if TYPE_CHECKING:
    from datetime import datetime

    from hotfix.sandbox.issues import Issue
    from hotfix.sandbox.merge_requests import MergeRequest
    from hotfix.sandbox.quick_actions import Command
    from hotfix.sandbox.users import User
    from hotfix.sandbox.world import World


@dataclass(eq=False, slots=True)
class Note:
    """A comment."""

    id: int
    body: str
    author: User
    created_at: datetime
    updated_at: datetime
    internal: bool = False
    system: bool = False
    imported: bool = False


def add(
    world: World, on: Issue | MergeRequest, user: User, body: str, *, internal: bool = False
) -> tuple[Note | None, list[Command]]:
    """Comment; returns the note and the quick actions that stood in it.

    There is no note where the body held nothing but quick actions.
    """
    if not body.strip():
        raise bad_request({"note": ["can't be blank"]})
    text, commands = extract(body)
    now = world.clock.now()
    on.updated_at = now
    if not text:
        return None, commands
    note = Note(world.next_id("note"), text, user, now, now, internal)
    on.notes.append(note)
    return note, commands


def edit(
    world: World, on: Issue | MergeRequest, user: User, note: Note, body: str
) -> list[Command]:
    """Change a comment: its author may, and Maintainers may with anybody's (GitLab, "Comments").

    The author stays whoever it was; only ``updated_at`` tells.
    """
    if note.author is not user and on.project.access_level(user) < MAINTAINER:
        raise forbidden()
    note.body, commands = extract(body)
    note.updated_at = on.updated_at = world.clock.now()
    return commands
