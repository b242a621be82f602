"""The lockfile as it grows: begun with a plan, extended entry by entry, sealed at the end.

Each function returns a new lockfile that agrees with itself; what stands beside the chain follows
from the entries and is never set by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotfix.evidence.chain import first_link, link
from hotfix.evidence.checks import nine_checks
from hotfix.evidence.derived import (
    APPROVALS,
    BINDING,
    STATE,
    approvals_in,
    binding,
    incident_url,
    state_in,
)
from hotfix.evidence.model import Approval, Lock, Seal
from hotfix.plan.document import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotfix.evidence.model import Phase, State, StepName
    from hotfix.plan.model import Plan


def begin(plan: Plan, *, applied_by: str, gitlab: str, tool_version: str) -> Lock:
    """Open the record of a plan; whoever resumes it later stands in the entries."""
    return Lock(
        format="lock/1",
        hotfix=plan.hotfix,
        kind=plan.kind,
        gitlab=gitlab,
        tool_version=tool_version,
        applied_by=applied_by,
        plan=plan,
        plan_digest=plan.digest,
        spec_digest=plan.spec_digest,
        state="planned",
        approvals=(),
        entries=(),
        checks=nine_checks(plan, ()),
        head=first_link(plan.digest),
        seal=None,
    )


def extend(
    lock: Lock,
    *,
    at: str,
    step: StepName,
    target: str | None,
    phase: Phase,
    facts: Mapping[str, Any],
    approvals: Sequence[Approval] = (),
    state: State | None = None,
) -> Lock:
    """Add an entry, and with it the approvals given or the state reached.

    A seal stands for the head that it names, so the new entry takes it away. Raises ``ValueError``
    for facts that cannot be recorded.
    """
    entry = link(
        lock.head,
        seq=len(lock.entries) + 1,
        at=at,
        step=step,
        target=target,
        phase=phase,
        facts={**facts, **_carried(lock, approvals, state)},
    )
    entries = (*lock.entries, entry)
    return lock.model_copy(
        update={
            "entries": entries,
            "head": entry.digest,
            "checks": nine_checks(lock.plan, entries),
            "approvals": tuple(Approval.model_validate(each) for each in approvals_in(entries)),
            "state": state_in(entries),
            "seal": None,
        }
    )


def seal(lock: Lock, *, at: str) -> Lock:
    """Note that the incident now holds the head; raises ``ValueError`` if no entry names one."""
    address = incident_url(lock.entries)
    if address is None:
        raise ValueError("no entry names the incident that could hold the head")
    return lock.model_copy(update={"seal": Seal(head=lock.head, at=at, incident=address)})


def _carried(lock: Lock, approvals: Sequence[Approval], state: State | None) -> dict[str, Any]:
    carried: dict[str, Any] = {}
    if not lock.entries:
        carried[BINDING] = binding(
            to_json(lock.plan), lock.applied_by, lock.gitlab, lock.tool_version
        )
    if approvals:
        carried[APPROVALS] = [to_json(approval) for approval in approvals]
    if state is not None:
        carried[STATE] = state
    return carried
