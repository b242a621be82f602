from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hotfix.views.timeline import sentence

if TYPE_CHECKING:
    from hotfix.evidence.model import Entry, Lock


def _entry(lock: Lock, step: str, phase: str, facts: dict[str, Any]) -> Entry:
    return lock.entries[0].model_copy(update={"step": step, "phase": phase, "facts": facts})


def test_an_intent_names_what_was_about_to_be_sent(lock: Lock) -> None:
    facts = {
        "project": "evenergi/develop",
        "ref": "main",
        "inputs": {"action": "deploy", "confirm": True},
    }

    assert sentence(_entry(lock, "orchestrate", "intent", facts)) == (
        "start a pipeline of evenergi/develop on main with action=deploy, confirm=true"
    )


@pytest.mark.parametrize("step", ["preflight", "promote", "unlock"])
def test_a_failure_tells_its_error_in_any_step(lock: Lock, step: str) -> None:
    facts = {"error": "branch-moved", "message": "Somebody pushed.", "user": "olga"}

    assert sentence(_entry(lock, step, "failed", facts)) == "branch-moved: Somebody pushed."


def test_what_is_lacking_is_seen(lock: Lock) -> None:
    assert sentence(_entry(lock, "restore", "done", {"how": None})) == "none, ? at ?"


def test_an_entry_of_no_known_shape_is_told_by_its_facts(lock: Lock) -> None:
    assert sentence(_entry(lock, "smoke", "intent", {"a": [1]})) == '{"a": [1]}'


def test_braces_in_facts_are_only_text(lock: Lock) -> None:
    facts = {"name": "{0.__class__}", "outcome": "{x}", "detail": "{{"}

    assert sentence(_entry(lock, "smoke", "observed", facts)) == "{0.__class__}: {x}, {{"


def test_a_gate_tells_who_may_open_it_and_what_is_missing(lock: Lock) -> None:
    approvals = {"pending": 1, "given": [], "rejected": [], "may_give": ["1 of Rita (rita)"]}
    facts: dict[str, Any] = {"pipeline": 31, "job": 85, "job_status": "manual"}
    gate = {"may_press": ["Maintainers (olga)", "Rita (rita)"], "approvals": approvals}

    assert sentence(_entry(lock, "staging", "done", {**facts, "gate": gate})) == (
        "pipeline 31 waits at job 85: manual; may press: Maintainers (olga); Rita (rita); "
        "approvals missing: 1, of 1 of Rita (rita)"
    )
    unknown = {"may_press": None, "approvals": None}
    assert sentence(_entry(lock, "staging", "done", {**facts, "gate": unknown})).endswith(
        "manual; who may press was not shown"
    )
    assert sentence(_entry(lock, "staging", "done", facts)).endswith("85: manual")


def test_a_press_tells_what_it_went_past(lock: Lock) -> None:
    facts = {"job_name": "deploy", "job": 85, "commit": "1a2b3c4d", "confirmed_by": "olga"}
    past = {"how": "typed", "went_past": ["A deploy freeze is in force"], "gate": {}}

    assert sentence(_entry(lock, "promote", "intent", {**facts, **past})) == (
        "press deploy (85) for 1a2b3c4d, yes by olga: typed; past: A deploy freeze is in force"
    )
