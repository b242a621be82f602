"""``hotfix audit``: verifies lockfiles, offline."""
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
    from hotfix.evidence.report import AuditReport


@click.command("audit")
@click.argument("locks", metavar="LOCK...", nargs=-1, required=True, type=options.FILE)
@options.screen("text", "json", "markdown")
def command(screen: Screen, locks: tuple[Path, ...]) -> int:
    """Verify lockfiles offline, and judge the nine checks anew.

    Every digest and the whole chain are computed again, and nobody is asked. Exits with 0 only
    if every file is intact and all nine checks passed, with 1 otherwise.
    """
    return run(screen, locks)


def run(screen: Screen, locks: Sequence[Path]) -> int:
    """Audit lockfiles and show the reports."""
    from hotfix.evidence.audit import audit
    from hotfix.evidence.lockfile import parse

    reports = [audit(parse(read(lock), str(lock))) for lock in locks]
    fine = all(report.verdict == "passed" for report in reports)
    code = exits.DONE if fine else exits.FAILED
    _show(screen, reports, code)
    return code


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
