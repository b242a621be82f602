from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.errors import WaitingError
from hotfix.smoke.manual import UnansweredError

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.smoke.result import SmokeResult

    Check = Callable[..., SmokeResult]

MANUAL = {"question": "Does the charger show a heartbeat?"}


def test_a_yes_is_green_and_records_who_said_it_and_when(check: Check) -> None:
    result = check(manual=MANUAL, ask=lambda _: True)

    assert (result.outcome, result.kind) == ("passed", "manual")
    assert result.detail == "ada answered yes"
    assert result.facts == {
        "question": "Does the charger show a heartbeat?",
        "answer": "yes",
        "answered_by": "ada",
        "answered_at": "2026-11-22T12:00:00Z",
    }


def test_a_no_is_red_and_is_not_asked_again(check: Check) -> None:
    asked: list[str] = []

    def say_no(question: str) -> bool:
        asked.append(question)
        return False

    result = check(manual=MANUAL, ask=say_no, retries=3)

    assert (result.outcome, result.attempts) == ("failed", 1)
    assert result.detail == "ada answered no, expected yes"
    assert asked == ["Does the charger show a heartbeat?"]


@pytest.mark.parametrize("ask", [None, lambda _: None])
def test_where_nobody_answers_the_run_waits(
    check: Check, ask: Callable[[str], bool | None] | None
) -> None:
    with pytest.raises(UnansweredError, match="Does the charger show a heartbeat") as caught:
        check(manual=MANUAL, ask=ask, retries=3)

    assert isinstance(caught.value, WaitingError)
    assert caught.value.code == "smoke-unanswered"
    assert "same command again" in caught.value.hint
