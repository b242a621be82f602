"""``hotfix status``: where a hotfix stands, and who has to act next."""
# ruff: noqa: PLC0415  (loaded when the command runs, so that --help and completion stay light)

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import click

from hotfix.apply.standing import Commands, seen, standing
from hotfix.cli import exits, options
from hotfix.cli.commands import (
    apply_command,
    approve_back_commands,
    approve_commands,
    rollback_command,
)
from hotfix.cli.documents import (
    hotfix_lockfile_of,
    kind_of,
    lockfile_of,
    read,
    rollback_lockfile_of,
    source_of,
)
from hotfix.errors import HotfixError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hotfix.apply.run import Outcome
    from hotfix.apply.standing import Standing
    from hotfix.cli.screen import Screen
    from hotfix.evidence.lockfile import LockDocument
    from hotfix.evidence.model import Lock
    from hotfix.spec.model import PlanApprovalPolicy


@click.command("status")
@click.argument("file", metavar="SPEC|LOCK", type=options.FILE)
@click.option(
    "--offline", is_flag=True, help="Read the lockfile alone; GitLab may have moved on since."
)
@options.gitlab
@options.screen("text", "json", "markdown")
def command(screen: Screen, file: Path, *, offline: bool, gitlab: str | None) -> int:
    """Tell where a hotfix stands now, and who has to act next.

    Goes the steps of `apply` as far as looking goes, and writes nothing. The exit code is the one
    that `apply` would end with.
    """
    from hotfix.evidence.lockfile import parse

    data = read(file)
    given = kind_of(data)
    lockfile = _latest(file if given == "lock" else lockfile_of(file))
    document = parse(read(lockfile), str(lockfile)) if lockfile.exists() else None
    lock = document.lock if document else None
    if offline:
        asked = None if given == "lock" else _policy(file, given, data)
        found = standing(lock, _next(file, given, lockfile, _wanted(asked, lock)), lockfile)
    else:
        found = _seen(screen, file, lockfile, lock, gitlab)
    _show(screen, found, document, lockfile, _CODES[found.kind])
    return _CODES[found.kind]


_CODES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "done": exits.DONE,
        "failed": exits.FAILED,
        "waiting": exits.WAITING,
        "blocked": exits.BLOCKED,
        "stale": exits.STALE,
        "locked": exits.LOCKED,
    }
)


def _seen(
    screen: Screen, file: Path, lockfile: Path, lock: Lock | None, gitlab: str | None
) -> Standing:
    """Ask GitLab, by the request that `apply` or `rollback --apply` would make."""
    from hotfix.apply.look import Remembering, look
    from hotfix.cli import apply, rollback
    from hotfix.cli.connection import connect
    from hotfix.cli.waiting import Waiting
    from hotfix.clock import SystemClock

    clock, said = SystemClock(), Remembering()
    hotfix = hotfix_lockfile_of(lockfile)
    if hotfix is None:
        request, url = apply.request_for(file, apply.Flags(gitlab=gitlab))
    else:
        flags = rollback.Flags(gitlab=gitlab)
        request, back = rollback.request_for(hotfix, flags, clock, lambda: None)
        request, url = replace(request, back=back), back.hotfix.plan.gitlab
    forge = connect(url, telling=Waiting(screen, clock))
    try:
        ended: Outcome | HotfixError = look(request, forge=forge, clock=clock, progress=said)
    except InputError:
        raise
    except HotfixError as error:
        ended = error
    return seen(lock, ended, said.last)


def _latest(lockfile: Path) -> Path:
    """Of a hotfix and a rollback of it that has begun, tell where the rollback stands."""
    back = rollback_lockfile_of(lockfile)
    return back if hotfix_lockfile_of(lockfile) is None and back.exists() else lockfile


def _next(file: Path, given: str, lockfile: Path, wanted: str | None) -> Commands:
    """Write the commands that go on, and back, and that approve first where that is wanted."""
    hotfix = hotfix_lockfile_of(lockfile)
    source = source_of(file) if given == "lock" else file
    approving = approve_commands(source, None)
    if hotfix is not None:
        approving = approve_back_commands(hotfix, None, None)
    told = [f"Wants {wanted}. Each types:", *approving, f"Who did: {approving[-1]} --check", ""]
    approve = "\n".join(told) if wanted else ""
    if hotfix is not None:
        return Commands(on=rollback_command(hotfix, None), approve=approve)
    on = apply_command(source, None)
    return Commands(on=on, back=rollback_command(lockfile, None), approve=approve)


def _wanted(asked: PlanApprovalPolicy | None, lock: Lock | None) -> str | None:
    """Say what approvals are wanted and not on record; GitLab is not asked."""
    from hotfix.evidence.plan_approvals import approvers
    from hotfix.plan.approvals import wanted

    policy = lock.plan.spec.policy.plan_approvals if lock else asked
    if policy is None or (lock is not None and len(approvers(lock)) >= policy.minimum):
        return None
    return wanted(policy)


def _policy(file: Path, given: str, data: bytes) -> PlanApprovalPolicy:
    """Read what approvals are asked for before there is a record; refuses a file that is wrong."""
    if given == "plan":
        from hotfix.plan.document import parse

        return parse(data, str(file)).spec.policy.plan_approvals
    from hotfix.cli.connection import environment_gitlab
    from hotfix.spec.load import load_spec

    loaded = load_spec(file, gitlab=None, fallback=environment_gitlab())
    return loaded.spec.policy.plan_approvals


def _show(
    screen: Screen, found: Standing, document: LockDocument | None, lockfile: Path, code: int
) -> None:
    if screen.format == "json":
        from hotfix.views.json_documents import dumped, status_document

        lock = document.lock if document else None
        screen.out(dumped(status_document(found, lock, lockfile, code)))
    elif screen.format == "markdown":
        from hotfix.views.evidence_markdown import status_markdown

        screen.out(status_markdown(found))
    elif screen.quiet:
        screen.out(f"{found.message}\n")
    else:
        from hotfix.views.status_text import status_text

        screen.page(status_text, found, document.lock if document else None)
