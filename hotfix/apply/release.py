"""The way of one target, from the restore to its smoke checks, step by step.

It is a generator: where it has to wait it hands over the seconds, and whoever drives it may let
another target go on meanwhile. Between two of these points nothing else is done, so a look and the
effect that rests on it are never torn apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.apply.steps.orchestrate import orchestrate
from hotfix.apply.steps.pick import pick, verify_branch
from hotfix.apply.steps.promote import promote
from hotfix.apply.steps.restore import restore, verify_restore
from hotfix.apply.steps.smoke import smoke
from hotfix.apply.steps.staging import staging
from hotfix.apply.steps.verify_production import verify_production

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.apply.context import Run, Way
    from hotfix.evidence.model import StepName
    from hotfix.plan.model import TargetPlan


def release(run: Run, target: TargetPlan, reach: Callable[[StepName], None]) -> Way[None]:
    """Carry a target as far as ``--until`` says; ``reach`` is told each step that begins.

    A rollback picks nothing, and that nothing was picked is verified.
    """
    until = run.request.until
    reach("restore")
    restore(run, target)
    reach("verify-restore")
    verify_restore(run, target)
    if until == "restore":
        return
    if run.plan.kind == "hotfix":
        reach("pick")
        pick(run, target)
    reach("verify-branch")
    verify_branch(run, target)
    if until == "branch":
        return
    reach("orchestrate")
    orchestrate(run, target)
    reach("staging")
    gate = yield from staging(run, target)
    if until == "staging":
        return
    reach("promote")
    gate = promote(run, target, gate)
    reach("verify-production")
    yield from verify_production(run, target, gate)
    if until == "production":
        return
    reach("smoke")
    smoke(run, target)
