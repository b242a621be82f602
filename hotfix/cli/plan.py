"""``hotfix plan``: the exact changes, for review; writes nothing but ``--out``."""
# ruff: noqa: PLC0415  (loaded when the command runs, so that --help and completion stay light)

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hotfix import __version__
from hotfix.cli import exits, options
from hotfix.cli.commands import apply_command
from hotfix.errors import BlockedError

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.cli.screen import Screen
    from hotfix.plan.build import Built
    from hotfix.plan.model import Plan
    from hotfix.spec.load import Loaded


@click.command("plan")
@click.argument("spec", type=options.FILE)
@click.option("-o", "--out", type=options.FILE, metavar="FILE", help="Save the plan for review.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit 2 where there is something to do.")
@click.option(
    "--verify-with-git", is_flag=True, help="Ask the git on the PATH for a second opinion."
)
@options.no_cache
@options.gitlab
@options.screen("text", "json", "markdown")
def command(
    screen: Screen,
    *,
    spec: Path,
    out: Path | None,
    detailed_exitcode: bool,
    verify_with_git: bool,
    no_cache: bool,
    gitlab: str | None,
) -> int:
    """Show exactly what `apply` would do; changes nothing.

    Every commit is shown by the id that it will have, and what leaves release is listed. A
    read-only token does. A plan with blockers exits with 4; --out saves it all the same, so
    that reviewers can read why.
    """
    return run(
        screen,
        spec,
        out=out,
        detailed_exitcode=detailed_exitcode,
        verify_with_git=verify_with_git,
        no_cache=no_cache,
        gitlab=gitlab,
    )


def run(
    screen: Screen,
    spec: Path,
    *,
    out: Path | None = None,
    detailed_exitcode: bool = False,
    verify_with_git: bool = False,
    no_cache: bool = False,
    gitlab: str | None = None,
) -> int:
    """Plan a spec, save the plan where that is asked, and show it."""
    from hotfix.cli.connection import environment_gitlab
    from hotfix.spec.load import load_spec

    loaded = load_spec(spec, gitlab=gitlab, fallback=environment_gitlab(), require_gitlab=True)
    plan = _plan(screen, loaded, verify_with_git=verify_with_git, no_cache=no_cache)
    return present(
        screen,
        plan,
        out=out,
        detailed_exitcode=detailed_exitcode,
        next_command=apply_command(out or spec, gitlab),
    )


def present(
    screen: Screen, plan: Plan, *, out: Path | None, detailed_exitcode: bool, next_command: str
) -> int:
    """Save a plan where that is asked, show it, and return the exit code that it comes to."""
    if out is not None:
        from hotfix.cli.documents import write
        from hotfix.plan.document import serialize

        write(out, serialize(plan))
        remark = "; it has blockers and cannot be applied" if plan.blockers else ""
        screen.say(f"Saved the plan to {out}{remark}.\n")
    from hotfix.views.words import nothing_to_do

    blocked = _blocked(plan)
    code = exits.BLOCKED if blocked else exits.DONE
    if not blocked and detailed_exitcode and not nothing_to_do(plan):
        code = exits.TO_DO
    show_plan(screen, plan, next_command, blocked)
    return code


def show_plan(
    screen: Screen, plan: Plan, next_command: str | None, blocked: BlockedError | None = None
) -> None:
    """Write a plan in the format that was asked for, and each blocker to standard error."""
    if screen.format == "json":
        from hotfix.views.json_documents import dumped, plan_document

        screen.out(dumped(plan_document(plan, blocked, exits.BLOCKED)))
    elif screen.format == "markdown":
        from hotfix.views.plan_markdown import plan_markdown

        screen.out(plan_markdown(plan, next_command=next_command))
    elif screen.quiet:
        from hotfix.views.words import verdict

        screen.out(verdict(plan) + "\n")
    else:
        from hotfix.views.plan_text import plan_text

        screen.page(plan_text, plan, next_command=next_command)
    if blocked is not None:
        from hotfix.cli.boundary import show

        for blocker in plan.blockers:
            show(screen, BlockedError(blocker.code, blocker.message, hint=blocker.hint))


def _plan(screen: Screen, loaded: Loaded, *, verify_with_git: bool, no_cache: bool) -> Plan:
    from hotfix.cli.connection import connect
    from hotfix.cli.waiting import Waiting
    from hotfix.clock import SystemClock

    clock = SystemClock()
    forge = connect(loaded.gitlab, use_cache=not no_cache, telling=Waiting(screen, clock))
    from hotfix.cli.documents import lock_beside
    from hotfix.cli.past import with_past
    from hotfix.plan.make import make_plan
    from hotfix.views.words import nothing_to_do

    built = make_plan(loaded.spec, forge, clock, tool_version=__version__)
    plan = _with_second_opinion(built) if verify_with_git else built.plan
    plan = with_past(plan, loaded.path.parent)
    if nothing_to_do(plan) and not plan.blockers:
        return plan
    beside = lock_beside(loaded.path)
    if beside is None or beside.lock.state != "complete":
        return plan
    # Contract, section 7: of a hotfix that is complete nothing is left to do, wherever release
    # and production went since.
    return _with_nothing_to_do(beside.lock.plan, plan)


def _with_second_opinion(built: Built) -> Plan:
    """Add what git says; neither is digested, and a disagreement blocks all the same."""
    from hotfix.cli.second_opinion import second_opinion

    opinion, plan = second_opinion(built), built.plan
    observed = plan.observed.model_copy(update={"second_opinion": opinion.said})
    blockers = (*plan.blockers, *opinion.disagreements)
    return plan.model_copy(update={"observed": observed, "blockers": blockers})


def _with_nothing_to_do(applied: Plan, now: Plan) -> Plan:
    from hotfix.plan.document import plan_digest, to_json
    from hotfix.plan.summary import summarize

    if applied.spec_digest != now.spec_digest:
        return now
    done = applied.model_copy(update={"summary": summarize((), done=()), "observed": now.observed})
    return done.model_copy(update={"digest": plan_digest(to_json(done))})


def _blocked(plan: Plan) -> BlockedError | None:
    if not plan.blockers:
        return None
    first = plan.blockers[0]
    more = len(plan.blockers) - 1
    also = f" ({more} more in `blockers`)" if more else ""
    return BlockedError(first.code, first.message + also, hint=first.hint)
