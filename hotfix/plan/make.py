"""The whole way from a spec to its plan: ask GitLab, fetch the objects, build."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from hotfix.forge.protocol import NotFoundError
from hotfix.git.lazy import bring_between
from hotfix.identifiers import Sha
from hotfix.parallel import in_parallel
from hotfix.plan.build import Built, build
from hotfix.plan.draft import TargetObjects
from hotfix.plan.leaving import named_in_merges, unreleased
from hotfix.plan.observe import observe
from hotfix.plan.resolve import stated_commits
from hotfix.plan.why import missing_below, why
from hotfix.smoke.version import reported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hotfix.clock import Clock
    from hotfix.forge.protocol import Forge, Repository
    from hotfix.forge.types import MergeRequest
    from hotfix.git.commits import CommitInfo
    from hotfix.git.objects import ObjectReader
    from hotfix.plan.branch import PickConflict
    from hotfix.plan.observe import Seen, SeenTarget
    from hotfix.plan.why import Why
    from hotfix.smoke.version import AskVersion
    from hotfix.spec.model import Spec, Target

_ASKED: Final = 100
"""How many commits without a merge request in their history are looked up, one call each."""


def make_plan(
    spec: Spec,
    forge: Forge,
    clock: Clock,
    *,
    tool_version: str,
    ask_version: AskVersion = reported,
) -> Built:
    """Plan a spec against GitLab as it is now. Reads only; raises ``ForgeError``.

    Targets do not wait for each other: what is asked is asked of all of them together.
    """
    seen = observe(spec, forge, clock, ask_version=ask_version)
    return plan_from(spec, seen, forge, tool_version=tool_version)


def plan_from(spec: Spec, seen: Seen, forge: Forge, *, tool_version: str) -> Built:
    """Plan a spec by what was seen already; the Git objects are still asked for."""
    histories = in_parallel(partial(_history, each, forge) for each in seen.targets)
    names = names_of(forge, histories)
    objects = {
        each.target.project: TargetObjects(history.reader, named)
        for each, history, named in zip(seen.targets, histories, names, strict=True)
    }
    built = build(spec, seen, objects, gitlab=forge.url, tool_version=tool_version)
    conflicts = [
        (target, conflict)
        for target in spec.targets
        if (conflict := built.conflicts.get(target.project)) and conflict.want.resolution is None
    ]
    if not conflicts and not built.nameless:
        return built
    for (target, _), reason in zip(conflicts, _reasons(forge, conflicts), strict=True):
        objects[target.project] = replace(objects[target.project], why=reason)
    for project, told in _told_names(forge, built).items():
        known = objects[project]
        objects[project] = replace(known, brought_by={**known.brought_by, **told})
    return build(spec, seen, objects, gitlab=forge.url, tool_version=tool_version)


@dataclass(frozen=True, slots=True)
class History:
    """Commits of a target that want the name of the merge request that brought them."""

    project: str
    reader: ObjectReader
    commits: tuple[CommitInfo, ...]
    named: Mapping[Sha, int]
    """What the merge commits among them tell."""


def _history(seen: SeenTarget, forge: Forge) -> History:
    """Bring a target's objects, and list what release has and production has not."""
    reader = fetched(forge.repository(seen.project), tuple(_heads(seen)), tuple(_named(seen)))
    head, production = seen.release_head, Sha(seen.target.production_sha)
    commits: tuple[CommitInfo, ...] = ()
    if production.encode() in reader:
        bring_between(reader, exclude=production, include=_heads(seen))
    if head is not None and production.encode() in reader:
        commits = unreleased(reader, production=production, head=head)
    return history_of(seen.target, reader, commits)


def fetched(repository: Repository, heads: tuple[Sha, ...], named: tuple[Sha, ...]) -> ObjectReader:
    """Fetch all at once; a named commit that is not there is left to the guards.

    They know what it was for. Which one it is shows when each is fetched for itself.
    """
    try:
        return repository.fetch(heads + named)
    except NotFoundError:
        reader = repository.fetch(heads)
    for sha in named:
        with suppress(NotFoundError):
            reader = repository.fetch((sha,))
    return reader


def history_of(target: Target, reader: ObjectReader, commits: tuple[CommitInfo, ...]) -> History:
    """Note what the merge commits among these tell of the merge requests that brought them."""
    named = named_in_merges(commits, target.project)
    return History(target.project, reader, commits, named)


def _heads(seen: SeenTarget) -> Iterator[Sha]:
    if seen.release_head is not None:
        yield seen.release_head
    for each in seen.merge_requests:
        found = each.merge_request
        if found is not None and found.target_branch in seen.heads:
            yield seen.heads[found.target_branch]
    if seen.project.default_branch in seen.heads:
        yield seen.heads[seen.project.default_branch]


def _named(seen: SeenTarget) -> Iterator[Sha]:
    yield Sha(seen.target.production_sha)
    for resolution in seen.target.resolutions:
        yield Sha(resolution.commit)
    for each in seen.merge_requests:
        if each.merge_request is not None and each.merge_request.state == "merged":
            yield from stated_commits(each.merge_request, each.commits)


def _reasons(forge: Forge, conflicts: Sequence[tuple[Target, PickConflict]]) -> list[Why]:
    """Explain conflicts; the newest commits below each are named first, should it be many."""
    missing = in_parallel(
        partial(missing_below, conflict, target) for target, conflict in conflicts
    )
    histories = [
        history_of(target, conflict.reader, tuple(reversed(commits.line)))
        for (target, conflict), commits in zip(conflicts, missing, strict=True)
    ]
    each = zip(conflicts, missing, names_of(forge, histories), strict=True)
    return in_parallel(
        partial(why, conflict, target, commits, names)
        for (target, conflict), commits, names in each
    )


def _told_names(forge: Forge, built: Built) -> dict[str, Mapping[Sha, int]]:
    histories = [
        History(project, built.readers[project], commits, {})
        for project, commits in built.nameless.items()
    ]
    return dict(zip(built.nameless, names_of(forge, histories), strict=True))


def names_of(forge: Forge, histories: Sequence[History]) -> list[Mapping[Sha, int]]:
    """Tell which merge request brought each commit: by the merge commits, else by asking."""
    nameless = [
        [commit.sha for commit in history.commits if commit.sha not in history.named][:_ASKED]
        for history in histories
    ]
    answers = iter(
        in_parallel(
            partial(forge.commit_merge_requests, history.project, sha)
            for history, asked in zip(histories, nameless, strict=True)
            for sha in asked
        )
    )
    return [
        {**history.named, **_told(asked, answers)}
        for history, asked in zip(histories, nameless, strict=True)
    ]


def _told(asked: Sequence[Sha], answers: Iterator[Sequence[MergeRequest]]) -> Mapping[Sha, int]:
    merged = {sha: [each.iid for each in next(answers) if each.state == "merged"] for sha in asked}
    return {sha: min(iids) for sha, iids in merged.items() if iids}
