"""What people write into issues and comments, quick actions carried out on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotfix.sandbox import issue_commands, issues, notes
from hotfix.sandbox.quick_actions import extract

if TYPE_CHECKING:
    from hotfix.sandbox.issues import Issue
    from hotfix.sandbox.notes import Note
    from hotfix.sandbox.quick_actions import Command
    from hotfix.sandbox.users import User
    from hotfix.sandbox.world import World


def update(world: World, issue: Issue, user: User, changes: dict[str, Any]) -> None:
    """Change an issue by the names of GitLab's API; the last writer wins, as there.

    Quick actions in the description are carried out and do not stay in it.
    """
    changes = dict(changes)
    _update_labels(issue, changes)
    commands: list[Command] = []
    if "description" in changes:
        issue.description, commands = extract(changes["description"] or "")
    if changes.get("title"):
        issue.title = str(changes["title"])
    if "confidential" in changes:
        issue.confidential = changes["confidential"] in (True, "true")
    if "due_date" in changes:
        issue.due_date = changes["due_date"]
    if "severity" in changes and issue.issue_type == "incident":
        issues.set_severity(issue, changes["severity"])
    _update_assignees(world, issue, changes)
    if changes.get("state_event"):
        issues.set_state(issue, user, str(changes["state_event"]), world.clock.now())
    issue_commands.execute(world, issue, user, commands)
    issue.updated_at = world.clock.now()


def _update_labels(issue: Issue, changes: dict[str, Any]) -> None:
    if "labels" in changes:
        issue.labels = []
    issues.add_labels(issue, _names(changes.get("labels")) + _names(changes.get("add_labels")))
    issues.remove_labels(issue, _names(changes.get("remove_labels")))


def _names(value: str | list[str] | None) -> list[str]:
    parts = value.split(",") if isinstance(value, str) else value or []
    return [name for part in parts if (name := str(part).strip())]


def _update_assignees(world: World, issue: Issue, changes: dict[str, Any]) -> None:
    ids = changes.get("assignee_ids")
    if ids is None and changes.get("assignee_id") is not None:
        ids = [changes["assignee_id"]]
    if ids is not None:
        issue.assignees = [world.users[int(one)] for one in ids if int(one) in world.users]


def add_note(
    world: World, issue: Issue, user: User, body: str, *, internal: bool = False
) -> tuple[Note | None, dict[str, Any]]:
    """Comment on an issue; returns the note and what its quick actions changed."""
    note, commands = notes.add(world, issue, user, body, internal=internal)
    return note, issue_commands.execute(world, issue, user, commands)


def edit_note(world: World, issue: Issue, user: User, note: Note, body: str) -> None:
    """Change a comment; quick actions work here, too."""
    commands = notes.edit(world, issue, user, note, body)
    issue_commands.execute(world, issue, user, commands)
