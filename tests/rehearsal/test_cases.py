from __future__ import annotations

import pytest

from hotfix.rehearsal.cases import Case, Wishes
from hotfix.sandbox.request_log import Request, RequestLog
from hotfix.sandbox.schedules import catalogue, random_schedule


def asked(*requests: str) -> RequestLog:
    """Write a log of requests such as ``POST /projects/1/pipeline``, all answered."""
    return RequestLog(
        Request(
            method=method,
            path=f"/api/v4{path}",
            query="",
            body=b"",
            status=200,
            user="operator",
            raw_path=f"/api/v4{path}",
            content_type="",
            answer=b"",
            answer_type="",
            struck=False,
        )
        for method, path in (each.split(" ") for each in requests)
    )


LOG = asked(
    "GET /user",
    "GET /user",
    "POST /projects/1/pipeline",
    "POST /projects/2/issues",
    "POST /projects/1/pipeline",
)


def test_lost_is_every_write_before_and_after_its_effect() -> None:
    assert [str(case.faults[0]) for case in Wishes(("lost",)).cases(LOG)] == [
        "POST /projects/:id/pipeline #1 before reset",
        "POST /projects/:id/pipeline #2 before reset",
        "POST /projects/:id/pipeline #1 after reset",
        "POST /projects/:id/pipeline #2 after reset",
        "POST /projects/:id/issues #1 before reset",
        "POST /projects/:id/issues #1 after reset",
    ]


def test_a_case_is_named_after_its_fault_and_place() -> None:
    names = [case.name for case in Wishes(("lost",)).cases(LOG)]

    assert names[1] == "pipeline-reset-before #2"
    assert names[4] == "incident-reset-before"


def test_all_is_each_known_fault_of_what_the_plan_asks_and_of_reads_the_first_alone() -> None:
    cases = Wishes(("all",)).cases(LOG)

    of = catalogue()
    expected = sum(
        2 if name.startswith("pipeline-") and "POST" in fault.route else 1
        for name, fault in of.items()
        if fault.route in ("GET /user", "POST /projects/:id/pipeline", "POST /projects/:id/issues")
    )
    assert len(cases) == expected
    assert [case.name for case in cases if case.name.startswith("user-")] == [
        name for name in of if name.startswith("user-")
    ]
    assert len({case.name for case in cases}) == len(cases)


def test_a_named_fault_stays_as_it_is_written_whether_or_not_it_can_strike() -> None:
    sentence = "GET /nowhere #3 500"

    (case,) = Wishes((sentence,)).cases(LOG)

    assert case.name == sentence
    assert str(case.faults[0]) == "GET /nowhere #3 before 500"


def test_a_seed_is_one_rehearsal_with_several_faults() -> None:
    assert Wishes((), range(7, 9)).cases(LOG) == [
        Case("seed 7", random_schedule(7)),
        Case("seed 8", random_schedule(8)),
    ]
    assert Wishes(("none",)).cases(LOG) == []


def test_what_is_no_fault_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(ValueError, match="there is no fault 'everything'"):
        Wishes(("lost", "everything"))
