"""GitLab's own Cherry-pick button: one new commit on a branch, made by the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hotfix.identifiers import short
from hotfix.sandbox.merging import ConflictError, merge_trees
from hotfix.sandbox.refusals import bad_request, forbidden, not_found
from hotfix.sandbox.repositories import Signature

if TYPE_CHECKING:
    from hotfix.identifiers import Sha
    from hotfix.sandbox.projects import Project
    from hotfix.sandbox.users import User
    from hotfix.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Pick:
    """What the button is asked to do."""

    commit: str
    branch: str
    message: str | None = None
    dry_run: bool = False


def cherry_pick(world: World, project: Project, user: User, pick: Pick) -> Sha | None:
    """Pick a commit onto a branch, with its first parent as the base of the merge.

    The acting user is author and committer, as in newer releases of GitLab. The branch's head is
    taken as it is found: the request carries no expected one. Returns nothing for a dry run;
    raises ``Refusal``, for a conflict and an empty pick with GitLab's ``error_code``.
    """
    repository = project.repository
    sha = repository.resolve(pick.commit)
    if sha is None:
        raise not_found("Commit")
    head = repository.branch(pick.branch)
    if head is None:
        raise not_found("Branch")
    if not project.may_push(user, pick.branch):
        raise forbidden("You are not allowed to push into this branch")
    tree = _picked_tree(project, sha, head, dry_run=pick.dry_run)
    if pick.dry_run:
        return None
    who = Signature(user.name, user.email, world.clock.now())
    message = pick.message if pick.message is not None else _message(project, sha)
    picked = repository.write_commit(tree, [head], message, who)
    repository.update_ref(f"refs/heads/{pick.branch}", head, picked)
    return picked


def _picked_tree(project: Project, sha: Sha, head: Sha, *, dry_run: bool) -> Sha:
    repository = project.repository
    parents = repository.parents(sha)
    base = repository.tree(parents[0]) if parents else repository.write_tree({})
    try:
        tree = merge_trees(repository, base, repository.tree(head), repository.tree(sha))
    except ConflictError as conflict:
        raise _failure(project, sha, "conflict", dry_run=dry_run) from conflict
    if tree == repository.tree(head):
        raise _failure(project, sha, "empty", dry_run=dry_run)
    return tree


def _failure(
    project: Project, sha: Sha, code: Literal["conflict", "empty"], *, dry_run: bool
) -> Exception:
    of_merge_request = any(sha == mr.merge_commit_sha for mr in project.merge_requests.values())
    thing = "Merge request" if of_merge_request else "Commit"
    body = {"error_code": code} | ({"dry_run": "error"} if dry_run else {})
    return bad_request(
        f"{thing} cherry-pick failed: Sorry, we cannot cherry-pick this {thing.lower()} "
        f"automatically. This {thing.lower()} may already have been cherry-picked, or a more "
        f"recent commit may have updated some of its content.",
        **body,
    )


def _message(project: Project, sha: Sha) -> str:
    repository = project.repository
    commit = repository.commit(sha)
    name, _, address = commit.author.decode(errors="replace").rpartition(" <")
    parts = [
        commit.message.decode(errors="replace"),
        f"(cherry-picked from commit {sha})",
        *_merge_request_commits(project, sha),
        f"Co-authored-by: {name} <{address}",
    ]
    return "\n\n".join(parts)


def _merge_request_commits(project: Project, sha: Sha) -> list[str]:
    for merge_request in project.merge_requests.values():
        if sha in (merge_request.merge_commit_sha, merge_request.squash_commit_sha):
            titles = [
                f"{short(one)} {_title(project, one)}" for one in reversed(merge_request.commits())
            ]
            return ["\n".join(titles)]
    return []


def _title(project: Project, sha: Sha) -> str:
    message: bytes = project.repository.commit(sha).message
    return message.decode(errors="replace").partition("\n")[0]
