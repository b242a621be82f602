"""Issues and incidents: what they hold, and the single changes that can be made to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hotfix.sandbox.refusals import Refusal, bad_request, not_found

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from hotfix.sandbox.notes import Note
    from hotfix.sandbox.projects import Project
    from hotfix.sandbox.users import User
    from hotfix.sandbox.world import World

SEVERITIES: Final = ("unknown", "low", "medium", "high", "critical")
TIMELINE_NOTE_LIMIT: Final = 280


@dataclass(eq=False, slots=True)
class TimelineEvent:
    """An entry of an incident's timeline."""

    id: int
    author: User
    note: str
    occurred_at: datetime
    created_at: datetime


@dataclass(eq=False, slots=True)
class Link:
    """A link to another issue, kept on both."""

    id: int
    other: Issue
    link_type: str
    created_at: datetime


@dataclass(eq=False, slots=True)
class Issue:
    """An issue; an incident where ``issue_type`` says so."""

    id: int
    iid: int
    project: Project
    title: str
    description: str
    author: User
    issue_type: str
    created_at: datetime
    updated_at: datetime
    labels: list[str] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    confidential: bool = False
    state: str = "opened"
    severity: str = "unknown"
    closed_at: datetime | None = None
    closed_by: User | None = None
    due_date: str | None = None
    notes: list[Note] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    timeline: list[TimelineEvent] = field(default_factory=list)


def create(
    world: World, project: Project, author: User, *, title: str, issue_type: str = "issue"
) -> Issue:
    """Make an issue, with nothing but a title yet."""
    now = world.clock.now()
    iid = max(project.issues, default=0) + 1
    issue = Issue(
        id=world.next_id("issue"),
        iid=iid,
        project=project,
        title=title,
        description="",
        author=author,
        issue_type=issue_type,
        created_at=now,
        updated_at=now,
    )
    project.issues[iid] = issue
    project.last_activity_at = now
    return issue


def set_state(issue: Issue, user: User, event: str, at: datetime) -> None:
    """Close or reopen; an issue that is so already stays as it is."""
    if event == "close" and issue.state == "opened":
        issue.state, issue.closed_at, issue.closed_by = "closed", at, user
    elif event == "reopen" and issue.state == "closed":
        issue.state, issue.closed_at, issue.closed_by = "opened", None, None


def add_labels(issue: Issue, names: Iterable[str]) -> None:
    """Add labels; one that the project does not know is made, as in GitLab."""
    issue.labels = sorted({*issue.labels, *names})


def remove_labels(issue: Issue, names: Iterable[str]) -> None:
    """Take labels away."""
    gone = set(names)
    issue.labels = [label for label in issue.labels if label not in gone]


def set_severity(issue: Issue, severity: str) -> None:
    """Set an incident's severity; raises ``Refusal`` for an unknown one."""
    if severity.lower() not in SEVERITIES:
        raise bad_request({"severity": ["does not have a valid value"]})
    issue.severity = severity.lower()


def link(world: World, issue: Issue, other: Issue, link_type: str) -> Link:
    """Link two issues; raises ``Refusal`` where they are linked already."""
    if any(known.other is other for known in issue.links):
        raise Refusal(409, {"message": "Issue(s) already assigned"})
    if other is issue:
        raise not_found("Issue")
    now = world.clock.now()
    made = Link(world.next_id("issue_link"), other, link_type, now)
    issue.links.append(made)
    mirrored = {"blocks": "is_blocked_by", "is_blocked_by": "blocks"}.get(link_type, link_type)
    other.links.append(Link(made.id, issue, mirrored, now))
    return made


def add_timeline_event(
    world: World, issue: Issue, user: User, note: str, occurred_at: datetime
) -> TimelineEvent:
    """Add an entry to an incident's timeline; equal ones are not told apart, as in GitLab."""
    event = TimelineEvent(
        world.next_id("timeline_event"), user, note, occurred_at, world.clock.now()
    )
    issue.timeline.append(event)
    issue.timeline.sort(key=lambda one: (one.occurred_at, one.id))
    return event
