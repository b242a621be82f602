"""Which commits the hotfix brings: those of the merge requests that the spec names, in order.

A later fix may stand on an earlier one, so they are picked as they entered their target branch,
whatever order the spec has them in; ``order: as-written`` says that its own is meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.git.history import History
from hotfix.git.resolution import stray_paths
from hotfix.identifiers import Sha
from hotfix.plan import guards
from hotfix.plan.adopt import Wanted
from hotfix.plan.resolve import UnresolvedError, commits_to_pick
from hotfix.plan.review import pushed_after_approval

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hotfix.git.objects import ObjectReader
    from hotfix.plan.model import Finding
    from hotfix.plan.observe import SeenMergeRequest, SeenTarget
    from hotfix.spec.model import Spec, Target


def wanted_commits(
    spec: Spec, each: SeenTarget, reader: ObjectReader
) -> tuple[list[Wanted], list[Finding]]:
    """List the commits to pick, in order, and every objection to them."""
    target = each.target
    findings: list[Finding] = []
    by_merge_request: dict[int, list[Wanted]] = {}
    branches = {name: History(reader, head) for name, head in each.heads.items()}
    for seen in each.merge_requests:
        findings += guards.merge_request_guard(
            target, seen, spec.policy.approvals, each.project.default_branch
        )
        findings += pushed_after_approval(each, seen, spec.policy.approvals)
        if seen.merge_request is None or seen.merge_request.state != "merged":
            continue
        if seen.ref.project == target.project:
            commits = _commits(each, seen, reader, branches, findings)
            by_merge_request[seen.ref.iid] = list(commits)
    order = [iid for iid in by_merge_request if target.order == "as-written"]
    if not order:
        order = in_merge_order(each)
        findings += guards.reordered_warning(target, list(by_merge_request), order)
    return [want for iid in order for want in by_merge_request[iid]], findings


def in_merge_order(each: SeenTarget) -> list[int]:
    """List a target's merged merge requests as they entered their target branch."""
    merged = [
        found
        for seen in each.merge_requests
        if (found := seen.merge_request) is not None
        and found.state == "merged"
        and seen.ref.project == each.target.project
    ]
    timed = [
        (found.merged_at, place, found.iid)
        for place, found in enumerate(merged)
        if found.merged_at is not None
    ]
    if len(timed) < len(merged):  # the places in the spec are all that is known for sure
        return [found.iid for found in merged]
    return [iid for _, _, iid in sorted(timed)]


def _commits(
    each: SeenTarget,
    seen: SeenMergeRequest,
    reader: ObjectReader,
    branches: Mapping[str, History],
    findings: list[Finding],
) -> Iterator[Wanted]:
    target, found = each.target, seen.merge_request
    if found is None:
        return
    branch = branches.get(found.target_branch)
    try:
        commits = commits_to_pick(reader, found, seen.commits, branch)
    except UnresolvedError as error:
        findings.append(guards.unresolved_guard(target, found, str(error)))
        return
    resolution = _resolution(target, found.iid)
    if resolution is None:
        for sha in commits:
            yield Wanted(found.iid, sha, None)
    elif len(commits) > 1:
        findings.append(guards.incomplete_resolution_guard(target, found.iid, len(commits)))
    elif resolution.encode() not in reader:
        findings.append(guards.resolution_guard(target, found.iid, resolution))
    elif stray := stray_paths(reader, commit=commits[-1], resolution=resolution):
        findings.append(guards.stray_guard(target, found.iid, resolution, stray))
    else:
        yield Wanted(found.iid, commits[-1], resolution)


def _resolution(target: Target, iid: int) -> Sha | None:
    for resolution in target.resolutions:
        if resolution.merge_request == iid:
            return Sha(resolution.commit)
    return None
