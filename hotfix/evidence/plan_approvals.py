"""Whether the record shows the approvals of the plan that its policy asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.evidence.passed import glass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.evidence.model import Approval, Lock

_PLAN: Final = "approve plan "
_WAY_BACK: Final = "approve the way back with plan "


def plan_approval(digest: str) -> str:
    """Say what an approval of a plan is of, as the record has it."""
    return f"{_PLAN}{digest}"


def way_back_approval(given: Approval) -> Approval:
    """Turn the approval of a hotfix's plan into that of the way back which the plan holds."""
    return given.model_copy(update={"what": given.what.replace(_PLAN, _WAY_BACK)})


def lacking(lock: Lock) -> Iterator[tuple[str, str]]:
    """Tell where a run went on with fewer approvals than the policy asks for.

    Behind broken glass it may; the audit says that it was broken.
    """
    policy = lock.plan.spec.policy.plan_approvals
    if glass(lock) is not None:
        return
    if policy.minimum == 0 or not any(entry.step in _WRITES for entry in lock.entries):
        return
    by = approvers(lock)
    if len(by) < policy.minimum:
        yield (
            "$.approvals",
            f"The plan was carried out with {len(by)} of {policy.minimum} approvals of its digest.",
        )


def plan_approvals(lock: Lock) -> tuple[Approval, ...]:
    """List the approvals of its plan that are on record.

    Whoever applied, at first or later, has none among them where the policy says so. The way back
    was approved with its hotfix, and whoever goes it may be who approved.
    """
    policy = lock.plan.spec.policy.plan_approvals
    appliers = _appliers(lock) if policy.not_applier else set()
    return tuple(
        each
        for each in lock.approvals
        if (_is_of_plan(lock, each) and each.by not in appliers) or _is_of_way_back(lock, each)
    )


def approvers(lock: Lock) -> frozenset[str]:
    """Tell by the record who approved its plan."""
    return frozenset(each.by for each in plan_approvals(lock))


_WRITES: Final = frozenset({"restore", "pick", "orchestrate", "promote"})


def _is_of_plan(lock: Lock, given: Approval) -> bool:
    return given.what == plan_approval(lock.plan_digest)


def _is_of_way_back(lock: Lock, given: Approval) -> bool:
    is_exact = lock.kind == "rollback" and lock.plan.observed.approved is not None
    return is_exact and given.what.startswith(_WAY_BACK)


def _appliers(lock: Lock) -> set[str]:
    """Name who began, and whoever went on while there was something left to write."""
    last = max((entry.seq for entry in lock.entries if entry.step in _WRITES), default=0)
    went_on = (
        entry.facts.get("user")
        for entry in lock.entries
        if entry.step == "preflight" and entry.seq < last
    )
    return {lock.applied_by, *(user for user in went_on if isinstance(user, str))}
