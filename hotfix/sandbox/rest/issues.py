"""Routes: issues, their comments and links."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.sandbox import issue_edits, issues
from hotfix.sandbox.entities import issues as entities
from hotfix.sandbox.entities import notes as note_entities
from hotfix.sandbox.refusals import forbidden, invalid, not_found
from hotfix.sandbox.rest import note_calls
from hotfix.sandbox.rest.calls import Answer, Call, Page
from hotfix.sandbox.rest.routing import Result, route
from hotfix.sandbox.users import DEVELOPER, GUEST, REPORTER

if TYPE_CHECKING:
    from hotfix.sandbox.issues import Issue

TYPES = ("issue", "incident", "test_case", "requirement", "task", "ticket")
_ONE = "/projects/<project>/issues/<iid>"


@route("GET", "/projects/<project>/issues", level=GUEST)
def issue_list(call: Call) -> Result:
    """List issues, the newest first unless asked otherwise."""
    state = call.choice("state", ("opened", "closed", "all"), "all")
    found = [
        issue
        for issue in call.project.issues.values()
        if state in ("all", issue.state)
        and call.text("issue_type") in ("", issue.issue_type)
        and set(call.many("labels")) <= set(issue.labels)
        and (not call.many("iids") or str(issue.iid) in call.many("iids"))
        and call.text("author_username") in ("", issue.author.username)
        and _matches(call, issue)
        and _visible(call, issue)
    ]
    order = call.choice("order_by", ("created_at", "updated_at", "title"), "created_at")
    descending = call.choice("sort", ("asc", "desc"), "desc") == "desc"
    found.sort(key=lambda issue: (getattr(issue, order), issue.id), reverse=descending)
    return Page(found, lambda issue: entities.issue(call.world, issue))


def _matches(call: Call, issue: Issue) -> bool:
    places = call.many("in") or ["title", "description"]
    text = "\n".join(getattr(issue, place) for place in places if place in ("title", "description"))
    return call.text("search").lower() in text.lower()


def _visible(call: Call, issue: Issue) -> bool:
    own = issue.author is call.user or call.user in issue.assignees
    return not issue.confidential or own or issue.project.access_level(call.user) >= REPORTER


def _one(call: Call) -> Issue:
    found = call.project.issues.get(call.integer("iid"))
    if found is None or not _visible(call, found):
        raise not_found()
    return found


@route("POST", "/projects/<project>/issues", level=GUEST)
def create_issue(call: Call) -> Result:
    """Make an issue or incident."""
    title = call.required("title")
    kind = call.choice("issue_type", TYPES, "issue")
    if kind == "incident" and call.project.access_level(call.user) < REPORTER:
        raise forbidden()
    issue = issues.create(call.world, call.project, call.user, title=title, issue_type=kind)
    issue_edits.update(call.world, issue, call.user, call.params)
    return Answer(entities.issue(call.world, issue), 201)


@route("GET", _ONE, level=GUEST)
def issue(call: Call) -> Result:
    """Show one issue."""
    return entities.issue(call.world, _one(call))


@route("PUT", _ONE, level=GUEST)
def update_issue(call: Call) -> Result:
    """Change an issue; nothing checks that it is still what the caller read."""
    found = _one(call)
    _need_update(call, found)
    if not call.params:
        raise invalid("title, description, labels", "are missing, at least one must be provided")
    issue_edits.update(call.world, found, call.user, call.params)
    return entities.issue(call.world, found)


def _need_update(call: Call, found: Issue) -> None:
    if found.author is not call.user and call.project.access_level(call.user) < REPORTER:
        raise forbidden()


@route("GET", f"{_ONE}/notes", level=GUEST)
def notes(call: Call) -> Result:
    """List the comments."""
    return note_calls.page(call, _one(call))


@route("POST", f"{_ONE}/notes", level=GUEST)
def create_note(call: Call) -> Result:
    """Comment; 202 and no comment where the text held nothing but quick actions."""
    found = _one(call)
    note, changed = issue_edits.add_note(
        call.world, found, call.user, call.required("body"), internal=call.flag("internal")
    )
    return note_calls.made(call, note, found, changed)


@route("PUT", f"{_ONE}/notes/<note_id>", level=GUEST)
def update_note(call: Call) -> Result:
    """Change a comment."""
    found = _one(call)
    note = note_calls.one(call, found)
    issue_edits.edit_note(call.world, found, call.user, note, call.required("body"))
    return note_entities.note(note, found, call.world)


@route("GET", f"{_ONE}/links", level=GUEST)
def links(call: Call) -> Result:
    """List the linked issues."""
    return Page(_one(call).links, lambda link: entities.related_issue(call.world, link))


@route("POST", f"{_ONE}/links", level=DEVELOPER)
def create_link(call: Call) -> Result:
    """Link two issues; 409 where they are linked already."""
    source = _one(call)
    target = call.world.find_project(call.required("target_project_id"))
    if target is None or not target.access_level(call.user):
        raise not_found("Project")
    other = target.issues.get(call.integer("target_issue_iid"))
    if other is None:
        raise not_found()
    kind = call.choice("link_type", ("relates_to", "blocks", "is_blocked_by"), "relates_to")
    if kind != "relates_to" and call.world.tier == "free":
        raise forbidden("Blocked issues not available for current license")
    made = issues.link(call.world, source, other, kind)
    return Answer(entities.issue_link(call.world, source, made), 201)


@route("GET", f"{_ONE}/related_merge_requests", level=REPORTER)
def related_merge_requests(call: Call) -> Result:
    """List merge requests that mention the issue: GitLab finds them by system notes, we do not."""
    _one(call)
    return Page([], dict)
