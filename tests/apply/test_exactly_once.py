"""Answers that are lost or refused for a while: one run copes, and nothing happens twice."""

from __future__ import annotations

import pytest

from .conftest import ONCE, Rehearsal


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", r"git-receive-pack"),
        ("POST", r"/pipeline$"),
        ("POST", r"/play$"),
        ("POST", r"/issues$"),
        ("PUT", r"/issues/\d+$"),
    ],
)
@pytest.mark.parametrize("occurrence", [1, 2, 3])
def test_a_lost_answer_is_looked_after_and_never_repeated(
    rehearsal: Rehearsal, method: str, path: str, occurrence: int
) -> None:
    rehearsal.sandbox.faults.add(method, path, occurrence=occurrence, when="after", reset=True)

    rehearsal.apply()

    assert set(rehearsal.checks().values()) == {"passed"}
    assert rehearsal.effects() == ONCE


@pytest.mark.parametrize("status", [500, 502, 429])
def test_reads_that_fail_once_are_read_again(rehearsal: Rehearsal, status: int) -> None:
    rehearsal.sandbox.faults.add("GET", r"/api/v4/", occurrence=4, times=1, status=status)
    rehearsal.sandbox.faults.add("GET", r"/bridges", status=status)

    rehearsal.apply()

    assert rehearsal.effects() == ONCE


def test_no_token_reaches_the_lockfile_or_the_screen(rehearsal: Rehearsal) -> None:
    rehearsal.apply()

    assert rehearsal.token not in rehearsal.lockfile.read_text(encoding="utf-8")
    assert all(rehearsal.token not in repr(event) for event in rehearsal.screen.events)
