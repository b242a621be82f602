"""What proves the request to the orchestrator: the fourth and fifth of the nine checks.

GitLab does not give a pipeline's inputs back. So they rest on the request as it was sent and
answered, and on what followed from it (contract, section 7). A pipeline that was only found, by a
run that lost its lockfile, proves neither.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hotfix.canonical import canonical, without
from hotfix.evidence.case import failed, missing, passed, same, shown
from hotfix.identifiers import FORBIDDEN_ACTION, is_forbidden
from hotfix.plan.document import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotfix.evidence.case import Case, Proof
    from hotfix.evidence.model import Entry
    from hotfix.plan.model import PlannedPipeline


def orchestration_inputs(case: Case) -> Proof:
    """Prove that the planned inputs were sent, and that the intended branch ran for them."""
    pipeline, requests = case.target.pipeline, _requests(case)
    if not requests or pipeline is None:
        return missing(_no_request(case), *case.all("orchestrate", "done")[-1:])
    for entry in requests:
        wrong = _wrong(entry, pipeline)
        if wrong:
            return failed(wrong, entry)
    staging = case.last(
        "staging", "observed", "done", having=("project", "ref", "sha"), after=requests[0].seq
    )
    if staging is None:
        return missing("No entry shows the downstream pipeline that followed.", *requests)
    expected = (case.target.project, case.target.release_branch, case.target.after)
    seen = tuple(staging.facts[key] for key in ("project", "ref", "sha"))
    if seen != expected:
        return failed(
            f"The downstream pipeline ran {_place(seen)}, not {_place(expected)}.", staging
        )
    return passed(
        f"Pipeline {shown(requests[-1].facts.get('pipeline'))} of {pipeline.project} was sent "
        f"{_listed(requests[-1].facts['inputs'])}; it started {_place(expected)}.",
        *requests,
        staging,
    )


def cut_off_not_selected(case: Case) -> Proof:
    """Prove that the cut-off action was not sent, and brought nothing to release."""
    asked = case.all("orchestrate", "intent", "done", having=("inputs",))
    for entry in asked:
        if is_forbidden(entry.facts["inputs"]):
            return failed(f"`{FORBIDDEN_ACTION}` stands in what was sent.", entry)
    if not _requests(case):
        return missing(_no_request(case), *case.all("orchestrate", "done")[-1:])
    head = case.last("verify-production", "observed", having=("release_head",))
    if head is None:
        return missing("No entry shows where release stood after production.", *asked)
    seen, after = head.facts["release_head"], case.target.after
    if not same(seen, after):
        return failed(
            f"After production release stood at {shown(seen)}, not at {shown(after)}.", head
        )
    return passed(
        "The cut-off action stands in nothing that was sent, and after production release still "
        f"stood at {shown(after)}.",
        *asked,
        head,
    )


def _requests(case: Case) -> tuple[Entry, ...]:
    """Find the request of the pipeline in use: its intent where there is one, and its answer.

    The pipeline in use is the last one; the answer to the request that made it counts, also where
    a later run only found the pipeline again.
    """
    started = case.last("orchestrate", "done", having=("pipeline",))
    answers = case.all("orchestrate", "done", having=("pipeline", "inputs"))
    same_pipeline = [
        entry
        for entry in answers
        if started is not None and entry.facts["pipeline"] == started.facts["pipeline"]
    ]
    if not same_pipeline:
        return ()
    answer = same_pipeline[0]
    intents = case.all("orchestrate", "intent", having=("inputs",), before=answer.seq)
    return (*intents[-1:], answer)


def _no_request(case: Case) -> str:
    if case.first("orchestrate", "done") is None:
        return "No entry shows an orchestration pipeline."
    return "The pipeline was found, not started by this run: nothing proves its inputs."


def _wrong(entry: Entry, pipeline: PlannedPipeline) -> str:
    place = (entry.facts.get("project"), entry.facts.get("ref"))
    if place != (pipeline.project, pipeline.ref):
        return (
            f"The pipeline was asked of {shown(place[0])} at {shown(place[1])}, "
            f"not of {pipeline.project} at {shown(pipeline.ref)}."
        )
    sent = entry.facts["inputs"]
    if not isinstance(sent, dict):
        return "What was sent is no set of inputs."
    key = pipeline.operation_input
    if key is not None and not (isinstance(sent.get(key), str) and sent[key]):
        return f"The input `{shown(key)}` should carry the run's own key."
    planned = to_json(pipeline)["inputs"]
    if _comparable(pipeline, sent) == _comparable(pipeline, planned):
        return ""
    return f"Sent was {_listed(without(sent, key or ''))}; planned was {_listed(planned)}."


def _comparable(pipeline: PlannedPipeline, inputs: Mapping[str, Any]) -> bytes:
    """Make inputs comparable to the type: ``true`` is not ``"true"``, unless both are variables."""
    bare = without(inputs, pipeline.operation_input or "")
    if pipeline.send_as == "variables":
        bare = {key: _text(value) for key, value in bare.items()}
    return canonical(bare)


def _text(value: Any) -> str:  # noqa: ANN401  (any JSON value)
    return value if isinstance(value, str) else json.dumps(value)


def _listed(inputs: Any) -> str:  # noqa: ANN401  (any JSON value)
    pairs = [f"{key}={_text(value)}" for key, value in sorted(dict(inputs).items())]
    return ", ".join(shown(pair) for pair in pairs)


def _place(where: tuple[Any, ...]) -> str:
    project, ref, sha = where
    return f"{shown(project)} on {shown(ref)} at {shown(sha)}"
