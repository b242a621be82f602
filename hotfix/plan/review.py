"""How each merge request was reviewed: by GitLab's rules, and of which commit.

An approval is of what somebody saw. GitLab keeps it when more is pushed, unless the project resets
approvals on push, so a merge request may be approved and hold what nobody looked at. Its versions
tell: each push makes one, and the newest at the time of an approval is what was approved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.clock import timestamp
from hotfix.identifiers import short
from hotfix.plan.model import Finding, ObservedApproval, ObservedRule
from hotfix.text import listed, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotfix.forge.types import Approval, MergeRequest, Version
    from hotfix.plan.observe import SeenMergeRequest, SeenTarget
    from hotfix.spec.model import ApprovalPolicy


def told_approvals(seen: SeenMergeRequest) -> tuple[ObservedApproval, ...]:
    """Tell who approved, when, and which head; null where GitLab does not let it be told."""
    return tuple(
        ObservedApproval(
            by=each.user.username,
            at=timestamp(each.approved_at) if each.approved_at else None,
            head=version.head if (version := _approved(each, seen.versions or ())) else None,
        )
        for each in (seen.approvals.approved_by if seen.approvals else ())
    )


def told_rules(seen: SeenMergeRequest) -> tuple[ObservedRule, ...] | None:
    """Tell GitLab's own rules; null where it does not show them to this token."""
    if seen.rules is None:
        return None
    return tuple(
        ObservedRule(
            name=each.name,
            kind=each.kind,
            required=each.required,
            approved=each.approved,
            approved_by=each.approved_by,
        )
        for each in seen.rules
    )


def pushed_after_approval(
    each: SeenTarget, seen: SeenMergeRequest, policy: ApprovalPolicy
) -> Iterator[Finding]:
    """Warn where fewer than the policy asks for approved what was merged.

    A rebase pushes the same change again; its patch id says so. An approval whose commit cannot be
    told is given the benefit of the doubt, and the record has a gap there.
    """
    found, versions = seen.merge_request, seen.versions or ()
    merged = _merged(found, versions)
    if found is None or merged is None or seen.approvals is None:
        return
    counting = [
        approval
        for approval in seen.approvals.approved_by
        if not (policy.not_author and approval.user.id == found.author.id)
    ]
    earlier = [
        (approval, version)
        for approval in counting
        if (version := _approved(approval, versions)) and not _same(version, merged)
    ]
    if not earlier or len(counting) - len(earlier) >= policy.minimum:
        return
    by = listed(
        [f"{one_line(who.user.username, 60)} at {short(version.head)}" for who, version in earlier]
    )
    resets = {True: "; the project resets approvals on push now", False: "", None: ""}
    yield Finding(
        code="mr-pushed-after-approval",
        target=each.target.project,
        message=f"!{found.iid} was approved by {by}, and merged at {short(merged.head)}: "
        f"what was pushed in between nobody approved{resets[each.resets_approvals]}.",
        hint=f"Read what came: {_compare(each, earlier[-1][1], merged)}",
    )


def _approved(approval: Approval, versions: Sequence[Version]) -> Version | None:
    """Return what was approved: the newest version at that time; ``versions`` newest first."""
    at = approval.approved_at
    return next((each for each in versions if at and each.created_at <= at), None)


def _merged(found: MergeRequest | None, versions: Sequence[Version]) -> Version | None:
    if found is None or found.state != "merged":
        return None
    return next((each for each in versions if each.head == found.sha), None)


def _same(one: Version, other: Version) -> bool:
    return one.head == other.head or (one.patch is not None and one.patch == other.patch)


def _compare(each: SeenTarget, approved: Version, merged: Version) -> str:
    return f"{each.project.web_url}/-/compare/{approved.head}...{merged.head}"
