"""What only GitLab's GraphQL API can do to an incident: its timeline, and, once, its severity.

Source: GitLab docs, "Incident timeline events" and the GraphQL reference of
``timelineEventCreate`` and ``issueSetSeverity``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.clock import timestamp
from hotfix.forge.types import TimelineEvent

if TYPE_CHECKING:
    from datetime import datetime

    from hotfix.forge.answer import Answer
    from hotfix.forge.api import Api
    from hotfix.forge.types import Issue

_READ = """\
query timeline($project: ID!, $incident: IssueID!, $after: String) {
  project(fullPath: $project) {
    incidentManagementTimelineEvents(incidentId: $incident, after: $after) {
      nodes { id occurredAt note }
      pageInfo { hasNextPage endCursor }
    }
  }
}"""

_ADD = """\
mutation timelineEventCreate($input: TimelineEventCreateInput!) {
  timelineEventCreate(input: $input) { timelineEvent { id } errors }
}"""

_SET_SEVERITY = """\
mutation issueSetSeverity($input: IssueSetSeverityInput!) {
  issueSetSeverity(input: $input) { issue { severity } errors }
}"""


def events(api: Api, project: str, issue: Issue) -> tuple[TimelineEvent, ...]:
    """List the timeline of an incident, the earliest event first."""
    variables = {"incident": _global_id(issue)}
    nodes = api.project_nodes(project, _READ, "incidentManagementTimelineEvents", variables)
    return tuple(sorted(map(_event, nodes), key=lambda event: event.occurred_at))


def add_event(api: Api, issue: Issue, occurred_at: datetime, note: str) -> None:
    """Add an event; nothing keeps GitLab from taking the same one twice."""
    event = {
        "incidentId": _global_id(issue),
        "note": note,
        "occurredAt": timestamp(occurred_at),
    }
    api.mutate(_ADD, {"input": event}, "timelineEventCreate")


def set_severity(api: Api, project: str, issue: Issue, severity: str) -> None:
    """Set the severity where the REST API of an older GitLab does not know it."""
    wanted = {"projectPath": project, "iid": str(issue.iid), "severity": severity.upper()}
    api.mutate(_SET_SEVERITY, {"input": wanted}, "issueSetSeverity")


def _event(node: Answer) -> TimelineEvent:
    return TimelineEvent(node.text("id"), node.time("occurredAt"), node.text("note"))


def _global_id(issue: Issue) -> str:
    return f"gid://gitlab/Issue/{issue.id}"
