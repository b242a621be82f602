"""What leaves release: the unreleased work that the restore takes off the branch.

Nobody looks at this by hand, and somebody's staged work disappears. Each commit is told with the
merge request that brought it, from GitLab's own merge message where that says so.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hotfix.git.commits import read_commit
from hotfix.git.history import commits_between

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hotfix.git.commits import CommitInfo
    from hotfix.git.objects import ObjectReader
    from hotfix.identifiers import Sha

_SEE: Final = re.compile(r"^See merge request (?P<project>\S+)!(?P<iid>\d{1,9})$", re.MULTILINE)


def unreleased(reader: ObjectReader, *, production: Sha, head: Sha) -> tuple[CommitInfo, ...]:
    """List the commits on the branch that production does not have, newest first."""
    return tuple(
        read_commit(reader, sha)
        for sha in commits_between(reader, exclude=production, include=head)
    )


def named_in_merges(commits: tuple[CommitInfo, ...], project: str) -> Mapping[Sha, int]:
    """Map commits to the merge request that GitLab's merge commits name for them.

    A merge commit ``See merge request group/project!812`` speaks for itself and for all that its
    second parent brought. ``commits`` are all that one commit has and another has not, newest
    first: every way from one of them to another stays among them.
    """
    known = {commit.sha: commit for commit in commits}
    names: dict[Sha, int] = {}
    for commit in reversed(commits):  # oldest first: what an inner merge names stays
        iid = _named(commit, project)
        if iid is None:
            continue
        had = _below(known, commit.parents[:1], frozenset())
        for sha in (commit.sha, *_below(known, commit.parents[1:], had)):
            names.setdefault(sha, iid)
    return names


def _below(
    known: Mapping[Sha, CommitInfo], starts: tuple[Sha, ...], without: Collection[Sha]
) -> set[Sha]:
    """Return which of the known commits these contain, themselves among them."""
    found: set[Sha] = set()
    stack = list(starts)
    while stack:
        sha = stack.pop()
        if sha in known and sha not in found and sha not in without:
            found.add(sha)
            stack += known[sha].parents
    return found


def _named(commit: CommitInfo, project: str) -> int | None:
    if len(commit.parents) < 2:  # noqa: PLR2004  (a merge has two)
        return None
    found = _SEE.search(commit.message)
    return int(found["iid"]) if found and found["project"] == project else None
