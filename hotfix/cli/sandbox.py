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
    from collections.abc import Sequence

    from hotfix.cli.screen import Screen
    from hotfix.sandbox import Sandbox
    from hotfix.sandbox.faults import Fault, Faults


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
@click.option(
    "--fault",
    "sentences",
    multiple=True,
    metavar="FAULT",
    help="What shall go wrong: 'POST /projects/:id/pipeline after reset', 'git push #2 "
    "hook-declined', 'GET /user #2-4 429=1', or a name such as pipeline-reset-after.",
)
@click.option(
    "--faults", "file", type=options.FILE, metavar="FILE", help="Read a list of faults in YAML."
)
@click.option("--seed", type=int, metavar="N", help="Add faults at random, for a seed the same.")
@options.screen("text", "json")
def command(
    screen: Screen,
    port: int,
    pace: float,
    sentences: tuple[str, ...],
    file: Path | None,
    seed: int | None,
) -> int:
    """Serve an embedded GitLab to rehearse on, until Ctrl-C.

    It has an example hotfix, speaks REST and Git over HTTP, its pipelines move, and nothing of
    it outlives the command. Faults can be asked for, each for the requests that its route fits;
    which of them struck is told at the end.
    """
    from hotfix.errors import InputError
    from hotfix.sandbox import serve

    schedule = _schedule(sentences, file, seed)
    served: list[Faults] = []

    def ready(sandbox: Sandbox) -> None:
        served.append(sandbox.faults)
        sandbox.faults.plan(schedule)
        _tell(screen, sandbox, Path(folder))

    with tempfile.TemporaryDirectory(prefix="hotfix-sandbox-") as folder:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            serve(port=port, pace=pace, on_ready=ready)
        except KeyboardInterrupt:
            screen.say("\nThe sandbox is gone, with all that was in it.\n")
            screen.say("".join(_struck(faults) for faults in served))
        except (OSError, SystemExit) as error:
            raise InputError(
                "port-taken",
                f"Port {port} of 127.0.0.1 cannot be had.",
                hint="Choose another, or leave --port out.",
            ) from error
    return exits.DONE


def _schedule(sentences: Sequence[str], file: Path | None, seed: int | None) -> list[Fault]:
    from hotfix.cli.documents import read
    from hotfix.errors import InputError
    from hotfix.sandbox.schedules import load, parse, random_schedule

    try:
        schedule = [parse(each) for each in sentences]
        if file is not None:
            schedule += load(read(file).decode("utf-8", "replace"))
    except ValueError as error:
        raise InputError(
            "invalid-fault",
            f"{error}.",
            hint="The operator's guide has a list of what can go wrong.",
        ) from error
    return schedule + list(random_schedule(seed) if seed is not None else ())


def _struck(faults: Faults) -> str:
    """Tell of each fault that was asked for to how many requests it happened."""
    counted = [
        (sum(strike.fault is fault for strike in faults.struck), fault) for fault in faults.planned
    ]
    return "".join(f"  struck {number or 'never'}: {fault}\n" for number, fault in counted)


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
