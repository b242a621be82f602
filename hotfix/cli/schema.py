"""``hotfix schema``: prints a JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hotfix import schema
from hotfix.cli import exits, options

if TYPE_CHECKING:
    from hotfix.cli.screen import Screen


@click.command("schema")
@click.argument("name", type=click.Choice(schema.NAMES))
@options.screen()
def command(screen: Screen, name: str) -> int:
    """Print the JSON Schema of one of our files.

    An editor completes by it, and a script checks by it.
    """
    screen.out(schema.schema_text(name))
    return exits.DONE
