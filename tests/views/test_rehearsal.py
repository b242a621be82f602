from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.plan.model import Plan, Rehearsed
from hotfix.views.plan_markdown import plan_markdown
from hotfix.views.plan_text import plan_text
from hotfix.views.rehearsal_markdown import rehearsal_markdown
from hotfix.views.rehearsal_text import rehearsal_text, rehearsal_verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.evidence.rehearsal import Transcript

DIGEST = f"sha256:{'ab' * 32}"


def _text(transcript: Transcript) -> str:
    place = "plans/inc-1042/hotfix.rehearsal.json"
    return rehearsal_text(transcript, width=80, colour=False, digest=DIGEST, place=place)


def _good(transcript: Transcript) -> Transcript:
    kept = tuple(each for each in transcript.rehearsals if each.verdict == "converged")
    return transcript.model_copy(update={"rehearsals": kept, "verdict": "converged"})


def test_a_rehearsal_that_failed_begins_with_what_was_not_proven(
    transcript: Transcript, golden: Callable[[str, str], None]
) -> None:
    golden("rehearsal-failed.txt", _text(transcript))
    golden("rehearsal-failed.md", rehearsal_markdown(transcript, digest=DIGEST))


def test_a_rehearsal_that_converged_lists_what_was_survived(
    transcript: Transcript, golden: Callable[[str, str], None]
) -> None:
    golden("rehearsal-converged.txt", _text(_good(transcript)))


def test_many_rehearsals_are_counted_by_how_they_went(
    transcript: Transcript, golden: Callable[[str, str], None]
) -> None:
    good = _good(transcript)
    many = good.model_copy(update={"rehearsals": good.rehearsals * 7})

    golden("rehearsal-many.txt", _text(many))


def test_only_faults_that_struck_and_were_survived_are_counted(transcript: Transcript) -> None:
    assert rehearsal_verdict(transcript) == (
        "Failed: 3 of 4 rehearsals of hotfix inc-1042-ocpp-timeout converged with all proven, "
        "1 fault survived."
    )


def test_a_plan_that_fails_undisturbed_is_told_apart(transcript: Transcript) -> None:
    first = transcript.rehearsals[0].model_copy(update={"verdict": "failed"})
    alone = transcript.model_copy(update={"rehearsals": (first,)})

    assert rehearsal_verdict(alone).endswith(
        "it fails where nothing goes wrong, so no fault was tried."
    )


def test_a_plan_names_the_transcript_of_its_rehearsal(plan: Plan) -> None:
    rehearsed = Rehearsed(verdict="failed", digest=DIGEST, at="2026-11-22T12:00:00Z", by="operator")
    observed = plan.observed.model_copy(update={"rehearsal": rehearsed})
    named = plan.model_copy(update={"observed": observed})

    text = plan_text(named, width=80, colour=False, next_command=None)
    assert "Rehearsal: failed 2026-11-22T12:00:00Z by operator, transcript" in text
    assert DIGEST in text
    assert DIGEST in plan_markdown(named, next_command=None)
