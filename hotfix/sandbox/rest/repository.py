"""Routes: branches, tags, commits, files, comparisons, and the Cherry-pick button."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from hotfix.identifiers import ZERO
from hotfix.sandbox import cherry_picks, history
from hotfix.sandbox.entities import git
from hotfix.sandbox.entities import merge_requests as merge_request_entities
from hotfix.sandbox.refusals import bad_request, forbidden, invalid, not_found
from hotfix.sandbox.repositories import EXECUTABLE, FOLDER
from hotfix.sandbox.rest.calls import Answer, Call, Page
from hotfix.sandbox.rest.routing import Result, route
from hotfix.sandbox.users import DEVELOPER, MAINTAINER, REPORTER

if TYPE_CHECKING:
    from hotfix.identifiers import Sha

_REPOSITORY = "/projects/<project>/repository"


def _commit(call: Call, name: str, thing: str = "Commit") -> Sha:
    sha = call.project.repository.resolve(name)
    if sha is None:
        raise not_found(thing)
    return sha


def _commits(call: Call, shas: list[Sha]) -> Page[Sha]:
    return Page(shas, lambda sha: git.commit(call.world, call.project, sha))


@route("GET", f"{_REPOSITORY}/branches", level=REPORTER)
def branches(call: Call) -> Result:
    """List the branches."""
    search = call.text("search")
    names = [name for name in call.project.repository.branches() if search in name]
    return Page(names, lambda name: git.branch(call.world, call.project, call.user, name))


@route("GET", f"{_REPOSITORY}/branches/<branch>", level=REPORTER)
def branch(call: Call) -> Result:
    """Show one branch."""
    name = call.segments["branch"]
    if call.project.repository.branch(name) is None:
        raise not_found("Branch")
    return git.branch(call.world, call.project, call.user, name)


@route("POST", f"{_REPOSITORY}/branches", level=DEVELOPER)
def create_branch(call: Call) -> Result:
    """Make a branch; of two requests for one name the second is refused."""
    name, repository = call.required("branch"), call.project.repository
    sha = repository.resolve(call.required("ref"))
    if repository.branch(name) is not None:
        raise bad_request("Branch already exists")
    if sha is None:
        raise bad_request("Invalid reference name: " + call.text("ref"))
    if call.project.protections(name) and not call.project.may_push(call.user, name):
        raise forbidden()
    repository.update_ref(f"refs/heads/{name}", ZERO, sha)
    return Answer(git.branch(call.world, call.project, call.user, name), 201)


@route("DELETE", f"{_REPOSITORY}/branches/<branch>", level=DEVELOPER)
def delete_branch(call: Call) -> Result:
    """Delete a branch that is neither protected nor the default one."""
    name, repository = call.segments["branch"], call.project.repository
    sha = repository.branch(name)
    if sha is None:
        raise not_found("Branch")
    if name == repository.default_branch or call.project.protections(name):
        raise forbidden("Protected branch can not be removed")
    repository.update_ref(f"refs/heads/{name}", sha, ZERO)
    return Answer(None, 204)


@route("GET", f"{_REPOSITORY}/tags", level=REPORTER)
def tags(call: Call) -> Result:
    """List the tags, those of the newest commits first unless asked otherwise."""
    project = call.project
    order = call.choice("order_by", ("name", "updated", "version"), "updated")
    newest_first = call.choice("sort", ("asc", "desc"), "desc") == "desc"

    def place(name: str) -> tuple[int, str]:
        at = git.tagged(project, name).commit_time if order == "updated" else 0
        return at, name

    names = [n for n in project.repository.tags() if call.text("search") in n]
    names.sort(key=place, reverse=newest_first)
    return Page(names, lambda name: git.tag(call.world, call.project, name))


@route("GET", f"{_REPOSITORY}/tags/<tag>", level=REPORTER)
def tag(call: Call) -> Result:
    """Show one tag."""
    name = call.segments["tag"]
    if name not in call.project.repository.tags():
        raise not_found("Tag")
    return git.tag(call.world, call.project, name)


@route("POST", f"{_REPOSITORY}/tags", level=MAINTAINER)
def create_tag(call: Call) -> Result:
    """Make a lightweight tag."""
    name, repository = call.required("tag_name"), call.project.repository
    sha = repository.resolve(call.required("ref"))
    if name in repository.tags():
        raise bad_request(f"Tag {name} already exists")
    if sha is None:
        raise bad_request(f"Target {call.text('ref')} is invalid")
    repository.update_ref(f"refs/tags/{name}", ZERO, sha)
    return Answer(git.tag(call.world, call.project, name), 201)


@route("GET", "/projects/<project>/releases", level=REPORTER)
def releases(call: Call) -> Result:
    """List the releases, the newest first."""
    project = call.project
    found = sorted(project.releases, key=lambda name: project.releases[name], reverse=True)
    return Page(found, lambda name: git.release(call.world, project, name))


@route("GET", f"{_REPOSITORY}/commits", level=REPORTER)
def commits(call: Call) -> Result:
    """List commits, the newest first."""
    repository = call.project.repository
    name = call.text("ref_name") or repository.default_branch
    older, dots, newer = name.partition("..")
    start = _commit(call, newer if dots else name, "Repository commits")
    without = [_commit(call, older)] if dots else []
    shas = history.log(repository, start, without=without, first_parent=call.flag("first_parent"))
    path = call.text("path")
    since, until = call.moment("since"), call.moment("until")
    found = [
        sha
        for sha in shas
        if (not path or _touches(call, sha, path))
        and (since is None or repository.commit(sha).commit_time >= since.timestamp())
        and (until is None or repository.commit(sha).commit_time <= until.timestamp())
    ]
    return _commits(call, found)


def _touches(call: Call, sha: Sha, path: str) -> bool:
    repository = call.project.repository
    parents = repository.parents(sha)
    old = repository.files(parents[0]) if parents else {}
    return any(
        change.path == path or change.path.startswith(f"{path}/")
        for change in history.changes(old, repository.files(sha))
    )


@route("GET", f"{_REPOSITORY}/commits/<sha>", level=REPORTER)
def commit(call: Call) -> Result:
    """Show one commit, named by its id, a branch or a tag."""
    return git.commit_detail(call.world, call.project, _commit(call, call.segments["sha"]))


@route("GET", f"{_REPOSITORY}/commits/<sha>/diff", level=REPORTER)
def commit_diff(call: Call) -> Result:
    """Show what a commit changes against its first parent."""
    sha = _commit(call, call.segments["sha"])
    return Page(git.diffs_of(call.project.repository, sha), dict)


@route("GET", f"{_REPOSITORY}/commits/<sha>/refs", level=REPORTER)
def commit_refs(call: Call) -> Result:
    """List the branches and tags that reach a commit."""
    sha, repository = _commit(call, call.segments["sha"]), call.project.repository
    kind = call.choice("type", ("branch", "tag", "all"), "all")
    named = [("branch", name, head) for name, head in repository.branches().items()]
    named += [("tag", name, head) for name, head in repository.tags().items()]
    found = [
        {"type": of, "name": name}
        for of, name, head in named
        if kind in (of, "all") and history.is_ancestor(repository, sha, head)
    ]
    return Page(found, dict)


@route("GET", f"{_REPOSITORY}/commits/<sha>/merge_requests", level=REPORTER)
def commit_merge_requests(call: Call) -> Result:
    """List the merge requests that brought a commit."""
    sha = _commit(call, call.segments["sha"])
    found = [
        request
        for request in call.project.merge_requests.values()
        if sha in (*request.landed(), *request.commits())
    ]
    return Page(found, lambda one: merge_request_entities.merge_request(call.world, one))


@route("GET", f"{_REPOSITORY}/commits/<sha>/statuses", level=REPORTER)
def commit_statuses(call: Call) -> Result:
    """List the statuses of a commit: of its jobs."""
    sha = _commit(call, call.segments["sha"])
    jobs = [job for job in call.project.jobs() if job.pipeline.sha == sha and not job.is_bridge]
    return Page(
        jobs,
        lambda job: {
            "id": job.id,
            "sha": sha,
            "ref": job.pipeline.ref,
            "status": job.status,
            "name": job.name,
            "pipeline_id": job.pipeline.id,
            "allow_failure": job.definition.allow_failure,
        },
    )


@route("POST", f"{_REPOSITORY}/commits/<sha>/cherry_pick", level=DEVELOPER)
def cherry_pick(call: Call) -> Result:
    """Press the Cherry-pick button."""
    message = call.params.get("message")
    pick = cherry_picks.Pick(
        commit=call.segments["sha"],
        branch=call.required("branch"),
        message=None if message is None else str(message),
        dry_run=call.flag("dry_run"),
    )
    sha = cherry_picks.cherry_pick(call.world, call.project, call.user, pick)
    if sha is None:
        return {"dry_run": "success"}
    return Answer(git.commit(call.world, call.project, sha), 201)


@route("GET", f"{_REPOSITORY}/compare", level=REPORTER)
def compare(call: Call) -> Result:
    """Compare two commits; without ``straight`` from what they share on."""
    repository = call.project.repository
    old = _commit(call, call.required("from"), "Ref")
    new = _commit(call, call.required("to"), "Ref")
    base = old if call.flag("straight") else history.merge_base(repository, old, new)
    shas = list(history.log(repository, new, without=[old]))[::-1]
    files = repository.files(base) if base is not None else {}
    listed = [git.commit(call.world, call.project, sha) for sha in shas]
    return {
        "commit": listed[-1] if listed else None,
        "commits": listed,
        "diffs": git.diffs(repository, files, repository.files(new)),
        "compare_timeout": False,
        "compare_same_ref": old == new,
        "web_url": f"{call.world.url}/{call.project.path}/-/compare/{old}...{new}",
    }


@route("GET", f"{_REPOSITORY}/merge_base", level=REPORTER)
def merge_base(call: Call) -> Result:
    """Find the best commit that several refs share."""
    names = call.many("refs")
    if len(names) < 2:  # noqa: PLR2004 - two make a pair
        raise bad_request("Provide at least 2 refs")
    base: Sha | None = _commit(call, names[0], "Could not find ref")
    for name in names[1:]:
        other = _commit(call, name)
        base = history.merge_base(call.project.repository, base, other) if base else None
    if base is None:
        raise not_found("Merge Base")
    return git.commit(call.world, call.project, base)


@route("GET", f"{_REPOSITORY}/files/<file_path>", level=REPORTER)
def file(call: Call) -> Result:
    """Read a file, as base64 in JSON."""
    path, repository = call.segments["file_path"], call.project.repository
    ref = call.required("ref")
    sha = _commit(call, ref)
    entry = repository.files(sha).get(path)
    if entry is None:
        raise not_found("File")
    content = repository.blob(entry.sha)
    return {
        "file_name": path.rpartition("/")[2],
        "file_path": path,
        "size": len(content),
        "encoding": "base64",
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "ref": ref,
        "blob_id": entry.sha,
        "commit_id": sha,
        "last_commit_id": sha,
        "execute_filemode": entry.mode == EXECUTABLE,
        "content": base64.b64encode(content).decode(),
    }


@route("GET", f"{_REPOSITORY}/files/<file_path>/raw", level=REPORTER)
def raw_file(call: Call) -> Result:
    """Read a file as it is."""
    repository = call.project.repository
    sha = _commit(call, call.text("ref") or "HEAD")
    entry = repository.files(sha).get(call.segments["file_path"])
    if entry is None:
        raise not_found("File")
    return Answer(repository.blob(entry.sha), content_type="text/plain")


@route("GET", f"{_REPOSITORY}/tree", level=REPORTER)
def tree(call: Call) -> Result:
    """List a folder, or everything below it."""
    repository, path = call.project.repository, call.text("path").strip("/")
    folder = repository.tree(_commit(call, call.text("ref") or "HEAD", "Tree"))
    for name in path.split("/") if path else []:
        below = dict(repository.entries(folder)).get(name)
        if below is None or below.mode != FOLDER:
            raise not_found("invalid revision or path")
        folder = below.sha
    if call.params.get("page") == "0":
        raise invalid("page", "does not have a valid value")
    return Page(_listing(call, folder, path, deep=call.flag("recursive")), dict)


def _listing(call: Call, folder: Sha, path: str, *, deep: bool) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for name, entry in call.project.repository.entries(folder):
        found.append(git.tree_entry(path, name, entry))
        if deep and entry.mode == FOLDER:
            found += _listing(call, entry.sha, f"{path}/{name}".strip("/"), deep=True)
    return found
