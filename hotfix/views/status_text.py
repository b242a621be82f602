"""Where a hotfix stands, as a person reads it: the sentence first, the next command last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.evidence.target_results import target_results
from hotfix.views.lock_text import checks_table
from hotfix.views.page import BAD, CAUTION, GOOD, Page
from hotfix.views.results_text import results_lines

if TYPE_CHECKING:
    from hotfix.apply.standing import Standing
    from hotfix.evidence.model import Lock

_STYLES: Final = {"done": GOOD, "waiting": CAUTION, "locked": CAUTION}


def status_text(standing: Standing, lock: Lock | None, *, width: int, colour: bool) -> str:
    """Write where a hotfix stands, with the nine checks as far as they are proven."""
    page = Page(width)
    style = _STYLES.get(standing.kind, BAD)
    for line in standing.message.splitlines():
        page.line((line, style), hang=2)
    results = standing.results or (target_results(lock) if lock is not None else ())
    if results:
        page.gap()
    for line in results_lines(results, told=standing.message):
        page.line(line, indent=2, hang=2, wrap=False)
    if lock is not None:
        checks_table(page, lock.checks)
    if standing.hint:
        page.gap()
        for line in standing.hint.splitlines():
            page.line(line, wrap=False)
    return page.text(colour=colour)
