"""Options that several commands have, each declared once."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hotfix.cli.screen import Format, Screen

if TYPE_CHECKING:
    from collections.abc import Callable

Command = Any
"""A click callback; its parameters are its options."""

FILE: Final = click.Path(path_type=Path, dir_okay=False)

gitlab: Final = click.option(
    "--gitlab",
    metavar="URL",
    help="Base URL of the GitLab; else the spec, defaults.yaml, HOTFIX_GITLAB_URL, CI_SERVER_URL.",
)

no_cache: Final = click.option(
    "--no-cache",
    is_flag=True,
    help="Fetch all Git objects anew; neither read nor write those that are kept between runs.",
)

WAITING_STEPS: Final = ("staging", "verify-production")
"""The steps that wait for GitLab: for the pipeline and its gate, and for the production job."""


if TYPE_CHECKING:
    _ParamType = click.ParamType[tuple[str, float]]
else:
    _ParamType = click.ParamType  # older releases are not generic

_SECONDS: Final = click.FloatRange(min=0, max=366 * 86400)


class _StepTime(_ParamType):
    name = "STEP=SECONDS"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, float]:
        """Read ``staging=1800``."""
        step, _, text = str(value).partition("=")
        if step not in WAITING_STEPS:
            self.fail(f"{step!r} is none of the steps that wait: {', '.join(WAITING_STEPS)}.")
        return step, _SECONDS(text, param, ctx)


_LONGEST_SENTENCE: Final = 1000

_RUN: Final = (
    click.option("--auto-approve", is_flag=True, help="Answer the first question; the gate stays."),
    click.option(
        "--promote", is_flag=True, help="Answer the production gate too; needs --auto-approve."
    ),
    click.option(
        "--adopt-pipeline",
        type=click.IntRange(min=1),
        metavar="ID",
        help="Answer that the pipeline of this number, started by hand, is this hotfix's own.",
    ),
    click.option(
        "--until",
        type=click.Choice(["restore", "branch", "staging", "production"]),
        help="Stop when this is reached.",
    ),
    click.option("--lock", type=FILE, metavar="FILE", help="Keep the lockfile here."),
    click.option(
        "--wait",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="The most that any one wait may take; then exit 3, resumable.",
    ),
    click.option(
        "--timeout",
        type=_StepTime(),
        multiple=True,
        help="The same for the waits of one step, staging or verify-production; may be repeated.",
    ),
    click.option(
        "--lock-timeout",
        type=click.FloatRange(min=0),
        default=0.0,
        metavar="SECONDS",
        help="How long to wait for a lock that another run holds; else exit 6 at once.",
    ),
    click.option(
        "--events",
        type=click.File("w", encoding="utf-8", lazy=True),
        metavar="FILE",
        help="Write the run's events here as they happen, one JSON object a line.",
    ),
    click.option(
        "--break-glass",
        metavar="REASON",
        help="Go past the team's policy: never past the runbook, nor past a question. Who and why "
        "goes into the record and the incident, with a follow-up.",
    ),
    no_cache,
    gitlab,
)


def run(command: Command) -> Command:
    """Give a command the options of a run: of ``apply``, and of a rollback that is carried out."""
    for option in reversed(_RUN):
        command = option(command)
    return command


def sentence(option: str, said: str | None) -> str | None:
    """Check what stands in the record as it was said; ``None`` where nothing was."""
    if said is None:
        return None
    words = " ".join(said.split())
    if not 0 < len(words) <= _LONGEST_SENTENCE:
        raise click.UsageError(
            f"{option} wants a sentence of at most {_LONGEST_SENTENCE} characters."
        )
    return words


def screen(*formats: str) -> Callable[[Command], Command]:
    """Give a command the options of output; it gets a ``Screen`` as its first argument."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def wrapped(
            *, output: Format = "text", quiet: bool, verbose: bool, no_color: bool, **values: object
        ) -> object:
            return command(Screen(output, quiet, verbose, no_color), **values)

        for option in reversed(_options(formats)):
            option(wrapped)
        return wrapped

    return decorate


def _options(formats: tuple[str, ...]) -> list[Callable[[Command], Command]]:
    output = click.option(
        "--format",
        "output",
        type=click.Choice(formats),
        default="text",
        show_default=True,
        help="How standard output is written.",
    )
    return [
        *([output] if formats else []),
        click.option("-q", "--quiet", is_flag=True, help="Say the verdict only."),
        click.option("-v", "--verbose", is_flag=True, help="Show where a defect happened."),
        click.option(
            "--no-color", is_flag=True, help="No colour; NO_COLOR and TERM=dumb do it too."
        ),
    ]
