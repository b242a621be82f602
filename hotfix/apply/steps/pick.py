"""Steps ``pick`` and ``verify-branch``: the hotfix on the clean baseline, and nothing else.

Runbook, steps 3 and 4 ("Cherry-pick", "Verify the release branch contents").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.apply.context import base_of, head_after, planned_commits
from hotfix.apply.moves import BranchMovedError
from hotfix.apply.push import advance
from hotfix.git.history import commits_between
from hotfix.identifiers import short
from hotfix.text import counted

if TYPE_CHECKING:
    from hotfix.apply.context import Run
    from hotfix.plan.model import TargetPlan


def pick(run: Run, target: TargetPlan) -> None:
    """Push the picks, or find that they stand there."""
    commits = [each for each in target.commits if each.merge_request is not None and each.sha]
    run.tell("pick", target.project, "started", "cherry-pick the hotfix onto release")
    advance(
        run,
        "pick",
        target,
        commits,
        {
            "commits": [
                {
                    "sha": each.sha,
                    "merge_request": each.merge_request,
                    "picked_from": each.picked_from,
                }
                for each in commits
            ]
        },
    )


def verify_branch(run: Run, target: TargetPlan) -> None:
    """Fetch release anew: between the old head and the new one stands exactly the plan.

    Raises ``StaleError`` where anything else does.
    """
    base, expected = base_of(target), planned_commits(target)
    head = run.release_head(target)
    reader = run.repository(target.project).fetch((head, base))
    found = tuple(reversed(commits_between(reader, exclude=base, include=head)))
    run.journal.add(
        "verify-branch",
        target.project,
        "observed",
        {
            "base": base,
            "head": head,
            "commits": list(found),
            "expected": list(expected),
            "equal": found == expected,
        },
    )
    if found != expected or head != head_after(target):
        raise BranchMovedError(target, head, short(head_after(target)))
    planned = counted(len(found), "planned commit")
    said = f"{target.release_branch} holds {planned} and nothing else"
    run.tell("verify-branch", target.project, "done", said)
