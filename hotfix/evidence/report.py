"""What an audit says: every finding with its place, the nine checks, and one verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, computed_field

from hotfix.evidence.checks import complete
from hotfix.evidence.model import Check, State
from hotfix.models import Frozen
from hotfix.plan.model import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

Outcome = Literal["passed", "failed", "note"]
Verdict = Literal["passed", "incomplete", "failed"]


class AuditFinding(Frozen):
    """One thing that was examined: it holds, it does not, or a reader must know of it."""

    outcome: Outcome
    what: str = Field(description="A fixed name of what was examined, such as `chain`.")
    where: str = Field(description="The place in the file, as a JSON path.")
    detail: str


class AuditReport(Frozen):
    """The result of an audit, offline, or with what GitLab answered added to it."""

    source: str
    scope: Literal["offline", "online"]
    hotfix: str
    kind: Kind
    state: State
    findings: tuple[AuditFinding, ...]
    checks: tuple[Check, ...] = Field(description="The nine checks as recomputed, not as stored.")

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated property
    @property
    def verdict(self) -> Verdict:
        """Say ``failed`` if anything does not hold, ``incomplete`` if all does but the nine checks.

        The two are kept apart: an honest record of an unfinished hotfix is no forgery.
        """
        if any(finding.outcome == "failed" for finding in self.findings):
            return "failed"
        return "passed" if complete(self.checks) else "incomplete"

    def online(self, findings: Iterable[AuditFinding]) -> AuditReport:
        """Add what was compared with GitLab, in place of the notes that it had not been."""
        added = tuple(findings)
        answered = {finding.what for finding in added}
        kept = [
            each for each in self.findings if each.outcome != "note" or each.what not in answered
        ]
        return self.model_copy(update={"scope": "online", "findings": (*kept, *added)})


def judged(
    what: str, where: str, holds: str, faults: Iterable[tuple[str, str]]
) -> list[AuditFinding]:
    """Turn the faults of an examination, (place, sentence), into findings, or say it holds."""
    failed = [
        AuditFinding(outcome="failed", what=what, where=place, detail=detail)
        for place, detail in faults
    ]
    return failed or [AuditFinding(outcome="passed", what=what, where=where, detail=holds)]


def note(what: str, where: str, detail: str) -> AuditFinding:
    """Say something that a reader must know, and that is no fault."""
    return AuditFinding(outcome="note", what=what, where=where, detail=detail)
