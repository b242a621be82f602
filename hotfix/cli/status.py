"""``hotfix status``: where a hotfix stands, and who has to act next."""
# ruff: noqa: PLC0415  (loaded when the command runs, so that --help and completion stay light)

from __future__ import annotations

from typing import TYPE_CHECKING

import click

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
)

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.apply.standing import Commands, Standing
    from hotfix.cli.screen import Screen
    from hotfix.evidence.lockfile import LockDocument
    from hotfix.evidence.model import Lock
    from hotfix.spec.model import PlanApprovalPolicy


@click.command("status")
@click.argument("file", metavar="SPEC|LOCK", type=options.FILE)
@options.screen("text", "json", "markdown")
def command(screen: Screen, file: Path) -> int:
    """Tell where a hotfix stands, and who has to act next.

    Reads the lockfile alone. The exit code is the one that `apply` would end with: 0 done, 1
    failed, 3 waiting.
    """
    from hotfix.apply.standing import standing
    from hotfix.evidence.lockfile import parse

    data = read(file)
    given = kind_of(data)
    asked = None if given == "lock" else _policy(file, given, data)
    lockfile = _latest(file if given == "lock" else lockfile_of(file))
    document = parse(read(lockfile), str(lockfile)) if lockfile.exists() else None
    lock = document.lock if document else None
    found = standing(lock, _next(file, given, lockfile, _wanted(asked, lock)), lockfile)
    code = {"done": exits.DONE, "waiting": exits.WAITING, "failed": exits.FAILED}[found.kind]
    _show(screen, found, document, lockfile, code)
    return code


def _latest(lockfile: Path) -> Path:
    """Of a hotfix and a rollback of it that has begun, tell where the rollback stands."""
    back = rollback_lockfile_of(lockfile)
    return back if hotfix_lockfile_of(lockfile) is None and back.exists() else lockfile


def _next(file: Path, given: str, lockfile: Path, wanted: str | None) -> Commands:
    """Write the commands that go on, and back, and that approve first where that is wanted."""
    from hotfix.apply.standing import Commands

    hotfix = hotfix_lockfile_of(lockfile)
    source = _source(file) if given == "lock" else file
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


def _source(lockfile: Path) -> Path:
    """Find the file beside a lockfile that was applied; the spec's usual name where none is."""
    stem = lockfile.name.removesuffix(".lock.json")
    names = [f"{stem}{ending}" for ending in (".yaml", ".yml", ".plan.json")]
    beside = [lockfile.with_name(name) for name in names]
    return next((path for path in beside if path.exists()), beside[0])


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
