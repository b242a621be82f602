"""What the doctor found, as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.views.doctor_markdown import doctor_markdown
from hotfix.views.doctor_text import doctor_text
from hotfix.views.json_documents import doctor_document
from hotfix.views.words import doctor_verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.doctor.model import Examination

PLAN = "hotfix plan hotfix.yaml --out hotfix.plan.json"


@pytest.fixture
def well(examination: Examination) -> Examination:
    kept = tuple(check for check in examination.checks if check.outcome != "failed")
    return examination.model_copy(update={"checks": kept})


def test_what_would_stop_the_hotfix_stands_below_the_question(
    examination: Examination, golden: Callable[[str, str], None]
) -> None:
    golden("doctor.txt", doctor_text(examination, examination.again, width=80, colour=False))
    golden("doctor.md", doctor_markdown(examination, examination.again))


def test_gaps_alone_stop_nothing_and_are_counted(well: Examination) -> None:
    assert doctor_verdict(well) == (
        "Nothing seen that would stop hotfix inc-1042-ocpp-timeout: "
        "0 failed, 1 to look at, 1 not seen, 2 fine."
    )
    assert doctor_text(well, PLAN, width=80, colour=False).endswith(f"\nGo on with: {PLAN}\n")


def test_scripts_get_the_verdict_beside_all_that_was_looked_at(
    examination: Examination, well: Examination
) -> None:
    stopped = doctor_document(examination, examination.again, 1)
    onward = doctor_document(well, PLAN, 0)

    assert (stopped["code"], onward["code"]) == ("would-stop", "nothing-stops")
    assert stopped["hint"] == "When it is mended, look again: hotfix doctor hotfix.yaml"
    assert stopped["examination"]["format"] == "doctor/1"
    assert len(stopped["examination"]["checks"]) == len(examination.checks)
