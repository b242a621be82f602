"""The whole way from a spec to its plan: ask GitLab, fetch the objects, build."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hotfix.forge.protocol import NotFoundError
from hotfix.identifiers import Sha
from hotfix.plan.build import Built, build
from hotfix.plan.draft import TargetObjects
from hotfix.plan.leaving import named_in_merges, unreleased
from hotfix.plan.observe import observe
from hotfix.plan.why import missing_below, why

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hotfix.clock import Clock
    from hotfix.forge.protocol import Forge, Repository
    from hotfix.git.commits import CommitInfo
    from hotfix.git.objects import ObjectReader
    from hotfix.plan.branch import PickConflict
    from hotfix.plan.observe import SeenTarget
    from hotfix.plan.why import Why
    from hotfix.spec.model import Spec, Target

_ASKED: Final = 100
"""How many commits without a merge request in their history are looked up, one call each."""


def make_plan(spec: Spec, forge: Forge, clock: Clock, *, tool_version: str) -> Built:
    """Plan a spec against GitLab as it is now. Reads only; raises ``ForgeError``."""
    repositories = {
        target.project: forge.repository(forge.project(target.project)) for target in spec.targets
    }
    seen = observe(spec, forge, repositories, clock)
    objects = {
        each.target.project: _objects(each, forge, repositories[each.target.project])
        for each in seen.targets
    }
    built = build(spec, seen, objects, gitlab=forge.url, tool_version=tool_version)
    if not built.conflicts:
        return built
    for target in spec.targets:
        conflict = built.conflicts.get(target.project)
        if conflict is not None and conflict.want.resolution is None:
            known = objects[target.project]
            objects[target.project] = replace(known, why=_why(target, conflict, forge))
    return build(spec, seen, objects, gitlab=forge.url, tool_version=tool_version)


def _why(target: Target, conflict: PickConflict, forge: Forge) -> Why:
    missing = missing_below(conflict, target)
    newest_first = tuple(reversed(missing))
    names = _names(forge, target, conflict.reader, newest_first)
    return why(conflict, target, missing, names)


def _objects(seen: SeenTarget, forge: Forge, repository: Repository) -> TargetObjects:
    reader = repository.fetch(tuple(dict.fromkeys(_heads(seen))))
    for sha in _named(seen):
        # A commit that the server lacks is the guards' business, who know what it was for.
        try:
            reader = repository.fetch((sha,))
        except NotFoundError:
            continue
    return TargetObjects(reader, _brought_by(seen, forge, reader))


def _heads(seen: SeenTarget) -> Iterator[Sha]:
    if seen.release_head is not None:
        yield seen.release_head
    for each in seen.merge_requests:
        found = each.merge_request
        if found is not None and found.target_branch in seen.heads:
            yield seen.heads[found.target_branch]


def _named(seen: SeenTarget) -> Iterator[Sha]:
    yield Sha(seen.target.production_sha)
    for resolution in seen.target.resolutions:
        yield Sha(resolution.commit)


def _brought_by(seen: SeenTarget, forge: Forge, reader: ObjectReader) -> Mapping[Sha, int]:
    head, production = seen.release_head, Sha(seen.target.production_sha)
    if head is None or production.encode() not in reader:
        return {}
    commits = unreleased(reader, production=production, head=head)
    return _names(forge, seen.target, reader, commits)


def _names(
    forge: Forge, target: Target, reader: ObjectReader, commits: tuple[CommitInfo, ...]
) -> Mapping[Sha, int]:
    """Tell which merge request brought each commit: by the merge commits, else by asking."""
    names = dict(named_in_merges(reader, commits, target.project))
    nameless = [commit for commit in commits if commit.sha not in names]
    for commit in nameless[:_ASKED]:
        found = forge.commit_merge_requests(target.project, commit.sha)
        merged = [each.iid for each in found if each.state == "merged"]
        if merged:
            names[commit.sha] = min(merged)
    return names
