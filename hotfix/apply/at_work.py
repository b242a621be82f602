"""A pipeline that is at work on the planned head before this run started one, and whose it is.

Two people may go the runbook at once, one of them by hand. A second pipeline beside theirs would
deploy the same commit twice; theirs taken for ours would be evidence that nobody gave. So what the
record or the run's own key proves to be this hotfix's is taken, and anything else needs a yes.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from hotfix.apply.context import head_after
from hotfix.apply.downstream import ambiguous, release_pipelines, serves, unclear
from hotfix.apply.ports import Adoption, Yes
from hotfix.clock import timestamp
from hotfix.errors import BlockedError, FailedError, WaitingError
from hotfix.evidence.model import Approval
from hotfix.identifiers import is_forbidden, short
from hotfix.parallel import in_parallel
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hotfix.apply.context import Run
    from hotfix.forge.types import Pipeline
    from hotfix.plan.model import PlannedPipeline, TargetPlan

_ACTIVE: Final = frozenset(
    {"created", "waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running"}
)
"""The states in which trigger jobs are still to come by themselves."""
_NEWEST: Final = 50
"""How many pipelines of the orchestrator are looked through: it serves every target."""
_FOUND_THERE: Final = frozenset({"adopted", "already-there"})
"""How commits came to release that this record did not see pushed."""


@dataclass(frozen=True, slots=True)
class AtWork:
    """A pipeline that was found at work, and by what right it is this hotfix's."""

    pipeline: Pipeline
    project: str
    is_downstream: bool
    """Whether it is the target's own, and nothing shows which orchestration started it."""
    inputs: Mapping[str, str] | None = None
    """The variables that it was started with; ``None`` where GitLab gives none back."""
    approval: Approval | None = None
    """The yes of whoever adopted it; ``None`` where it is seen to be this hotfix's."""


def at_work(run: Run, target: TargetPlan, planned: PlannedPipeline) -> AtWork | None:
    """Find the pipeline that deploys the planned head already, and settle whose it is.

    Raises ``FailedError`` where several could be meant or where one was started with other inputs,
    and ``WaitingError`` where nobody said that it is this hotfix's.
    """
    found = _candidates(run, target, planned)
    named = [each for each in found if each.pipeline.id == run.request.adopt]
    found = named or found
    if not found:
        _refuse_absent(run, target, planned)
        return None
    if len(found) > 1:
        raise ambiguous(run, target.project, [each.pipeline for each in found])
    variables = run.forge.pipeline_variables(found[0].project, found[0].pipeline.id)
    one = replace(
        found[0],
        pipeline=run.forge.pipeline(found[0].project, found[0].pipeline.id),
        inputs=variables or None,
    )
    _refuse_other(run, planned, one)
    return one if _is_ours(run, target, planned, one) else _adopted(run, target, one)


def of_others(run: Run, target: TargetPlan, project: str) -> frozenset[int]:
    """Name the pipelines of a project that this hotfix started for its other targets.

    Theirs may be under way at the same time, and not have shown yet where they lead.
    """
    return frozenset(
        int(str(entry.facts["pipeline"]))
        for entry in run.journal.lock.entries
        if (entry.step, entry.phase) == ("orchestrate", "done")
        if entry.target != target.project and entry.facts.get("project") == project
    )


def operation_key(run: Run, target: TargetPlan) -> str:
    """Make the run's own key: the hotfix's id, and sixteen digits for plan and target."""
    made = hashlib.sha256(f"{run.plan.digest} {target.project}".encode()).hexdigest()[:16]
    return f"{run.plan.hotfix}-{made}"


