from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.evidence.report import AuditReport, judged, note
from hotfix.views.audit_text import audit_text
from hotfix.views.evidence_markdown import audit_markdown, lock_markdown
from hotfix.views.lock_text import lock_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.evidence.model import Lock
    from hotfix.plan.model import Plan


def _report(lock: Lock, *, forged: bool = False) -> AuditReport:
    faults = [("$.entries[1].digest", "Stated is sha256:00, expected sha256:11.")] if forged else []
    return AuditReport(
        source="plans/inc-1042/hotfix.lock.json",
        scope="offline",
        hotfix=lock.hotfix,
        kind="hotfix",
        state=lock.state,
        findings=(
            *judged("plan", "$.plan", "The plan's digests are its own.", []),
            *judged("chain", "$.entries", "4 entries, unbroken.", faults),
            note("anchor", "$.seal", "Offline nobody asked the incident for the head."),
        ),
        checks=lock.checks,
    )


def test_a_lockfile_reads_as_in_the_golden_file(
    lock: Lock, golden: Callable[[str, str], None]
) -> None:
    golden("lock.txt", lock_text(lock, width=100, colour=False))
    golden("lock.md", lock_markdown(lock))


def test_the_record_of_a_rollback_reads_as_in_the_golden_file(
    lock: Lock, back: Plan, golden: Callable[[str, str], None]
) -> None:
    begun = lock.entries[0].model_copy(
        update={
            "step": "lock",
            "phase": "intent",
            "facts": {"ref": "refs/hotfix/lock/release", "reason": "heartbeats are still lost"},
        }
    )
    ended = lock.entries[-1].model_copy(
        update={
            "step": "incident",
            "phase": "observed",
            "target": None,
            "facts": {
                "rollback": "hotfix.rollback.lock.json",
                "reason": "heartbeats are still lost",
                "outcome": {"evenergi/bf-manage-core": "recovered"},
            },
        }
    )
    entries = (begun, *lock.entries[1:3], ended)
    of_back = lock.model_copy(
        update={"kind": "rollback", "plan": back, "state": "complete", "entries": entries}
    )
    golden("rollback-lock.txt", lock_text(of_back, width=100, colour=False))


def test_an_audit_reads_as_in_the_golden_file(
    lock: Lock, golden: Callable[[str, str], None]
) -> None:
    golden("audit.txt", audit_text(_report(lock, forged=True), width=100, colour=False))
    golden("audit.md", audit_markdown(_report(lock, forged=True)))


def test_the_verdict_comes_first_and_the_fault_below_it(lock: Lock) -> None:
    lines = audit_text(_report(lock, forged=True), width=100, colour=False).splitlines()

    assert lines[0].startswith("Failed: plans/inc-1042/hotfix.lock.json has 1 fault;")
    assert any("$.entries[1].digest" in line for line in lines[1:5])


def test_an_honest_record_of_unfinished_work_is_no_forgery(lock: Lock) -> None:
    first = audit_text(_report(lock), width=100, colour=False).splitlines()[0]

    assert first == (
        "Incomplete: plans/inc-1042/hotfix.lock.json is intact, "
        "hotfix inc-1042-ocpp-timeout is failed, but only 3 of 9 checks passed."
    )


def test_a_passed_audit_says_so(lock: Lock) -> None:
    passed = tuple(check.model_copy(update={"outcome": "passed"}) for check in lock.checks)
    report = _report(lock.model_copy(update={"checks": passed, "state": "complete"}))

    assert audit_text(report, width=100, colour=False).splitlines()[0] == (
        "Passed: plans/inc-1042/hotfix.lock.json is intact, hotfix inc-1042-ocpp-timeout is "
        "complete, 9 of 9 checks passed."
    )
