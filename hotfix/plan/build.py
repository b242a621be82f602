"""From a spec and what was seen to the plan: the same facts give the same bytes, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from hotfix.canonical import digest
from hotfix.clock import timestamp
from hotfix.parallel import in_parallel
from hotfix.plan import guards
from hotfix.plan.document import plan_digest, rollback_digest, to_json
from hotfix.plan.draft import draft_target
from hotfix.plan.model import Finding, ObservedPlan, Plan, PlannedIncident, RollbackPlan
from hotfix.plan.order import in_order
from hotfix.plan.policy import blocks, decided
from hotfix.plan.summary import summarize

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hotfix.git.commits import CommitInfo
    from hotfix.git.objects import GitObject, ObjectReader
    from hotfix.plan.branch import PickConflict
    from hotfix.plan.draft import Draft, TargetObjects
    from hotfix.plan.observe import Seen
    from hotfix.spec.model import Spec


@dataclass(frozen=True, slots=True)
class Built:
    """A plan, and the new objects behind its commits, which the plan's JSON does not hold."""

    plan: Plan
    objects: Mapping[str, tuple[GitObject, ...]]
    """By commit id: all that the server lacks of that commit."""
    conflicts: Mapping[str, PickConflict]
    """By project: the pick that does not apply, for whoever can find out why."""
    nameless: Mapping[str, tuple[CommitInfo, ...]]
    """By project: commits that it speaks of, and that may be named by their merge requests."""
    readers: Mapping[str, ObjectReader]
    """By project: the objects that the plan was made from."""


def build(
    spec: Spec,
    seen: Seen,
    objects: Mapping[str, TargetObjects],
    *,
    gitlab: str,
    tool_version: str,
) -> Built:
    """Make the plan of a spec; every reason not to carry it out is in its blockers."""
    # A reader may have to fetch what it is asked for.
    drafts = in_parallel(
        partial(draft_target, spec, seen, each, objects[each.target.project])
        for each in seen.targets
    )
    findings = [finding for draft in drafts for finding in draft.findings]
    findings += guards.permission_warning(seen.targets)
    findings = list(decided(findings, spec.policy))
    targets = tuple(draft.plan for draft in drafts)
    rollback = _rollback(spec, drafts)
    document = Plan(
        format="plan/1",
        hotfix=spec.id,
        kind="hotfix",
        digest=_UNKNOWN,
        gitlab=gitlab,
        tool_version=tool_version,
        spec=spec,
        spec_digest=digest(to_json(spec)),
        summary=summarize(targets, done=[draft.is_done for draft in drafts]),
        targets=targets,
        incident=_incident(spec, drafts),
        rollback=rollback,
        blockers=_unique(f for f in findings if blocks(f)),
        warnings=_unique(f for f in findings if not blocks(f)),
        observed=ObservedPlan(at=timestamp(seen.at), by=seen.user.username),
    )
    plan = document.model_copy(update={"digest": plan_digest(to_json(document))})
    made = {sha: each for draft in drafts for sha, each in draft.objects.items()}
    conflicts = {
        draft.plan.project: draft.conflict for draft in drafts if draft.conflict is not None
    }
    readers = {project: each.reader for project, each in objects.items()}
    nameless = {draft.plan.project: draft.nameless for draft in drafts if draft.nameless}
    return Built(plan, made, conflicts, nameless, readers)


_UNKNOWN: Final = "sha256:" + "0" * 64


def _rollback(spec: Spec, drafts: Sequence[Draft]) -> RollbackPlan:
    ways = in_order((draft.way_back for draft in drafts if draft.way_back), spec, "rollback")
    document = RollbackPlan(digest=_UNKNOWN, targets=tuple(ways))
    return document.model_copy(update={"digest": rollback_digest(to_json(document))})


def _incident(spec: Spec, drafts: Sequence[Draft]) -> PlannedIncident:
    incident = spec.incident
    return PlannedIncident(
        project=incident.project,
        iid=incident.iid,
        title=f"Hotfix {spec.id}: {spec.title}",
        severity=incident.severity,
        template=incident.template,
        labels=incident.labels,
        assignees=incident.assignees,
        follow_ups=(*incident.follow_ups, *(each for draft in drafts for each in draft.follow_ups)),
    )


def _unique(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(dict.fromkeys(findings))
