"""One target's part of the plan: its branch, its way to production, and its way back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

from hotfix.forge.protocol import ForgeError
from hotfix.git.attributes import attributes_of
from hotfix.git.commits import Identity, read_commit
from hotfix.git.explain import picks_clean
from hotfix.git.objects import Overlay
from hotfix.identifiers import Sha, is_forbidden
from hotfix.plan import gap, guards, mainline
from hotfix.plan.adopt import Adopted, Wanted, adopt
from hotfix.plan.attributes import attributes_not_read
from hotfix.plan.branch import Branch, BranchRules, plan_branch
from hotfix.plan.elsewhere import other_sources_of_sha, production_job
from hotfix.plan.gap import Searched, semantic_gap
from hotfix.plan.inputs import typed_inputs, variable_guard
from hotfix.plan.leaving import unreleased
from hotfix.plan.model import (
    Finding,
    LeavingCommit,
    PlannedCommit,
    PlannedJob,
    PlannedPipeline,
    Production,
    TargetChange,
    TargetPlan,
)
from hotfix.plan.policy import freeze_guard, required_checks_guard
from hotfix.plan.radius import blast_radius
from hotfix.plan.told import observed_target, sources_of_sha
from hotfix.plan.wanted import in_merge_order, wanted_commits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hotfix.git.commits import CommitInfo
    from hotfix.git.objects import GitObject, ObjectReader
    from hotfix.plan.branch import PickConflict
    from hotfix.plan.model import BlastRadius
    from hotfix.plan.observe import Seen, SeenTarget
    from hotfix.plan.why import Why
    from hotfix.spec.model import Spec, Target

Change = TypeVar("Change", bound=TargetChange)

_CUT_OFF: Final = (
    "The runbook forbids the cut-off action in a hotfix: it fills release with unreleased work."
)


@dataclass(frozen=True, slots=True)
class TargetObjects:
    """The Git side of a target: its objects, and which merge request brought a commit."""

    reader: ObjectReader
    brought_by: Mapping[Sha, int]
    why: Why | None = None
    """Why a pick conflicts, once one was seen to."""


@dataclass(slots=True)
class Draft:
    """A target's plan, with what the whole plan needs beside it."""

    plan: TargetPlan
    findings: list[Finding]
    way_back: TargetChange | None = None
    is_done: bool = False
    objects: dict[str, tuple[GitObject, ...]] = field(default_factory=dict)
    conflict: PickConflict | None = None
    nameless: tuple[CommitInfo, ...] = ()
    """Commits that the plan speaks of, and nobody has told yet which merge request they are of."""
    follow_ups: tuple[str, ...] = ()


def draft_target(spec: Spec, seen: Seen, each: SeenTarget, objects: TargetObjects) -> Draft:
    """Plan one target; pure over the object reader, and every objection is a finding."""
    target, reader = each.target, objects.reader
    wanted, findings = wanted_commits(spec, each, reader)
    branch = _branch(spec, each, objects, wanted, findings)
    head = each.release_head
    after = branch.head if branch is not None and _is_whole(target, branch, wanted) else None
    records = sources_of_sha(target.environment, each.environment, each.deployments)
    others = other_sources_of_sha(each, records)
    there = after if after == head else None
    findings += guards.production_guard(target, records, others, already_there=there)
    findings += guards.service_warning(target, others)
    findings += guards.running_guard(target, each.running, already_there=there)
    findings += _waiting(each, there)
    findings += freeze_guard(target, each.elsewhere.freezes, spec.policy, seen.at)
    findings += required_checks_guard(target, spec.policy)
    pipeline, job = way_to_production(spec, seen, each, findings)
    commits = tuple(branch.commits) if branch else ()
    looked = _look(each, objects, branch, wanted) if branch and after else _Looked()
    findings += looked.searched.findings
    change = TargetChange(
        project=target.project,
        release_branch=target.release_branch,
        environment=target.environment,
        production=Production(sha=target.production_sha),
        before=head,
        after=after,
        commits=commits,
        leaving=_leaving(each, commits, objects, findings),
        pipeline=pipeline,
        deploy=job,
        smoke_checks=tuple(c for c in target.smoke_checks if c.applies_to("hotfix")),
    )
    observed = observed_target(each, (*records, *others), looked.searched.note, looked.radius)
    draft = Draft(
        plan=TargetPlan(**dict(change), observed=observed),
        findings=findings,
        nameless=looked.searched.nameless,
        is_done=there is not None and guards.agreed_sha(records, others) == there,
    )
    if branch is not None:
        draft.follow_ups = mainline.before_the_next_cut_off(
            each, reader, objects.brought_by, commits
        )
        draft.objects = dict(branch.objects)
        draft.conflict = branch.conflict
        if after is not None:
            on_top = Adopted(after, None, (), ())
            draft.way_back, _ = way_back(spec, change, on_top, _with_new(reader, branch))
    return draft


