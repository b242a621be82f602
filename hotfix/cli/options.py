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
