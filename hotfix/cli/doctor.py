"""``hotfix doctor``: what would keep a hotfix from going through; changes nothing."""
# ruff: noqa: PLC0415  (loaded when the command runs, so that --help and completion stay light)

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hotfix import __version__
from hotfix.cli import exits, options

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.cli.screen import Screen
    from hotfix.doctor.model import Examination


@click.command("doctor")
@click.argument("spec", type=options.FILE)
@options.no_cache
@options.gitlab
@options.screen("text", "json", "markdown")
def command(screen: Screen, *, spec: Path, no_cache: bool, gitlab: str | None) -> int:
    """Look for what would keep a hotfix from going through; changes nothing.

    The token and its last day, roles, protected branches and environments, push rules, pipeline
    inputs, the production job, freezes, clocks, and whether each smoke check can be made from
    here. A program is not started. A read-only token does; what GitLab does not show to it is
    told as not seen, never as fine. Exits with 1 where something would stop the hotfix.
    """
    from hotfix.cli.commands import doctor_command, plan_command, save_plan_command
    from hotfix.cli.connection import connect, environment_gitlab
    from hotfix.cli.waiting import Waiting
    from hotfix.clock import SystemClock
    from hotfix.doctor.examine import Commands, examine
    from hotfix.spec.load import load_spec

    loaded = load_spec(spec, gitlab=gitlab, fallback=environment_gitlab(), require_gitlab=True)
    clock, commands = (
        SystemClock(),
        Commands(again=doctor_command(spec, gitlab), plan=plan_command(spec, gitlab)),
    )
    forge = connect(loaded.gitlab, use_cache=not no_cache, telling=Waiting(screen, clock))
    found = examine(loaded.spec, forge, clock, tool_version=__version__, commands=commands)
    onward = commands.again if found.stops else save_plan_command(spec, gitlab)
    _show(screen, found, onward)
    return exits.FAILED if found.stops else exits.DONE


def _show(screen: Screen, found: Examination, onward: str) -> None:
    if screen.format == "json":
        from hotfix.views.json_documents import doctor_document, dumped

        code = exits.FAILED if found.stops else exits.DONE
        screen.out(dumped(doctor_document(found, onward, code)))
    elif screen.format == "markdown":
        from hotfix.views.doctor_markdown import doctor_markdown

        screen.out(doctor_markdown(found, onward))
    elif screen.quiet:
        from hotfix.views.words import doctor_verdict

        screen.out(doctor_verdict(found) + "\n")
    else:
        from hotfix.views.doctor_text import doctor_text

        screen.page(doctor_text, found, onward)