def _with_new(reader: ObjectReader, branch: Branch) -> Overlay:
    overlay = Overlay(reader)
    for made in branch.objects.values():
        overlay.add(made)
    return overlay


@dataclass(frozen=True, slots=True)
class _Looked:
    """What a whole branch was looked at for."""

    searched: Searched = field(default_factory=Searched)
    radius: BlastRadius | None = None


def _look(
    each: SeenTarget, objects: TargetObjects, branch: Branch, wanted: Sequence[Wanted]
) -> _Looked:
    reader = _with_new(objects.reader, branch)
    production = read_commit(reader, Sha(each.target.production_sha)).tree
    result = read_commit(reader, branch.head).tree
    searched = (
        semantic_gap(each, reader, wanted, branch.commits, objects.brought_by)
        if branch.commits
        else Searched()
    )
    return _Looked(searched, blast_radius(reader, production=production, result=result))


def _waiting(each: SeenTarget, there: Sha | None) -> Iterator[Finding]:
    waiting = each.elsewhere.waiting
    if isinstance(waiting, ForgeError):
        return iter(())
    last = each.environment.last_deployment if each.environment else None
    return guards.waiting_warning(each.target, waiting, last=last, already_there=there)


def _is_whole(target: Target, branch: Branch, wanted: Sequence[Wanted]) -> bool:
    found = {want.merge_request for want in wanted}
    return branch.conflict is None and all(ref.iid in found for ref in target.merge_requests)


def _branch(
    spec: Spec,
    each: SeenTarget,
    objects: TargetObjects,
    wanted: Sequence[Wanted],
    findings: list[Finding],
) -> Branch | None:
    target, head, reader = each.target, each.release_head, objects.reader
    production = Sha(target.production_sha)
    if head is None:
        findings.append(guards.no_branch_guard(target))
        return None
    if production.encode() not in reader:
        findings.append(guards.no_production_guard(target))
        return None
    adopted = adopt(
        reader,
        head=head,
        production=production,
        hotfix=spec.id,
        restore_message=target.restore_message,
        wanted=wanted,
        attributes=attributes_of(target.merge_attributes),
    )
    if adopted.unknown:
        findings.append(guards.unknown_guard(target, adopted.unknown))
        return None
    beside = (
        *mainline.lines_beside(each, reader, wanted),
        *gap.lines_beside(each, reader, wanted),
    )
    branch = plan_branch(reader, _rules(spec, target), adopted, wanted, beside)
    findings += mainline.still_there(each, reader, wanted)
    if branch.conflict is not None:
        order = _clean_order(each, branch, wanted)
        findings.append(guards.conflict_guard(target, branch.conflict, objects.why, order))
    findings += attributes_not_read(target, branch, reader)
    return branch


def _clean_order(each: SeenTarget, branch: Branch, wanted: Sequence[Wanted]) -> tuple[int, ...]:
    """Return the order in which they were merged, where only the spec's own makes a conflict."""
    order = in_merge_order(each)
    place = {iid: number for number, iid in enumerate(order)}
    sorted_ = sorted(wanted, key=lambda want: place[want.merge_request])
    if branch.conflict is None or sorted_ == list(wanted):
        return ()
    clean = picks_clean(
        branch.conflict.reader,
        onto=Sha(each.target.production_sha),
        commits=[want.picked for want in sorted_],
        attributes=attributes_of(each.target.merge_attributes),
    )
    return tuple(order) if clean else ()


