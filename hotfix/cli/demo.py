"""``hotfix demo``: the whole way, spec to audited lockfile, on the embedded GitLab."""
# ruff: noqa: PLC0415  (loaded when the command runs, so that --help and completion stay light)

from __future__ import annotations

import contextlib
import os
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hotfix.cli import apply, audit, exits, options, plan
from hotfix.cli.documents import lockfile_of
from hotfix.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hotfix.cli.screen import Screen
    from hotfix.cli.signals import Interrupts

_PACE: Final = 0.3
_POLL: Final = "0.2"


@click.command("demo")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the files here; else into a new temporary folder, which stays.",
)
@options.screen()
def command(screen: Screen, folder: Path | None) -> int:
    """Show the whole way, from a spec to an audited lockfile.

    Runs on an embedded GitLab, through the same code as the commands that it shows, and answers
    both gates as an operator would, visibly. Exits with 0 only if nine of nine checks passed.
    """
    from hotfix.cli.example import write_example
    from hotfix.sandbox import Sandbox
    from hotfix.sandbox.seed import TOKENS, example

    place = _folder(folder)
    with Sandbox(example(pace=_PACE)) as sandbox, _environment(TOKENS["operator"]):
        spec = write_example(sandbox, place)
        saved = place / "hotfix.plan.json"
        _head(screen, f"The request, {spec}", spec.read_text(encoding="utf-8"))
        _head(screen, "$ " + shlex.join(["hotfix", "plan", str(spec), "--out", str(saved)]))
        code = plan.run(screen, spec, out=saved, no_cache=True)
        if code == exits.DONE:
            _head(screen, "$ " + shlex.join(["hotfix", "apply", str(saved)]))
            outcome = apply.run(
                screen,
                saved,
                apply.Flags(no_cache=True),
                answers=_VisibleAnswers,
                show_plan=False,
            )
            screen.out(f"{outcome.message}\n")
            lockfile = lockfile_of(saved)
            _head(screen, "$ " + shlex.join(["hotfix", "audit", str(lockfile)]))
            code = audit.run(screen, [lockfile])
    _head(screen, "The files")
    screen.out("".join(f"{file}\n" for file in sorted(place.iterdir())))
    return code


def _folder(folder: Path | None) -> Path:
    """Return a folder with nothing in it: what lies there may be the record of a real hotfix."""
    if folder is None:
        return Path(tempfile.mkdtemp(prefix="hotfix-demo-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = any(folder.iterdir())
    except OSError as error:
        raise InputError("folder-not-made", f"{folder}: {error.strerror}.") from error
    if occupied:
        raise InputError(
            "folder-not-empty",
            f"{folder} is not empty.",
            hint="Name a folder that is new, or leave --folder out.",
        )
    return folder


@contextlib.contextmanager
def _environment(token: str) -> Iterator[None]:
    """Set what the commands would read from an operator's environment, and nothing else."""
    before = dict(os.environ)
    # Whatever proxy there is: nobody but this machine reaches its own loopback.
    loopback = {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
    os.environ.update({"HOTFIX_TOKEN": token, "HOTFIX_POLL_SECONDS": _POLL, **loopback})
    try:
        yield
    finally:
        _become(before)


def _become(environment: Mapping[str, str]) -> None:
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update(environment)


class _VisibleAnswers:
    """Answers every question with the yes that it wants, and shows both."""

    source = "typed by the demo"

    def __init__(self, screen: Screen, interrupts: Interrupts) -> None:
        del interrupts
        self._screen = screen

    def read(self, question: str, wanted: str, meanwhile: Callable[[], None]) -> str | None:
        del meanwhile
        self._screen.say(f"{question} {wanted}\n")
        return wanted


def _head(screen: Screen, heading: str, text: str = "") -> None:
    if not screen.quiet:
        screen.out(f"\n==> {heading}\n\n{text}")
