"""The entries of a lockfile as sentences; the facts that they are made of stay in the JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from hotfix.plan.document import to_json
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hotfix.evidence.model import Entry

# Of ids the first eight digits are told, as GitLab does. What a template names and an entry lacks
# reads "?": the record is shown as it is.
_SENTENCES: Final[Mapping[tuple[str, str], str]] = {
    ("preflight", "observed"): "{environment} runs {production_sha:.8}, release stands at "
    "{release_head:.8}, {user} applies",
    ("lock", "intent"): "take {ref}",
    ("lock", "done"): "took {ref}",
    ("lock", "observed"): "{message}",
    ("restore", "intent"): "push {new:.8} over {old:.8} to {ref}",
    ("restore", "done"): "{how}, {ref} at {head:.8}",
    ("verify-restore", "observed"): "{commit:.8} has tree {tree:.8}, production has "
    "{production_tree:.8}",
    ("pick", "intent"): "push {new:.8} over {old:.8} to {ref}",
    ("pick", "done"): "{how}, {ref} at {head:.8}",
    ("verify-branch", "observed"): "from {base:.8} to {head:.8}, only what was planned: {equal}",
    ("orchestrate", "intent"): "start a pipeline of {project} on {ref} with {inputs}",
    ("orchestrate", "done"): "pipeline {pipeline}, {how}: {url}",
    ("staging", "observed"): "pipeline {pipeline} of {project} on {ref} at {sha:.8}: {url}",
    ("staging", "done"): "pipeline {pipeline} waits at job {job}: {job_status}",
    ("promote", "intent"): "press {job_name} ({job}) for {commit:.8}, yes by {confirmed_by}: {how}",
    ("promote", "done"): "{job_name} ({job}) {how}, started by {user}",
    ("verify-production", "observed"): "deployment {deployment} is {deployment_status} with "
    "{deployment_sha:.8}, {environment} runs {environment_sha:.8}",
    ("smoke", "observed"): "{name}: {outcome}, {detail}",
    ("smoke", "failed"): "{name}: {outcome}, {detail}",
    ("incident", "intent"): "record in {project}",
    ("incident", "done"): "recorded in {url}",
    ("incident", "observed"): "rolled back because {reason}: {outcome}; the record is {rollback}",
    ("unlock", "done"): "gave {ref} back",
}

_BACK: Final = (
    "{environment} runs {environment_sha:.8} and goes back to {production_sha:.8}, release stands "
    "at {release_head:.8}, {user} applies"
)
"""Of a rollback's preflight: what production runs is not what it goes back to."""


def sentence(entry: Entry) -> str:
    """Tell an entry in one line; one of no known shape by its bare facts."""
    facts = to_json(entry)["facts"]
    template = _SENTENCES.get((entry.step, entry.phase))
    if entry.step == "preflight" and "environment_sha" in facts:
        template = _BACK
    if "break_glass" in facts:
        template = "GLASS BROKEN because {break_glass}"
    if entry.step == "preflight" and "warnings" in facts:
        return one_line("; ".join(["went past warnings", *_warnings(facts)]), 600)
    if "error" in facts and "message" in facts:
        template = "{error}: {message}"
    if template is None:
        return one_line(json.dumps(facts, ensure_ascii=False))
    told = template.format_map(_Told(facts))
    return one_line("; ".join([told, *_before(facts), *_at_the_gate(facts)]), 600)


def _before(facts: Mapping[str, Any]) -> Iterator[str]:
    """Tell which smoke checks were red before anything was changed."""
    found = facts.get("baseline")
    if isinstance(found, list):
        red = [each.get("name") for each in found if each.get("outcome") == "failed"]
        yield f"red before the hotfix: {_each(red)}" if red else "no check red before the hotfix"


def _at_the_gate(facts: Mapping[str, Any]) -> Iterator[str]:
    """Tell who might open a gate, what was missing then, and what somebody went past."""
    gate = facts.get("gate")
    if isinstance(gate, dict) and "confirmed_by" not in facts:
        may = gate.get("may_press")
        yield f"may press: {_each(may)}" if may else "who may press was not shown"
        approvals = gate.get("approvals")
        if isinstance(approvals, dict) and approvals.get("pending"):
            may_give = _each(approvals.get("may_give")) or "not shown"
            yield f"approvals missing: {approvals['pending']}, of {may_give}"
    if facts.get("went_past"):
        yield f"past: {_each(facts['went_past'])}"


def _warnings(facts: Mapping[str, Any]) -> Iterator[str]:
    """Tell the warnings that somebody answered for."""
    found = facts.get("warnings")
    for each in found if isinstance(found, list) else ():
        yield f"{each.get('code')}: {each.get('message')}"


def _each(fact: object) -> str:
    return "; ".join(map(str, fact)) if isinstance(fact, list) else ""


class _Told(dict[str, str]):
    """Facts as words, so that a template can shorten them."""

    def __init__(self, facts: Mapping[str, object]) -> None:
        super().__init__({key: _word(fact) for key, fact in facts.items()})

    def __missing__(self, key: str) -> str:
        return "?"


def _word(fact: object) -> str:
    match fact:
        case str():
            return fact
        case None:
            return "none"
        case dict():
            return ", ".join(f"{key}={_word(part)}" for key, part in fact.items())
        case _:
            return json.dumps(fact, ensure_ascii=False)
