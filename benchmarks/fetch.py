#!/usr/bin/env python3
"""Measure a restore and three picks against the ways to do them with git.

    python benchmarks/fetch.py [--files 400,10000] [--runs N] [--keep DIR] [--out FILE]

For each size a synthetic repository is made and served by `git http-backend` on loopback. Whole
processes are measured, in turn, so that all see the same machine. After each of them release has to
be four commits further, with the same tree whoever made it; else this fails.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import dulwich
from fetching.repository import git, synthetic
from fetching.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fetching.repository import Synthetic
    from fetching.server import Server

HERE = Path(__file__).parent / "fetching"
OURS, AGAIN, FLOOR = "ours", "ours, objects kept", "`python -c pass`"
COLUMNS = (
    "way",
    "wall s (min-max)",
    "x ours",
    "CPU s (min-max)",
    "x ours",
    "peak MiB",
    "MB received",
    "requests",
    "connections",
)


class Run(NamedTuple):
    """What one process took: seconds, MiB, and what the server saw of it."""

    wall: float
    cpu: float
    memory: float
    megabytes: float
    requests: float
    connections: float


class Way(NamedTuple):
    """A way to do the hotfix: the command, what it has in its environment, what goes before it."""

    command: Sequence[str]
    environment: Mapping[str, str]
    prepare: Callable[[Path], Path]
    pushes: bool = True


def main() -> None:
    """Measure each size, print the tables, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", default="400,10000", help="sizes (400,10000)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each way (3)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the repositories there")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the page, as Markdown")
    options = parser.parse_args()
    sizes = [int(size) for size in options.files.split(",")]
    machine = _machine(options.runs)
    print(machine, flush=True)
    tables = []
    for size in sizes:
        with _folder(options.keep) as kept, tempfile.TemporaryDirectory() as scratch:
            taken = _measured(kept, Path(scratch), size, options.runs)
        tables.append(f"## {size:,} files\n\n{_table(taken)}\n")
        print(f"\n{tables[-1]}", flush=True)
    if options.out:
        page = (HERE / "page.md").read_text(encoding="utf-8")
        filled = page.format(machine=machine, tables="\n".join(tables))
        options.out.write_text(filled, encoding="utf-8")


def _machine(runs: int) -> str:
    git_version = subprocess.run(["git", "version"], check=True, capture_output=True, text=True)
    return (
        f"{os.cpu_count()} cores ({platform.system()} {platform.machine()}), load "
        f"{os.getloadavg()[0]:.1f} at the start, Python {platform.python_version()}, "
        f"git {git_version.stdout.split()[2]}, dulwich {'.'.join(map(str, dulwich.__version__))}; "
        f"{runs} runs of each, in turn."
    )


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)


def _measured(kept: Path, scratch: Path, files: int, runs: int) -> dict[str, list[Run]]:
    """Run every way in turn; what the first one makes of release all others have to make too."""
    environment = _environment(scratch)
    repository = synthetic(kept, files, environment)
    reset = ("update-ref", "refs/heads/release", repository.release)
    taken: dict[str, list[Run]] = {}
    trees: dict[str, str] = {}
    with serving(kept) as server:
        ways = _ways(repository, server, scratch, environment)
        for turn in range(runs + 1):
            for name, way in ways.items():
                if not turn and name not in {OURS, AGAIN}:
                    continue  # the first turn fills the caches: Python's, the server's and ours
                git(repository.path, environment, *reset)
                run = _run(way, server, scratch)
                if way.pushes:
                    trees[name] = _tree(repository, environment, name)
                if turn:
                    taken.setdefault(name, []).append(run)
            if len(set(trees.values())) != 1:
                raise SystemExit(f"release has not the same tree after each: {trees}")
        git(repository.path, environment, *reset)
    return taken


