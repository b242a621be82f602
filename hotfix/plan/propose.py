"""What a new spec can say by itself: what production runs, and which merge requests are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.clock import timestamp
from hotfix.errors import BlockedError
from hotfix.parallel import Together
from hotfix.plan import guards
from hotfix.plan.elsewhere import other_sources_of_sha
from hotfix.plan.observe import seen_elsewhere, seen_target
from hotfix.plan.told import sources_of_sha
from hotfix.spec.write import NewMergeRequest, NewTarget

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotfix.clock import Clock
    from hotfix.forge.protocol import Forge
    from hotfix.plan.model import Finding, SourceOfSha
    from hotfix.plan.observe import SeenTarget
    from hotfix.spec.model import Target


def propose(
    targets: Sequence[Target], forge: Forge, clock: Clock
) -> tuple[tuple[NewTarget, tuple[SourceOfSha, ...]], ...]:
    """Look at targets that name merge requests and no production SHA yet. Reads only.

    Raises ``BlockedError`` with every source's answer where they do not agree, while somebody
    deploys, and for a merge request that GitLab does not show: a wrong SHA is not to be proposed.
    """
    together = Together()
    asked = [
        seen_target(each, forge, together, seen_elsewhere(each, forge, clock, together))
        for each in targets
    ]
    together.run()
    return tuple(_proposed(look(), timestamp(clock.now())) for look in asked)


def _proposed(seen: SeenTarget, at: str) -> tuple[NewTarget, tuple[SourceOfSha, ...]]:
    target = seen.target
    records = sources_of_sha(target.environment, seen.environment, seen.deployments)
    others = other_sources_of_sha(seen, records)
    sha = guards.agreed_sha(records, others)
    for finding in _objections(seen, records, others):
        table = "".join(f"\n  {line}" for line in finding.detail.splitlines())
        raise BlockedError(finding.code, f"{finding.message}{table}", hint=finding.hint)
    merge_requests = tuple(
        NewMergeRequest(found.iid, found.title, found.state)
        for each in seen.merge_requests
        if (found := each.merge_request) is not None
    )
    proposed = NewTarget(target.project, sha or "", at, merge_requests)
    return proposed, (*records, *others)


def _objections(
    seen: SeenTarget, records: Sequence[SourceOfSha], others: Sequence[SourceOfSha]
) -> Iterator[Finding]:
    sha = guards.agreed_sha(records, others)
    if sha is None:
        yield guards.unclear(seen.target, (*records, *others))
    yield from guards.running_guard(seen.target, seen.running, already_there=None)
    for each in seen.merge_requests:
        if each.merge_request is None:
            yield guards.not_found_guard(seen.target, each)
