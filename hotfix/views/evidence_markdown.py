"""Lockfile and audit in GitLab's Markdown, for a comment or an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.apply import record
from hotfix.evidence.target_results import target_results
from hotfix.markdown import code
from hotfix.views.audit_text import audit_verdict
from hotfix.views.escape import cell
from hotfix.views.lock_text import lock_verdict
from hotfix.views.results_text import results_markdown
from hotfix.views.timeline import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotfix.apply.standing import Standing
    from hotfix.evidence.model import Check, Lock
    from hotfix.evidence.report import AuditReport


def lock_markdown(lock: Lock) -> str:
    """Write a lockfile: the state, the nine checks, and what happened, folded."""
    lines = [
        f"**{lock.state.capitalize()}.** {code(lock_verdict(lock))}",
        "",
        *((*line, "") if (line := [*record.glass_line(lock)]) else ()),
        *results_markdown(target_results(lock)),
        *_checks(lock.checks),
        "<details><summary>What happened</summary>",
        "",
        "| # | at | step | target | |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {entry.seq} | {cell(entry.at)} | {entry.step} {entry.phase} | "
            f"{cell(entry.target or 'all')} | {cell(sentence(entry))} |"
            for entry in lock.entries
        ),
        "",
        "</details>",
        "",
        f"Head {code(lock.head)}",
    ]
    return "\n".join(lines) + "\n"


def audit_markdown(report: AuditReport) -> str:
    """Write an audit's report: the verdict, the nine checks, and every finding."""
    lines = [
        f"**{report.verdict.capitalize()}.** {code(audit_verdict(report), 400)}",
        "",
        *_checks(report.checks),
        "| | examined | where | |",
        "| --- | --- | --- | --- |",
        *(
            f"| {finding.outcome} | {cell(finding.what)} | {cell(finding.where)} | "
            f"{cell(finding.detail)} |"
            for finding in report.findings
        ),
    ]
    return "\n".join(lines) + "\n"


def status_markdown(standing: Standing) -> str:
    """Write where a hotfix stands."""
    hint = f"\n\n{code(standing.hint, 500)}" if standing.hint else ""
    return f"**{standing.kind.capitalize()}.** {code(standing.message, 500)}{hint}\n"


def _checks(checks: Sequence[Check]) -> Iterator[str]:
    for project in dict.fromkeys(check.target for check in checks):
        yield f"Nine checks of {code(project)}:"
        yield ""
        yield "| | check | entries | |"
        yield "| --- | --- | --- | --- |"
        for check in checks:
            if check.target == project:
                entries = ", ".join(map(str, check.evidence)) or "none"
                yield f"| {check.outcome} | {check.id} | {entries} | {cell(check.detail)} |"
        yield ""
