"""What was observed, as the plan tells it to its readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.identifiers import short
from hotfix.plan.attributes import told_attributes
from hotfix.plan.elsewhere import maybe_timestamp
from hotfix.plan.model import ObservedMergeRequest, ObservedTarget, SourceOfSha
from hotfix.plan.review import told_approvals, told_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotfix.forge.types import Deployment, Environment
    from hotfix.plan.model import BlastRadius, TargetPlan
    from hotfix.plan.observe import SeenMergeRequest, SeenTarget


def observed_target(
    seen: SeenTarget,
    sources: Sequence[SourceOfSha],
    searched: str = "",
    radius: BlastRadius | None = None,
) -> ObservedTarget:
    """Tell what was seen of a target: links, records, merge requests, the caller's role."""
    return ObservedTarget(
        url=seen.project.web_url,
        access_level=seen.project.access_level,
        merge_attributes=told_attributes(seen.target),
        searched=searched,
        radius=radius,
        approvals_reset_on_push=seen.resets_approvals,
        production=tuple(sources),
        merge_requests=tuple(
            told for each in seen.merge_requests if (told := _merge_request(each)) is not None
        ),
    )


def sources_of_sha(
    name: str, environment: Environment | None, deployments: Sequence[Deployment]
) -> tuple[SourceOfSha, ...]:
    """Tell what each of GitLab's records says an environment of this name runs.

    The environment's last successful deployment, and the deployments by the time they finished:
    after a rollback the newest id is the wrong one.
    """
    url = environment.web_url if environment else None
    last = environment.last_deployment if environment else None
    newest = deployments[0] if deployments else None
    return (
        _source("environment", last, url, f"no successful deployment of {name}"),
        _source("deployments by finish time", newest, url, "none finished successfully"),
    )


def sources_of_known_good(
    hotfix: TargetPlan, deployments: Sequence[Deployment]
) -> tuple[SourceOfSha, ...]:
    """Tell which records name the commit that production ran before a hotfix.

    The newest deployment of it that GitLab still lists, and what was seen when the hotfix was
    planned.
    """
    good = hotfix.production.sha
    listed = [each for each in deployments if each.sha == good][:1]
    now = (_source("the deployment before the hotfix", each, None, "") for each in listed)
    then = [
        each.model_copy(update={"source": f"{each.source}, as the hotfix was planned"})
        for each in hotfix.observed.production
        if each.sha == good
    ][:1]
    return (*now, *then)


def _source(name: str, found: Deployment | None, url: str | None, none: str) -> SourceOfSha:
    if found is None:
        return SourceOfSha(source=name, sha=None, at=None, url=url, detail=none)
    by = f" by job {found.job.name} ({found.job.id})" if found.job else " by no job"
    at = maybe_timestamp(found.finished_at or found.created_at)
    return SourceOfSha(
        source=name,
        sha=found.sha,
        at=at,
        url=url,
        detail=f"{short(found.sha)}, deployment {found.iid}{by}" + (f" at {at}" if at else ""),
    )


def _merge_request(seen: SeenMergeRequest) -> ObservedMergeRequest | None:
    found = seen.merge_request
    if found is None:
        return None
    approvals = seen.approvals
    return ObservedMergeRequest(
        project=seen.ref.project,
        iid=found.iid,
        title=found.title,
        state=found.state,
        author=found.author.username,
        target_branch=found.target_branch,
        merged_at=maybe_timestamp(found.merged_at),
        approved_by=tuple(each.user.username for each in approvals.approved_by)
        if approvals
        else (),
        approvals_left=approvals.approvals_left if approvals else None,
        url=found.web_url,
        pipeline=seen.pipeline.status if seen.pipeline else None,
        head=found.sha,
        approvals=told_approvals(seen),
        rules=told_rules(seen),
    )
