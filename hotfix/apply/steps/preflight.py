"""Step ``preflight``: write down what production runs before anything is changed.

Runbook, step 1: capture the last known-good production SHA.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.apply.context import head_after
from hotfix.apply.moves import BranchMovedError, ProductionMovedError
from hotfix.identifiers import short
from hotfix.plan.document import to_json
from hotfix.plan.observe import running_deployments
from hotfix.plan.told import sources_of_sha

if TYPE_CHECKING:
    from hotfix.apply.context import Run
    from hotfix.plan.model import TargetPlan


def preflight(run: Run, target: TargetPlan, seen: TargetPlan) -> None:
    """Look once more, now that the lock is held, and record what production runs.

    The plan may have been on the screen for long. ``seen`` is the target as it was planned anew
    when the run began; its merge requests are recorded with it. Raises ``StaleError`` where
    production or release moved since.
    """
    environment = run.forge.environment(target.project, target.environment)
    deployments = run.forge.deployments(
        target.project, target.environment, status="success", limit=5
    )
    running = running_deployments(run.forge, target)
    sources = sources_of_sha(target.environment, environment, deployments)
    head = run.release_head(target)
    run.journal.add(
        "preflight",
        target.project,
        "observed",
        {
            "environment": target.environment,
            "production_sha": target.production.sha,
            "sources": [to_json(source) for source in sources],
            "release_head": head,
            "merge_requests": [
                {
                    key: each[key]
                    for key in ("iid", "state", "author", "approved_by", "approvals_left", "url")
                }
                for each in to_json(seen.observed)["merge_requests"]
            ],
            "user": run.forge.current_user().username,
            "plan_digest": run.plan.digest,
        },
        state="applying" if run.journal.lock.state in {"waiting", "failed"} else None,
    )
    if head != seen.before:
        raise BranchMovedError(target, head, short(seen.before or "nothing"))
    there = head_after(target) if head == target.after else None
    said = {source.sha for source in sources}
    busy = [each for each in running if each.sha != there]
    if not said <= {target.production.sha, there} or busy:
        told = "; ".join(source.detail for source in sources)
        told += "".join(f"; {short(each.sha)} is being deployed" for each in busy)
        raise ProductionMovedError(
            target,
            f"{target.environment} of {target.project} is not what was planned on "
            f"({short(target.production.sha)}): {told}.",
            hint=f"Somebody deploys or deployed since: {environment.web_url} Plan again.",
        )
    run.tell(
        "preflight",
        target.project,
        "done",
        f"{target.environment} runs {short(target.production.sha)}",
    )
