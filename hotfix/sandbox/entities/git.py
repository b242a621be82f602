"""Commits, branches, tags, trees, differences."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from hotfix.identifiers import Sha, short
from hotfix.sandbox import history
from hotfix.sandbox.entities.common import JSON, git_moment, moment, user
from hotfix.sandbox.repositories import FOLDER, SUBMODULE, Entry, Repository
from hotfix.sandbox.users import DEVELOPER, LEVEL_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dulwich.objects import Commit

    from hotfix.sandbox.projects import Project, ProtectedBranch
    from hotfix.sandbox.users import User
    from hotfix.sandbox.world import World


def commit(world: World, project: Project, sha: Sha) -> JSON:
    """Render a commit as in lists."""
    found = project.repository.commit(sha)
    message = found.message.decode(errors="replace")
    author, author_email = _ident(found.author)
    committer, committer_email = _ident(found.committer)
    committed = git_moment(found.commit_time, found.commit_timezone)
    return {
        "id": sha,
        "short_id": short(sha),
        "created_at": committed,
        "parent_ids": project.repository.parents(sha),
        "title": message.partition("\n")[0],
        "message": message,
        "author_name": author,
        "author_email": author_email,
        "authored_date": git_moment(found.author_time, found.author_timezone),
        "committer_name": committer,
        "committer_email": committer_email,
        "committed_date": committed,
        "trailers": {},
        "extended_trailers": {},
        "web_url": f"{world.url}/{project.path}/-/commit/{sha}",
    }


def _ident(raw: bytes) -> tuple[str, str]:
    name, _, address = raw.decode(errors="replace").rpartition(" <")
    return name, address.removesuffix(">")


def commit_detail(world: World, project: Project, sha: Sha) -> JSON:
    """Render one commit."""
    diffs = diffs_of(project.repository, sha)
    added = sum(line.startswith("+") for d in diffs for line in d["diff"].splitlines())
    gone = sum(line.startswith("-") for d in diffs for line in d["diff"].splitlines())
    own = [pipeline for pipeline in project.pipelines if pipeline.sha == sha]
    return commit(world, project, sha) | {
        "stats": {"additions": added, "deletions": gone, "total": added + gone},
        "status": own[-1].status if own else None,
        "project_id": project.id,
        "last_pipeline": None,
    }


def branch(world: World, project: Project, who: User, name: str) -> JSON:
    """Render a branch, with what the caller may do to it."""
    sha = project.repository.refs[f"refs/heads/{name}"]
    return {
        "name": name,
        "commit": commit(world, project, sha),
        "merged": False,
        "protected": bool(project.protections(name)),
        "developers_can_push": any(r.push_level == DEVELOPER for r in project.protections(name)),
        "developers_can_merge": any(r.merge_level == DEVELOPER for r in project.protections(name)),
        "can_push": project.may_push(who, name),
        "default": name == project.default_branch,
        "web_url": f"{world.url}/{project.path}/-/tree/{name}",
    }


def protected_branch(rule: ProtectedBranch) -> JSON:
    """Render a protection rule."""
    return {
        "id": rule.id,
        "name": rule.name,
        "push_access_levels": [access_level(rule.id * 10, rule.push_level)],
        "merge_access_levels": [access_level(rule.id * 10 + 1, rule.merge_level)],
        "allow_force_push": rule.allow_force_push,
    }


def access_level(number: int, level: int) -> JSON:
    """Render a role in a protection rule."""
    return {
        "id": number,
        "access_level": level,
        "access_level_description": LEVEL_NAMES.get(level, "Owners"),
        "deploy_key_id": None,
        "user_id": None,
        "group_id": None,
    }


def tag(world: World, project: Project, name: str) -> JSON:
    """Render a tag."""
    is_release = name in project.releases
    return {
        "name": name,
        "message": "",
        "target": project.repository.tags()[name],
        "commit": commit(world, project, _peeled(project, name)),
        "release": {"tag_name": name, "description": ""} if is_release else None,
        "protected": False,
        "created_at": None,
    }


def release(world: World, project: Project, name: str) -> JSON:
    """Render a release."""
    at = moment(project.releases[name])
    return {
        "tag_name": name,
        "name": name,
        "description": "",
        "created_at": at,
        "released_at": at,
        "upcoming_release": False,
        "author": user(world, project.creator),
        "commit": commit(world, project, _peeled(project, name)),
    }


def tagged(project: Project, name: str) -> Commit:
    """Return the commit that a tag leads to."""
    return project.repository.commit(_peeled(project, name))


def _peeled(project: Project, name: str) -> Sha:
    target = project.repository.tags()[name]
    return project.repository.peeled(target) or target


def tree_entry(path: str, name: str, entry: Entry) -> JSON:
    """Render an entry of a folder."""
    kind = {FOLDER: "tree", SUBMODULE: "commit"}.get(entry.mode, "blob")
    return {
        "id": entry.sha,
        "name": name,
        "type": kind,
        "path": f"{path}/{name}" if path else name,
        "mode": f"{entry.mode:06o}",
    }


def diffs_of(repository: Repository, sha: Sha) -> list[JSON]:
    """List what a commit changes against its first parent."""
    parents = repository.parents(sha)
    old: Mapping[str, Entry] = repository.files(parents[0]) if parents else {}
    return diffs(repository, old, repository.files(sha))


def diffs(repository: Repository, old: Mapping[str, Entry], new: Mapping[str, Entry]) -> list[JSON]:
    """List what differs between two trees."""
    return [_diff(repository, change) for change in history.changes(old, new)]


def _diff(repository: Repository, change: history.Change) -> JSON:
    before, after = (
        repository.blob(entry.sha) if entry is not None and entry.mode != SUBMODULE else b""
        for entry in (change.old, change.new)
    )
    return {
        "diff": _unified(before, after),
        "collapsed": False,
        "too_large": False,
        "new_path": change.path,
        "old_path": change.path,
        "a_mode": f"{change.old.mode:06o}" if change.old else "0",
        "b_mode": f"{change.new.mode:06o}" if change.new else "0",
        "new_file": change.old is None,
        "renamed_file": False,
        "deleted_file": change.new is None,
        "generated_file": False,
    }


def _unified(before: bytes, after: bytes) -> str:
    if b"\0" in before + after:
        return "Binary files differ\n"
    old, new = (side.decode(errors="replace").splitlines() for side in (before, after))
    lines = list(difflib.unified_diff(old, new, lineterm=""))[2:]
    return "".join(f"{line}\n" for line in lines)
