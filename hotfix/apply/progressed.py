"""How far a resumed run had come: whose press is done, and whose every check is proven.

What speaks against a merge request speaks against releasing it. Once production was pressed, that
is no reason any more to leave the deployment unwatched, the checks unmade and the incident
unwritten; and a target that is proven is not gone through again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.apply.context import head_after
from hotfix.apply.moves import ProductionMovedError
from hotfix.evidence.checks import PROVEN_BEFORE_THE_INCIDENT
from hotfix.identifiers import short

if TYPE_CHECKING:
    from hotfix.apply.context import Run
    from hotfix.evidence.model import Lock
    from hotfix.plan.model import TargetPlan


def pressed(lock: Lock | None) -> frozenset[str]:
    """Name the targets whose production job was seen to have been pressed."""
    entries = lock.entries if lock else ()
    return frozenset(
        entry.target
        for entry in entries
        if (entry.step, entry.phase) == ("promote", "done") and entry.target is not None
    )


def is_proven(lock: Lock, target: TargetPlan) -> bool:
    """Tell whether all is proven of a target but the incident, which is one for all of them."""
    passed = {
        check.id
        for check in lock.checks
        if check.target == target.project and check.outcome == "passed"
    }
    return passed >= PROVEN_BEFORE_THE_INCIDENT


def hold_proven(run: Run, target: TargetPlan) -> None:
    """Look that production still runs what was proven; nothing of the target is done again.

    Its branch may have moved since: the next work goes there. Raises ``StaleError`` where
    production did.
    """
    environment = run.forge.environment(target.project, target.environment)
    runs, after = environment.deployed_sha, head_after(target)
    if runs != after:
        raise ProductionMovedError(
            target,
            f"{target.environment} of {target.project} ran {short(after)} and was checked; it runs "
            f"{short(runs or 'nothing')} now.",
            hint=f"Somebody deployed since: {environment.web_url}",
        )
    said = f"{target.environment} runs {short(after)}; every check was proven before"
    run.tell("preflight", target.project, "done", said, url=environment.web_url)
