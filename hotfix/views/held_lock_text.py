"""A lock that somebody holds, as it is shown before it is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotfix.apply.lease import described, told_of
from hotfix.views.page import BAD, CAUTION, GOOD, HEADING, Page

if TYPE_CHECKING:
    from hotfix.apply.unlock import FoundLock
    from hotfix.views.page import Part

_WARNING = (
    "Its run is alive. If its lock is broken, it stops before its next effect, and what it has "
    "begun stays half done. Break it only if you know that this run is dead."
)
_UNKNOWN = (
    "This lock has no lease, so nothing tells whether its run lives. Break it only if you know "
    "that this run is dead."
)


def held_lock_text(lock: FoundLock, *, width: int, colour: bool) -> str:
    """Write who holds a lock, for what, and whether that run lives."""
    page = Page(width)
    page.line((f"The lock of {lock.project}", HEADING))
    rows: list[tuple[Part, ...]] = [
        ("held by", described(lock.holder)),
        *told_of(lock.place.name, lock.holder),
        ("its run", standing(lock)),
    ]
    page.table(rows, indent=2)
    if lock.alive is not False:
        page.gap()
        page.line(("WARNING", BAD), f" {_UNKNOWN if lock.alive is None else _WARNING}", hang=2)
    return page.text(colour=colour)


def standing(lock: FoundLock) -> tuple[str, str]:
    """Say whether the run of a lock lives, as far as anything tells, with its style."""
    if lock.why_dead:
        return f"dead: {lock.why_dead}", GOOD
    if lock.why_alive:
        return f"alive: {lock.why_alive}", BAD
    return "unknown", CAUTION


def lock_document(lock: FoundLock) -> dict[str, Any]:
    """Give a lock as JSON: what it tells of its holder, and whether that run lives."""
    keys = ("who", "host", "since", "until", "hotfix", "plan_digest", "tool_version", "job")
    return {
        "name": lock.place.name,
        "alive": lock.alive,
        "standing": standing(lock)[0],
        "holder": {key: getattr(lock.holder, key) or None for key in keys},
    }
