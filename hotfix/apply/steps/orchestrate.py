"""Step ``orchestrate``: start the guided pipeline, at most once.

Runbook, "Create a new orchestration pipeline". GitLab knows no idempotency keys, so before the call
the newest pipeline is noted, and after a lost answer the new ones of this user are looked at. One
that somebody started by hand is found as well, and adopted after a question.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hotfix.apply.at_work import as_variables, at_work, of_others, operation_key
from hotfix.apply.context import head_after
from hotfix.apply.downstream import ambiguous, serves, unclear
from hotfix.apply.moves import BranchMovedError
from hotfix.clock import timestamp
from hotfix.errors import BlockedError, FailedError
from hotfix.forge.protocol import UnknownOutcomeError
from hotfix.identifiers import is_forbidden, short

if TYPE_CHECKING:
    from hotfix.apply.context import Run
    from hotfix.evidence.model import Approval, Entry
    from hotfix.forge.types import Pipeline
    from hotfix.plan.model import PlannedPipeline, TargetPlan


def orchestrate(run: Run, target: TargetPlan) -> None:
    """Start the orchestration pipeline, unless one of this hotfix is found to be there.

    Found is one by this run's journal, by a lost answer of it, or at work on the planned head
    already: by an earlier run that lost its lockfile, or by hand. Raises ``FailedError`` where
    several could be meant: nobody should guess which one deploys production.
    """
    if target.pipeline is None:
        raise ValueError("a plan with blockers is not applied")
    if run.journal.last("orchestrate", target.project, "done") is not None:
        run.tell("orchestrate", target.project, "done", "the pipeline was started before")
        return
    intent = run.journal.last("orchestrate", target.project, "intent")
    if intent is not None:
        found = _after_lost_answer(run, target, target.pipeline, intent)
        if found is not None:
            _done(run, target, found, "found-after-lost-answer", intent.facts["inputs"])
            return
    elif _is_deployed(run, target) or _is_under_way(run, target, target.pipeline):
        return
    _create(run, target, target.pipeline)


def _create(run: Run, target: TargetPlan, planned: PlannedPipeline) -> None:
    inputs = inputs_to_send(run, target, planned)
    if is_forbidden(inputs):
        raise BlockedError(
            "forbidden-action",
            "The cut-off action would be sent to the orchestrator; the runbook forbids it.",
            hint="The plan was edited. Make it anew from the spec.",
        )
    run.check_stop()
    run.prove_locks()
    head = run.release_head(target)
    if head != head_after(target):
        raise BranchMovedError(target, head, short(head_after(target)))
    newest = run.forge.pipelines(planned.project, limit=1)
    intent = run.journal.add(
        "orchestrate",
        target.project,
        "intent",
        {
            "project": planned.project,
            "ref": planned.ref,
            "inputs": inputs,
            "send_as": planned.send_as,
            "newest_pipeline": newest[0].id if newest else 0,
            "user": run.forge.current_user().username,
        },
    )
    run.tell("orchestrate", target.project, "started", f"start a pipeline in {planned.project}")
    how = "created"
    try:
        pipeline = _send(run, planned, inputs)
    except UnknownOutcomeError as error:
        how = "found-after-lost-answer"
        found = _after_lost_answer(run, target, planned, intent)
        if found is None:
            raise FailedError(
                "pipeline-not-started",
                f"GitLab gave no answer to the pipeline in {planned.project}, "
                "and none of it is to be seen.",
                hint=f"{error.message}.\nGo on with: {run.request.command}",
            ) from error
        pipeline = found
    _done(run, target, pipeline, how, inputs)


def inputs_to_send(run: Run, target: TargetPlan, planned: PlannedPipeline) -> dict[str, Any]:
    """Return all that is sent: the planned inputs, and the run's own key where there is a place."""
    inputs: dict[str, Any] = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in planned.inputs.items()
    }
    if planned.operation_input is not None:
        inputs[planned.operation_input] = operation_key(run, target)
    return inputs


def _send(run: Run, planned: PlannedPipeline, inputs: dict[str, Any]) -> Pipeline:
    if planned.send_as == "inputs":
        return run.forge.create_pipeline(planned.project, planned.ref, inputs=inputs)
    return run.forge.create_pipeline(planned.project, planned.ref, variables=as_variables(inputs))


