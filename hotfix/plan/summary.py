"""A plan's count of what is to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.plan.model import Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotfix.plan.model import LeavingCommit, PlannedCommit, TargetChange

NOTHING_TO_GO_BACK_FROM: Final = (
    "Nothing to go back from. Production already runs the last known-good state."
)


def summarize(targets: Sequence[TargetChange], *, done: Sequence[bool]) -> Summary:
    """Count what the targets that are not ``done`` still need; with nothing to do, all is zero."""
    todo = [target for target, is_done in zip(targets, done, strict=True) if not is_done]
    return Summary(
        commits=sum(len(new_commits(target)) for target in todo),
        pushes=sum(len({commit.action for commit in new_commits(target)}) for target in todo),
        pipelines=len(todo),
        manual_jobs=len(todo),
        smoke_checks=sum(len(target.smoke_checks) for target in todo),
        incidents=1 if todo else 0,
        leaving_release=sum(count_leaving(target.leaving) for target in todo),
    )


def new_commits(target: TargetChange) -> list[PlannedCommit]:
    """List the commits that are to be pushed, in the branch's order."""
    return [commit for commit in target.commits if commit.outcome == "new"]


def count_leaving(leaving: Sequence[LeavingCommit]) -> int:
    """Count the merge requests that leave, and the commits that none brought.

    A merge commit of no merge request, such as a cut-off's, is not counted: what it brought is.
    """
    return len(leaving_merge_requests(leaving)) + len(leaving_alone(leaving))


def leaving_merge_requests(leaving: Sequence[LeavingCommit]) -> list[int]:
    """List the merge requests whose work leaves, each once."""
    return sorted({each.merge_request for each in leaving if each.merge_request is not None})


def leaving_alone(leaving: Sequence[LeavingCommit]) -> list[LeavingCommit]:
    """List the commits that leave and that no merge request brought."""
    return [each for each in leaving if each.merge_request is None and not each.is_merge]