def as_variables(inputs: Mapping[str, Any]) -> dict[str, str]:
    """Write inputs as the texts that variables are."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in inputs.items()
    }


def _candidates(run: Run, target: TargetPlan, planned: PlannedPipeline) -> list[AtWork]:
    """List what deploys the planned head: orchestrations, and pipelines that none accounts for.

    An orchestration that is still on its way may yet lead there: it is waited for as long as a
    lost answer is. Then one of this user stops the run, and another's is left alone.
    """
    on_their_way: list[Pipeline] = []

    def look() -> list[AtWork] | None:
        below = release_pipelines(run, target, head_after(target), by_hand=True)
        listed = run.forge.pipelines(planned.project, ref=planned.ref, limit=_NEWEST)
        on_their_way[:] = _on_their_way(run, target, planned, listed)
        if not on_their_way:
            return _accounted(run, target, planned, listed, below)
        first = on_their_way[0]
        said = f"pipeline {first.id} of {planned.project} has not shown yet where it leads"
        run.tell("orchestrate", target.project, "waiting", said, url=first.web_url)
        return None

    found = run.look_for(look, longest=run.request.pace.grace)
    if found is not None:
        return found
    sent = [each for each in on_their_way if each.source == "api"]
    own = [each for each in sent if _is_own(run, planned.project, each)]
    if own:
        raise unclear(run, planned.project, own)
    for each in on_their_way:
        said = f"pipeline {each.id} of {planned.project} shows no target, and is left alone"
        run.tell("orchestrate", target.project, "note", said, url=each.web_url)
    listed = run.forge.pipelines(planned.project, ref=planned.ref, limit=_NEWEST)
    below = release_pipelines(run, target, head_after(target), by_hand=True)
    return _accounted(run, target, planned, listed, below)


def _on_their_way(
    run: Run, target: TargetPlan, planned: PlannedPipeline, listed: Sequence[Pipeline]
) -> Iterator[Pipeline]:
    others = of_others(run, target, planned.project)
    for each in listed:
        if each.id in others:
            continue
        if each.status in _ACTIVE and serves(run, planned.project, each, target) is None:
            yield each


def _accounted(
    run: Run,
    target: TargetPlan,
    planned: PlannedPipeline,
    listed: Sequence[Pipeline],
    below: Sequence[Pipeline],
) -> list[AtWork]:
    """Put the orchestration in the place of the pipeline that it started."""
    if not below:
        return []
    bridges = in_parallel(partial(run.forge.bridges, planned.project, each.id) for each in listed)
    led = {
        bridge.downstream.id: each
        for each, own in zip(listed, bridges, strict=True)
        for bridge in own
        if bridge.downstream is not None
    }
    return [
        AtWork(led[each.id], planned.project, is_downstream=False)
        if each.id in led
        else AtWork(each, target.project, is_downstream=True)
        for each in below
    ]


def _refuse_absent(run: Run, target: TargetPlan, planned: PlannedPipeline) -> None:
    """Start nothing where somebody named a pipeline to adopt, unless it is another target's."""
    if run.request.adopt is None:
        return
    named = run.forge.pipeline(planned.project, run.request.adopt)
    if serves(run, planned.project, named, target) is not False:
        raise FailedError(
            "pipeline-not-at-work",
            f"Pipeline {named.id} of {planned.project} is {named.status}, and does not deploy the "
            f"planned commit {short(head_after(target))} of {target.project}: {named.web_url}",
            hint="There is nothing to adopt, and nothing was started. Without --adopt-pipeline one "
            f"is started: {run.request.command}",
        )


def _refuse_other(run: Run, planned: PlannedPipeline, found: AtWork) -> None:
    """Refuse a pipeline whose variables say that it does something else than planned."""
    variables, url = found.inputs, found.pipeline.web_url
    if variables is not None and is_forbidden(dict(variables)):
        raise BlockedError(
            "forbidden-action",
            f"The pipeline {url} runs the cut-off action; the runbook forbids it.",
            hint="It fills release with unreleased work. Cancel it in GitLab, find out who started "
            f"it, and plan again: {run.request.plan_command}",
        )
    if variables is None or found.is_downstream or planned.send_as != "variables":
        return
    wanted = as_variables(planned.inputs)
    other = [name for name, value in wanted.items() if variables.get(name) != value]
    if other:
        told = ", ".join(f"{name} is {_shown(variables.get(name))}" for name in other)
        raise FailedError(
            "pipeline-differs",
            f"The pipeline {url} runs on the planned commit, but was not started as planned: "
            f"{told}.",
            hint="Nothing is started beside it. Find out whose it is and cancel it in GitLab, then "
            f"go on with: {run.request.command}",
        )


