"""The way back, carried out: the same loop over the plan of a rollback, and the record closed.

Runbook, Rollback And Recovery. A rollback is a run of its own with its own lockfile. When
production is back, the hotfix's lockfile gets its last entries and the state ``rolled-back``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hotfix.apply import record
from hotfix.apply.alone import alone
from hotfix.apply.context import Run
from hotfix.apply.journal import Journal
from hotfix.apply.run import Outcome, apply
from hotfix.apply.steps.incident import incident, write_head
from hotfix.errors import FailedError, InputError

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.apply.context import Request, WayBack
    from hotfix.apply.ports import Operator, Progress, Stop
    from hotfix.clock import Clock
    from hotfix.evidence.model import CheckId, Lock
    from hotfix.forge.protocol import Forge

_BACK: Final[frozenset[CheckId]] = frozenset(
    {"production-reflects-hotfix", "smoke-checks-passed", "incident-recorded"}
)
"""What must be proven for a hotfix to count as taken back, whatever other evidence was lost."""


def rollback(
    request: Request,
    back: WayBack,
    *,
    forge: Forge,
    clock: Clock,
    operator: Operator,
    progress: Progress,
    stop: Stop,
) -> Outcome:
    """Take a hotfix back, or go on with it; refuses and raises as ``apply`` does.

    The hotfix's lockfile is held meanwhile, so that nobody applies what is being taken back.
    """
    with alone(back.lockfile):
        hotfix = hotfix_journal(back.lockfile, clock)
        request = replace(request, back=replace(back, hotfix=hotfix.lock))
        run = Run(
            request=request,
            plan=hotfix.lock.plan,
            objects={},
            forge=forge,
            clock=clock,
            operator=operator,
            progress=progress,
            stop=stop,
            journal=hotfix,
        )
        try:
            outcome = apply(
                request, forge=forge, clock=clock, operator=operator, progress=progress, stop=stop
            )
        except FailedError as error:
            if error.code == "evidence-missing":
                _close(run)
            raise
        _close(run)
        return outcome


def hotfix_journal(lockfile: Path, clock: Clock) -> Journal:
    """Open the lockfile of the hotfix to go back from, once its whole chain was audited.

    Raises ``InputError`` where there is none, where it was changed, or where it is a rollback's.
    """
    journal = Journal.resume(lockfile, clock)
    if journal is None:
        raise InputError(
            "file-not-read", f"{lockfile}: No such file or directory.", hint="Check the path."
        )
    if journal.lock.kind == "rollback":
        raise InputError(
            "not-a-hotfix",
            f"{lockfile} is the record of a rollback; there is no way back from one.",
            hint="Give the lockfile of the hotfix that is to be taken back.",
        )
    return journal


def _close(run: Run) -> None:
    """Let the hotfix's own record end in that it was taken back, once that is proven."""
    journal = Journal.resume(run.request.lockfile, run.clock)
    if journal is None or not _is_back(journal.lock):
        return
    if run.journal.lock.state != "rolled-back":
        run.sibling = journal.lock
        incident(run)
        _last_entry(run, journal)
    if run.journal.lock.seal is None:
        write_head(run)


def _is_back(lock: Lock) -> bool:
    return all(check.outcome == "passed" for check in lock.checks if check.id in _BACK)


def _last_entry(run: Run, rollback: Journal) -> None:
    lock = rollback.lock
    run.journal.add(
        "incident",
        None,
        "observed",
        {
            "rollback": rollback.path.name,
            "plan_digest": lock.plan_digest,
            "head": lock.head,
            "reason": record.reason(lock),
            "outcome": {
                target.project: record.outcome(lock, target) for target in lock.plan.targets
            },
        },
        state="rolled-back",
    )
