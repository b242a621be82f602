"""GraphQL, where GitLab has no REST: an incident's timeline and severity, and Terraform states.

Errors are answered with status 200: in ``errors`` at the top where the query is at fault, in the
payload's ``errors`` where its values are.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from werkzeug.wrappers import Response

from hotfix.sandbox import issues
from hotfix.sandbox.entities.common import maybe_moment, moment
from hotfix.sandbox.entities.common import user as user_entity
from hotfix.sandbox.graphql_language import Field, QueryError, read
from hotfix.sandbox.users import DEVELOPER, REPORTER

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.wrappers import Request

    from hotfix.sandbox.issues import Issue, TimelineEvent
    from hotfix.sandbox.projects import Project
    from hotfix.sandbox.users import Token, User
    from hotfix.sandbox.world import World

JSON = dict[str, Any]
DENIED: Final = (
    "The resource that you are attempting to access does not exist or you don't have permission "
    "to perform this action"
)


def respond(world: World, request: Request, token: Token | None) -> Response:
    """Answer ``POST /api/graphql``."""
    if token is None:
        return _json(401, {"errors": [{"message": "Invalid token"}]})
    try:
        body = json.loads(request.get_data() or b"{}")
        operation = read(
            str(body.get("query") or ""), body.get("variables") or {}, body.get("operationName")
        )
    except (QueryError, ValueError, AttributeError) as error:
        return _json(200, {"errors": [{"message": str(error)}]})
    if operation.kind == "mutation" and not token.may_write_api():
        return _json(403, {"error": "insufficient_scope", "scope": "api"})
    if not token.may_read_api():
        return _json(403, {"error": "insufficient_scope", "scope": "api read_api"})
    data: JSON = {}
    errors = []
    for field in operation.fields:
        try:
            data[field.alias] = _root(world, token.user, operation.kind, field)
        except QueryError as error:
            data[field.alias] = None
            errors.append({"message": str(error), "path": [field.alias]})
    return _json(200, {"data": data} | ({"errors": errors} if errors else {}))


def _json(status: int, body: JSON) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


def _root(world: World, user: User, kind: str, field: Field) -> Any:  # noqa: ANN401 - any JSON value
    known = MUTATIONS if kind == "mutation" else QUERIES
    if field.name not in known:
        raise QueryError(f"Field '{field.name}' doesn't exist on type '{kind.capitalize()}'")
    return _selected(field, known[field.name](world, user, field.arguments))


def _selected(field: Field, value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Keep what was selected; a value may be a function of its field's arguments."""
    if callable(value):
        value = value(field.arguments)
    if isinstance(value, list):
        return [_selected(field, one) for one in value]
    if not isinstance(value, dict):
        return value
    if not field.fields:
        raise QueryError(f"Field must have selections (field '{field.name}')")
    unknown = [f.name for f in field.fields if f.name not in value and f.name != "__typename"]
    if unknown:
        raise QueryError(f"Field '{unknown[0]}' doesn't exist on '{field.name}'")
    return {f.alias: _selected(f, value.get(f.name)) for f in field.fields}


# queries
def _current_user(world: World, user: User, arguments: JSON) -> JSON:
    del arguments
    return {
        "id": f"gid://gitlab/User/{user.id}",
        "username": user.username,
        "name": user.name,
        "webUrl": user_entity(world, user)["web_url"],
    }


def _project(world: World, user: User, arguments: JSON) -> JSON | None:
    project = world.find_project(str(arguments.get("fullPath", "")))
    if project is None or not project.access_level(user):
        return None
    return {
        "id": f"gid://gitlab/Project/{project.id}",
        "name": project.name,
        "fullPath": project.path,
        "incidentManagementTimelineEvents": lambda given: _timeline(world, user, project, given),
        "job": lambda given: _job(project, given),
        "terraformStates": lambda given: _terraform_states(user, project, given),
    }


def _timeline(world: World, user: User, project: Project, arguments: JSON) -> JSON | None:
    if project.access_level(user) < REPORTER:
        return None
    issue = _issue(world, user, arguments.get("incidentId"))
    return _connection([_event(world, event) for event in issue.timeline])


def _job(project: Project, arguments: JSON) -> JSON | None:
    number = _number(arguments.get("id"), "Ci::Build")
    job = next((job for job in project.jobs() if job.id == number), None)
    if job is None:
        return None
    return {"id": f"gid://gitlab/Ci::Build/{job.id}", "manualJob": job.definition.manual}


def _terraform_states(user: User, project: Project, arguments: JSON) -> JSON | None:
    """List the states; whoever may not read them sees none."""
    del arguments
    may_read = project.access_level(user) >= DEVELOPER
    states = project.terraform_states.items() if may_read else ()
    return _connection(
        [
            {
                "name": name,
                "lockedAt": maybe_moment(held.since if held else None),
                "lockedByUser": {"username": held.user.username} if held else None,
            }
            for name, held in states
        ]
    )


