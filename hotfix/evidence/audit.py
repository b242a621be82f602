"""The audit of a lockfile without asking anybody: whether it is whole and agrees with itself.

Every byte of the file is covered: the plan by its digests and by ``binding``, the entries by the
chain, and all else by being made again from the entries. What no file can prove of itself is said
as a note.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from hotfix.canonical import digest
from hotfix.evidence.agreement import entries_agree
from hotfix.evidence.chain import first_link, verify
from hotfix.evidence.checks import complete, nine_checks
from hotfix.evidence.derived import BINDING, approvals_in, binding, incident_url, state_in
from hotfix.evidence.limits import limits
from hotfix.evidence.report import AuditReport, judged
from hotfix.evidence.spelling import respelled
from hotfix.plan.document import plan_digest, rollback_digest, to_json
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotfix.evidence.lockfile import LockDocument
    from hotfix.evidence.model import Check
    from hotfix.evidence.report import AuditFinding


def audit(document: LockDocument) -> AuditReport:
    """Verify a lockfile offline: all that can be verified, each finding with its place.

    A file that is no lockfile at all was refused already, by ``lockfile.parse``.
    """
    lock = document.lock
    checks = nine_checks(lock.plan, lock.entries)
    return AuditReport(
        source=document.source,
        scope="offline",
        hotfix=lock.hotfix,
        kind=lock.kind,
        state=lock.state,
        findings=(
            *_record(document, checks),
            *entries_agree(lock),
            *limits(lock),
        ),
        checks=checks,
    )


def _record(document: LockDocument, checks: Sequence[Check]) -> list[AuditFinding]:
    return [
        *judged(
            "spelling", "$", "The file is spelled as this tool writes it.", _spelling(document)
        ),
        *judged("plan", "$.plan", "The plan's digests are its own.", _plan(document)),
        *judged("binding", "$.entries[0]", "The first entry pins plan and run.", _bound(document)),
        *judged("chain", "$.entries", _unbroken(document), _chain(document)),
        *judged("head", "$.head", "The head is the last entry's digest.", _head(document)),
        *judged("seal", "$.seal", "The seal is of this head, or there is none.", _seal(document)),
        *judged("identity", "$", "Hotfix and kind are the plan's.", _identity(document)),
        *judged("state", "$.state", "The state is the one recorded.", _state(document, checks)),
        *judged("approvals", "$.approvals", "Each is in the chain.", _approvals(document)),
        *judged(
            "checks", "$.checks", "The nine checks, made again, agree.", _checks(document, checks)
        ),
    ]


def _spelling(document: LockDocument) -> Iterator[tuple[str, str]]:
    found = respelled(document.data, document.raw)
    if found is not None:
        line, text = found
        yield "$", f"Line {line} has `{one_line(text, 60)}`, which this tool would write otherwise."


def _plan(document: LockDocument) -> Iterator[tuple[str, str]]:
    raw, plan = document.raw, document.raw["plan"]
    rollback = plan["rollback"]
    pairs = [("$.plan.spec", plan["spec_digest"], digest(plan["spec"]))]
    if rollback is not None:
        pairs += [("$.plan.rollback", rollback["digest"], rollback_digest(rollback))]
    pairs += [
        ("$.plan", plan["digest"], plan_digest(plan)),
        ("$.plan_digest", raw["plan_digest"], plan["digest"]),
        ("$.spec_digest", raw["spec_digest"], plan["spec_digest"]),
    ]
    for place, stated, expected in pairs:
        if stated != expected:
            yield place, f"It was changed: stated is {stated}, expected {expected}."


def _bound(document: LockDocument) -> Iterator[tuple[str, str]]:
    raw, entries = document.raw, document.raw["entries"]
    if not entries:
        return
    expected = binding(raw["plan"], raw["applied_by"], raw["gitlab"], raw["tool_version"])
    pinned = entries[0]["facts"].get(BINDING)
    if not isinstance(pinned, dict):
        yield "$.entries[0].facts", f"The first entry has no `{BINDING}`: nothing pins the plan."
        return
    for key, value in expected.items():
        if pinned.get(key) != value:
            place = _unpinned_plan(document) if key == "plan_document" else f"$.{key}"
            seen = one_line(str(pinned.get(key)), 80)
            yield (
                place,
                f"It was changed: the first entry has {seen}, the file {one_line(value, 80)}.",
            )


def _unpinned_plan(document: LockDocument) -> str:
    """Narrow the place of a change down: where the plan's own digest holds, it is outside of it."""
    plan = document.raw["plan"]
    if plan["digest"] != plan_digest(plan):
        return "$.plan"
    return "$.plan[observed, gitlab, tool_version, warnings, blockers]"


