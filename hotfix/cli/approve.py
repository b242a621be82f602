"""``hotfix approve``: says on GitLab that exactly this plan is approved."""
# ruff: noqa: PLC0415  (loaded when the command runs, so that --help and completion stay light)

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from hotfix.cli import exits, options
from hotfix.cli.commands import approve_command
from hotfix.cli.documents import kind_of, read
from hotfix.errors import BlockedError, InputError, InterruptedRunError, WaitingError

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.cli.screen import Screen
    from hotfix.forge.protocol import Forge
    from hotfix.forge.types import Noteable, User
    from hotfix.plan.approvals import Tally, Voice
    from hotfix.plan.model import Plan


@click.command("approve")
@click.argument("file", metavar="PLAN", type=options.FILE)
@click.option("--digest", metavar="SHA256", help="Answer the question by the plan's whole digest.")
@click.option("--merge-request", metavar="REF", help="Say it on this one: group/project!7.")
@click.option("--incident", metavar="REF", help="Say it on this incident: group/project#7.")
@click.option("--check", is_flag=True, help="Tell who approved it and write nothing; 3 if too few.")
@options.gitlab
@options.screen("text", "json")
def command(
    screen: Screen,
    *,
    file: Path,
    digest: str | None,
    merge_request: str | None,
    incident: str | None,
    check: bool,
    gitlab: str | None,
) -> int:
    """Approve exactly this plan, by its digest, on GitLab.

    Shows the plan and asks; then it writes one comment in your name, on the merge request or
    incident that is named, in a merge request's pipeline on that one, else on the first merge
    request of the hotfix. `apply` finds it there. Another plan is not approved by it, and a
    comment that was changed or deleted counts no more.
    """
    from hotfix.cli import places

    plan = _plan(file, gitlab)
    _check_digest(plan, digest, file)
    on = places.given(merge_request, incident) or places.of_this_job(plan.gitlab)
    more = (*([on] if on else ()), *places.known(file, plan.hotfix, plan.gitlab))
    case = _Case(screen, file, plan, more, _connect(plan))
    if check:
        return _checked(case)
    return _approve(case, on, digest, again=approve_command(file, gitlab))


@dataclass(frozen=True, slots=True)
class _Case:
    """A plan, where its approvals may stand, and through what GitLab is asked."""

    screen: Screen
    file: Path
    plan: Plan
    more: tuple[Noteable, ...]
    forge: Forge

    def look(self) -> Tally:
        from hotfix.apply.approvals import look

        return look(self.plan, self.forge, self.more)


def _plan(file: Path, gitlab: str | None) -> Plan:
    """Read the plan; what could not be applied is not approved either."""
    from hotfix.apply.hold import refuse_blocked, refuse_forbidden
    from hotfix.cli.apply import refuse_other_gitlab, refuse_weakened
    from hotfix.plan.document import parse

    data = read(file)
    if kind_of(data) != "plan":
        raise InputError(
            "not-a-plan",
            f"{file} is no saved plan; only a plan has the digest that is approved.",
            hint="Make one with `hotfix plan SPEC --out FILE`, and approve that file.",
        )
    plan = parse(data, str(file))
    refuse_forbidden(plan)
    refuse_blocked(plan.blockers)
    refuse_other_gitlab(plan, file, gitlab)
    refuse_weakened(plan, file)
    return plan


def _check_digest(plan: Plan, digest: str | None, file: Path) -> None:
    if digest not in {None, plan.digest}:
        raise InputError(
            "digest-differs",
            f"{file} is plan {plan.digest}, not {digest}; nothing was approved.",
            hint="Somebody planned anew since? Read the plan again, and approve what it is now.",
        )


def _connect(plan: Plan) -> Forge:
    from hotfix.cli.connection import connect

    return connect(plan.gitlab)


def _checked(case: _Case) -> int:
    found = case.look()
    code = exits.WAITING if found.missing else exits.DONE
    message = f"Plan {case.plan.digest} has {found.verdict()}."
    _show(case, code, "approvals-missing" if found.missing else "approved", message, found)
    return code


def _approve(case: _Case, on: Noteable | None, digest: str | None, *, again: str) -> int:
    from hotfix.apply.approvals import refuse_unheard, write
    from hotfix.plan.approvals import places

    me, found = case.forge.current_user(), case.look()
    own = _own(found, me)
    if own is not None:
        message = f"You approved this plan already, at {own.at}: {own.url}"
        _show(case, exits.DONE, "already-approved", message, found)
        return exits.DONE
    why = refuse_unheard(case.plan, case.forge, found.asked)
    if why is not None:
        raise BlockedError(
            "not-permitted",
            f"An approval by {me.username} would not count: {why}.",
            hint=f"Ask somebody else for it; they type: {again}",
        )
    on = on or places(case.plan)[0]
    if digest is None:
        _confirm(case, on, again)
    write(case.plan, case.forge, on)
    if on not in places(case.plan):
        _keep(case, on)
    found = case.look()
    own = _own(found, me)
    where = own.url if own is not None else str(on)
    _show(case, exits.DONE, "approved", f"Approved plan {case.plan.digest}: {where}", found)
    return exits.DONE


def _own(found: Tally, me: User) -> Voice | None:
    return next((voice for voice in found.counted if voice.by.id == me.id), None)


def _confirm(case: _Case, on: Noteable, again: str) -> None:
    """Show the plan and ask for exactly this one; only a full ``yes`` counts."""
    from hotfix.apply.ports import Stop
    from hotfix.cli.apply import show_asked
    from hotfix.cli.operator import TerminalAnswers
    from hotfix.cli.signals import Interrupts

    show_asked(case.screen, case.plan, is_asked=True)
    question = (
        f"\nYour name will stand under it, in a comment on {on}.\n"
        "Approve exactly this plan? Type yes:"
    )
    stop = Stop()
    with Interrupts(stop) as interrupts:
        answer = TerminalAnswers(case.screen, interrupts).read(question, "yes", lambda: None)
    if stop.requested:
        raise InterruptedRunError("interrupted", "Stopped as asked; nothing was approved.")
    if answer != "yes":
        raise WaitingError(
            "approval-not-confirmed",
            "The plan waits for your yes; nothing was approved.",
            hint=f"Read it, then answer at a terminal, or: {again} --digest {case.plan.digest}",
        )


def _keep(case: _Case, on: Noteable) -> None:
    from hotfix.cli import places

    beside = places.keep(case.file, case.plan.hotfix, on)
    if beside is not None:
        case.screen.say(f"{beside} says where; keep it beside the plan for `hotfix apply`.\n")


def _show(case: _Case, exit_code: int, code: str, message: str, found: Tally) -> None:
    screen, plan = case.screen, case.plan
    if screen.format == "json":
        from hotfix.views.approval_text import tally_document
        from hotfix.views.json_documents import dumped

        document = {
            "exit_code": exit_code,
            "code": code,
            "message": message,
            "hint": "",
            "hotfix": plan.hotfix,
            "digest": plan.digest,
            "approvals": tally_document(found),
        }
        screen.out(dumped(document))
        return
    screen.out(f"{message}\n")
    if not screen.quiet:
        from hotfix.views.approval_text import approval_text

        screen.page(approval_text, found)
