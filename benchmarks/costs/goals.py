"""The goals, held against the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from costs import commands, ways
from costs.lab import FLOOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costs.figures import Figures
    from costs.lab import Run

_DEPTH = 4
"""Parts of a path in the synthetic repositories."""
_BEFORE = 2
"""Requests before the fetch: capabilities and refs."""
_PUSHES = 4
"""Requests of the two pushes."""


class Goal(NamedTuple):
    """What was aimed at, and what came of it; nothing where it was not measured."""

    what: str
    bound: str
    measured: str | None
    reached: bool


def goals(figures: Figures) -> list[Goal]:
    """Hold every goal against the figures."""
    return [*_ratios(figures), *_fetches(figures), *_cpu(figures), *_growth(figures)]


def _ratios(figures: Figures) -> Iterator[Goal]:
    wanted = {
        ways.FULL: ("the runbook with a full clone", {400: 5, 10_000: 20, 200_000: 60}),
        ways.WARM: ("a warm clone", {400: 2, 200_000: 8}),
        ways.PLUMBING: ("git plumbing", {400: 2, 10_000: 2, 200_000: 4}),
    }
    for way, (name, bounds) in wanted.items():
        for size, bound in bounds.items():
            ours, theirs = (figures.find("ways", size, each) for each in (ways.OURS, way))
            ratio = theirs.wall / ours.wall if ours and theirs else None
            yield _least(f"wall against {name}, {size:,} files", bound, ratio)
    for delay in figures.places("delay"):
        ours, theirs = (figures.find("delay", delay, w) for w in (ways.OURS, ways.PLUMBING))
        ratio = theirs.wall / ours.wall if ours and theirs else None
        yield _least(f"wall against git plumbing, {delay:.0f} ms away", 2, ratio)


def _fetches(figures: Figures) -> Iterator[Goal]:
    for size in (10_000, 200_000):
        ours, theirs = (figures.find("ways", size, each) for each in (ways.PLAN, ways.FETCH))
        share = ours.megabytes / theirs.megabytes if ours and theirs else None
        yield _most(f"bytes against git's `blob:none` fetch, {size:,} files", 0.33, share, "")
    cold = [run for run in _every(figures, "ways", ways.PLAN) if run]
    most = max((run.requests - _BEFORE for run in cold), default=None)
    yield _most("requests of a cold plan's fetch", _DEPTH + 2, most, "")
    most = max((run.connections for run in cold), default=None)
    yield _most("connections of it", 1, most, "")
    kept = [run.requests - _BEFORE - _PUSHES for run in _every(figures, "ways", ways.AGAIN)]
    yield _most("requests for objects with a warm cache", 0, max(kept, default=None), "")


def _cpu(figures: Figures) -> Iterator[Goal]:
    plan = _over_floor(figures, "plan", commands.COLD)
    yield _most("CPU of a cold plan of three picks over `python -c pass`", 0.45, plan, " s")
    part = _over_floor(figures, "ways", ways.PLAN)
    yield _most("CPU of its Git part over `python -c pass`", 0.15, part, " s")
    validate = _over_floor(figures, "light", commands.VALIDATE)
    yield _most("CPU of `validate` over `python -c pass`", 0.25, validate, " s")
    version, floor = (figures.find("light", 0, way) for way in (commands.VERSION, FLOOR))
    ratio = version.wall / floor.wall if version and floor else None
    yield _most("wall of `--version` against `python -c pass`", 1.3, ratio, " ×")
    memory = max((run.memory for run in _every(figures, "plan", commands.COLD)), default=None)
    yield _most("peak memory of a plan, any size", 70, memory, " MiB")
    memory = max((run.memory for run in _every(figures, "ways", ways.PLAN)), default=None)
    yield _most("peak memory of its Git part, any size", 40, memory, " MiB")


def _growth(figures: Figures) -> Iterator[Goal]:
    for section, way, name in (
        ("picks", ways.OURS, "the Git part"),
        ("plan picks", commands.COLD, "a plan"),
    ):
        one, many = (figures.find(section, at, way) for at in (1, 100))
        more = many.cpu - one.cpu if one and many else None
        yield _most(f"CPU of {name} of 100 picks more than of one", 0.5, more, " s")
    one, many = (figures.find("targets 50", at, commands.COLD) for at in (1, 20))
    ratio = many.wall / one.wall if one and many else None
    yield _most("wall of a plan of 20 targets against one, 50 ms away", 4, ratio, " ×")


def _every(figures: Figures, section: str, way: str) -> list[Run]:
    found = (figures.find(section, at, way) for at in figures.places(section))
    return [run for run in found if run]


def _over_floor(figures: Figures, section: str, way: str) -> float | None:
    """Return the least that it takes at any size: more is the machine's doing."""
    pairs = [
        (figures.find(section, at, way), figures.find(section, at, FLOOR))
        for at in figures.places(section)
    ]
    return min((run.cpu - floor.cpu for run, floor in pairs if run and floor), default=None)


def _least(what: str, bound: float, value: float | None) -> Goal:
    said = None if value is None else f"{value:.1f} ×"
    return Goal(what, f"at least {bound:g} ×", said, value is not None and value >= bound)


def _most(what: str, bound: float, value: float | None, unit: str) -> Goal:
    said = None if value is None else f"{value:.2f}".rstrip("0").rstrip(".") + unit
    return Goal(what, f"at most {bound:g}{unit}", said, value is not None and value <= bound)