def _is_ours(run: Run, target: TargetPlan, planned: PlannedPipeline, found: AtWork) -> bool:
    """Tell whether it is proven to be this hotfix's: by its key, or by what an earlier run left.

    That run lost its record where commits bear this hotfix's name and were not pushed under the
    record that is there now. What this user then sent through the API was sent by it.
    """
    if planned.operation_input is not None:
        key = re.compile(rf"(?<![\w-]){re.escape(run.plan.hotfix)}-[0-9a-f]{{16}}(?![\w-])")
        given = (found.inputs or {}).get(planned.operation_input, "")
        if key.search(found.pipeline.name or "") or key.fullmatch(given):
            return True
    # A script of the orchestrator's may have used a trigger token; this program never does.
    sources = {"api", "trigger"} if found.is_downstream else {"api"}
    return (
        _lost_its_record(run, target)
        and found.pipeline.source in sources
        and _is_own(run, found.project, found.pipeline)
    )


def _lost_its_record(run: Run, target: TargetPlan) -> bool:
    made = f"\nHotfix: {run.plan.hotfix}\n"
    head = head_after(target)
    return any(each.sha == head and made in f"{each.message}\n" for each in target.commits) and any(
        entry.facts.get("how") in _FOUND_THERE
        for entry in run.journal.lock.entries
        if entry.step in {"restore", "pick"}
        if (entry.target, entry.facts.get("new")) == (target.project, head)
    )


def _is_own(run: Run, project: str, pipeline: Pipeline) -> bool:
    user = (pipeline if pipeline.user else run.forge.pipeline(project, pipeline.id)).user
    return user is not None and user.username == run.forge.current_user().username


def _adopted(run: Run, target: TargetPlan, found: AtWork) -> AtWork:
    pipeline, project = found.pipeline, found.project
    who = one_line(pipeline.user.username, 60) if pipeline.user else "somebody unknown"
    when = f" at {timestamp(pipeline.created_at)}" if pipeline.created_at else ""
    adoption = Adoption(
        project=project,
        pipeline_id=pipeline.id,
        url=pipeline.web_url,
        target=target.project,
        commit=head_after(target),
        started=f"by {who}{when}, source {one_line(pipeline.source, 40)}",
        inputs=_inputs(found),
    )
    named = Yes(f"--adopt-pipeline {pipeline.id}") if run.request.adopt == pipeline.id else None
    answer = named or run.operator.adopt_pipeline(adoption)
    if answer is None:
        raise WaitingError(
            "pipeline-found",
            f"Pipeline {pipeline.id} of {project} deploys the planned commit of {target.project} "
            f"already, and this run did not start it: {pipeline.web_url}\n"
            f"It was started {adoption.started}. {adoption.inputs}.",
            hint="Ask whoever started it. Go on with it by your yes at a terminal, or by "
            f"--adopt-pipeline {pipeline.id}; or cancel it in GitLab, and another is started.\n"
            f"Go on with: {run.request.command}",
        )
    approval = Approval(
        by=run.forge.current_user().username,
        at=timestamp(run.clock.now()),
        what=f"go on with pipeline {pipeline.id} of {project}, started {adoption.started}",
        source=answer.source,
    )
    return replace(found, approval=approval)


def _inputs(found: AtWork) -> str:
    if found.inputs is not None:
        listed = (f"{one_line(name, 60)}={_shown(value)}" for name, value in found.inputs.items())
        return f"Its variables: {', '.join(listed)}"
    if found.is_downstream:
        return "Nothing shows what started it, nor with which inputs"
    return "GitLab does not give its inputs back; that it leads to this commit is all that is known"


def _shown(value: str | None) -> str:
    return "not given" if value is None else one_line(value, 80)
