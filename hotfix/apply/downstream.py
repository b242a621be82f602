"""From the orchestration pipeline to the pipeline that deploys, and the job in it.

A bridge names its downstream pipeline. An orchestrator that starts it through the API leaves no
bridge: then it is the pipeline on release at the planned head, begun after the orchestration.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hotfix.apply.events import JobState
from hotfix.errors import FailedError
from hotfix.forge.types import PIPELINE_ENDED
from hotfix.identifiers import short
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotfix.apply.context import Run
    from hotfix.apply.gate import Outlook
    from hotfix.forge.types import Bridge, Job, Pipeline
    from hotfix.identifiers import Sha
    from hotfix.plan.model import TargetChange

_BY_A_PIPELINE: Final = frozenset({"pipeline", "trigger", "api"})
"""Sources of a pipeline that another pipeline, or a script of it, started."""
_BY_HAND: Final = frozenset({"web"})
_DEPTH: Final = 3
"""How deep child pipelines are followed."""


@dataclass(frozen=True, slots=True)
class Downstream:
    """The pipeline that deploys a target, and how it was found."""

    pipeline: Pipeline
    bridge: Bridge | None


@dataclass(frozen=True, slots=True)
class Gate:
    """The production job, and the pipeline of the target at whose root it stands."""

    job: Job
    pipeline: Pipeline
    outlook: Outlook | None = None
    """What stood before the press when the gate was reached; ``None`` where it was over then."""


def find_downstream(
    run: Run, target: TargetChange, orchestrator: str, pipeline_id: int, head: Sha
) -> Downstream | None:
    """Find the target's pipeline behind an orchestration pipeline; ``None`` while there is none.

    While a bridge of the orchestration may still lead there, nothing else is taken. Raises
    ``FailedError`` where the bridge led to another commit or branch, or where several pipelines
    could be meant.
    """
    project = run.forge.project(target.project)
    bridges = run.forge.bridges(orchestrator, pipeline_id)
    led = [each for each in bridges if _leads_to(each, project.id)]
    if len(led) > 1:
        raise ambiguous(run, target.project, [each.downstream for each in led if each.downstream])
    if led and led[0].downstream is not None:
        hold_downstream(target, led[0].downstream, head)
        return Downstream(led[0].downstream, led[0])
    if any(each.downstream is None and each.status not in PIPELINE_ENDED for each in bridges):
        return None
    begun = run.forge.pipeline(orchestrator, pipeline_id).created_at
    found = [
        each
        for each in release_pipelines(run, target, head)
        if begun is None or each.created_at is None or each.created_at >= begun
    ]
    if len(found) > 1:
        raise ambiguous(run, target.project, found)
    return Downstream(found[0], None) if found else None


def release_pipelines(
    run: Run, target: TargetChange, head: Sha, *, by_hand: bool = False
) -> list[Pipeline]:
    """List the live pipelines of release at a head that another pipeline started.

    One that a push caused is never among them; ``by_hand`` adds those of the "Run pipeline" page.
    """
    sources = _BY_A_PIPELINE | (_BY_HAND if by_hand else frozenset())
    return [
        each
        for each in run.forge.pipelines(target.project, ref=target.release_branch, sha=head)
        if each.source in sources and each.status != "canceled"
    ]


def serves(run: Run, orchestrator: str, pipeline: Pipeline, target: TargetChange) -> bool | None:
    """Tell whether an orchestration pipeline leads to a target; ``None`` while that is open.

    One that leads elsewhere only is another's; one without trigger jobs never tells.
    """
    project = run.forge.project(target.project)
    bridges = run.forge.bridges(orchestrator, pipeline.id)
    if any(_leads_to(bridge, project.id) for bridge in bridges):
        return True
    settled = all(each.downstream or each.status in PIPELINE_ENDED for each in bridges)
    return False if bridges and settled else None


def jobs_named(run: Run, target: TargetChange, pipeline: Pipeline, name: str) -> list[Job]:
    """List the jobs of a name in a pipeline and its children, the newest first."""
    found = [job for job in all_jobs(run, target, pipeline) if job.name == name]
    return sorted(found, key=lambda job: job.id, reverse=True)


def all_jobs(
    run: Run, target: TargetChange, pipeline: Pipeline, depth: int = _DEPTH
) -> Iterator[Job]:
    """Walk the jobs of a pipeline and of its child pipelines.

    A child runs on its parent's ref and commit. A pipeline of the same project on another one is
    something else, started along the way, and its production job is not ours.
    """
    yield from run.forge.jobs(target.project, pipeline.id)
    if depth == 0:
        return
    project = run.forge.project(target.project)
    for bridge in run.forge.bridges(target.project, pipeline.id):
        child = bridge.downstream
        if child is None or child.project_id != project.id:
            continue
        if (child.ref, child.sha) == (pipeline.ref, pipeline.sha):
            yield from all_jobs(run, target, child, depth - 1)


def job_state(run: Run, job: Job) -> JobState:
    """Show a job with the time that it has run."""
    until = job.finished_at or run.clock.now()
    ran = max(0, int((until - job.started_at).total_seconds())) if job.started_at else None
    return JobState(stage=job.stage, name=job.name, status=job.status, url=job.web_url, seconds=ran)


def ambiguous(run: Run, project: str, found: Sequence[Pipeline]) -> FailedError:
    """Say that several pipelines could be this hotfix's."""
    listed = "; ".join(each.web_url for each in found)
    return FailedError(
        "pipeline-ambiguous",
        f"Several pipelines of {project} could be this hotfix's: {listed}.",
        hint="Nobody should guess which one deploys production. Cancel those that are not meant, "
        f"then go on with: {run.request.command}",
    )


def unclear(run: Run, project: str, found: Sequence[Pipeline]) -> FailedError:
    """Say that pipelines of this user are there of which it stays open what they are for."""
    listed = "; ".join(each.web_url for each in found)
    return FailedError(
        "pipeline-unclear",
        f"Whether one of these pipelines of {project} is this hotfix's cannot be told yet: "
        f"{listed}.",
        hint="Look at them. Cancel what was not started for this hotfix; then run the same "
        f"command again: {run.request.command}",
    )


def hold_downstream(target: TargetChange, pipeline: Pipeline, head: Sha) -> None:
    """Refuse a pipeline that is not of the planned commit on release."""
    if (pipeline.ref, pipeline.sha) != (target.release_branch, head):
        raise FailedError(
            "wrong-commit",
            f"The orchestrator started {pipeline.web_url} on {one_line(pipeline.ref, 80)} at "
            f"{short(pipeline.sha)}; planned is {target.release_branch} at {short(head)}.",
            hint="Do not promote it: cancel that pipeline. If somebody pushed to release, plan "
            "again.",
        )


def _leads_to(bridge: Bridge, project_id: int) -> bool:
    return bridge.downstream is not None and bridge.downstream.project_id == project_id
