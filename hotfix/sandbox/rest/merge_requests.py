"""Routes: merge requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotfix.sandbox import notes
from hotfix.sandbox.entities import ci as ci_entities
from hotfix.sandbox.entities import git, issues
from hotfix.sandbox.entities import merge_requests as entities
from hotfix.sandbox.entities import notes as note_entities
from hotfix.sandbox.refusals import not_found
from hotfix.sandbox.rest import note_calls
from hotfix.sandbox.rest.calls import Call, Page
from hotfix.sandbox.rest.routing import Result, route
from hotfix.sandbox.users import REPORTER

if TYPE_CHECKING:
    from hotfix.sandbox.merge_requests import MergeRequest

_ONE = "/projects/<project>/merge_requests/<iid>"


@route("GET", "/projects/<project>/merge_requests", level=REPORTER)
def merge_requests(call: Call) -> Result:
    """List merge requests, the newest first by default."""
    wanted = {
        "source_branch": call.text("source_branch"),
        "target_branch": call.text("target_branch"),
    }
    state = call.choice("state", ("opened", "closed", "locked", "merged", "all"), "all")
    iids = {int(iid) for iid in call.many("iids")}
    found = [
        one
        for one in call.project.merge_requests.values()
        if state in ("all", one.state)
        and (not iids or one.iid in iids)
        and all(value in ("", getattr(one, name)) for name, value in wanted.items())
        and call.text("author_username") in ("", one.author.username)
        and call.text("search").lower() in f"{one.title}\n{one.description}".lower()
    ]
    order = call.choice(
        "order_by", ("created_at", "updated_at", "merged_at", "title"), "created_at"
    )
    found.sort(key=lambda one: (_key(one, order), one.id), reverse=call.text("sort") != "asc")
    return Page(found, lambda one: entities.merge_request(call.world, one))


def _key(one: MergeRequest, order: str) -> Any:  # noqa: ANN401 - whatever is sorted by
    return one.merged_at or one.created_at if order == "merged_at" else getattr(one, order)


def _one(call: Call) -> MergeRequest:
    found = call.project.merge_requests.get(call.integer("iid"))
    if found is None:
        raise not_found()
    return found


@route("GET", _ONE, level=REPORTER)
def merge_request(call: Call) -> Result:
    """Show one merge request."""
    return entities.merge_request_detail(call.world, _one(call))


@route("GET", f"{_ONE}/commits", level=REPORTER)
def commits(call: Call) -> Result:
    """List the commits of the source branch, the newest first."""
    return Page(_one(call).commits(), lambda sha: git.commit(call.world, call.project, sha))


@route("GET", f"{_ONE}/diffs", level=REPORTER)
def diffs(call: Call) -> Result:
    """List what the merge request changes."""
    found, repository = _one(call), call.project.repository
    old, new = repository.files(found.base_sha), repository.files(found.sha)
    return Page(git.diffs(repository, old, new), dict)


@route("GET", f"{_ONE}/approvals", level=REPORTER)
def approvals(call: Call) -> Result:
    """Tell who approved."""
    return entities.approvals(call.world, _one(call), call.user)


@route("GET", f"{_ONE}/approval_state", level=REPORTER)
def approval_state(call: Call) -> Result:
    """Tell the rules of approval; the free tier has none."""
    found = _one(call)
    if call.world.tier == "free":
        raise not_found()
    return entities.approval_state(call.world, found)


@route("GET", f"{_ONE}/versions", level=REPORTER)
def versions(call: Call) -> Result:
    """List what it was after each push, the newest first."""
    found = _one(call)
    return Page(found.versions[::-1], lambda one: entities.version(found, one))


@route("GET", "/projects/<project>/approvals", level=REPORTER)
def approval_settings(call: Call) -> Result:
    """Tell how a project's merge requests are approved; the free tier has no such settings."""
    if call.world.tier == "free":
        raise not_found()
    return entities.approval_settings(call.project)


@route("GET", f"{_ONE}/closes_issues", level=REPORTER)
@route("GET", f"{_ONE}/related_issues", level=REPORTER)
def closes_issues(call: Call) -> Result:
    """List the issues that the description closes."""
    known = call.project.issues
    found = [known[iid] for iid in _one(call).closed_issue_iids() if iid in known]
    return Page(found, lambda issue: issues.issue(call.world, issue))


@route("GET", f"{_ONE}/pipelines", level=REPORTER)
def pipelines(call: Call) -> Result:
    """List the pipelines of the source branch's head."""
    found = _one(call)
    own = [pipeline for pipeline in call.project.pipelines if pipeline.sha == found.sha]
    return Page(own[::-1], lambda one: ci_entities.pipeline_basic(call.world, one))


@route("GET", f"{_ONE}/notes", level=REPORTER)
def list_notes(call: Call) -> Result:
    """List the comments."""
    return note_calls.page(call, _one(call))


@route("POST", f"{_ONE}/notes", level=REPORTER)
def create_note(call: Call) -> Result:
    """Comment; quick actions are taken out of the text and have no effect here."""
    found = _one(call)
    note, _ = notes.add(call.world, found, call.user, call.required("body"))
    return note_calls.made(call, note, found, {})


@route("PUT", f"{_ONE}/notes/<note_id>", level=REPORTER)
def update_note(call: Call) -> Result:
    """Change a comment."""
    found = _one(call)
    note = note_calls.one(call, found)
    notes.edit(call.world, found, call.user, note, call.required("body"))
    return note_entities.note(note, found, call.world)
