"""Carrying quick actions out on an issue, with the rights of whoever wrote them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from hotfix.sandbox import issues
from hotfix.sandbox.users import DEVELOPER, REPORTER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hotfix.sandbox.issues import Issue
    from hotfix.sandbox.quick_actions import Command
    from hotfix.sandbox.users import User
    from hotfix.sandbox.world import World

Changed = dict[str, Any]
"""What GitLab reports as ``commands_changes``."""


def execute(world: World, issue: Issue, user: User, commands: Iterable[Command]) -> Changed:
    """Carry out quick actions; what a role does not allow is passed over in silence."""
    changed: Changed = {}
    if issue.project.access_level(user) < REPORTER and issue.author is not user:
        return changed
    for command in commands:
        action = ACTIONS.get(command.name)
        if action is not None:
            changed |= action(_Writing(world, issue, user), command.argument)
    return changed


@dataclass(frozen=True, slots=True)
class _Writing:
    """Whose words on what."""

    world: World
    issue: Issue
    user: User


def _close(writing: _Writing, argument: str) -> Changed:
    del argument
    issues.set_state(writing.issue, writing.user, "close", writing.world.clock.now())
    return {"state_event": "close"}


def _reopen(writing: _Writing, argument: str) -> Changed:
    del argument
    issues.set_state(writing.issue, writing.user, "reopen", writing.world.clock.now())
    return {"state_event": "reopen"}


def _label(writing: _Writing, argument: str) -> Changed:
    issues.add_labels(writing.issue, _label_names(argument))
    return {"add_label_ids": _label_names(argument)}


def _unlabel(writing: _Writing, argument: str) -> Changed:
    gone = _label_names(argument) or writing.issue.labels
    issues.remove_labels(writing.issue, gone)
    return {"remove_label_ids": gone}


def _relabel(writing: _Writing, argument: str) -> Changed:
    return _unlabel(writing, "") | _label(writing, argument)


def _label_names(argument: str) -> list[str]:
    return [
        quoted or plain for quoted, plain in re.findall(r'~?(?:"([^"]+)"|([^\s"~]+))', argument)
    ]


def _assign(writing: _Writing, argument: str) -> Changed:
    issue = writing.issue
    issue.assignees += [one for one in _people(writing, argument) if one not in issue.assignees]
    return {"assignee_ids": [one.id for one in issue.assignees]}


def _unassign(writing: _Writing, argument: str) -> Changed:
    issue, gone = writing.issue, _people(writing, argument)
    issue.assignees = [one for one in issue.assignees if gone and one not in gone]
    return {"assignee_ids": [one.id for one in issue.assignees]}


def _people(writing: _Writing, argument: str) -> list[User]:
    names = re.findall(r"@?([\w.-]+)", argument)
    found = [writing.user if name == "me" else writing.world.find_user(name) for name in names]
    return [one for one in found if one is not None]


def _severity(writing: _Writing, argument: str) -> Changed:
    if writing.issue.issue_type != "incident" or argument.lower() not in issues.SEVERITIES:
        return {}
    issues.set_severity(writing.issue, argument)
    return {"severity": argument.lower()}


def _confidential(writing: _Writing, argument: str) -> Changed:
    del argument
    writing.issue.confidential = True
    return {"confidential": True}


def _title(writing: _Writing, argument: str) -> Changed:
    writing.issue.title = argument or writing.issue.title
    return {"title": writing.issue.title}


def _timeline(writing: _Writing, argument: str) -> Changed:
    """Add an entry: ``text | date time``, ``text | time`` of today, or ``text`` for now."""
    level = writing.issue.project.access_level(writing.user)
    if writing.issue.issue_type != "incident" or level < DEVELOPER:
        return {}
    note, _, when = (part.strip() for part in argument.partition("|"))
    now = writing.world.clock.now()
    occurred_at = _moment(when, now) if when else now
    if not note or occurred_at is None:
        return {}
    issues.add_timeline_event(writing.world, writing.issue, writing.user, note, occurred_at)
    return {"timeline": note}


def _moment(text: str, now: datetime) -> datetime | None:
    today = now.strftime("%Y-%m-%d ")
    for candidate in (text, today + text):
        try:
            return datetime.strptime(candidate, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


ACTIONS: Final[dict[str, Callable[[_Writing, str], Changed]]] = {
    "assign": _assign,
    "close": _close,
    "confidential": _confidential,
    "label": _label,
    "labels": _label,
    "relabel": _relabel,
    "reopen": _reopen,
    "severity": _severity,
    "timeline": _timeline,
    "title": _title,
    "unassign": _unassign,
    "unlabel": _unlabel,
}
"""The commands that change what a hotfix could notice; the others are only taken away."""
