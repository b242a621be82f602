"""How a merge request was reviewed, for every medium: who approved what, under which rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.identifiers import short
from hotfix.text import listed, one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.plan.model import ObservedMergeRequest


def approvals(seen: ObservedMergeRequest, quote: Callable[[str], str] = one_line) -> str:
    """Name who approved; with the commit where that is not the one that was merged."""
    earlier = {
        each.by: f" at {short(each.head)}"
        for each in seen.approvals
        if each.head and each.head != seen.head
    }
    return listed([quote(name) + earlier.get(name, "") for name in seen.approved_by]) or "nobody"


def rules(seen: ObservedMergeRequest, quote: Callable[[str], str] = one_line) -> str:
    """Say how GitLab's own rules stand; nothing where it shows none or has none."""
    return listed(
        [
            f"{quote(each.name)} {len(each.approved_by)} of {each.required}"
            + ("" if each.approved else ", not approved")
            for each in seen.rules or ()
        ]
    )
