"""The runbook's nine checks (Validation And Evidence), recomputed from the entries alone.

``missing`` means that no entry could prove a check, ``failed`` that there is evidence against it.
Nothing is asked of GitLab here, so the answer is the same today and in ten years.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from hotfix.evidence.branch_checks import (
    branch_only_hotfix,
    production_sha_recorded,
    restore_diff_empty,
)
from hotfix.evidence.case import Case
from hotfix.evidence.model import CHECKS, Check
from hotfix.evidence.pipeline_checks import cut_off_not_selected, orchestration_inputs
from hotfix.evidence.production_checks import (
    incident_recorded,
    production_deployed,
    production_reflects_hotfix,
    smoke_checks_passed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hotfix.evidence.case import Proof
    from hotfix.evidence.model import CheckId, Entry
    from hotfix.plan.model import Plan, TargetPlan

_PROOFS: Final[Mapping[CheckId, Callable[[Case], Proof]]] = MappingProxyType(
    {
        "production-sha-recorded": production_sha_recorded,
        "restore-diff-empty": restore_diff_empty,
        "branch-only-hotfix": branch_only_hotfix,
        "orchestration-inputs": orchestration_inputs,
        "cut-off-not-selected": cut_off_not_selected,
        "production-deployed": production_deployed,
        "production-reflects-hotfix": production_reflects_hotfix,
        "smoke-checks-passed": smoke_checks_passed,
        "incident-recorded": incident_recorded,
    }
)


PROVEN_BEFORE_THE_INCIDENT: Final = frozenset(CHECKS) - {"incident-recorded"}
"""What a target by itself can prove; the incident is written once, at the end."""


def nine_checks(plan: Plan, entries: Sequence[Entry]) -> tuple[Check, ...]:
    """Judge every target, in the plan's order, by the nine checks in the runbook's order."""
    return tuple(
        _check(check, _case(plan, target, entries)) for target in plan.targets for check in CHECKS
    )


def complete(checks: Sequence[Check]) -> bool:
    """Tell whether the hotfix is complete: all nine passed for every target, and there is one."""
    judged = {(check.target, check.id) for check in checks if check.outcome == "passed"}
    targets = {check.target for check in checks}
    return bool(targets) and judged == {(target, check) for target in targets for check in CHECKS}


def _case(plan: Plan, target: TargetPlan, entries: Sequence[Entry]) -> Case:
    own = tuple(entry for entry in entries if _speaks_of(entry, target.project))
    return Case(plan.kind, target, plan.incident, own)


def _speaks_of(entry: Entry, project: str) -> bool:
    """Only the incident is one for all targets; nothing else proves more than one."""
    return entry.target == project or (entry.target is None and entry.step == "incident")


def _check(check: CheckId, case: Case) -> Check:
    proof = _PROOFS[check](case)
    return Check(
        id=check,
        target=case.target.project,
        outcome=proof.outcome,
        evidence=tuple(entry.seq for entry in proof.evidence),
        detail=proof.detail,
    )
