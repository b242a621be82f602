"""How far each target of a hotfix came, by its record; the same words as a run ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.evidence.checks import PROVEN_BEFORE_THE_INCIDENT
from hotfix.plan.order import in_order, waits_for
from hotfix.results import TargetResult

if TYPE_CHECKING:
    from hotfix.evidence.model import Entry, Lock

_OF_THE_RUN: Final = frozenset({"preflight", "lock", "unlock"})
"""Steps that are gone for every target, whether it is begun or not."""


def target_results(lock: Lock) -> tuple[TargetResult, ...]:
    """Tell of several targets how far each came, in the order in which they go; none of one alone.

    Whether one that stands somewhere waits for a person or for GitLab, a record does not tell.
    """
    plan = lock.plan
    if len(plan.targets) == 1:
        return ()
    ordered = [each.project for each in in_order(plan.targets, plan.spec, plan.kind)]
    waits = waits_for(ordered, plan.spec, plan.kind)
    found: dict[str, TargetResult] = {}
    for project in ordered:
        found[project] = _result(lock, project, [found[each] for each in waits[project]])
    return tuple(found.values())


def is_changed(lock: Lock, project: str) -> bool:
    """Tell whether production of a target was changed, or may have been: its job was pressed."""
    return any(
        (entry.target, entry.step) == (project, "promote") and entry.phase in {"intent", "done"}
        for entry in lock.entries
    )


def _result(lock: Lock, project: str, before: list[TargetResult]) -> TargetResult:
    passed = {
        check.id for check in lock.checks if (check.target, check.outcome) == (project, "passed")
    }
    if passed >= PROVEN_BEFORE_THE_INCIDENT:
        return TargetResult(project, "done")
    own = [
        entry
        for entry in lock.entries
        if entry.target == project and (entry.step not in _OF_THE_RUN or _is_error(entry))
    ]
    if not own:
        open_ones = (each for each in before if each.result != "done")
        cause = next((each.cause or each.project for each in open_ones), "")
        return TargetResult(project, "not-begun", "after-not-done" if cause else "", cause=cause)
    last = own[-1]
    if _is_error(last):
        facts = last.facts
        return TargetResult(project, "failed", str(facts["error"]), str(facts.get("message", "")))
    return TargetResult(project, "under-way", last.step)


def _is_error(entry: Entry) -> bool:
    return entry.phase == "failed" and "error" in entry.facts
