"""From a merged merge request to the commits that are picked for it.

The rule is GitLab's own for its Cherry-pick button (``commit_to_cherry_pick``), and one case more
that the button does not know: a fast-forward of several commits, picked one by one. Every commit
must be on the target branch, or what was merged is not what would be picked.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from hotfix.git.commits import read_commit
from hotfix.identifiers import short

if TYPE_CHECKING:
    from hotfix.forge.types import MergeRequest
    from hotfix.git.history import History
    from hotfix.git.objects import ObjectReader
    from hotfix.identifiers import Sha


class UnresolvedError(Exception):
    """The commits of a merge request cannot be told for certain; the text says why."""


def commits_to_pick(
    reader: ObjectReader,
    merge_request: MergeRequest,
    source_commits: tuple[Sha, ...],
    target_branch: History | None,
) -> tuple[Sha, ...]:
    """List the commits to pick for a merged merge request, oldest first.

    A merge commit stands for all it merged (mainline 1), else a squash commit does, else the
    commits of the source branch themselves. Raises ``UnresolvedError`` where they are not on the
    target branch or do not follow one another.
    """
    if target_branch is None:
        raise UnresolvedError(f"its target branch {merge_request.target_branch} is gone")
    found = _stated(merge_request, source_commits)
    for sha in found:
        if sha.encode() not in reader or sha not in target_branch:
            raise UnresolvedError(
                f"its commit {short(sha)} is not on {merge_request.target_branch}, "
                "so what was merged is not what would be picked"
            )
    if len(found) > 1:
        _prove_linear(reader, found)
    return found


def needs_source_commits(merge_request: MergeRequest) -> bool:
    """Tell whether GitLab must be asked for the commits of the source branch."""
    return merge_request.merge_commit_sha is None and merge_request.squash_commit_sha is None


def stated_commits(merge_request: MergeRequest, source_commits: tuple[Sha, ...]) -> tuple[Sha, ...]:
    """List the commits that GitLab names for a merged merge request, proven or not."""
    if merge_request.merge_commit_sha is not None:
        return (merge_request.merge_commit_sha,)
    if merge_request.squash_commit_sha is not None:
        return (merge_request.squash_commit_sha,)
    return source_commits


def _stated(merge_request: MergeRequest, source_commits: tuple[Sha, ...]) -> tuple[Sha, ...]:
    if not needs_source_commits(merge_request):
        return stated_commits(merge_request, source_commits)
    if not source_commits:
        raise UnresolvedError("GitLab names neither a merge commit nor commits of its own for it")
    if merge_request.sha != source_commits[-1]:
        raise UnresolvedError(
            f"its head is {short(merge_request.sha or '?')}, "
            f"but the newest of its commits is {short(source_commits[-1])}"
        )
    return source_commits


def _prove_linear(reader: ObjectReader, commits: tuple[Sha, ...]) -> None:
    for parent, child in pairwise(commits):
        if read_commit(reader, child).parents != (parent,):
            raise UnresolvedError(
                f"its commit {short(child)} does not follow {short(parent)} alone, "
                "so its commits cannot be picked one by one"
            )