def _connection(nodes: list[JSON]) -> JSON:
    return {
        "nodes": nodes,
        "edges": [{"node": node, "cursor": str(n)} for n, node in enumerate(nodes)],
        "pageInfo": {
            "hasNextPage": False,
            "hasPreviousPage": False,
            "startCursor": None,
            "endCursor": None,
        },
    }


def _event(world: World, event: TimelineEvent) -> JSON:
    author = user_entity(world, event.author)
    return {
        "id": f"gid://gitlab/IncidentManagement::TimelineEvent/{event.id}",
        "note": event.note,
        "noteHtml": f"<p>{event.note}</p>",
        "occurredAt": moment(event.occurred_at),
        "createdAt": moment(event.created_at),
        "updatedAt": moment(event.created_at),
        "editable": True,
        "action": "comment",
        "author": {"username": author["username"], "name": author["name"]},
    }


# mutations
def _create_event(world: World, user: User, arguments: JSON) -> JSON:
    given = _input(arguments)
    issue = _incident(world, user, given.get("incidentId"))
    note, occurred_at = str(given.get("note") or ""), _moment(given.get("occurredAt"))
    problems = []
    if not note:
        problems.append("Note can't be blank")
    if len(note) > issues.TIMELINE_NOTE_LIMIT:
        problems.append(f"Note is too long (maximum is {issues.TIMELINE_NOTE_LIMIT} characters)")
    if occurred_at is None:
        problems.append("Occurred at can't be blank")
    if problems or occurred_at is None:
        return {"timelineEvent": None, "errors": problems}
    event = issues.add_timeline_event(world, issue, user, note, occurred_at)
    return {"timelineEvent": _event(world, event), "errors": []}


def _destroy_event(world: World, user: User, arguments: JSON) -> JSON:
    number = _number(_input(arguments).get("id"), "IncidentManagement::TimelineEvent")
    for issue in _all_issues(world):
        for event in issue.timeline:
            if event.id == number and issue.project.access_level(user) >= DEVELOPER:
                issue.timeline.remove(event)
                return {"timelineEvent": _event(world, event), "errors": []}
    raise QueryError(DENIED)


def _set_severity(world: World, user: User, arguments: JSON) -> JSON:
    given = _input(arguments)
    project = world.find_project(str(given.get("projectPath", "")))
    iid = str(given.get("iid", ""))
    issue = project.issues.get(int(iid)) if project is not None and iid.isdecimal() else None
    if issue is None or issue.project.access_level(user) < REPORTER:
        raise QueryError(DENIED)
    severity = str(given.get("severity", "")).lower()
    if severity not in issues.SEVERITIES:
        raise QueryError("Argument 'severity' on InputObject has an invalid value")
    if issue.issue_type == "incident":
        issues.set_severity(issue, severity)
    shown = {
        "id": f"gid://gitlab/Issue/{issue.id}",
        "iid": iid,
        "title": issue.title,
        "severity": issue.severity.upper(),
    }
    return {"issue": shown, "errors": []}


def _input(arguments: JSON) -> JSON:
    given = arguments.get("input")
    if not isinstance(given, dict):
        raise QueryError("Field is missing required arguments: input")
    return given


def _incident(world: World, user: User, gid: object) -> Issue:
    issue = _issue(world, user, gid)
    if issue.project.access_level(user) < DEVELOPER or issue.issue_type != "incident":
        raise QueryError(DENIED)
    return issue


def _issue(world: World, user: User, gid: object) -> Issue:
    """Find an issue by its global id; a wrong one is an internal error, as seen on GitLab."""
    number = _number(gid, "Issue")
    for issue in _all_issues(world):
        if issue.id == number and issue.project.access_level(user):
            return issue
    raise QueryError("Internal server error")


def _all_issues(world: World) -> list[Issue]:
    return [issue for project in world.projects.values() for issue in project.issues.values()]


def _number(gid: object, kind: str) -> int:
    match = re.fullmatch(rf"gid://gitlab/{kind}/(\d+)", str(gid))
    if match is None:
        raise QueryError(f"{gid!r} does not represent an instance of {kind}")
    return int(match[1])


def _moment(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


QUERIES: Final[dict[str, Callable[[World, User, JSON], JSON | None]]] = {
    "currentUser": _current_user,
    "project": _project,
}
MUTATIONS: Final[dict[str, Callable[[World, User, JSON], JSON | None]]] = {
    "timelineEventCreate": _create_event,
    "timelineEventDestroy": _destroy_event,
    "issueSetSeverity": _set_severity,
}
