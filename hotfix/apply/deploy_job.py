"""The production job must wait for a person: a run is not begun where it starts by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.errors import BlockedError
from hotfix.text import one_line

if TYPE_CHECKING:
    from hotfix.apply.context import Run
    from hotfix.forge.types import Environment
    from hotfix.plan.model import TargetPlan


def last_job_is_manual(run: Run, target: TargetPlan, environment: Environment) -> bool | None:
    """Tell whether the planned job was manual when it last deployed; ``None`` if nothing tells."""
    last = environment.last_deployment
    if last is None or last.job is None or target.deploy is None:
        return None
    if last.job.name != target.deploy.job:
        return None
    return run.forge.is_manual(target.project, last.job.id)


def automatic(target: TargetPlan, environment: Environment) -> BlockedError:
    """Say that production would be deployed without anybody's yes (runbook, both gates)."""
    last = environment.last_deployment
    job = last.job if last else None
    return BlockedError(
        "deploy-job-automatic",
        f"The production job {one_line(job.name if job else '?', 80)} of {target.project} starts "
        f"by itself: {job.web_url if job else environment.web_url}",
        hint="The runbook wants it pressed by a person. Give it `when: manual` in that project's "
        "CI file, or name the manual job under `deploy`. Nothing was changed.",
    )
