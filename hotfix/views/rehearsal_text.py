"""The transcript of a rehearsal as a person reads it: the verdict first, what failed below it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from hotfix.text import counted, one_line
from hotfix.views.page import BAD, CAUTION, GOOD, HEADING, QUIET, Page

if TYPE_CHECKING:
    from hotfix.evidence.rehearsal import Rehearsal, Transcript
    from hotfix.views.page import Part

_LISTED: Final = 16
"""How many rehearsals that converged are listed by name; of more they are counted."""


def rehearsal_text(
    transcript: Transcript, *, width: int, colour: bool, digest: str, place: str
) -> str:
    """Write a transcript, and where it lies under which digest."""
    page = Page(width)
    good = transcript.verdict == "converged"
    page.line((rehearsal_verdict(transcript), GOOD if good else BAD), wrap=False)
    failed = [each for each in transcript.rehearsals if each.verdict == "failed"]
    if failed:
        page.gap()
        page.line(("Failed", HEADING))
    for each in failed:
        _failed(page, each)
    _converged(page, [each for each in transcript.rehearsals if each.verdict == "converged"])
    page.gap()
    page.line(("Not rehearsed", HEADING))
    for sentence in transcript.not_rehearsed:
        page.line(sentence, indent=2, hang=2)
    page.gap()
    page.line(f"Rehearsed {transcript.at} by {transcript.by}; {transcript.gitlab} was only read.")
    page.line(f"Plan {transcript.plan_digest}", hang=2)
    page.line(f"Transcript {digest}", hang=2)
    page.line(place, indent=2, wrap=False)
    return page.text(colour=colour)


def rehearsal_verdict(transcript: Transcript) -> str:
    """Say in one line what the rehearsals come to, and how many faults were survived."""
    total = len(transcript.rehearsals)
    good = [each for each in transcript.rehearsals if each.verdict == "converged"]
    of = f"{len(good)} of {counted(total, 'rehearsal')} of hotfix {one_line(transcript.hotfix)}"
    survived = f"{counted(sum(map(struck, good)), 'fault')} survived"
    if transcript.verdict == "converged":
        return f"Converged: {of}, {survived}; each effect exactly once, nine of nine checks."
    if not any(each.faults for each in transcript.rehearsals):
        return f"Failed: {of}; it fails where nothing goes wrong, so no fault was tried."
    return f"Failed: {of} converged with all proven, {survived}."


def struck(rehearsal: Rehearsal) -> int:
    """Count the faults that happened."""
    return sum(len(run.struck) for run in rehearsal.runs)


def told_runs(rehearsal: Rehearsal) -> str:
    """Say how often the command was run, how each run ended, and what struck."""
    if not rehearsal.faults:
        return f"{_ends(rehearsal)}, nothing went wrong"
    return f"{_ends(rehearsal)}, {counted(struck(rehearsal), 'fault')} struck"


def _ends(rehearsal: Rehearsal) -> str:
    codes = ", then ".join(run.code for run in rehearsal.runs)
    return f"{counted(len(rehearsal.runs), 'run')} ({codes})"


def never_struck(transcript: Transcript) -> list[str]:
    """List the rehearsals whose faults met no request: these say no more than one without."""
    return [each.name for each in transcript.rehearsals if each.faults and not struck(each)]


def _failed(page: Page, rehearsal: Rehearsal) -> None:
    page.line((one_line(rehearsal.name), BAD), f": {told_runs(rehearsal)}", indent=2, hang=2)
    rows: list[tuple[Part, ...]] = [
        *((("fault", QUIET), one_line(fault)) for fault in rehearsal.faults),
        *(
            ((f"run {number}", CAUTION), f"{run.code}: {one_line(run.message, 400)}")
            for number, run in enumerate(rehearsal.runs, start=1)
        ),
        *(
            ((proof.what, BAD), one_line(proof.detail, 400) + _of(proof.target))
            for proof in rehearsal.proofs
            if proof.outcome == "failed"
        ),
    ]
    page.table(rows, indent=4)


def _of(target: str | None) -> str:
    return f" ({target})" if target else ""


def _converged(page: Page, found: list[Rehearsal]) -> None:
    if not found:
        return
    page.gap()
    page.line(("Converged", HEADING))
    if len(found) <= _LISTED:
        page.table([((one_line(each.name), GOOD), told_runs(each)) for each in found], indent=2)
        return
    ends = Counter(map(_ends, found))
    page.table(
        [(counted(number, "rehearsal"), said) for said, number in ends.most_common()], indent=2
    )
    if idle := [each.name for each in found if each.faults and not struck(each)]:
        names = one_line(", ".join(idle), 2000)
        page.line(f"{len(idle)} of them met no request: {names}", indent=2, hang=2)
