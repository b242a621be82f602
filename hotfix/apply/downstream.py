"""From the orchestration pipeline to the pipeline that deploys, and the job in it.

A bridge names its downstream pipeline. An orchestrator that starts it through the API leaves no
bridge: then it is the pipeline on release at the planned head, begun after the orchestration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hotfix.errors import FailedError
from hotfix.identifiers import short
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.apply.context import Run
    from hotfix.forge.types import Bridge, Job, Pipeline
    from hotfix.identifiers import Sha
    from hotfix.plan.model import TargetChange

_STARTED_BY_ANOTHER: Final = frozenset({"pipeline", "trigger", "api", "web"})
"""Sources of a pipeline that somebody or something started, not a push or a schedule."""
_DEPTH: Final = 3
"""How deep child pipelines are followed."""


@dataclass(frozen=True, slots=True)
class Downstream:
    """The pipeline that deploys a target, and how it was found."""

    pipeline: Pipeline
    bridge: Bridge | None


def find_downstream(
    run: Run, target: TargetChange, orchestrator: str, pipeline_id: int, head: Sha
) -> Downstream | None:
    """Find the target's pipeline behind an orchestration pipeline; ``None`` while there is none.

    Raises ``FailedError`` where the bridge failed, where it led to another commit or branch, or
    where several pipelines could be meant.
    """
    project = run.forge.project(target.project)
    for bridge in run.forge.bridges(orchestrator, pipeline_id):
        if bridge.downstream is not None and bridge.downstream.project_id == project.id:
            _hold(target, bridge.downstream, head)
            return Downstream(bridge.downstream, bridge)
        if bridge.downstream is None and bridge.status in {"failed", "canceled"}:
            raise FailedError(
                "orchestration-failed",
                f"The trigger job {one_line(bridge.name, 80)} of pipeline {pipeline_id} in "
                f"{orchestrator} is {bridge.status}: "
                f"{one_line(bridge.failure_reason or 'no reason told', 120)}.",
                hint="No pipeline of the target was started. See that pipeline in GitLab.",
            )
    begun = run.forge.pipeline(orchestrator, pipeline_id).created_at
    found = [
        each
        for each in release_pipelines(run, target, head)
        if begun is None or each.created_at is None or each.created_at >= begun
    ]
    if len(found) > 1:
        listed = "; ".join(each.web_url for each in found)
        raise FailedError(
            "pipeline-ambiguous",
            f"Several pipelines run on {short(head)} of {target.project}: {listed}.",
            hint="Nobody should guess which one deploys production. Cancel those that are not "
            "meant, then run the same command again.",
        )
    return Downstream(found[0], None) if found else None


def release_pipelines(run: Run, target: TargetChange, head: Sha) -> list[Pipeline]:
    """List the live pipelines of release at a head that were started, not caused by a push."""
    return [
        each
        for each in run.forge.pipelines(target.project, ref=target.release_branch, sha=head)
        if each.source in _STARTED_BY_ANOTHER and each.status != "canceled"
    ]


def serves(run: Run, orchestrator: str, pipeline: Pipeline, target: TargetChange) -> bool | None:
    """Tell whether an orchestration pipeline leads to a target; ``None`` while it leads nowhere."""
    project = run.forge.project(target.project)
    led = {
        bridge.downstream.project_id
        for bridge in run.forge.bridges(orchestrator, pipeline.id)
        if bridge.downstream is not None
    }
    return project.id in led if led else None


def jobs_named(run: Run, target: TargetChange, pipeline_id: int, name: str) -> list[Job]:
    """List the jobs of a name in a pipeline and its children, the newest first."""
    found = [job for job in all_jobs(run, target, pipeline_id) if job.name == name]
    return sorted(found, key=lambda job: job.id, reverse=True)


def all_jobs(
    run: Run, target: TargetChange, pipeline_id: int, depth: int = _DEPTH
) -> Iterator[Job]:
    """Walk the jobs of a pipeline and of its child pipelines."""
    yield from run.forge.jobs(target.project, pipeline_id)
    if depth == 0:
        return
    project = run.forge.project(target.project)
    for bridge in run.forge.bridges(target.project, pipeline_id):
        child = bridge.downstream
        if child is not None and child.project_id == project.id:
            yield from all_jobs(run, target, child.id, depth - 1)


def _hold(target: TargetChange, pipeline: Pipeline, head: Sha) -> None:
    if (pipeline.ref, pipeline.sha) != (target.release_branch, head):
        raise FailedError(
            "wrong-commit",
            f"The orchestrator started {pipeline.web_url} on {one_line(pipeline.ref, 80)} at "
            f"{short(pipeline.sha)}; planned is {target.release_branch} at {short(head)}.",
            hint="Do not promote it: cancel that pipeline. If somebody pushed to release, plan "
            "again.",
        )
