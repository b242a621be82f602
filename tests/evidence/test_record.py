from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.canonical import digest
from hotfix.evidence.audit import audit
from hotfix.evidence.chain import verify
from hotfix.evidence.derived import binding, incident_url
from hotfix.evidence.lockfile import parse, serialize
from hotfix.evidence.model import Approval
from hotfix.evidence.record import begin, extend, seal
from hotfix.plan.document import to_json

if TYPE_CHECKING:
    from conftest import Story

    from hotfix.evidence.model import Lock

pytestmark = pytest.mark.usefixtures("_no_schema")

AT = "2026-11-22T12:00:00Z"
APPROVAL = Approval(by="petra", at=AT, what="plan", source="question")


@pytest.fixture
def begun(hotfix: Story) -> Lock:
    return begin(
        hotfix.plan, applied_by="olive", gitlab="https://gitlab.example.com", tool_version="0.1.0"
    )


def test_a_record_begins_planned_with_everything_missing(begun: Lock) -> None:
    assert (begun.state, begun.entries, begun.approvals, begun.seal) == ("planned", (), (), None)
    assert begun.head == begun.plan_digest == begun.plan.digest
    assert {check.outcome for check in begun.checks} == {"missing"}


def test_the_first_entry_pins_the_plan_and_who_applies_it(begun: Lock) -> None:
    lock = extend(begun, at=AT, step="preflight", target=None, phase="observed", facts={"a": 1})
    lock = extend(lock, at=AT, step="preflight", target=None, phase="observed", facts={"a": 2})

    assert lock.entries[0].facts == {
        "a": 1,
        "binding": {
            "plan_document": digest(to_json(begun.plan)),
            "applied_by": "olive",
            "gitlab": "https://gitlab.example.com",
            "tool_version": "0.1.0",
        },
    }
    assert lock.entries[1].facts == {"a": 2}


def test_binding_covers_what_the_plan_digest_leaves_out(begun: Lock) -> None:
    document = to_json(begun.plan)
    before = binding(document, "olive", "https://gitlab.example.com", "0.1.0")
    document["targets"][0]["observed"]["access_level"] = 50

    assert binding(document, "olive", "https://gitlab.example.com", "0.1.0") != before


def test_each_entry_hangs_on_the_one_before(begun: Lock) -> None:
    lock = begun
    for number in range(3):
        lock = extend(
            lock, at=AT, step="lock", target="a/b", phase="intent", facts={"number": number}
        )

    assert [entry.seq for entry in lock.entries] == [1, 2, 3]
    assert verify([to_json(entry) for entry in lock.entries], lock.plan_digest) == ()
    assert lock.head == lock.entries[-1].digest


def test_states_and_approvals_stand_in_the_entries_that_bring_them(begun: Lock) -> None:
    lock = extend(begun, at=AT, step="lock", target="a/b", phase="intent", facts={})
    assert (lock.state, lock.approvals) == ("applying", ())

    lock = extend(
        lock,
        at=AT,
        step="promote",
        target="a/b",
        phase="intent",
        facts={},
        approvals=[APPROVAL],
        state="waiting",
    )
    assert (lock.state, lock.approvals) == ("waiting", (APPROVAL,))
    assert lock.entries[-1].facts == {"approvals": [to_json(APPROVAL)], "state": "waiting"}

    lock = extend(
        lock, at=AT, step="unlock", target="a/b", phase="done", facts={}, approvals=[APPROVAL]
    )
    assert (lock.state, lock.approvals) == ("waiting", (APPROVAL, APPROVAL))


def test_the_checks_follow_the_entries(hotfix: Story) -> None:
    outcomes = {check.outcome for check in hotfix.lock().checks}

    assert outcomes == {"passed"}


def test_a_record_never_changes_under_the_one_who_holds_it(begun: Lock) -> None:
    before = serialize(begun)
    extend(begun, at=AT, step="lock", target="a/b", phase="intent", facts={})

    assert serialize(begun) == before


def test_a_seal_names_the_head_and_the_incident(hotfix: Story) -> None:
    lock = seal(hotfix.lock(), at=AT)

    assert lock.seal is not None
    assert lock.seal.head == lock.head
    assert lock.seal.incident == "https://gitlab.example.com/evenergi/develop/-/issues/77"


def test_an_entry_after_the_seal_takes_it_away(hotfix: Story) -> None:
    lock = extend(
        hotfix.sealed(),
        at=AT,
        step="incident",
        target=None,
        phase="observed",
        facts={},
        state="rolled-back",
    )

    assert lock.seal is None
    assert lock.state == "rolled-back"


def test_nothing_is_sealed_without_an_incident(begun: Lock) -> None:
    with pytest.raises(ValueError, match="no entry names the incident"):
        seal(begun, at=AT)


def test_the_incident_that_was_written_last_is_the_one(hotfix: Story) -> None:
    hotfix.repeat("incident", None, url="https://gitlab.example.com/other/-/issues/1")
    hotfix.add("incident", None, "intent", url="https://gitlab.example.com/never")

    assert incident_url(hotfix.entries()) == "https://gitlab.example.com/other/-/issues/1"


def test_a_record_agrees_with_itself_after_every_single_entry(hotfix: Story) -> None:
    whole = hotfix.told
    for length in range(0, len(whole), 5):
        hotfix.told = whole[:length]
        report = audit(parse(serialize(hotfix.lock()), "x.lock.json"))

        assert [each for each in report.findings if each.outcome == "failed"] == []
        assert report.verdict == "incomplete"
