"""Merge requests, and the commits that each of GitLab's merge methods makes of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dulwich.objects import ObjectID

from hotfix.sandbox.history import changes, is_ancestor, log, merge_base
from hotfix.sandbox.merging import merge_trees
from hotfix.sandbox.repositories import Repository, Signature

if TYPE_CHECKING:
    from datetime import datetime

    from hotfix.identifiers import Sha
    from hotfix.sandbox.notes import Note
    from hotfix.sandbox.projects import Project
    from hotfix.sandbox.users import User


class Version(NamedTuple):
    """What a merge request was after a push, or after GitLab rebased it."""

    number: int
    head: Sha
    base: Sha
    start: Sha
    created_at: datetime


@dataclass(eq=False, slots=True)
class MergeRequest:
    """A merge request; its commit ids are those of GitLab's answers, by the same names."""

    id: int
    iid: int
    project: Project
    title: str
    description: str
    author: User
    source_branch: str
    target_branch: str
    created_at: datetime
    updated_at: datetime
    sha: Sha
    base_sha: Sha
    start_sha: Sha
    squash: bool = False
    draft: bool = False
    state: str = "opened"
    labels: list[str] = field(default_factory=list)
    reviewers: list[User] = field(default_factory=list)
    approvals: list[tuple[User, datetime]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    merged_at: datetime | None = None
    merge_user: User | None = None
    merge_commit_sha: Sha | None = None
    squash_commit_sha: Sha | None = None
    versions: list[Version] = field(default_factory=list)
    """Oldest first."""

    def pushed(self, number: int, at: datetime) -> None:
        """Note what it is now as another version."""
        self.versions.append(Version(number, self.sha, self.base_sha, self.start_sha, at))

    @property
    def reference(self) -> str:
        """The reference that is understood everywhere, ``group/project!iid``."""
        return f"{self.project.path}!{self.iid}"

    def commits(self) -> list[Sha]:
        """List the commits of the source branch, the newest first."""
        return list(log(self.project.repository, self.sha, without=[self.base_sha]))

    def changed_files(self) -> int:
        """Count the files that it changes."""
        repository = self.project.repository
        old, new = repository.files(self.base_sha), repository.files(self.sha)
        return len(changes(old, new))

    def landed(self) -> list[Sha]:
        """List the commits that the target branch received, the newest first."""
        if self.state != "merged":
            return []
        squashed = self.squash_commit_sha
        own = self.commits() if squashed is None else [squashed]
        return [self.merge_commit_sha, *own] if self.merge_commit_sha is not None else own

    def closed_issue_iids(self) -> list[int]:
        """List the issues of the same project that its description closes."""
        pattern = r"(?:clos|fix|resolv)(?:e|es|ed|ing)?:?\s+#(\d+)"
        return [int(found[1]) for found in re.finditer(pattern, self.description, re.IGNORECASE)]


def start(project: Project, source_branch: str, target_branch: str) -> tuple[Sha, Sha, Sha]:
    """Return the head, base and start commits of a new merge request."""
    repository = project.repository
    head, target = repository.branch(source_branch), repository.branch(target_branch)
    if head is None or target is None:
        raise KeyError(source_branch if head is None else target_branch)
    base = merge_base(repository, head, target)
    if base is None:
        raise KeyError(source_branch)
    return head, base, target


def approve(merge_request: MergeRequest, user: User, at: datetime) -> None:
    """Note an approval."""
    merge_request.approvals.append((user, at))
    merge_request.updated_at = at


def merge(merge_request: MergeRequest, user: User, at: datetime) -> Sha:
    """Merge in the project's way; returns the new head of the target branch.

    Raises ``ConflictError`` where the sides do not go together.
    """
    project = merge_request.project
    target_ref = f"refs/heads/{merge_request.target_branch}"
    head = project.repository.refs[target_ref]
    landing = _Landing(merge_request, head, Signature(user.name, user.email, at))
    new = {"merge": landing.merge, "rebase_merge": landing.semi_linear, "ff": landing.fast_forward}[
        project.settings.merge_method
    ]()
    project.repository.update_ref(target_ref, head, new)
    project.repository.refs[f"refs/merge-requests/{merge_request.iid}/head"] = merge_request.sha
    merge_request.state = "merged"
    merge_request.merged_at = merge_request.updated_at = project.last_activity_at = at
    merge_request.merge_user = user
    return new


class _Landing:
    """One merge: the merge request, the target's head, and who merges when."""

    def __init__(self, merge_request: MergeRequest, head: Sha, by: Signature) -> None:
        self.merge_request = merge_request
        self.head = head
        self.by = by
        self.repository: Repository = merge_request.project.repository

    def merge(self) -> Sha:
        """Make a merge commit, over the source branch or over its squash."""
        request = self.merge_request
        side = request.sha
        if request.squash:
            side = request.squash_commit_sha = self._squashed(onto=request.base_sha)
        request.merge_commit_sha = self._merge_commit(side)
        return request.merge_commit_sha

    def semi_linear(self) -> Sha:
        """Make a merge commit on top of rebased commits (``rebase_merge``)."""
        self._rebase()
        return self.merge()

    def fast_forward(self) -> Sha:
        """Put the commits themselves, or their squash, on top of the target."""
        request = self.merge_request
        if request.squash:
            request.squash_commit_sha = self._squashed(onto=self.head)
            return request.squash_commit_sha
        self._rebase()
        return request.sha

    def _merge_commit(self, side: Sha) -> Sha:
        request = self.merge_request
        message = (
            f"Merge branch '{request.source_branch}' into '{request.target_branch}'\n\n"
            f"{request.title}\n\nSee merge request {request.reference}\n"
        )
        tree = self._merged_tree(request.base_sha, self.head, side)
        return self.repository.write_commit(tree, [self.head, side], message, self.by)

    def _squashed(self, *, onto: Sha) -> Sha:
        request = self.merge_request
        tree = self._merged_tree(request.base_sha, onto, request.sha)
        author = Signature(request.author.name, request.author.email, self.by.at)
        return self.repository.write_commit(tree, [onto], f"{request.title}\n", author, self.by)

    def _rebase(self) -> None:
        """Replay the source branch on the target's head, and move it there."""
        request, repository = self.merge_request, self.repository
        if is_ancestor(repository, self.head, request.sha):
            return
        tip = self.head
        for sha in reversed(request.commits()):
            old = repository.commit(sha)
            tree = self._merged_tree(repository.parents(sha)[0], tip, sha)
            again = old.copy()
            assert isinstance(again, type(old))  # noqa: S101 - copy() is typed as any object
            again.tree, again.parents = ObjectID(tree.encode()), [ObjectID(tip.encode())]
            again.committer = f"{self.by.name} <{self.by.email}>".encode()
            again.commit_time = int(self.by.at.timestamp())
            tip = repository.add(again)
        repository.refs[f"refs/heads/{request.source_branch}"] = tip
        request.sha, request.base_sha, request.start_sha = tip, self.head, self.head
        number = max((each.number for each in request.versions), default=0) + 1
        request.pushed(number, self.by.at)

    def _merged_tree(self, base: Sha, ours: Sha, theirs: Sha) -> Sha:
        return merge_trees(
            self.repository, *(self.repository.tree(sha) for sha in (base, ours, theirs))
        )
