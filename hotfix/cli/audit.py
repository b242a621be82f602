"""``hotfix audit``: verifies lockfiles, offline unless GitLab shall be asked too."""
# ruff: noqa: PLC0415  (loaded when the command runs, so that --help and completion stay light)

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hotfix.cli import exits, options
from hotfix.cli.documents import read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hotfix.cli.screen import Screen
    from hotfix.evidence.model import Lock
    from hotfix.evidence.report import AuditReport


@click.command("audit")
@click.argument("locks", metavar="LOCK...", nargs=-1, required=True, type=options.FILE)
@click.option(
    "--online",
    is_flag=True,
    help="Ask GitLab too: whether all that is recorded is there, and the main line holds the fix.",
)
@options.gitlab
@options.screen("text", "json", "markdown")
def command(screen: Screen, locks: tuple[Path, ...], *, online: bool, gitlab: str | None) -> int:
    """Verify lockfiles offline, and judge the nine checks anew.

    Every digest and the whole chain are computed again, and nobody is asked, unless `--online`
    says so. Exits with 0 only if every file is intact and all nine checks passed, with 1 otherwise.
    """
    return run(screen, locks, online=online, gitlab=gitlab)


def run(
    screen: Screen, locks: Sequence[Path], *, online: bool = False, gitlab: str | None = None
) -> int:
    """Audit lockfiles and show the reports."""
    from hotfix.evidence.audit import audit
    from hotfix.evidence.lockfile import parse

    reports = []
    for lock in locks:
        document = parse(read(lock), str(lock))
        report = audit(document)
        reports.append(_asked(report, document.lock, lock, gitlab) if online else report)
    fine = all(report.verdict == "passed" for report in reports)
    code = exits.DONE if fine else exits.FAILED
    _show(screen, reports, code)
    return code


def _asked(report: AuditReport, lock: Lock, file: Path, gitlab: str | None) -> AuditReport:
    """Add what GitLab says; the token goes to no other one than the team or the operator name."""
    from hotfix.apply.recheck import recheck
    from hotfix.cli.apply import refuse_other_gitlab
    from hotfix.cli.connection import connect, environment_gitlab
    from hotfix.spec.load import load_defaults

    refuse_other_gitlab(lock.plan, file, gitlab)
    team = load_defaults(file)
    named = gitlab or (team.gitlab if team else None) or environment_gitlab()
    return report.online(recheck(lock, connect(named)))


def _show(screen: Screen, reports: Sequence[AuditReport], code: int) -> None:
    """Write the reports in the format that was asked for."""
    if screen.format == "json":
        from hotfix.views.json_documents import audit_document, dumped

        screen.out(dumped(audit_document(reports, code)))
    elif screen.format == "markdown":
        from hotfix.views.evidence_markdown import audit_markdown

        screen.out("\n".join(map(audit_markdown, reports)))
    elif screen.quiet:
        from hotfix.views.audit_text import audit_verdict

        screen.out("".join(f"{audit_verdict(report)}\n" for report in reports))
    else:
        from hotfix.views.audit_text import audit_text

        for number, report in enumerate(reports):
            if number:
                screen.out("\n")
            screen.page(audit_text, report)
