"""Whether the record shows the approvals of the plan that its policy asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.evidence.model import Approval, Lock
    from hotfix.plan.model import Plan

_PLAN: Final = "approve plan "
_WAY_BACK: Final = "approve the way back with plan "


def what_was_approved(plan: Plan, digest: str) -> str:
    """Say what an approval of a digest is of: this plan, or the hotfix with this way back in it."""
    return f"{_PLAN if digest == plan.digest else _WAY_BACK}{digest}"


def lacking(lock: Lock) -> Iterator[tuple[str, str]]:
    """Tell where a run went on with fewer approvals than the policy asks for."""
    policy = lock.plan.spec.policy.plan_approvals
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

    Whoever applied, at first or later, has none among them where the policy says so.
    """
    not_counted = _appliers(lock) if lock.plan.spec.policy.plan_approvals.not_applier else ()
    return tuple(
        each for each in lock.approvals if each.by not in not_counted and _counts(lock, each.what)
    )


def approvers(lock: Lock) -> frozenset[str]:
    """Tell by the record who approved its plan."""
    return frozenset(each.by for each in plan_approvals(lock))


_WRITES: Final = frozenset({"restore", "pick", "orchestrate", "promote"})


def _counts(lock: Lock, what: str) -> bool:
    is_way_back = lock.kind == "rollback" and lock.plan.observed.approved is not None
    return what == f"{_PLAN}{lock.plan_digest}" or (is_way_back and what.startswith(_WAY_BACK))


def _appliers(lock: Lock) -> set[str]:
    """Name who began, and whoever went on while there was something left to write."""
    last = max((entry.seq for entry in lock.entries if entry.step in _WRITES), default=0)
    went_on = (
        entry.facts.get("user")
        for entry in lock.entries
        if entry.step == "preflight" and entry.seq < last
    )
    return {lock.applied_by, *(user for user in went_on if isinstance(user, str))}
