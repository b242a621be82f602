"""What the doctor found as a person reads it: the question, the verdict, what to mend first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.views.page import BAD, CAUTION, GOOD, HEADING, QUIET, Page
from hotfix.views.words import DOCTOR_HEADINGS, doctor_next, doctor_verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotfix.doctor.model import Check, Examination, Outcome
    from hotfix.views.page import Part

_FINDINGS: Final[tuple[Outcome, ...]] = ("failed", "warning", "not-seen")
_STYLES: Final[dict[Outcome, str]] = {
    "failed": BAD,
    "warning": CAUTION,
    "not-seen": CAUTION,
    "passed": GOOD,
}


def doctor_text(found: Examination, onward: str, *, width: int, colour: bool) -> str:
    """Write what was found, and what to type next."""
    page = Page(width)
    page.line((found.question, HEADING))
    page.line(found.advice, indent=2)
    page.gap()
    page.line((doctor_verdict(found), BAD if found.stops else GOOD))
    for outcome in _FINDINGS:
        _findings(page, outcome, found)
    _passed(page, found.of("passed"))
    page.gap()
    page.line(f"Looked at {found.at} by {found.by} on {found.gitlab}; nothing was changed.")
    page.line((doctor_next(found, onward), HEADING), wrap=False)
    return page.text(colour=colour)


def _findings(page: Page, outcome: Outcome, found: Examination) -> None:
    checks = found.of(outcome)
    if not checks:
        return
    page.gap()
    page.line((DOCTOR_HEADINGS[outcome], _STYLES[outcome]))
    for check in checks:
        page.line((check.id, HEADING), _of(check), indent=2)
        page.line(check.message, indent=4)
        if check.hint:
            page.line(("→ ", QUIET), check.hint, indent=4, hang=2)
        if check.look_at:
            page.line(("see ", QUIET), check.look_at, indent=6, wrap=False)
        if check.command and check.command != found.again:
            page.line(("try ", QUIET), check.command, indent=6, wrap=False)


def _passed(page: Page, checks: Sequence[Check]) -> None:
    if not checks:
        return
    page.gap()
    page.line((DOCTOR_HEADINGS["passed"], GOOD))
    rows: list[tuple[Part, ...]] = [
        ((check.id, QUIET), f"{check.target}: {check.message}" if check.target else check.message)
        for check in checks
    ]
    page.table(rows, indent=2)


def _of(check: Check) -> str:
    return f"  {check.target}" if check.target else ""