def _after_lost_answer(
    run: Run, target: TargetPlan, planned: PlannedPipeline, intent: Entry
) -> Pipeline | None:
    """Look for the pipeline that an earlier call may have started; ``None`` after a grace time.

    Only one that leads to the target, bears the run's own key or was given the same variables is
    it. While one is there that may still turn out to be, nothing is started again: then
    ``FailedError``.
    """
    inputs = intent.facts["inputs"]
    key = inputs.get(planned.operation_input or "") if isinstance(inputs, dict) else None
    others = of_others(run, target, planned.project)
    open_ones: list[Pipeline] = []

    def look() -> Pipeline | None:
        open_ones.clear()
        ours: list[Pipeline] = []
        for each in run.forge.pipelines(
            planned.project, ref=planned.ref, source="api", username=str(intent.facts["user"])
        ):
            if each.id <= int(str(intent.facts["newest_pipeline"])) or each.id in others:
                continue
            named = key is not None and str(key) in (each.name or "")
            leads = True if named else _was_sent(run, planned, each, inputs)
            if leads is None:
                leads = serves(run, planned.project, each, target)
            if leads:
                ours.append(each)
            elif leads is None and each.status != "canceled":
                open_ones.append(each)
        if len(ours) > 1:
            raise ambiguous(run, planned.project, ours)
        return ours[0] if ours else None

    found = run.look_for(look, longest=run.request.pace.grace)
    if found is None and open_ones:
        raise unclear(run, planned.project, open_ones)
    return found


def _was_sent(run: Run, planned: PlannedPipeline, pipeline: Pipeline, sent: object) -> bool | None:
    """Tell by its variables whether a pipeline is what was sent; ``None`` if they do not tell."""
    if planned.send_as != "variables" or not isinstance(sent, Mapping):
        return None
    variables = run.forge.pipeline_variables(planned.project, pipeline.id)
    return None if variables is None else variables == as_variables(sent)


def _is_deployed(run: Run, target: TargetPlan) -> bool:
    """Find, without a journal, that production runs the planned head: then nothing is started."""
    environment = run.forge.environment(target.project, target.environment)
    last = environment.last_deployment
    if last is None or last.sha != head_after(target):
        return False
    if last.job is None or last.job.pipeline_id is None:
        raise FailedError(
            "pipeline-unclear",
            f"{target.environment} of {target.project} runs the planned commit already, and no "
            f"pipeline of GitLab's deployed it: {environment.web_url}",
            hint="Nothing is started again. Record by hand what was deployed, and how.",
        )
    found = run.forge.pipeline(target.project, last.job.pipeline_id)
    said = f"pipeline {found.id} deployed the planned head already; its inputs are not known"
    run.tell("orchestrate", target.project, "done", said, url=found.web_url)
    _record(run, target, target.project, found, {"how": "observed", "downstream": True})
    return True


def _is_under_way(run: Run, target: TargetPlan, planned: PlannedPipeline) -> bool:
    """Find the pipeline that runs on the planned head already, and take it where it may be."""
    found = at_work(run, target, planned)
    if found is None:
        return False
    how = "adopted" if found.approval else "observed"
    more: dict[str, Any] = {"how": how, "downstream": found.is_downstream}
    if found.inputs is not None and not found.is_downstream:
        more["inputs"] = dict(found.inputs)
    _record(run, target, found.project, found.pipeline, more, found.approval)
    said = f"pipeline {found.pipeline.id} runs on the planned head already ({how})"
    run.tell("orchestrate", target.project, "done", said, url=found.pipeline.web_url)
    return True


def _done(run: Run, target: TargetPlan, pipeline: Pipeline, how: str, inputs: Any) -> None:  # noqa: ANN401  (JSON)
    planned = target.pipeline
    project = planned.project if planned else target.project
    _record(run, target, project, pipeline, {"how": how, "inputs": inputs})
    said = f"pipeline {pipeline.id} ({how.replace('-', ' ')})"
    run.tell("orchestrate", target.project, "done", said, url=pipeline.web_url)


def _record(
    run: Run,
    target: TargetPlan,
    project: str,
    pipeline: Pipeline,
    more: dict[str, Any],
    approval: Approval | None = None,
) -> None:
    run.journal.add(
        "orchestrate",
        target.project,
        "done",
        {
            "project": project,
            "pipeline": pipeline.id,
            "url": pipeline.web_url,
            "ref": pipeline.ref,
            "sha": pipeline.sha,
            "user": pipeline.user.username if pipeline.user else None,
            "created_at": timestamp(pipeline.created_at) if pipeline.created_at else None,
            **more,
        },
        approval=approval,
    )
