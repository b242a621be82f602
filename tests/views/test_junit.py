from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from hotfix.views.junit import lock_junit

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.evidence.model import Entry, Lock


def with_entries(lock: Lock, *entries: tuple[str, str, dict[str, Any]]) -> Lock:
    first = lock.entries[0]
    more: list[Entry] = [
        first.model_copy(update={"step": step, "phase": phase, "facts": facts})
        for step, phase, facts in entries
    ]
    return lock.model_copy(update={"entries": (*lock.entries, *more)})


def cases(text: str) -> dict[str, ET.Element]:
    root = ET.fromstring(text)  # noqa: S314  (what was just written)
    return {case.get("name", ""): case for case in root.iter("testcase")}


def test_a_lockfile_as_a_report(lock: Lock, golden: Callable[[str, str], None]) -> None:
    golden("lock.junit.xml", lock_junit(lock))


@pytest.mark.parametrize(
    ("outcome", "tag"), [("passed", None), ("failed", "failure"), ("missing", "error")]
)
def test_what_could_not_be_observed_is_an_error_and_no_failure(
    lock: Lock, outcome: str, tag: str | None
) -> None:
    check = lock.checks[0].model_copy(update={"outcome": outcome, "detail": "because"})

    report = cases(lock_junit(lock.model_copy(update={"checks": (check,)})))

    assert [each.tag for each in report[check.id]] == ([tag] if tag else [])


def test_the_last_try_after_the_press_counts_and_its_time(lock: Lock) -> None:
    tried = {"name": "health", "outcome": "failed", "detail": "503"}
    passed = {
        **tried,
        "outcome": "passed",
        "started_at": "2026-11-22T12:00:00Z",
        "finished_at": "2026-11-22T12:00:07Z",
    }

    again = with_entries(lock, ("smoke", "failed", tried), ("smoke", "observed", passed))
    pressed = with_entries(again, ("promote", "done", {}))

    (health,) = [case for name, case in cases(lock_junit(again)).items() if "health" in name]
    assert (list(health), health.get("time")) == ([], "7")
    (health,) = [case for name, case in cases(lock_junit(pressed)).items() if "health" in name]
    assert health[0].get("message") == "it was not tried"


def test_text_from_outside_stays_text(lock: Lock) -> None:
    detail = '"/></testcase><testcase name="]]> &\x1b[31m\ufffe\n'
    tried = {"name": "health", "outcome": "failed", "detail": detail}

    report = lock_junit(with_entries(lock, ("smoke", "failed", tried)))

    assert "\x1b" not in report
    assert len(cases(report)) == len(cases(lock_junit(lock)))
