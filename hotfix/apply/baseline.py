"""What the smoke checks said before anything was changed: a check that was red already is no news.

Only the way forward has a baseline, made once, while production still runs what was planned on. A
person is not asked, and nothing is tried twice: it tells how things are and holds nobody up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hotfix.apply.context import Run
    from hotfix.plan.model import TargetPlan

KEY = "baseline"
"""The fact of ``preflight`` that holds it."""


def baseline(run: Run, target: TargetPlan, *, runs: str | None) -> Mapping[str, Any]:
    """Try every check once, and return the fact to record; nothing where it is too late for that.

    ``runs`` is the commit that production runs now.
    """
    wanted = run.plan.kind == "hotfix" and not run.request.looks_only
    if not wanted or runs != target.production.sha or _recorded(run, target) is not None:
        return {}
    results = [
        run.request.check_smoke(
            check.once(),
            clock=run.clock,
            ask=None,
            operator=run.forge.current_user().username,
            deployed=runs,
        )
        for check in target.smoke_checks
        if check.kind != "manual"
    ]
    found = [
        {"name": each.name, "kind": each.kind, "outcome": each.outcome, "detail": each.detail}
        for each in results
    ]
    return {KEY: found}


def red_already(facts: Mapping[str, Any]) -> str:
    """Name the checks of a baseline that are red; an empty text where none is."""
    red = [
        f"{one_line(each['name'], 80)} ({one_line(each['detail'], 120)})"
        for each in facts.get(KEY, ())
        if each["outcome"] == "failed"
    ]
    return f"red before the hotfix already: {', '.join(red)}" if red else ""


def red_before(run: Run, target: TargetPlan, name: str) -> str:
    """Say of a red check that it was red before the hotfix, too, in words to be added."""
    for each in _recorded(run, target) or ():
        if each["name"] == name and each["outcome"] == "failed":
            return " (it was red before the hotfix, too)"
    return ""


def _recorded(run: Run, target: TargetPlan) -> Sequence[Any] | None:
    for entry in run.journal.lock.entries:
        if (entry.step, entry.target) == ("preflight", target.project) and KEY in entry.facts:
            found = entry.facts[KEY]
            return found if isinstance(found, list | tuple) else []
    return None
