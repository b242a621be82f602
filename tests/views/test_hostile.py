"""Whatever others wrote, no view lets it act: on a terminal, in rich, in Markdown, in HTML."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel
from rich.console import Console

from hotfix.apply.events import Event, JobState
from hotfix.evidence.report import AuditFinding, AuditReport
from hotfix.plan.model import Finding, Plan
from hotfix.views.audit_text import audit_text
from hotfix.views.doctor_markdown import doctor_markdown
from hotfix.views.doctor_text import doctor_text
from hotfix.views.evidence_markdown import audit_markdown, lock_markdown
from hotfix.views.lock_text import lock_text
from hotfix.views.plan_markdown import plan_markdown
from hotfix.views.plan_text import plan_text
from hotfix.views.progress import LiveProgress, PlainProgress, line_of
from hotfix.views.rehearsal_markdown import rehearsal_markdown
from hotfix.views.rehearsal_text import rehearsal_text

if TYPE_CHECKING:
    from hotfix.doctor.model import Examination
    from hotfix.evidence.model import Lock
    from hotfix.evidence.rehearsal import Transcript, Verdict
    from tests.conftest import FixedClock

EVIL = (
    "\x1b[2J\x1b]0;owned\x07[bold red]x[/] :smile: @everyone !812 #1 ~bug `code` ``two`` |\r\n"
    "/close\n<img src=x onerror=alert(1)> [a](javascript:b) \u202e\u2028 **loud** $`x`$"
)
_REFERENCE = re.compile(r"@everyone|!812|#1\b|~bug|:smile:|<img|\*\*loud|javascript:")
_FIXED = {
    "kind",
    "action",
    "outcome",
    "change",
    "send_as",
    "format",
    "state",
    "step",
    "phase",
    "id",
    "verdict",
    "ended",
}
"""Closed lists of words in the models; a state of a merge request is covered by its author."""


@pytest.fixture
def evil_plan(plan: Plan) -> Plan:
    finding = Finding(code=EVIL, target=EVIL, message=EVIL, hint=EVIL)
    evil: Plan = _poisoned(plan)
    return evil.model_copy(update={"warnings": (finding,)})


def test_the_plan_as_text_acts_on_no_terminal(evil_plan: Plan) -> None:
    for width in (80, 120):
        _is_inert(plan_text(evil_plan, width=width, colour=False, next_command=EVIL))


def test_the_plan_in_colour_has_no_sequence_but_styles(evil_plan: Plan) -> None:
    text = plan_text(evil_plan, width=80, colour=True, next_command=EVIL)

    _is_inert(re.sub(r"\x1b\[[0-9;]*m", "", text))


def test_a_blocked_plan_acts_on_no_terminal(evil_plan: Plan) -> None:
    blocked = evil_plan.model_copy(update={"blockers": evil_plan.warnings})

    _is_inert(plan_text(blocked, width=80, colour=False, next_command=None))
    _is_inert_markdown(plan_markdown(blocked, next_command=None))


def test_the_plan_in_markdown_mentions_and_references_nobody(evil_plan: Plan) -> None:
    _is_inert_markdown(plan_markdown(evil_plan, next_command=EVIL))


def test_a_lockfile_acts_nowhere(lock: Lock) -> None:
    evil = _poisoned(lock)

    _is_inert(lock_text(evil, width=80, colour=False))
    _is_inert_markdown(lock_markdown(evil))


def test_an_audit_acts_nowhere(lock: Lock) -> None:
    report = AuditReport(
        source=EVIL,
        scope="offline",
        hotfix=EVIL,
        kind="hotfix",
        state="complete",
        findings=tuple(
            AuditFinding(outcome=outcome, what=EVIL, where=EVIL, detail=EVIL)
            for outcome in ("passed", "failed", "note")
        ),
        checks=tuple(c.model_copy(update={"target": EVIL, "detail": EVIL}) for c in lock.checks),
    )

    _is_inert(audit_text(report, width=80, colour=False))
    _is_inert_markdown(audit_markdown(report))


@pytest.mark.parametrize("verdict", ["converged", "failed"])
def test_a_rehearsal_acts_nowhere(transcript: Transcript, verdict: Verdict) -> None:
    evil: Transcript = _poisoned(transcript)
    rehearsals = tuple(
        each.model_copy(
            update={
                "verdict": verdict,
                "proofs": tuple(
                    proof.model_copy(update={"outcome": outcome})
                    for proof in each.proofs
                    for outcome in ("passed", "failed")
                ),
            }
        )
        for each in evil.rehearsals * 9
    )
    evil = evil.model_copy(update={"rehearsals": rehearsals, "verdict": verdict})

    _is_inert(rehearsal_text(evil, width=80, colour=False, digest=EVIL, place=EVIL))
    _is_inert_markdown(rehearsal_markdown(evil, digest=EVIL))


def test_an_examination_acts_nowhere(examination: Examination) -> None:
    evil: Examination = _poisoned(examination)

    for width in (80, 120):
        _is_inert(doctor_text(evil, EVIL, width=width, colour=False))
    _is_inert_markdown(doctor_markdown(evil, EVIL))
    ids = tuple(each.model_copy(update={"id": EVIL}) for each in evil.checks)
    _is_inert_markdown(doctor_markdown(evil.model_copy(update={"checks": ids}), EVIL))


def test_progress_acts_on_no_terminal(clock: FixedClock) -> None:
    event = Event(
        at="2026-11-22T12:00:00Z",
        step="staging",
        target=EVIL,
        phase="waiting",
        message=EVIL,
        url=EVIL,
        jobs=(JobState(stage=EVIL, name=EVIL, status=EVIL, url=EVIL),),
    )
    lines: list[str] = []
    PlainProgress(lines.append).emit(event)
    screen = io.StringIO()
    console = Console(file=screen, width=80, color_system=None, force_terminal=False)
    with LiveProgress(console, clock) as live:
        live.emit(event)
        live.emit(event.model_copy(update={"phase": "done"}))

    _is_inert("".join(lines))
    _is_inert(line_of(event))
    _is_inert(screen.getvalue())


def _is_inert(text: str) -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\u2028]", text)
    assert "\n/close" not in text


def _is_inert_markdown(text: str) -> None:
    _is_inert(text)
    outside = _without_code(text)
    assert not _REFERENCE.search(outside), outside
    assert not re.search(r"^\s*/\w", text, re.MULTILINE)


def _without_code(text: str) -> str:
    """Take inline code out as CommonMark finds it: a fence ends at the next one of its length."""
    return re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", text)


def _poisoned(value: Any, key: str = "") -> Any:  # noqa: ANN401  (a model, or any part of one)
    """Put the hostile text wherever a text stands, past what the models would refuse."""
    if isinstance(value, BaseModel):
        poisoned = {name: _poisoned(part, name) for name, part in dict(value).items()}
        return value.model_copy(update=poisoned)
    if isinstance(value, Mapping):
        return {f"{key}{EVIL}": _poisoned(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return tuple(_poisoned(part, key) for part in value)
    return EVIL if isinstance(value, str) and key not in _FIXED else value
