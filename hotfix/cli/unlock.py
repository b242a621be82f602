"""``hotfix unlock``: breaks a lock that a dead run left."""
# ruff: noqa: PLC0415  (loaded when the command runs, so that --help and completion stay light)

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hotfix.cli import exits, options
from hotfix.errors import InputError, InterruptedRunError, WaitingError
from hotfix.identifiers import PROJECT_PATTERN

if TYPE_CHECKING:
    from hotfix.apply.unlock import Broken, FoundLock
    from hotfix.cli.screen import Screen
    from hotfix.forge.protocol import Forge

_LONGEST_REASON = 500


@click.command("unlock")
@click.argument("project")
@click.option("--reason", required=True, metavar="TEXT", help="Why; the next run records it.")
@click.option("--lock", "name", metavar="NAME", help="Which lock, where the project has several.")
@click.option("--yes", is_flag=True, help="Answer the question; the lock is shown all the same.")
@options.gitlab
@options.screen("text", "json")
def command(
    screen: Screen, *, project: str, reason: str, name: str | None, yes: bool, gitlab: str | None
) -> int:
    """Break the lock of a project that a dead run left.

    Shows who holds it and whether that run lives, and asks for the project's name. Breaks
    exactly the lock that was shown. Who broke it, when and why is written into the lockfile
    of the next run, and of the one that lost it.
    """
    from hotfix.clock import SystemClock

    _check_project(project)
    reason, clock = _checked_reason(reason), SystemClock()
    forge, lock = _find(project, name, gitlab, reason)
    if lock is None:
        return _done(screen, project, "not-locked", f"{project} is not locked.")
    _show(screen, lock, asks=not yes)
    if not yes:
        _confirm(screen, lock, _again(project, name, gitlab, reason))
    from hotfix.apply.unlock import break_lock

    by = forge.current_user().username
    broken = break_lock(lock, by=by, reason=reason, clock=clock)
    if broken is None:
        return _done(screen, project, "not-locked", f"The lock of {project} was given back.", lock)
    return _done(screen, project, "unlocked", f"Broke the lock of {project}.", lock, broken)


def _find(
    project: str, name: str | None, gitlab: str | None, reason: str
) -> tuple[Forge, FoundLock | None]:
    from hotfix.apply.unlock import find_locks
    from hotfix.cli.connection import connect, environment_gitlab
    from hotfix.clock import SystemClock

    forge = connect(gitlab or _team_gitlab() or environment_gitlab())
    found = find_locks(forge, project, SystemClock())
    chosen = [lock for lock in found if name in {None, lock.place.name}]
    if len(chosen) > 1:
        lines = [_again(project, lock.place.name, gitlab, reason) for lock in chosen]
        raise InputError(
            "several-locks",
            f"{project} has {len(chosen)} locks that are held; nothing was broken.",
            hint="\n".join(["Say which one:", *lines]),
        )
    return forge, chosen[0] if chosen else None


def _team_gitlab() -> str | None:
    """Return the address in the defaults of the folder that the command is typed in."""
    from hotfix.spec.load import load_defaults

    team = load_defaults(Path("hotfix.yaml"))
    return team.gitlab if team else None


def _check_project(project: str) -> None:
    if not re.match(PROJECT_PATTERN, project):
        raise click.BadParameter("write a project's full path, such as evenergi/bf-manage-core.")


def _checked_reason(reason: str) -> str:
    """Return the reason as it is kept: in one line, without a token that slipped in."""
    from hotfix.cli.redaction import redacted

    said = redacted(" ".join(reason.split()))
    if not said or len(said) > _LONGEST_REASON:
        raise click.BadParameter(f"write 1 to {_LONGEST_REASON} characters.", param_hint="--reason")
    return said


def _show(screen: Screen, lock: FoundLock, *, asks: bool) -> None:
    from hotfix.views.held_lock_text import held_lock_text

    text = held_lock_text(lock, width=screen.width, colour=screen.colour(sys.stderr))
    (screen.err if asks or lock.alive is not False else screen.say)(text)


def _confirm(screen: Screen, lock: FoundLock, again: str) -> None:
    from hotfix.apply.ports import Stop
    from hotfix.cli.operator import TerminalAnswers, typed_name
    from hotfix.cli.signals import Interrupts

    stop = Stop()
    with Interrupts(stop) as interrupts:
        answers = TerminalAnswers(screen, interrupts)
        is_meant = typed_name(
            lambda question, wanted: answers.read(question, wanted, lambda: None),
            lock.project,
            act="\nBreak this lock?\n",
            again="  That is not the project's name; nothing was broken.\n",
        )
    if stop.requested:
        raise InterruptedRunError("interrupted", "Stopped as asked; nothing was broken.")
    if not is_meant:
        raise WaitingError(
            "unlock-not-confirmed",
            f"The lock of {lock.project} waits for your yes; nothing was broken.",
            hint=f"Answer at a terminal, or with --yes: {again} --yes",
        )


def _again(project: str, name: str | None, gitlab: str | None, reason: str) -> str:
    words = ["hotfix", "unlock", project, "--reason", reason]
    words += ["--lock", name] if name else []
    words += ["--gitlab", gitlab] if gitlab else []
    return shlex.join(words)


def _done(
    screen: Screen,
    project: str,
    code: str,
    message: str,
    lock: FoundLock | None = None,
    broken: Broken | None = None,
) -> int:
    hint = ""
    if broken is not None:
        hint = "The next run writes down who broke it, when and why."
    if broken is not None and broken.unrecorded:
        hint = (
            f"The reason could not be left for the next run, note it yourself: {broken.unrecorded}"
        )
    if screen.format == "json":
        from hotfix.views.held_lock_text import lock_document
        from hotfix.views.json_documents import dumped

        document = {
            "exit_code": exits.DONE,
            "code": code,
            "message": message,
            "hint": hint,
            "project": project,
            "lock": lock_document(lock) if lock else None,
            "reason": broken.note.reason if broken else None,
            "by": broken.note.by if broken else None,
            "at": broken.note.at if broken else None,
            "recorded": broken is not None and broken.unrecorded is None,
        }
        screen.out(dumped(document))
    else:
        screen.out(f"{message}\n")
        (screen.err if broken and broken.unrecorded else screen.say)(f"{hint}\n" if hint else "")
    return exits.DONE
