"""Step ``preflight``: write down what production runs before anything is changed.

Runbook, step 1: capture the last known-good production SHA.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.apply.baseline import baseline, red_already
from hotfix.apply.context import head_after, may_run
from hotfix.apply.deploy_job import automatic, last_job_is_manual
from hotfix.apply.moves import BranchMovedError, ProductionMovedError
from hotfix.identifiers import short
from hotfix.plan.document import to_json
from hotfix.plan.observe import running_deployments
from hotfix.plan.told import sources_of_known_good, sources_of_sha

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotfix.apply.context import Run
    from hotfix.forge.types import Deployment
    from hotfix.plan.model import SourceOfSha, TargetPlan


_REVIEW: Final = (
    "iid",
    "state",
    "author",
    "approved_by",
    "approvals_left",
    "url",
    "head",
    "approvals",
    "rules",
)
"""What is recorded of a merge request; the last three where GitLab tells them."""


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
    is_manual = last_job_is_manual(run, target, environment)
    before = baseline(run, target, runs=environment.deployed_sha)
    run.journal.add(
        "preflight",
        target.project,
        "observed",
        {
            "environment": target.environment,
            "production_sha": target.production.sha,
            "sources": [
                to_json(each) for each in (*sources, *_known_good(run, target, deployments))
            ],
            "release_head": head,
            "merge_requests": [
                {key: each[key] for key in _REVIEW if key in each}
                for each in to_json(seen.observed)["merge_requests"]
            ],
            "user": run.forge.current_user().username,
            "plan_digest": run.plan.digest,
            "deploy_job_manual": is_manual,
            **before,
            **({"environment_sha": environment.deployed_sha} if run.request.back else {}),
        },
        state="applying" if run.journal.lock.state in {"waiting", "failed"} else None,
    )
    if is_manual is False:
        raise automatic(target, environment)
    if head != seen.before:
        raise BranchMovedError(target, head, short(seen.before or "nothing"))
    there = head_after(target) if head == target.after else None
    said = {source.sha for source in sources}
    busy = [each for each in running if each.sha != there]
    expected = may_run(run, target)
    if not said <= {*expected, there} or busy:
        told = "; ".join(source.detail for source in sources)
        told += "".join(f"; {short(each.sha)} is being deployed" for each in busy)
        raise ProductionMovedError(
            target,
            f"{target.environment} of {target.project} is not what was planned on "
            f"({' or '.join(short(sha) for sha in sorted(expected))}): {told}.",
            hint=f"Somebody deploys or deployed since: {environment.web_url} Plan again.",
        )
    runs = short(environment.deployed_sha or "nothing")
    told = "; ".join(filter(None, [f"{target.environment} runs {runs}", red_already(before)]))
    run.tell("preflight", target.project, "done", told)


def _known_good(
    run: Run, target: TargetPlan, deployments: Sequence[Deployment]
) -> tuple[SourceOfSha, ...]:
    """On the way back production runs something else: say what tells the last known-good commit."""
    back = run.request.back
    taken = back.hotfix.plan.targets if back else ()
    return tuple(
        source
        for each in taken
        if each.project == target.project
        for source in sources_of_known_good(each, deployments)
    )
