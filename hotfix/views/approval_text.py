"""How far the approvals of a plan are, for people and for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotfix.plan.approvals import who_may
from hotfix.text import one_line
from hotfix.views.page import BAD, CAUTION, GOOD, Page

if TYPE_CHECKING:
    from hotfix.plan.approvals import Tally, Voice


def approval_text(found: Tally, *, width: int, colour: bool) -> str:
    """Write who approved, and what does not count and why."""
    page, policy = Page(width), found.asked.policy
    if policy.minimum:
        page.line((f"{found.verdict()} wanted.", CAUTION if found.missing else GOOD))
    else:
        page.line("The policy asks for no approval of a plan; `apply` looks for none.")
    for voice in found.counted:
        page.line(("+ ", GOOD), _said(voice), hang=2)
    for voice, why in found.refused:
        page.line(("- ", BAD), f"{_said(voice)} does not count: {one_line(why)}", hang=2)
    for on in found.unread:
        page.line(("? ", CAUTION), f"{on} is not there, or this token may not see it", hang=2)
    if found.missing:
        page.line(f"{found.missing} more by {who_may(policy)}.", indent=2)
    return page.text(colour=colour)


def _said(voice: Voice) -> str:
    return f"{one_line(voice.by.username, 60)} at {voice.at} {one_line(voice.url, 1000)}"


def tally_document(found: Tally) -> dict[str, Any]:
    """Tell the same to a script."""
    return {
        "wanted": found.asked.policy.minimum,
        "missing": found.missing,
        "counted": [_voice(voice) for voice in found.counted],
        "not_counted": [{**_voice(voice), "why": why} for voice, why in found.refused],
        "unread": [str(on) for on in found.unread],
    }


def _voice(voice: Voice) -> dict[str, Any]:
    return {
        "by": voice.by.username,
        "at": voice.at,
        "digest": voice.digest,
        "on": str(voice.on),
        "url": voice.url,
    }
