"""What is looked at in the embedded GitLab when a rehearsal is over: each effect exactly once.

Nothing here asks the run or its lockfile what it did, but for the two proofs that are about the
lockfile: the world itself is counted.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hotfix.apply import record
from hotfix.evidence.audit import audit
from hotfix.evidence.rehearsal import Proof
from hotfix.identifiers import short
from hotfix.rehearsal.stage import is_planned
from hotfix.sandbox.pipelines import Order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.evidence.lockfile import LockDocument
    from hotfix.evidence.model import Lock
    from hotfix.plan.model import PlannedCommit, TargetPlan
    from hotfix.sandbox.pipelines import Pipeline
    from hotfix.sandbox.world import World


def prove(world: World, document: LockDocument) -> tuple[Proof, ...]:
    """Count what the runs of one rehearsal did, and hold it against the plan."""
    with world.lock:
        world.advance()
        return tuple(_all(world, document))


def unproven(why: str) -> tuple[Proof, ...]:
    """Say that there is no record to prove anything by."""
    return (_proof("record", None, holds=False, detail=why),)


def _all(world: World, document: LockDocument) -> Iterator[Proof]:
    lock = document.lock
    for target in lock.plan.targets:
        yield _head(world, target)
        yield _pushes(world, target)
        yield _orchestrated(world, target)
        below = _downstream(world, target)
        yield _once("downstream-once", target, [each.id for each in below], "pipeline on release")
        yield _pressed(target, below)
        yield _deployed(world, target, below)
        yield _unlocked(world, target)
        passed = [check.outcome for check in lock.checks if check.target == target.project]
        yield _proof(
            "nine-checks",
            target.project,
            holds=passed == ["passed"] * 9,
            detail=f"{passed.count('passed')} of {len(passed)} checks passed",
        )
    yield from _incident(world, document)
    report = audit(document)
    faults = [each.detail for each in report.findings if each.outcome == "failed"]
    yield _proof(
        "record-intact",
        None,
        holds=report.verdict == "passed",
        detail=f"its audit says {report.verdict}" + "".join(f"; {each}" for each in faults[:2]),
    )


def _proof(what: str, target: str | None, *, holds: bool, detail: str) -> Proof:
    return Proof(what=what, target=target, outcome="passed" if holds else "failed", detail=detail)


def _once(what: str, target: TargetPlan, found: list[int], thing: str) -> Proof:
    named = f": {', '.join(map(str, found))}" if found else ""
    detail = f"{len(found)} {thing}{named}"
    return _proof(what, target.project, holds=len(found) == 1, detail=detail)


def _head(world: World, target: TargetPlan) -> Proof:
    head = world.project(target.project).repository.branch(target.release_branch)
    detail = f"{target.release_branch} stands at {short(head or 'nothing')}"
    return _proof("release-head", target.project, holds=head == target.after, detail=detail)


def _pushes(world: World, target: TargetPlan) -> Proof:
    ref = f"refs/heads/{target.release_branch}"
    moves = world.project(target.project).repository.moves
    found = [move.new for move in moves if move.ref == ref]
    planned = _planned_pushes(target)
    detail = f"moved to {', '.join(map(short, found)) or 'nothing'}"
    if found != planned:
        detail += f"; planned was {', '.join(map(short, planned)) or 'nothing'}"
    return _proof("pushes-once", target.project, holds=found == planned, detail=detail)


def _planned_pushes(target: TargetPlan) -> list[str]:
    """List where the branch shall go: to the restore, then to the last pick."""

    def last(commits: list[PlannedCommit]) -> list[str]:
        return [each.sha for each in commits[-1:] if each.sha is not None]

    new = [each for each in target.commits if each.outcome == "new" and each.action != "keep"]
    return [
        *last([each for each in new if each.merge_request is None]),
        *last([each for each in new if each.merge_request is not None]),
    ]


def _orchestrated(world: World, target: TargetPlan) -> Proof:
    planned = target.pipeline
    found = [
        each.id
        for each in (world.project(planned.project).pipelines if planned else ())
        if planned is not None and each.source == "api" and is_planned(_order(each), planned)
    ]
    return _once("pipeline-once", target, found, "orchestration pipeline with the planned inputs")


def _order(pipeline: Pipeline) -> Order:
    return Order(pipeline.ref, pipeline.source, pipeline.inputs, tuple(pipeline.variables))


def _downstream(world: World, target: TargetPlan) -> list[Pipeline]:
    """List the pipelines that the rehearsal made on the release branch."""
    made = (each for each in world.project(target.project).pipelines if each.upstream is not None)
    return [each for each in made if each.ref == target.release_branch]


def _pressed(target: TargetPlan, below: list[Pipeline]) -> Proof:
    name = target.deploy.job if target.deploy else None
    jobs = [job for pipeline in below for job in pipeline.jobs if job.name == name]
    pressed = [job.id for job in jobs if job.started_at is not None]
    return _once("press-once", target, pressed, f"run of {name}")


def _deployed(world: World, target: TargetPlan, below: list[Pipeline]) -> Proof:
    done = [
        each
        for each in world.project(target.project).deployments
        if each.job is not None
        and each.job.pipeline in below
        and each.status == "success"
        and each.environment.name == target.environment
    ]
    runs = world.production_sha(target.project, target.environment)
    detail = f"{target.environment} runs {short(runs)} after {len(done)} deployment"
    holds = len(done) == 1 and runs == target.after
    return _proof("production-once", target.project, holds=holds, detail=detail)


def _unlocked(world: World, target: TargetPlan) -> Proof:
    project = world.project(target.project)
    held = [
        *(ref for ref in project.repository.refs if ref.startswith("refs/hotfix")),
        *(f"Terraform state {name}" for name, lock in project.terraform_states.items() if lock),
    ]
    detail = f"left behind: {', '.join(held)}" if held else "no lock is left"
    return _proof("lock-released", target.project, holds=not held, detail=detail)


def _incident(world: World, document: LockDocument) -> Iterator[Proof]:
    lock, planned = document.lock, document.lock.plan.incident
    found = [
        issue
        for issue in world.project(planned.project).issues.values()
        if record.stored(issue.description, lock.hotfix, "section") is not None
    ]
    detail = f"{len(found)} with its section in {planned.project}"
    yield _proof("incident-once", None, holds=len(found) == 1, detail=detail)
    counted = Counter(event.note for issue in found for event in issue.timeline)
    wanted = {f"Hotfix {lock.hotfix}: {said}" for _, said in record.milestones(lock)}
    twice = sum(number > 1 for number in counted.values())
    lacking = len(wanted - counted.keys())
    detail = f"{len(counted)} events of {len(wanted)}, {lacking} lacking, {twice} twice"
    if lacking and _has_no_timeline(lock):
        # What apply wrote down then is in the incident's own section, which is enough.
        detail, lacking = f"{detail}; the record says that GitLab refused it", 0
    yield _proof("timeline-once", None, holds=not (twice or lacking), detail=detail)


def _has_no_timeline(lock: Lock) -> bool:
    told = [each for each in lock.entries if (each.step, each.phase) == ("incident", "done")]
    return bool(told) and told[-1].facts["timeline_events"] is None
