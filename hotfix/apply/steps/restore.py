"""Steps ``restore`` and ``verify-restore``: release becomes what production runs, and it is proven.

Runbook, step 2. Proven is it by tree ids: a diff can be cut short, equal trees cannot differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.apply.context import base_of
from hotfix.apply.push import advance
from hotfix.errors import FailedError
from hotfix.git.commits import read_commit
from hotfix.identifiers import Sha, short

if TYPE_CHECKING:
    from hotfix.apply.context import Run
    from hotfix.plan.model import PlannedCommit, TargetPlan


def restore(run: Run, target: TargetPlan) -> None:
    """Push the restore commit, or find that it stands there or was never needed."""
    commit = restore_commit(target)
    run.tell("restore", target.project, "started", "restore release to production's state")
    advance(run, "restore", target, (commit,) if commit else (), {})


def verify_restore(run: Run, target: TargetPlan) -> None:
    """Fetch the restore commit from the server and hold its tree against production's."""
    planned = restore_commit(target)
    commit = Sha(planned.sha) if planned and planned.sha else base_of(target)
    production = Sha(target.production.sha)
    reader = run.repository(target.project).fetch((commit, production))
    tree, wanted = read_commit(reader, commit).tree, read_commit(reader, production).tree
    head = run.release_head(target)
    run.journal.add(
        "verify-restore",
        target.project,
        "observed",
        {
            "commit": commit,
            "tree": tree,
            "production_tree": wanted,
            "equal": tree == wanted,
            "release_head": head,
        },
    )
    if tree != wanted:
        raise FailedError(
            "restore-differs",
            f"The restored commit {short(commit)} of {target.project} has tree {tree}, "
            f"production has {wanted}.",
            hint="Do not go on. This should be impossible: report it with the lockfile.",
        )
    run.tell("verify-restore", target.project, "done", f"tree {short(tree)} equals production's")


def restore_commit(target: TargetPlan) -> PlannedCommit | None:
    """Find the restore among the planned commits: the one that belongs to no merge request."""
    return next((commit for commit in target.commits if commit.merge_request is None), None)