def _rules(spec: Spec, target: Target) -> BranchRules:
    requested = spec.requested_at
    return BranchRules(
        hotfix=spec.id,
        project=target.project,
        production=Sha(target.production_sha),
        restore_message=target.restore_message,
        committer=Identity(spec.committer.name, spec.committer.email),
        requested_at=datetime.fromisoformat(requested) if requested else None,
        attributes=attributes_of(target.merge_attributes),
    )


def way_to_production(
    spec: Spec, seen: Seen, each: SeenTarget, findings: list[Finding]
) -> tuple[PlannedPipeline, PlannedJob | None]:
    """Plan the pipeline, in the types that the orchestrator declares, and the production job."""
    target, orchestrator = each.target, seen.orchestrator
    values = target.orchestration.inputs
    where = f"{orchestrator.project.path}'s CI file at {orchestrator.ref}"
    own = spec.orchestration.operation_input
    sent = {**values, own: f"{spec.id}-{'0' * 16}"} if own else values
    if spec.orchestration.send_as == "inputs":
        typed = typed_inputs(orchestrator.config, sent, target=target.project, where=where)
        findings += typed.blockers
        values = {name: value for name, value in typed.values.items() if name != own}
    else:
        findings += variable_guard(orchestrator.config, sent, target=target.project, where=where)
    job = production_job(each)
    if job is None:
        findings.append(guards.deploy_job_guard(target))
    if is_forbidden([dict(values), job]):
        findings.append(
            Finding(
                code="forbidden-action",
                target=target.project,
                message="The cut-off action is named in what would be sent or pressed.",
                hint=_CUT_OFF,
            )
        )
    pipeline = PlannedPipeline(
        project=orchestrator.project.path,
        ref=orchestrator.ref,
        inputs=values,
        send_as=spec.orchestration.send_as,
        operation_input=spec.orchestration.operation_input,
    )
    return pipeline, PlannedJob(job=job) if job else None


def _leaving(
    each: SeenTarget,
    commits: Sequence[PlannedCommit],
    objects: TargetObjects,
    findings: list[Finding],
) -> tuple[LeavingCommit, ...]:
    restores = any(commit.action == "restore" for commit in commits)
    if each.release_head is None or not restores:
        return ()
    back = {commit.merge_request for commit in commits if commit.merge_request is not None}
    production = Sha(each.target.production_sha)
    found = [
        commit
        for commit in unreleased(objects.reader, production=production, head=each.release_head)
        if objects.brought_by.get(commit.sha) not in back
    ]
    findings += mainline.only_on_release(each, objects.reader, found)
    return leaving_commits(found, objects.brought_by)


def leaving_commits(
    commits: Iterable[CommitInfo], brought_by: Mapping[Sha, int]
) -> tuple[LeavingCommit, ...]:
    """Tell commits that leave release as the plan does: what, whose, and by which merge request."""
    return tuple(
        LeavingCommit(
            sha=commit.sha,
            title=commit.title,
            author=commit.author.partition(" <")[0],
            merge_request=brought_by.get(commit.sha),
            is_merge=len(commit.parents) > 1,
        )
        for commit in commits
    )


def way_back(
    spec: Spec, change: Change, adopted: Adopted, reader: ObjectReader
) -> tuple[Change, Branch]:
    """Plan the rollback: the same restore, on top (runbook, Rollback And Recovery).

    Nothing is picked, and the checks are those of the way back.
    """
    (target,) = (each for each in spec.targets if each.project == change.project)
    branch = plan_branch(reader, _rules(spec, target), adopted, ())
    return change.model_copy(
        update={
            "before": adopted.restore.sha if adopted.restore else adopted.base,
            "after": branch.head,
            "commits": tuple(branch.commits),
            "leaving": (),
            "smoke_checks": tuple(c for c in target.smoke_checks if c.applies_to("rollback")),
        }
    ), branch
