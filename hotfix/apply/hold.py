"""Is the world still the one that was planned on? Else say what moved, from what to what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotfix.apply.context import base_of, planned_commits
from hotfix.apply.moves import BranchMovedError
from hotfix.canonical import without
from hotfix.errors import BlockedError, StaleError
from hotfix.identifiers import Sha, is_forbidden, short
from hotfix.plan.document import to_json
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotfix.plan.model import Finding, Plan, TargetPlan

_MOVING = frozenset({"production-unknown", "production-mismatch"})


def hold(
    planned: Plan,
    now: Plan,
    standing: Sequence[Finding],
    *,
    begun: bool,
    pressed: frozenset[str] = frozenset(),
) -> None:
    """Hold a plan against the same spec planned just now; ``standing`` are its blockers that stand.

    A hotfix that has begun has itself moved the branch: then it must stand at the old head or at
    a planned commit. Everything that is sent, pressed, run or recorded must be as planned, by its
    content: a digest can be made anew by whoever edits a plan. A target whose production job was
    ``pressed`` is held to nothing any more but what it runs: its steps look at that themselves.
    Raises ``StaleError`` with the difference; for a plan that is new, its blockers as
    ``BlockedError``.
    """
    _hold_targets(planned, now)
    for before, after in zip(planned.targets, now.targets, strict=True):
        if before.project not in pressed:
            _hold_branch(before, after)
    blockers = [finding for finding in standing if not _is_past(finding, now, pressed)]
    moving = [finding for finding in blockers if finding.code in _MOVING]
    if moving and (begun or planned.digest != now.digest):
        raise StaleError("production-moved", moving[0].message, hint=moving[0].hint)
    refuse_blocked(blockers)
    differing = _differences(_essence(planned, pressed), _essence(now, pressed))
    if differing:
        raise StaleError(
            "plan-stale",
            "The plan is not the one that GitLab gives now. " + "; ".join(differing[:6]) + ".",
            hint="Plan again, and have the new plan reviewed: the approval was for another one.",
        )


def refuse_forbidden(plan: Plan) -> None:
    """Refuse a plan that would send or press the cut-off action, however it came in."""
    for target in plan.targets:
        inputs = dict(target.pipeline.inputs) if target.pipeline else {}
        if is_forbidden([inputs, target.deploy.job if target.deploy else ""]):
            raise BlockedError(
                "forbidden-action",
                f"The plan would run the cut-off action for {target.project}.",
                hint="The runbook forbids it in a hotfix, so this plan was edited. Make it anew.",
            )


def refuse_not_permitted(now: Plan) -> None:
    """Refuse to begin with a token that could not finish; to plan, such a token is enough."""
    for finding in now.warnings:
        if finding.code == "apply-not-permitted":
            raise BlockedError("not-permitted", finding.message, hint=finding.hint)


def refuse_blocked(blockers: Sequence[Finding]) -> None:
    """Refuse what is blocked; raises ``BlockedError`` with the first, the rest in the hint."""
    if not blockers:
        return
    first, *rest = blockers
    more = "".join(f"\n{each.code}: {each.message} {each.hint}" for each in rest)
    raise BlockedError(first.code, first.message, hint=first.hint + more)


def _is_past(finding: Finding, now: Plan, pressed: frozenset[str]) -> bool:
    """Tell whether a finding comes too late: of one target, or of the hotfix as a whole."""
    concerned = {finding.target} if finding.target else {each.project for each in now.targets}
    return concerned <= pressed


def _hold_targets(planned: Plan, now: Plan) -> None:
    """Refuse where other targets are to do now: of a way back, one may be back by itself."""
    before, after = ([each.project for each in plan.targets] for plan in (planned, now))
    if before != after:
        raise StaleError(
            "plan-stale",
            f"The plan is of {', '.join(before)}; to do is {', '.join(after)} now.",
            hint="Plan again, and have the new plan reviewed.",
        )


def _hold_branch(planned: TargetPlan, now: TargetPlan) -> None:
    line = (base_of(planned), *planned_commits(planned)) if planned.after else ()
    if now.before != planned.before and Sha(now.before or "") not in line:
        expected = short(planned.before or "nothing") + (" or a planned commit" if line else "")
        raise BranchMovedError(planned, Sha(now.before or "nothing"), expected)


def _essence(plan: Plan, pressed: frozenset[str]) -> dict[str, Any]:
    """Return what must be equal even where the hotfix has begun: all but what it moves itself.

    Left out are the counts, what was observed, where the branch stands, what left it, and how a
    commit came to be there; everything that is sent, pressed, run or recorded is in.
    """
    rollback = to_json(plan.rollback)["targets"] if plan.rollback else []
    targets = [to_json(target) for target in plan.targets]
    return {
        "hotfix": plan.hotfix,
        "kind": plan.kind,
        "spec": to_json(plan.spec),
        "incident": to_json(plan.incident),
        "targets": _by_project(targets, pressed),
        "rollback": _by_project(rollback, pressed),
    }


def _by_project(targets: Sequence[dict[str, Any]], pressed: frozenset[str]) -> dict[str, Any]:
    return {
        target["project"]: _target_essence(target)
        for target in targets
        if target["project"] not in pressed
    }


def _target_essence(target: dict[str, Any]) -> dict[str, Any]:
    kept = without(target, "before", "leaving", "observed")
    kept["commits"] = [
        without(commit, "action", "outcome", "files", "reason", "resolved")
        for commit in target["commits"]
        if commit["sha"] is not None
    ]
    return kept


def _differences(before: Any, now: Any, place: str = "") -> list[str]:  # noqa: ANN401  (JSON values)
    if before == now:
        return []
    if isinstance(before, dict) and isinstance(now, dict):
        return [
            difference
            for key in sorted({*before, *now})
            for difference in _differences(
                before.get(key), now.get(key), f"{place}.{key}" if place else key
            )
        ]
    return [f"{place} was {one_line(str(before), 90)}, is {one_line(str(now), 90)}"]