def _environment(home: Path) -> dict[str, str]:
    """Return an operator's environment without settings; git cleans nothing up in between."""
    settings = {"gc.auto": "0", "maintenance.auto": "false", "advice.detachedHead": "false"}
    numbered = {
        f"GIT_CONFIG_{part}_{number}": text
        for number, setting in enumerate(settings.items())
        for part, text in zip(("KEY", "VALUE"), setting, strict=True)
    }
    return numbered | {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Operator",
        "GIT_AUTHOR_EMAIL": "operator@example.com",
        "GIT_COMMITTER_NAME": "Operator",
        "GIT_COMMITTER_EMAIL": "operator@example.com",
    }


def _ways(
    repository: Synthetic, server: Server, scratch: Path, environment: dict[str, str]
) -> dict[str, Way]:
    url = f"{server.url}/{repository.path.name}"
    asked = [url, repository.release, repository.production, *repository.picks]
    ours = [sys.executable, str(HERE / "ours.py"), url, *asked[2:]]
    keeping = environment | {"HOTFIX_BENCH_CACHE": str(scratch / "cache")}
    runbook = str(HERE / "runbook.sh")
    warm = scratch / "warm"
    warm.mkdir()
    git(warm, environment, "clone", "--quiet", url, "work")

    def stands_on_main(_: Path) -> Path:
        clone = warm / "work"
        git(clone, environment, "checkout", "--quiet", "--force", "main")
        git(clone, environment, "update-ref", "refs/remotes/origin/release", repository.release)
        return warm

    def empty(folder: Path) -> Path:
        return folder

    return {
        FLOOR: Way([sys.executable, "-c", "pass"], environment, empty, pushes=False),
        OURS: Way(ours, environment, empty),
        AGAIN: Way(ours, keeping, empty),
        "git plumbing": Way([str(HERE / "plumbing.sh"), *asked], environment, empty),
        "runbook, warm clone": Way([runbook, "warm", *asked], environment, stands_on_main),
        "runbook, `--depth=1`": Way([runbook, "shallow", *asked], environment, empty),
        "runbook, full clone": Way([runbook, "full", *asked], environment, empty),
    }


def _run(way: Way, server: Server, scratch: Path) -> Run:
    """Run one process and all that it starts, in a folder of its own."""
    folder = Path(tempfile.mkdtemp(dir=scratch))
    place = way.prepare(folder)
    server.taken()
    measuring = [sys.executable, "-I", "-S", str(HERE / "measure.py"), *way.command]
    done = subprocess.run(
        measuring, cwd=place, env=way.environment, capture_output=True, text=True, check=True
    )
    code, wall, cpu, memory = map(float, done.stdout.split())
    if code:
        raise SystemExit(f"{way.command} ended with {code:.0f}:\n{done.stderr}")
    shutil.rmtree(folder)
    seen = server.taken()
    return Run(wall, cpu, memory, seen.sent / 1e6, seen.requests, seen.connections)


def _tree(repository: Synthetic, environment: Mapping[str, str], name: str) -> str:
    """Return the tree of release; the restore and the picks have to stand on what it was."""
    before = f"release~{len(repository.picks) + 1}"
    if git(repository.path, environment, "rev-parse", before) != repository.release:
        raise SystemExit(f"{name}: release is not a restore and the picks on what it was")
    restored = f"release~{len(repository.picks)}"
    git(repository.path, environment, "diff", "--quiet", restored, repository.production)
    return git(repository.path, environment, "rev-parse", "release^{tree}")


def _table(taken: Mapping[str, list[Run]]) -> str:
    ours = _median(taken[OURS])
    lines = [
        "| " + " | ".join(COLUMNS) + " |",
        "| --- " * len(COLUMNS) + "|",
    ]
    for name, runs in taken.items():
        middle = _median(runs)
        lines.append(
            f"| {name} | {_spread([run.wall for run in runs])} | {middle.wall / ours.wall:.1f} "
            f"| {_spread([run.cpu for run in runs])} | {middle.cpu / ours.cpu:.1f} "
            f"| {middle.memory:.0f} | {middle.megabytes:.2f} "
            f"| {middle.requests:.0f} | {middle.connections:.0f} |"
        )
    return "\n".join(lines)


def _median(runs: Sequence[Run]) -> Run:
    return Run(*map(statistics.median, zip(*runs, strict=True)))


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


if __name__ == "__main__":
    main()
