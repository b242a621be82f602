#!/usr/bin/env python3
"""Measure what a hotfix costs: against git and the runbook, how it grows, what it is made of.

    python benchmarks/cost.py [--all] [--sizes 400,10000] [--only ways,picks] [--out FILE]

Synthetic repositories are made, and served by `git http-backend` on loopback. Whole processes are
measured, in turn, so that all see the same machine. The figures are kept as JSON beside the page
that is written of them; `--again` writes the page of them once more.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import dulwich
from costs import commands, made_of, page, picks, ways
from costs.figures import Figures, load, save
from costs.lab import Lab
from costs.repository import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from costs.lab import Row

ALL_SIZES = (400, 10_000, 200_000)
QUICK_SIZES = ALL_SIZES[:2]
TARGETS = (1, 20)
FIGURES = "figures.json"


def main() -> None:
    """Measure what was asked for, print the rows as they come, and write the page."""
    options = _options()
    if options.again:
        page.write(load(options.out.with_suffix("") / FIGURES), options.out)
        return
    machine = _machine(options)
    print(machine, flush=True)
    rows: list[Row] = []
    with _folder(options.keep) as kept, tempfile.TemporaryDirectory() as scratch:
        lab = Lab(Path(scratch), kept, options.runs, options.patience)
        for section, measure in _sections(lab, options).items():
            if section not in options.only:
                continue
            began = time.monotonic()
            for row in measure():
                rows.append(row)
                print(_told(row), flush=True)
            print(f"{section}: {time.monotonic() - began:.0f} s", flush=True)
    figures = Figures(_command(), machine, rows)
    if options.out:
        options.out.with_suffix("").mkdir(parents=True, exist_ok=True)
        save(figures, options.out.with_suffix("") / FIGURES)
        page.write(figures, options.out)
    if not options.all:
        print(_LEFT_OUT)


_LEFT_OUT = """
Left out, to stay at two minutes:
- 200,000 files, long histories, more runs: make bench BENCH_ARGS='--all --out docs/benchmarks.md'
  (with --keep DIR the repositories are made once)
- repositories made to hold a merge up: python benchmarks/hostile.py
- picks of real repositories, against git: python benchmarks/replay.py REPOSITORY...
- how well conflicts are explained: python benchmarks/explain.py REPOSITORY..."""


def _sections(
    lab: Lab, options: argparse.Namespace
) -> Mapping[str, Callable[[], Iterable[Row]]]:
    """Return what can be measured; what grows does so from the middle size."""
    sizes, files = options.sizes, sorted(options.sizes)[len(options.sizes) // 2]
    return {
        "light": lambda: commands.light(lab, lab.repository(Shape(files))),
        "made-of": partial(_made_of, lab, Shape(files)),
        "ways": partial(_ways, lab, sizes),
        "plan": partial(_plans, lab, sizes),
        "pick": partial(_picks, lab, sizes),
        "delay": lambda: ways.afar(lab, lab.repository(Shape(files)), (5, 50)),
        "picks": partial(_growing_picks, lab, files),
        "history": partial(_growing_history, lab, files, long=options.all),
        "targets": partial(_growing_targets, lab),
    }


def _made_of(lab: Lab, shape: Shape) -> Iterator[Row]:
    for of in (made_of.of_validate, made_of.of_git_part, made_of.of_plan):
        yield from of(lab, lab.repository(shape))


def _ways(lab: Lab, sizes: Sequence[int]) -> Iterator[Row]:
    for size in sizes:
        yield from ways.compared(lab, lab.repository(Shape(size)))


def _plans(lab: Lab, sizes: Sequence[int]) -> Iterator[Row]:
    for size in sizes:
        yield from commands.planned(lab, "plan", size, [lab.repository(Shape(size))])


def _picks(lab: Lab, sizes: Sequence[int]) -> Iterator[Row]:
    for size in sizes:
        yield from picks.merged(lab, lab.repository(Shape(size, picks=10)))


def _growing_picks(lab: Lab, files: int) -> Iterator[Row]:
    repository = lab.repository(Shape(files, picks=100))
    for count in (1, 10, 100):
        some = repository.some(count)
        yield from ways.growing(lab, "picks", count, some)
        yield from commands.planned(lab, "plan picks", count, [some])


def _growing_history(lab: Lab, files: int, *, long: bool) -> Iterator[Row]:
    for commits in (1_000, 3_000, 30_000)[: 3 if long else 2]:
        yield from ways.growing(lab, "history", commits, lab.repository(Shape(files, commits)))
    for since in (30, 300, 3_000)[: 3 if long else 2]:
        repository = lab.repository(Shape(files, 3_000 + since, since))
        yield from ways.growing(lab, "since", 2 * since, repository)


def _growing_targets(lab: Lab) -> Iterator[Row]:
    shapes = [Shape(400, 300, 30, project=f"app-{number:02}") for number in range(max(TARGETS))]
    repositories = [lab.repository(shape) for shape in shapes]
    for count in TARGETS:
        yield from commands.planned(lab, "targets 0", count, repositories[:count])
    yield from commands.planned_afar(lab, "targets 50", repositories, TARGETS, 50)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--all", action="store_true", help="all sizes and lengths, more runs")
    parser.add_argument("--sizes", type=_numbers, help="files in the repositories (400,10000)")
    parser.add_argument("--only", type=_words, help="sections, of those that are printed")
    parser.add_argument("--runs", type=int, help="runs of each way (2; with --all 5)")
    parser.add_argument(
        "--patience", type=float, help="seconds after which a way is not run again (4; 60)"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the repositories there")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the page, as Markdown")
    parser.add_argument("--again", action="store_true", help="write the page of the last figures")
    options = parser.parse_args()
    sizes, runs, patience = (ALL_SIZES, 5, 60) if options.all else (QUICK_SIZES, 2, 4)
    options.sizes = options.sizes or sizes
    options.runs = options.runs or runs
    options.patience = patience if options.patience is None else options.patience
    options.only = options.only or _SECTIONS
    if unknown := set(options.only) - set(_SECTIONS):
        parser.error(f"there is no section {', '.join(unknown)}; there are {', '.join(_SECTIONS)}")
    if options.again and not options.out:
        parser.error("--again needs --out")
    return options


_SECTIONS = (
    "light", "made-of", "ways", "plan", "pick", "delay", "picks", "history", "targets",
)  # fmt: skip


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _words(text: str) -> list[str]:
    return text.split(",")


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)


def _machine(options: argparse.Namespace) -> str:
    git_version = subprocess.run(["git", "version"], check=True, capture_output=True, text=True)
    return (
        f"{os.cpu_count()} cores ({platform.system()} {platform.machine()}), load "
        f"{os.getloadavg()[0]:.1f} at the start, Python {platform.python_version()}, "
        f"git {git_version.stdout.split()[2]}, dulwich {'.'.join(map(str, dulwich.__version__))}; "
        f"up to {options.runs} runs of each, in turn."
    )


def _command() -> str:
    """Write the command line, without the folder of this machine."""
    words = sys.argv[1:]
    for option in ("--keep",):
        if option in words:
            words[words.index(option) + 1] = "DIR"
    return shlex.join(["python", "benchmarks/cost.py", *words])


def _told(row: Row) -> str:
    run = row.middle
    return (
        f"{row.section:>12} {row.at:>9,.0f}  {row.way:40} wall {run.wall:8.3f} s  "
        f"CPU {run.cpu:7.3f} s  {run.memory:4.0f} MiB  {run.megabytes:8.3f} MB  "
        f"{run.requests:4.0f} requests"
    )


if __name__ == "__main__":
    main()
