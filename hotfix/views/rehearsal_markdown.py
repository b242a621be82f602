"""The transcript of a rehearsal in GitLab's Markdown, for the merge request of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.markdown import code
from hotfix.views.escape import cell
from hotfix.views.rehearsal_text import never_struck, rehearsal_verdict, told_runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.evidence.rehearsal import Rehearsal, Transcript


def rehearsal_markdown(transcript: Transcript, *, digest: str) -> str:
    """Write a transcript: the verdict, what failed, and every rehearsal, folded."""
    return "\n".join(_lines(transcript, digest)) + "\n"


def _lines(transcript: Transcript, digest: str) -> Iterator[str]:
    yield f"**{transcript.verdict.capitalize()}.** {code(rehearsal_verdict(transcript), 400)}"
    yield ""
    for each in transcript.rehearsals:
        if each.verdict == "failed":
            yield from _failed(each)
    if idle := never_struck(transcript):
        yield f"{len(idle)} with faults that met no request: {code(', '.join(idle), 2000)}"
        yield ""
    yield f"<details><summary>All {len(transcript.rehearsals)}</summary>"
    yield ""
    yield "| | rehearsal | |"
    yield "| --- | --- | --- |"
    for each in transcript.rehearsals:
        yield f"| {each.verdict} | {cell(each.name)} | {cell(told_runs(each))} |"
    yield ""
    yield "</details>"
    yield ""
    yield "Not rehearsed:"
    yield ""
    for sentence in transcript.not_rehearsed:
        yield f"- {code(sentence, 400)}"
    yield ""
    yield f"Plan {code(transcript.plan_digest)}, transcript {code(digest)}"


def _failed(rehearsal: Rehearsal) -> Iterator[str]:
    yield f"{code(rehearsal.name)} failed, {code(told_runs(rehearsal), 400)}:"
    yield ""
    for fault in rehearsal.faults:
        yield f"- fault {code(fault)}"
    for run in rehearsal.runs:
        yield f"- run ended with {code(run.code)}: {code(run.message, 400)}"
    for proof in rehearsal.proofs:
        if proof.outcome == "failed":
            yield f"- not proven: {code(proof.what)}: {code(proof.detail, 400)}"
    yield ""
