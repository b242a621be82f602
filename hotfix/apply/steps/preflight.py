"""Step ``preflight``: write down what production runs before anything is changed.

Runbook, step 1: capture the last known-good production SHA.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.identifiers import short
from hotfix.plan.document import to_json

if TYPE_CHECKING:
    from hotfix.apply.context import Run
    from hotfix.evidence.model import Approval
    from hotfix.plan.model import TargetPlan


def preflight(run: Run, target: TargetPlan, seen: TargetPlan, approval: Approval | None) -> None:
    """Record the sources of the production SHA as they were seen a moment ago.

    ``target`` is the plan's, ``seen`` the same target planned anew just now.
    """
    observed = to_json(seen.observed)
    run.journal.add(
        "preflight",
        target.project,
        "observed",
        {
            "environment": target.environment,
            "production_sha": target.production.sha,
            "sources": observed["production"],
            "release_head": seen.before,
            "merge_requests": [
                {
                    key: each[key]
                    for key in ("iid", "state", "author", "approved_by", "approvals_left", "url")
                }
                for each in observed["merge_requests"]
            ],
            "user": run.forge.current_user().username,
            "plan_digest": run.plan.digest,
        },
        approval=approval,
        state="applying" if run.journal.lock.state in {"waiting", "failed"} else None,
    )
    run.tell(
        "preflight",
        target.project,
        "done",
        f"{target.environment} runs {short(target.production.sha)}",
    )
