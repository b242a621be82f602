"""The smoke checks as they stood before anything was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hotfix.apply.record import section
from hotfix.errors import FailedError
from hotfix.views.timeline import sentence

from .conftest import CORE

if TYPE_CHECKING:
    from hotfix.evidence.model import Entry

    from .conftest import Rehearsal


def preflights(rehearsal: Rehearsal) -> list[Entry]:
    return [e for e in rehearsal.lock.entries if e.step == "preflight" and e.target == CORE]


def is_down(rehearsal: Rehearsal, *, now: bool) -> None:
    rehearsal.sandbox.world.project(CORE).service_status = "down" if now else "ok"


def test_every_check_is_tried_once_before_anything_is_changed(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="restore")

    (preflight,) = preflights(rehearsal)
    (found,) = preflight.facts["baseline"]  # type: ignore[union-attr,misc]
    assert found == {  # type: ignore[comparison-overlap]
        "name": "health",
        "kind": "http",
        "outcome": "passed",
        "detail": "HTTP 200, 71 bytes in 0 ms",
    }
    assert "no check red before the hotfix" in sentence(preflight)


def test_a_check_that_was_red_already_is_said_on_the_screen_and_in_the_incident(
    rehearsal: Rehearsal,
) -> None:
    is_down(rehearsal, now=True)

    with pytest.raises(FailedError, match=r"\(it was red before the hotfix, too\)"):
        rehearsal.apply()

    told = [event.message for event in rehearsal.screen.events if event.step == "preflight"]
    expected = "red before the hotfix already: health (HTTP 503, expected 200)"
    assert any(expected in text for text in told)
    assert "red before the hotfix: health" in sentence(preflights(rehearsal)[0])
    assert expected in section(rehearsal.lock)


def test_a_check_that_turned_red_with_the_hotfix_is_not_excused(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="staging")
    is_down(rehearsal, now=True)

    with pytest.raises(FailedError) as caught:
        rehearsal.apply()

    assert "red before" not in caught.value.message


def test_it_is_made_once_and_not_after_production_was_changed(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="branch")
    rehearsal.apply(until="production")
    rehearsal.apply()

    assert ["baseline" in each.facts for each in preflights(rehearsal)] == [True, False, False]


def test_a_run_that_finds_the_hotfix_in_production_has_none(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="production")
    rehearsal.lockfile.unlink()

    with pytest.raises(FailedError, match="checks are not proven"):
        rehearsal.apply()

    assert all("baseline" not in each.facts for each in preflights(rehearsal))


def test_nobody_is_asked_and_nothing_is_tried_twice(rehearsal: Rehearsal) -> None:
    checks: list[dict[str, Any]] = [
        {"name": "looks", "manual": {"question": "Well?"}},
        {"name": "port", "tcp": {"host": "127.0.0.1", "port": 1}, "settle": 600, "delay": 600},
    ]
    rehearsal.write(rehearsal.target(CORE, 812, 815, smoke_checks=checks))
    rehearsal.person.answer = None
    begin = rehearsal.clock.monotonic()

    rehearsal.apply(until="restore")

    (found,) = preflights(rehearsal)[0].facts["baseline"]  # type: ignore[union-attr,misc]
    assert (found["name"], found["outcome"]) == ("port", "failed")  # type: ignore[index,call-overload]
    assert rehearsal.clock.monotonic() - begin < 600


def test_the_way_back_has_none(rehearsal: Rehearsal) -> None:
    rehearsal.apply()
    rehearsal.roll_back()

    lock = rehearsal.rollback_lockfile.read_text(encoding="utf-8")
    assert '"baseline"' not in lock
