"""What stands in a lockfile beside the chain, and is covered by it all the same.

A chain proves its entries and nothing else. So what a reader finds beside them is held by them:
the first entry carries ``binding``, which pins the whole plan, who applied it, where and with which
version; an entry that adds approvals carries them as ``approvals``; one that changes the state
carries it as ``state``. The nine checks and the head are made from the entries anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hotfix.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from hotfix.evidence.model import Entry

BINDING: Final = "binding"
APPROVALS: Final = "approvals"
STATE: Final = "state"


def binding(
    plan_document: Mapping[str, Any], applied_by: str, gitlab: str, tool_version: str
) -> dict[str, Any]:
    """Make the fact that pins what the plan's own digest leaves out.

    ``plan_digest`` is the same for everybody who plans, so it does not cover what was observed,
    the warnings or the address; here the document is digested whole, as it stands in the file.
    """
    return {
        "plan_document": digest(plan_document),
        "applied_by": applied_by,
        "gitlab": gitlab,
        "tool_version": tool_version,
    }


def approvals_in(entries: Sequence[Entry]) -> list[JsonValue]:
    """Collect the approvals that the entries carry, in their order."""
    return [
        approval
        for entry in entries
        if isinstance(carried := entry.facts.get(APPROVALS), list)
        for approval in carried
    ]


def state_in(entries: Sequence[Entry]) -> JsonValue:
    """Tell the state that was set last; before any was, ``planned``, then ``applying``."""
    set_last = next((entry for entry in reversed(entries) if STATE in entry.facts), None)
    if set_last is not None:
        return set_last.facts[STATE]
    return "applying" if entries else "planned"


def incident_url(entries: Sequence[Entry]) -> str | None:
    """Find the address of the incident that was written last."""
    for entry in reversed(entries):
        url = entry.facts.get("url")
        if entry.step == "incident" and entry.phase == "done" and isinstance(url, str):
            return url
    return None