def _unbroken(document: LockDocument) -> str:
    return f"{len(document.raw['entries'])} entries, unbroken from the plan's digest to the head."


def _chain(document: LockDocument) -> Iterator[tuple[str, str]]:
    for fault in verify(document.raw["entries"], document.raw["plan_digest"]):
        yield f"$.entries[{fault.index}].{fault.key}", fault.detail


def _head(document: LockDocument) -> Iterator[tuple[str, str]]:
    raw = document.raw
    expected = raw["entries"][-1]["digest"] if raw["entries"] else first_link(raw["plan_digest"])
    if raw["head"] != expected:
        yield "$.head", f"The head is {raw['head']}, the chain ends in {expected}."


def _seal(document: LockDocument) -> Iterator[tuple[str, str]]:
    seal, lock = document.lock.seal, document.lock
    if seal is None:
        return
    if seal.head != lock.head:
        yield "$.seal.head", f"Sealed was {seal.head}, the chain ends in {lock.head}."
    written = incident_url(lock.entries)
    if seal.incident != written:
        yield (
            "$.seal.incident",
            f"The seal names {one_line(seal.incident)}, the entries {one_line(str(written))}.",
        )
    if not _is_moment(seal.at):
        yield "$.seal.at", f"{one_line(seal.at, 40)} is no moment."


def _identity(document: LockDocument) -> Iterator[tuple[str, str]]:
    raw = document.raw
    for key in ("hotfix", "kind"):
        if raw[key] != raw["plan"][key]:
            yield (
                f"$.{key}",
                f"The file says {one_line(raw[key])}, its plan {one_line(raw['plan'][key])}.",
            )
    if raw["plan"]["spec"]["id"] != raw["plan"]["hotfix"]:
        yield "$.plan.hotfix", "The plan is of another hotfix than its spec."


def _state(document: LockDocument, checks: Sequence[Check]) -> Iterator[tuple[str, str]]:
    lock = document.lock
    recorded = state_in(lock.entries)
    if lock.state != recorded:
        yield "$.state", f"The file says {lock.state}, its entries {one_line(str(recorded), 40)}."
    if lock.state == "complete" and not complete(checks):
        open_checks = sum(check.outcome != "passed" for check in checks)
        yield "$.state", f"The file says complete, but {open_checks} checks are not passed."


def _approvals(document: LockDocument) -> Iterator[tuple[str, str]]:
    yield from _compared(
        "$.approvals",
        [to_json(approval) for approval in document.lock.approvals],
        approvals_in(document.lock.entries),
    )


def _checks(document: LockDocument, checks: Sequence[Check]) -> Iterator[tuple[str, str]]:
    yield from _compared(
        "$.checks",
        [to_json(check) for check in document.lock.checks],
        [to_json(check) for check in checks],
    )


def _compared(
    place: str, stored: Sequence[Any], expected: Sequence[Any]
) -> Iterator[tuple[str, str]]:
    if len(stored) != len(expected):
        yield place, f"The file has {len(stored)}, its entries give {len(expected)}."
    for index, (one, other) in enumerate(zip(stored, expected, strict=False)):
        if one != other:
            told = one_line(f"The file has {one}, its entries give {other}.", 400)
            yield f"{place}[{index}]", told


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
