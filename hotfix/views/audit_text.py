"""The report of an audit as a person reads it: the verdict, the nine checks, what was examined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.text import counted, one_line
from hotfix.views.lock_text import STYLES, checks_table
from hotfix.views.page import BAD, CAUTION, GOOD, HEADING, Page

if TYPE_CHECKING:
    from hotfix.evidence.report import AuditFinding, AuditReport, Verdict

_STYLES: Final[dict[Verdict, str]] = {"passed": GOOD, "incomplete": CAUTION, "failed": BAD}


def audit_text(report: AuditReport, *, width: int, colour: bool) -> str:
    """Write a report; what failed stands directly below the verdict."""
    page = Page(width)
    page.line((audit_verdict(report), _STYLES[report.verdict]), wrap=False)
    _findings(page, "Does not hold", report, "failed")
    checks_table(page, report.checks)
    _findings(page, "Examined", report, "passed")
    offline = " offline" if report.scope == "offline" else ""
    _findings(page, f"Not verifiable{offline}, or worth knowing", report, "note")
    return page.text(colour=colour)


def audit_verdict(report: AuditReport) -> str:
    """Say in one line what the audit comes to."""
    passed = sum(check.outcome == "passed" for check in report.checks)
    of = f"{passed} of {counted(len(report.checks), 'check')} passed"
    faults = sum(finding.outcome == "failed" for finding in report.findings)
    name = one_line(report.source, 1000)
    what = "the rollback of hotfix" if report.kind == "rollback" else "hotfix"
    what = f"{what} {report.hotfix} is {report.state}"
    match report.verdict:
        case "passed":
            return f"Passed: {name} is intact, {what}, {of}."
        case "incomplete":
            return f"Incomplete: {name} is intact, {what}, but only {of}."
        case _:
            return f"Failed: {name} has {counted(faults, 'fault')}; {of}."


def _findings(page: Page, heading: str, report: AuditReport, outcome: str) -> None:
    found = [finding for finding in report.findings if finding.outcome == outcome]
    if not found:
        return
    page.gap()
    page.line((heading, HEADING))
    page.table([_row(finding) for finding in found], indent=2)


def _row(finding: AuditFinding) -> tuple[tuple[str, str], str]:
    place = f" (at {finding.where})" if finding.outcome == "failed" else ""
    style = STYLES[finding.outcome]
    return ((finding.what, style), f"{one_line(finding.detail, 1000)}{place}")
