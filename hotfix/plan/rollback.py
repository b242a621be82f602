"""The way back from a hotfix, as a plan of its own (runbook, Rollback And Recovery).

It was computed and approved with the way forward. Here it is held against GitLab as it is now:
where release still stands at the hotfix, exactly the approved way back is planned; where something
moved since, it is computed anew and the difference is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from hotfix.canonical import digest
from hotfix.clock import timestamp
from hotfix.git.commits import read_commit
from hotfix.git.lazy import bring_between
from hotfix.identifiers import Sha, short
from hotfix.parallel import in_parallel
from hotfix.plan import guards
from hotfix.plan.adopt import Adopted, adopt
from hotfix.plan.build import Built
from hotfix.plan.document import plan_digest, to_json
from hotfix.plan.draft import Draft, leaving_commits, way_back, way_to_production
from hotfix.plan.leaving import unreleased
from hotfix.plan.make import fetched, history_of, names_of
from hotfix.plan.model import Finding, ObservedPlan, Plan
from hotfix.plan.observe import observe
from hotfix.plan.order import in_order
from hotfix.plan.summary import summarize
from hotfix.plan.told import observed_target, sources_of_known_good, sources_of_sha
from hotfix.spec.model import Deploy
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from hotfix.clock import Clock
    from hotfix.forge.protocol import Forge
    from hotfix.git.commits import CommitInfo
    from hotfix.git.objects import ObjectReader
    from hotfix.plan.make import History
    from hotfix.plan.model import SourceOfSha, TargetPlan
    from hotfix.plan.observe import Seen, SeenTarget
    from hotfix.spec.model import Spec

_ENDED_BADLY: Final = frozenset({"failed", "canceled"})
_UNKNOWN: Final = "sha256:" + "0" * 64


def make_rollback(
    hotfix: Plan,
    forge: Forge,
    clock: Clock,
    *,
    tool_version: str,
    begun: Collection[str] | None = None,
) -> Built:
    """Plan the way back from an applied plan. Reads only; raises ``ForgeError``.

    Targets whose production runs the last known-good state are left out, unless all do: then the
    plan has nothing to do. ``begun`` names the targets of a rollback that is under way; those are
    planned wherever they stand.
    """
    seen = observe(_without_picks(hotfix), forge, clock, elsewhere=False)
    found = in_parallel(partial(_look, hotfix, forge, each) for each in seen.targets)
    names = names_of(forge, [each.since for each in found])
    drafts = in_parallel(
        partial(_draft, hotfix, seen, begun, each, named)
        for each, named in zip(found, names, strict=True)
        if begun is None or each.taken.project in begun
    )
    planned = [draft for draft in drafts if not draft.is_done] or drafts
    warnings = [*guards.permission_warning(seen.targets)]
    warnings += (_already_back(draft.plan) for draft in drafts if draft not in planned)
    warnings += (finding for draft in planned for finding in _differs(hotfix, draft))
    plan = Plan(
        format="plan/1",
        hotfix=hotfix.hotfix,
        kind="rollback",
        digest=_UNKNOWN,
        gitlab=forge.url,
        tool_version=tool_version,
        spec=hotfix.spec,
        spec_digest=digest(to_json(hotfix.spec)),
        summary=summarize(
            [draft.plan for draft in planned], done=[draft.is_done for draft in planned]
        ),
        targets=tuple(draft.plan for draft in planned),
        incident=hotfix.incident,
        rollback=None,
        blockers=tuple(finding for draft in planned for finding in draft.findings),
        warnings=tuple(warnings),
        observed=ObservedPlan(
            at=timestamp(seen.at), by=seen.user.username, approved=_approved(hotfix, planned)
        ),
    )
    return Built(
        plan.model_copy(update={"digest": plan_digest(to_json(plan))}),
        {sha: made for draft in planned for sha, made in draft.objects.items()},
        conflicts={},
        nameless={},
        readers={},
    )


def _without_picks(hotfix: Plan) -> Spec:
    """Return the spec to look by: in the order of the way back, with the jobs that were approved.

    Merge requests are not asked for. The job is the one that brought the hotfix, whoever deployed
    last since.
    """
    jobs = {change.project: change.deploy.job for change in hotfix.targets if change.deploy}
    targets = (
        target.model_copy(
            update={
                "merge_requests": (),
                "resolutions": (),
                "deploy": Deploy(job=jobs.get(target.project, target.deploy.job)),
            }
        )
        for target in in_order(hotfix.spec.targets, hotfix.spec, "rollback")
    )
    return hotfix.spec.model_copy(update={"targets": tuple(targets)})


@dataclass(frozen=True, slots=True)
class _Found:
    """A target of the hotfix as it stands now, with its objects."""

    taken: TargetPlan
    """What the hotfix made of it, and what is taken back."""
    seen: SeenTarget
    reader: ObjectReader
    was_tried: bool
    """Whether production was deployed to since its last success, and that ended badly."""
    since: History
    """What came to release after the hotfix."""


def _look(hotfix: Plan, forge: Forge, seen: SeenTarget) -> _Found:
    taken = next(each for each in hotfix.targets if each.project == seen.target.project)
    head, good = seen.release_head, Sha(taken.production.sha)
    known = {Sha(sha) for sha in (taken.after, seen.deployed_sha, good) if sha is not None}
    reader = fetched(forge.repository(seen.project), (head,) if head else (), tuple(known))
    base = Sha(taken.after) if taken.after and taken.after.encode() in reader else good
    commits: tuple[CommitInfo, ...] = ()
    if head is not None and base.encode() in reader:
        bring_between(reader, exclude=base, include=(head,))
        commits = unreleased(reader, production=base, head=head)
    since = history_of(seen.target, reader, commits)
    return _Found(taken, seen, reader, _was_tried(forge, taken, seen), since)


def _was_tried(forge: Forge, taken: TargetPlan, seen: SeenTarget) -> bool:
    """Tell whether a deployment of the hotfix ended badly after the last that succeeded.

    GitLab then still shows what ran before, but nobody knows what the job left behind.
    """
    if seen.environment is None:
        return False
    last = seen.environment.last_deployment
    where = taken.project, taken.environment
    return any(
        each.sha == taken.after
        and each.status in _ENDED_BADLY
        and (each.job is None or each.job.started_at is not None)
        and (last is None or each.id > last.id)
        for each in forge.deployments(*where, order_by="id")
    )


def _draft(
    hotfix: Plan,
    seen: Seen,
    begun: Collection[str] | None,
    found: _Found,
    brought_by: Mapping[Sha, int],
) -> Draft:
    each, taken, reader = found.seen, found.taken, found.reader
    target, head = each.target, each.release_head
    sources = sources_of_sha(target.environment, each.environment, each.deployments)
    runs, good = guards.clear_sha(sources), Sha(target.production_sha)
    is_good = runs is not None and _is_same_tree(reader, Sha(runs), good)
    draft = Draft(_nothing_to_do(found, sources), [])
    if is_good and not found.was_tried and begun is None:
        draft.is_done = True
        return draft
    if head is None:
        draft.findings.append(guards.no_branch_guard(target))
    elif good.encode() not in reader:
        draft.findings.append(guards.no_production_guard(target))
    else:
        _plan_way_back(hotfix.spec, seen, found, brought_by, draft)
    own = draft.plan.after if draft.plan.after == head else None
    expected = {taken.after, own, *([runs] if is_good else [])}
    draft.findings += guards.way_back_guard(target, sources, expected=expected)
    draft.findings += guards.running_guard(target, each.running, already_there=own)
    return draft


def _nothing_to_do(found: _Found, sources: Sequence[SourceOfSha]) -> TargetPlan:
    """Return the target as it stands; what it shall become is planned on top."""
    each, taken = found.seen, found.taken
    known = sources_of_known_good(taken, each.deployments)
    observed = observed_target(each, (*sources, *known))
    return taken.model_copy(
        update={
            "before": each.release_head,
            "after": each.release_head,
            "commits": (),
            "leaving": (),
            "pipeline": None,
            "deploy": None,
            "smoke_checks": (),
            "observed": observed.model_copy(update={"merge_attributes": ""}),  # nothing is merged
        }
    )


def _plan_way_back(
    spec: Spec, seen: Seen, found: _Found, brought_by: Mapping[Sha, int], draft: Draft
) -> None:
    pipeline, job = way_to_production(spec, seen, found.seen, draft.findings)
    adopted = _restored(spec, found)
    change, branch = way_back(spec, draft.plan, adopted, found.reader)
    made = {commit.sha for commit in branch.commits}
    since = [commit for commit in found.since.commits if commit.sha not in made]
    leaving = leaving_commits(since, brought_by) if branch.commits else ()
    draft.objects = dict(branch.objects)
    draft.plan = change.model_copy(update={"leaving": leaving, "pipeline": pipeline, "deploy": job})


def _restored(spec: Spec, found: _Found) -> Adopted:
    """Tell whether release ends in the restore already, ours or one pushed by hand."""
    target, head = found.seen.target, found.seen.release_head
    if head is None:
        raise ValueError("a target without release is not planned")
    if not _is_same_tree(found.reader, head, Sha(target.production_sha)):
        return Adopted(head, None, (), ())
    return adopt(
        found.reader,
        head=head,
        production=Sha(target.production_sha),
        hotfix=spec.id,
        restore_message=target.restore_message,
        wanted=(),
    )


def _is_same_tree(reader: ObjectReader, one: Sha, other: Sha) -> bool:
    if any(sha.encode() not in reader for sha in (one, other)):
        return False
    return read_commit(reader, one).tree == read_commit(reader, other).tree


def _approved(hotfix: Plan, planned: Sequence[Draft]) -> str | None:
    """Return the digest that was approved, where exactly that is planned."""
    if hotfix.rollback is None or any(_departures(hotfix, draft) for draft in planned):
        return None
    return None if all(draft.is_done for draft in planned) else hotfix.rollback.digest


def _already_back(plan: TargetPlan) -> Finding:
    return Finding(
        code="already-back",
        target=plan.project,
        message=f"{plan.environment} of {plan.project} runs the last known-good state already "
        f"({short(plan.production.sha)}), and is left alone.",
        hint="The hotfix never came there, or somebody took it back.",
    )


def _differs(hotfix: Plan, draft: Draft) -> Iterator[Finding]:
    departures = _departures(hotfix, draft)
    if departures and not draft.is_done:
        yield Finding(
            code="way-back-differs",
            target=draft.plan.project,
            message="This is not the way back that was approved with the hotfix: "
            f"{'; '.join(departures)}.",
            hint="Something moved since. Read this plan as a new one before it is carried out.",
        )


def _departures(hotfix: Plan, draft: Draft) -> list[str]:
    """Say where a target's way back is another than the approved one; nothing where it is that.

    A restore that stands on release already is the approved one if it is the same commit.
    """
    reviewed = hotfix.rollback.targets if hotfix.rollback else ()
    before = next((each for each in reviewed if each.project == draft.plan.project), None)
    if before is None:
        return ["there was none for this target"]
    now = draft.plan
    said = []
    if before.after != now.after:
        said.append(
            f"{now.release_branch} stood at {short(before.before or 'nothing')}, now at "
            f"{short(now.before or 'nothing')}, so it ends at {short(now.after or 'nothing')} and "
            f"not at {short(before.after or 'nothing')}"
        )
    for name in ("pipeline", "deploy", "smoke_checks"):
        was, is_now = getattr(before, name), getattr(now, name)
        if was != is_now:
            said.append(f"{name} was {_told(was)}, is {_told(is_now)}")
    return said


def _told(value: object) -> str:
    return one_line(str(value), 120)
