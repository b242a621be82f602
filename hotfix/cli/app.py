"""The program's group of commands, and how it is run."""

from __future__ import annotations

import importlib
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import click

from hotfix import __version__
from hotfix.cli.boundary import guarded
from hotfix.cli.exits import MEANINGS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "init": "hotfix.cli.init",
        "validate": "hotfix.cli.validate",
        "doctor": "hotfix.cli.doctor",
        "plan": "hotfix.cli.plan",
        "rehearse": "hotfix.cli.rehearse",
        "show": "hotfix.cli.show",
        "approve": "hotfix.cli.approve",
        "apply": "hotfix.cli.apply",
        "status": "hotfix.cli.status",
        "rollback": "hotfix.cli.rollback",
        "audit": "hotfix.cli.audit",
        "unlock": "hotfix.cli.unlock",
        "schema": "hotfix.cli.schema",
        "sandbox": "hotfix.cli.sandbox",
        "demo": "hotfix.cli.demo",
    }
)
"""Each command's module, whose attribute ``command`` it is; in the order of ``--help``."""


def run(arguments: Sequence[str]) -> int:
    """Run a command line; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that cannot show a character is no reason to fail.
            stream.reconfigure(errors="backslashreplace")

    def work() -> int:
        result = app.main(list(arguments) or ["--help"], prog_name="hotfix", standalone_mode=False)
        return result if isinstance(result, int) else 0

    return guarded(work, arguments)


class _Lazy(click.Group):
    """A group that imports a command's module when it is asked for that command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name]).command
        return command if isinstance(command, click.Command) else None

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(code), meaning) for code, meaning in MEANINGS.items()])


@click.group(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, message="hotfix %(version)s")
def app() -> None:
    """Plan and apply production hotfixes on GitLab: spec, plan, apply, evidence."""
