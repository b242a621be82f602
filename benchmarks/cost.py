#!/usr/bin/env python3
"""Measure what a hotfix costs: against git and the runbook, how it grows, what it is made of.

    python benchmarks/cost.py [--files 400,10000] [--turns N] [--only SECTION,...] [--keep DIR]
                              [--out FILE]

Synthetic repositories are made, and served by `git http-backend` and an embedded GitLab on
loopback. Whole processes are measured, in turn, so that all see the same machine. The figures are
kept as JSON beside the page; `--again` writes the page of them once more.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import dulwich
from costs import made_of, page, picks, profiled, ways
from costs.figures import Figures, load, save
from costs.host import serving
from costs.lab import Lab
from costs.repository import Shape, synthetic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from costs.lab import Row, Way
    from costs.repository import Synthetic

_FIGURES = "figures.json"
_LIGHT_TURNS = 5
"""How many times as often as the others a command of some milliseconds is run."""


def main() -> None:
    """Measure what was asked for, print the rows as they come, and write the page."""
    options = _options()
    if options.again:
        page.write(load(options.out.with_suffix("") / _FIGURES), options.out)
        return
    machine = _machine(options)
    print(machine, flush=True)
    rows: list[Row] = []
    with _folder(options.keep) as kept, tempfile.TemporaryDirectory() as scratch:
        bench = _Bench(Lab(Path(scratch), options.turns, options.patience), kept, options.files)
        for name in options.only:
            began = time.monotonic()
            for row in bench.sections[name]():
                print(_told(row), flush=True)
                rows.append(row)
            print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    if options.out:
        figures = Figures(f"{machine}, {os.getloadavg()[0]:.1f} at the end", rows)
        folder = options.out.with_suffix("")
        folder.mkdir(parents=True, exist_ok=True)
        save(figures, folder / _FIGURES)
        page.write(load(folder / _FIGURES), options.out)


class _Bench:
    """The sections; what grows with something else does so from the middle size."""

    def __init__(self, lab: Lab, kept: Path, files: Sequence[int]) -> None:
        self._lab = lab
        self._kept = kept
        self._files = sorted(files)
        self._middle = self._files[len(self._files) // 2]
        self.sections: Mapping[str, Callable[[], Iterator[Row]]] = {
            "start": self._start,
            "files": self._by_files,
            "made-of": self._made_of,
            "pick": self._pick,
            "picks": self._by_picks,
            "history": self._by_history,
            "targets": self._by_targets,
        }

    def _repository(self, shape: Shape, picks: int = 3) -> Synthetic:
        return synthetic(self._lab, self._kept, shape).some(picks)

    def _start(self) -> Iterator[Row]:
        """Measure what asks nobody."""
        lab = self._lab._replace(turns=_LIGHT_TURNS * self._lab.turns)
        light = ways.light(self._repository(Shape(self._middle)))
        yield from lab.measured("start", dict(ways.at(0, light)))

    def _by_files(self) -> Iterator[Row]:
        for size in self._files:
            repository = self._repository(Shape(size))
            with serving(self._lab, repository) as host:
                every = ways.every(self._lab, host, repository)
                yield from self._lab.measured("files", dict(ways.at(size, every)), host)

    def _made_of(self) -> Iterator[Row]:
        repository = self._repository(Shape(self._middle))
        light = ways.light(repository)
        yield from made_of.taken_apart(self._lab, ways.VALIDATE, light[ways.VALIDATE])
        with serving(self._lab, repository) as host:
            alone = ways.git_part(self._lab, host, repository)
            yield from made_of.taken_apart(self._lab, ways.PART, alone[ways.PART], host)
            whole = ways.commands(self._lab, host, [repository])
            yield from made_of.taken_apart(self._lab, ways.PLAN, whole[ways.PLAN], host)

    def _pick(self) -> Iterator[Row]:
        for size in self._files:
            yield from picks.merged(self._lab, self._repository(Shape(size), picks=10))

    def _by_picks(self) -> Iterator[Row]:
        repository = self._repository(Shape(self._middle, picks=100), picks=100)
        with serving(self._lab, repository) as host:
            placed: dict[tuple[float, str], Way] = {}
            for count in (1, 10, 100):
                some = repository.some(count)
                alone = ways.git_part(self._lab, host, some)
                whole = ways.commands(self._lab, host, [some])
                placed |= ways.at(count, alone, ways.PART, ways.PLUMBING)
                placed |= ways.at(count, whole, ways.PLAN)
            yield from self._lab.measured("picks", placed, host)
            yield from profiled.profiled(self._lab, 100, whole[ways.PLAN], host)

    def _by_history(self) -> Iterator[Row]:
        """Measure longer histories, then more merge requests since production."""
        grown = {
            "history": [Shape(self._middle, commits) for commits in (1_000, 3_000, 10_000)],
            "since": [Shape(self._middle, 3_000, since) for since in (30, 300, 2_900)],
        }
        for section, shapes in grown.items():
            for shape in shapes:
                repository = self._repository(shape)
                with serving(self._lab, repository) as host:
                    alone = ways.git_part(self._lab, host, repository)
                    length = shape.commits if section == "history" else shape.since
                    placed = dict(ways.at(length, alone, ways.PART, ways.FETCH))
                    yield from self._lab.measured(section, placed, host)

    def _by_targets(self) -> Iterator[Row]:
        shapes = [Shape(400, 300, 30, project=f"app-{number:02}") for number in range(20)]
        repositories = [self._repository(shape) for shape in shapes]
        with serving(self._lab, *repositories) as host:
            for section, delay in (("targets", 0.0), ("targets afar", 0.05)):
                placed: dict[tuple[float, str], Way] = {}
                for count in (1, 20):
                    whole = ways.commands(self._lab, host, repositories[:count])
                    plan = whole[ways.PLAN]._replace(delay=delay)
                    placed[float(count), ways.PLAN] = plan
                yield from self._lab.measured(section, placed, host)


_SECTIONS = ("start", "files", "made-of", "pick", "picks", "history", "targets")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=_numbers, default=[400, 10_000], help="sizes (400,10000)")
    parser.add_argument("--turns", type=int, default=3, help="runs of each way (3)")
    parser.add_argument(
        "--patience", type=float, default=60, help="seconds after which a way rests (60)"
    )
    parser.add_argument(
        "--only", type=_words, default=_SECTIONS, help=f"of the sections {','.join(_SECTIONS)}"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the repositories there")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the page, as Markdown")
    parser.add_argument("--again", action="store_true", help="write the page of the last figures")
    options = parser.parse_args()
    if unknown := set(options.only) - set(_SECTIONS):
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(_SECTIONS)}")
    if options.again and not options.out:
        parser.error("--again needs --out")
    return options


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
        f"{os.cpu_count()} cores ({platform.system()} {platform.machine()}), Python "
        f"{platform.python_version()}, git {git_version.stdout.split()[2]}, dulwich "
        f"{'.'.join(map(str, dulwich.__version__))}; {options.turns} runs of each, in turn; load "
        f"{os.getloadavg()[0]:.1f} at the start"
    )


def _told(row: Row) -> str:
    run = row.middle
    return (
        f"{row.section:>12} {row.at:>9,.0f}  {row.way:40} wall {run.wall:8.3f} s  "
        f"CPU {run.cpu:7.3f} s  {run.memory:4.0f} MiB  {run.megabytes:8.3f} MB  "
        f"{run.requests:4.0f} requests  {run.fetches:3.0f} fetches"
    )


if __name__ == "__main__":
    main()
