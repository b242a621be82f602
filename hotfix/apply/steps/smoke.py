"""Step ``smoke``: the focused checks that tell whether the hotfix works (runbook, step 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.apply.baseline import red_before
from hotfix.apply.context import ToDoError, head_after, or_go_back
from hotfix.clock import timestamp
from hotfix.errors import FailedError
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotfix.apply.context import Run
    from hotfix.plan.model import TargetPlan
    from hotfix.smoke.result import SmokeResult


def smoke(run: Run, target: TargetPlan) -> None:
    """Run every check, record each, and fail at the end if one is red.

    What passed after this deployment in the run that this one resumes is not asked again.
    """
    red: list[tuple[str, str]] = []
    for check in target.smoke_checks:
        if _passed_before(run, target, check.name):
            run.tell("smoke", target.project, "done", f"{check.name} passed before")
            continue
        if run.request.looks_only:
            red.append(_red_before(run, target, check.name))
            continue
        run.check_stop()
        run.keep_alive()
        run.tell("smoke", target.project, "started", check.name)
        result = run.request.check_smoke(
            check,
            clock=run.clock,
            ask=run.operator.ask,
            operator=run.forge.current_user().username,
            deployed=head_after(target),
        )
        _record(run, target, result)
        if result.outcome == "failed":
            red.append((result.name, result.detail + red_before(run, target, result.name)))
    if red:
        raise _failed(run, target, red)


def _failed(run: Run, target: TargetPlan, red: Sequence[tuple[str, str]]) -> FailedError:
    """Say what is red, and what the runbook does then; after a rollback it has nothing more."""
    listed = "; ".join(f"{one_line(name, 80)}: {detail}" for name, detail in red)
    said = f"{len(red)} of {len(target.smoke_checks)} smoke checks of {target.project} failed"
    if run.plan.kind == "rollback":
        return FailedError(
            "not-recovered",
            f"{said} after the rollback: the service did not recover. {listed}",
            hint="Stop using this tool now, and follow the service's own incident, infrastructure "
            f"or data recovery documents: {target.environment} runs the last known-good code "
            "again.\nOnce the service has recovered, this checks again and completes the record: "
            f"{run.request.command}",
        )
    return FailedError(
        "smoke-failed",
        f"{said}. {listed}",
        hint=f"{target.environment} runs the hotfix. To check again: {run.request.command}"
        + or_go_back(run),
    )


def _red_before(run: Run, target: TargetPlan, name: str) -> tuple[str, str]:
    """Tell what the last try of a check found; raises ``ToDoError`` where none was made."""
    last = run.journal.last("smoke", target.project, "failed", name=name)
    if last is None:
        raise ToDoError(f"make the smoke check {one_line(name, 80)} of {target.project}")
    return name, str(last.facts["detail"])


def _passed_before(run: Run, target: TargetPlan, name: str) -> bool:
    deployed = run.journal.last("verify-production", target.project, "observed")
    last = run.journal.last("smoke", target.project, "observed", "failed", name=name)
    if deployed is None or last is None or last.facts["outcome"] != "passed":
        return False
    first_seen = next(
        entry
        for entry in run.journal.lock.entries
        if entry.step == "verify-production"
        and entry.target == target.project
        and entry.facts.get("deployment") == deployed.facts["deployment"]
    )
    return last.seq > first_seen.seq


def _record(run: Run, target: TargetPlan, result: SmokeResult) -> None:
    green = result.outcome == "passed"
    run.journal.add(
        "smoke",
        target.project,
        "observed" if green else "failed",
        {
            "name": result.name,
            "kind": result.kind,
            "outcome": result.outcome,
            "detail": result.detail,
            "attempts": result.attempts,
            "started_at": timestamp(result.started_at),
            "finished_at": timestamp(result.finished_at),
            "facts": dict(result.facts),
        },
    )
    run.tell(
        "smoke",
        target.project,
        "done" if green else "failed",
        f"{one_line(result.name, 80)}: {result.detail}",
    )
