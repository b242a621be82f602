"""A lockfile as a person reads it: the state, the nine checks, and what happened when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.apply import record
from hotfix.evidence.passed import behind_glass, glass, reason_of
from hotfix.evidence.target_results import target_results
from hotfix.text import counted, one_line
from hotfix.views.page import BAD, CAUTION, GOOD, HEADING, QUIET, Page
from hotfix.views.results_text import results_lines
from hotfix.views.timeline import sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotfix.evidence.model import Check, Entry, Lock
from hotfix.views.page import Part

STYLES: Final = {"passed": GOOD, "failed": BAD, "missing": CAUTION, "note": QUIET}
_PHASES: Final = {"intent": CAUTION, "done": GOOD, "failed": BAD, "observed": ""}


def lock_text(lock: Lock, *, width: int, colour: bool) -> str:
    """Write a lockfile as it states itself; whether it is genuine, ``audit`` tells."""
    page = Page(width)
    page.line((lock_verdict(lock), _style(lock)), wrap=False)
    page.gap()
    page.line((lock.plan.spec.title, HEADING))
    if broken := glass(lock):
        said = f"GLASS BROKEN by {broken.by} at {broken.at}: {reason_of(broken)}"
        page.line((said, BAD), indent=2, hang=2)
        page.line(f"past {', '.join(behind_glass(lock))}", indent=4, hang=2)
    because = record.reason(lock)
    rows: list[tuple[Part, ...]] = [
        ("GitLab", lock.gitlab),
        ("applied by", f"{lock.applied_by} with hotfix {lock.tool_version}"),
        ("plan", lock.plan_digest),
        *((("because", because),) if because else ()),
        *(("approved", f"{a.what} by {a.by} at {a.at} ({a.source})") for a in lock.approvals),
    ]
    page.table(rows, indent=2)
    results = target_results(lock)
    if results:
        page.gap()
    for line in results_lines(results):
        page.line(line, indent=2, hang=2, wrap=False)
    checks_table(page, lock.checks)
    _timeline(page, lock.entries)
    page.gap()
    page.line(f"Head {lock.head}")
    if lock.seal is not None:
        page.line(f"Sealed {lock.seal.at} in {lock.seal.incident}", hang=2)
    return page.text(colour=colour)


def lock_verdict(lock: Lock) -> str:
    """Say in one line where a hotfix stands by its lockfile."""
    what = "Rollback of hotfix" if lock.kind == "rollback" else "Hotfix"
    passed = sum(check.outcome == "passed" for check in lock.checks)
    of = f"{passed} of {counted(len(lock.checks), 'check')} passed"
    return f"{what} {one_line(lock.hotfix)}: {lock.state}, {of}."


def checks_table(page: Page, checks: Sequence[Check]) -> None:
    """Write the nine checks of each target, with the entries behind each."""
    for project in dict.fromkeys(check.target for check in checks):
        page.gap()
        page.line(("The nine checks", HEADING), f" of {project}")
        own = [check for check in checks if check.target == project]
        page.table(
            [((check.outcome, STYLES[check.outcome]), check.id, _evidence(check)) for check in own],
            indent=2,
        )


def _evidence(check: Check) -> str:
    entries = ", ".join(f"#{seq}" for seq in check.evidence)
    return f"{one_line(check.detail, 400)}{f' ({entries})' if entries else ''}"


def _style(lock: Lock) -> str:
    return {"complete": GOOD, "failed": BAD}.get(lock.state, CAUTION)


def _timeline(page: Page, entries: Sequence[Entry]) -> None:
    if not entries:
        return
    page.gap()
    page.line(("What happened", HEADING))
    for entry in entries:
        page.line(
            f"#{entry.seq} {entry.at} ",
            (f"{entry.step} {entry.phase}", _PHASES[entry.phase]),
            f" {entry.target}" if entry.target else "",
            indent=2,
            hang=4,
        )
        page.line(sentence(entry), indent=6)
