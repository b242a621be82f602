"""What a lockfile cannot prove of itself, and what is odd without being wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.evidence.chain import backwards
from hotfix.evidence.passed import behind_glass, glass, reason_of
from hotfix.evidence.report import note
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.evidence.model import Lock
    from hotfix.evidence.report import AuditFinding


def limits(lock: Lock) -> Iterator[AuditFinding]:
    """Say where a reader must look elsewhere, and what nobody should be surprised by."""
    yield from _clock(lock)
    if lock.gitlab != lock.plan.gitlab:
        planned, applied = one_line(lock.plan.gitlab), one_line(lock.gitlab)
        yield note("gitlab", "$.gitlab", f"Planned through {planned}, applied through {applied}.")
    if broken := glass(lock):
        past = ", ".join(behind_glass(lock))
        said = f"{broken.by} broke the glass at {broken.at}, past {past}: {reason_of(broken)}"
        yield note("broken-glass", "$.approvals", one_line(said, 600))
    if lock.state == "rolled-back":
        yield note("rollback", "$.state", "It was rolled back; see the rollback's lockfile.")
    yield note(
        "commits",
        "$.plan.targets",
        "Commits are compared by their ids; the objects themselves are in Git.",
    )
    yield note("anchor", "$.seal", _anchor(lock))


def _clock(lock: Lock) -> Iterator[AuditFinding]:
    for index in backwards(lock.entries):
        at = one_line(lock.entries[index].at, 40)
        yield note("time", f"$.entries[{index}].at", f"{at} is earlier than the entry before it.")
    if lock.seal is not None and lock.entries and lock.seal.at < lock.entries[-1].at:
        at = one_line(lock.seal.at, 40)
        yield note("time", "$.seal.at", f"{at} is earlier than the entry that was sealed.")


def _anchor(lock: Lock) -> str:
    if lock.seal is None:
        return (
            "There is no seal. Cut off at the end, or made anew as a whole, the file would agree "
            "with itself all the same."
        )
    return (
        "Offline nobody asked the incident for the head. Made anew as a whole, the file would "
        f"agree with itself all the same: look for {lock.head} in {one_line(lock.seal.incident)}. "
        "When it was sealed stands in this file alone."
    )
