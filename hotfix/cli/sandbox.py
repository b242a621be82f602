"""``hotfix sandbox``: serves the embedded GitLab on loopback."""
# ruff: noqa: PLC0415  (loaded when the command runs, so that --help and completion stay light)

from __future__ import annotations

import shlex
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hotfix.cli import exits, options

if TYPE_CHECKING:
    from hotfix.cli.screen import Screen
    from hotfix.sandbox import Sandbox


@click.command("sandbox")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default="one that is free",
    help="The port on 127.0.0.1.",
)
@click.option(
    "--pace",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a job runs.",
)
@options.screen("text", "json")
def command(screen: Screen, port: int, pace: float) -> int:
    """Serve an embedded GitLab to rehearse on, until Ctrl-C.

    It has an example hotfix, speaks REST and Git over HTTP, its pipelines move, and nothing of
    it outlives the command.
    """
    from hotfix.errors import InputError
    from hotfix.sandbox import serve

    with tempfile.TemporaryDirectory(prefix="hotfix-sandbox-") as folder:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            serve(port=port, pace=pace, on_ready=lambda ready: _tell(screen, ready, Path(folder)))
        except KeyboardInterrupt:
            screen.say("\nThe sandbox is gone, with all that was in it.\n")
        except (OSError, SystemExit) as error:
            raise InputError(
                "port-taken",
                f"Port {port} of 127.0.0.1 cannot be had.",
                hint="Choose another, or leave --port out.",
            ) from error
    return exits.DONE


def _tell(screen: Screen, sandbox: Sandbox, folder: Path) -> None:
    from hotfix.cli.example import write_example
    from hotfix.sandbox.seed import TOKENS

    spec = write_example(sandbox, folder)
    if screen.format == "json":
        from hotfix.views.json_documents import dumped

        document = {"url": sandbox.url, "tokens": dict(TOKENS), "spec": str(spec)}
        screen.out(dumped(document), published=TOKENS.values())
        return
    if screen.quiet:
        screen.out(f"{sandbox.url}\n")
        return
    screen.out(_told(sandbox.url, dict(TOKENS), spec), published=TOKENS.values())


def _told(url: str, tokens: dict[str, str], spec: Path) -> str:
    width = max(map(len, tokens))
    listed = "\n".join(f"  {name:{width}}  {token}" for name, token in tokens.items())
    file, lock = shlex.quote(str(spec)), shlex.quote(str(spec.with_name("hotfix.lock.json")))
    clone = url.replace("://", f"://operator:{tokens['operator']}@")
    return f"""\
The sandbox is at {url} until Ctrl-C.

Its tokens are published and open nothing else:
{listed}

In another terminal:
  export HOTFIX_TOKEN={tokens["operator"]} HOTFIX_POLL_SECONDS=0.5
  hotfix validate {file}
  hotfix plan {file}
  hotfix apply {file}
  hotfix audit {lock}
  git clone {clone}/evenergi/bf-manage-core.git
"""
