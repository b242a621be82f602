"""``hotfix validate``: an offline check of specs."""
# ruff: noqa: PLC0415  (loaded when the command runs, so that --help and completion stay light)

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hotfix.cli import exits, options

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.cli.screen import Screen
    from hotfix.spec.load import Loaded


@click.command("validate")
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True, type=options.FILE)
@options.gitlab
@options.screen("text", "json")
def command(screen: Screen, specs: tuple[Path, ...], gitlab: str | None) -> int:
    """Check specs offline, each with its defaults.

    Every problem of every file is told with its place and what to write instead.
    """
    from hotfix.cli.connection import environment_gitlab
    from hotfix.spec.load import load_specs

    loaded = load_specs(specs, gitlab=gitlab, fallback=environment_gitlab())
    if screen.format == "json":
        from hotfix.views.json_documents import dumped, validate_document

        rows = [(each.path, each.spec.id, _projects(each)) for each in loaded]
        screen.out(dumped(validate_document(rows)))
    elif not screen.quiet:
        screen.out("".join(map(_line, loaded)))
    return exits.DONE


def _line(loaded: Loaded) -> str:
    from hotfix.text import counted, one_line

    targets = loaded.spec.targets
    repositories = counted(len(targets), "repository", "repositories")
    requests = counted(sum(len(t.merge_requests) for t in targets), "merge request")
    checks = counted(sum(len(t.smoke_checks) for t in targets), "smoke check")
    file = one_line(str(loaded.path), 1000)
    return f"{file}: valid. Hotfix {loaded.spec.id}: {repositories}, {requests}, {checks}.\n"


def _projects(loaded: Loaded) -> list[str]:
    return [target.project for target in loaded.spec.targets]
