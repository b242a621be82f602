"""The goals, held against the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from costs import ways
from costs.lab import FLOOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costs.figures import Figures

_DEPTH = 4
"""Parts of a path in the synthetic repositories."""


class Goal(NamedTuple):
    """What was aimed at, and what came of it: the least and the most, if it was measured."""

    what: str
    bound: str
    measured: str
    verdict: str


def goals(figures: Figures) -> Iterator[Goal]:
    """Hold every goal against the medians; over several sizes the worst of them counts."""
    yield from _walls(figures)
    yield from _fetches(figures)
    yield from _processes(figures)
    yield from _growth(figures)


def _walls(figures: Figures) -> Iterator[Goal]:
    wanted = {
        ways.FULL: {400: 5, 10_000: 20, 200_000: 60},
        ways.WARM: {400: 2, 200_000: 8},
        ways.PLUMBING: {400: 2, 10_000: 2, 200_000: 4},
    }
    for way, bounds in wanted.items():
        for size, bound in bounds.items():
            ours, theirs = (figures.find("files", size, each) for each in (ways.PUSHED, way))
            ratios = [theirs.wall / ours.wall] if ours and theirs else []
            yield _least(f"wall of {way} over ours, {size:,} files", bound, ratios)


def _fetches(figures: Figures) -> Iterator[Goal]:
    part = figures.series("files", ways.PART)
    plain = figures.series("files", ways.FETCH)
    shares = [run.megabytes / plain[at].megabytes for at, run in part.items() if at >= 10_000]  # noqa: PLR2004 - the goal's
    yield _most("bytes over git's `blob:none` fetch, from 10,000 files up", 0.33, shares)
    fetches = [run.fetches for run in part.values()]
    yield _most("requests of a cold plan's fetch: depth of the paths + 2", _DEPTH + 2, fetches)
    yield _most("connections of it", 1, [run.connections for run in part.values()])
    kept = [figures.series("files", way).values() for way in (ways.KEPT, ways.AGAIN)]
    fetches = [run.fetches for runs in kept for run in runs]
    yield _most("requests for objects with a warm cache", 0, fetches)


def _processes(figures: Figures) -> Iterator[Goal]:
    for way, name, cpu, memory in (
        (ways.PLAN, "a cold plan of three picks", 0.45, 70),
        (ways.PART, "its Git part", 0.15, 40),
    ):
        runs = figures.series("files", way)
        floors = figures.series("files", FLOOR)
        over = [run.cpu - floors[at].cpu for at, run in runs.items()]
        yield _most(f"CPU of {name} over `python -c pass`", cpu, over, " s")
        yield _most(f"peak memory of {name}", memory, [run.memory for run in runs.values()], " MiB")
    version, validate, floor = (
        figures.find("start", 0, way) for way in (ways.VERSION, ways.VALIDATE, FLOOR)
    )
    ratios = [version.wall / floor.wall] if version and floor else []
    yield _most("wall of `--version` over `python -c pass`", 1.3, ratios, " x")
    over = [validate.cpu - floor.cpu] if validate and floor else []
    yield _most("CPU of `validate` over `python -c pass`", 0.25, over, " s")


def _growth(figures: Figures) -> Iterator[Goal]:
    for way in (ways.PLAN, ways.PART):
        one, many = (figures.find("picks", at, way) for at in (1, 100))
        more = [many.cpu - one.cpu] if one and many else []
        yield _most(f"CPU of 100 picks more than of one, {way}", 0.5, more, " s")
    one, many = (figures.find("targets afar", at, ways.PLAN) for at in (1, 20))
    ratios = [many.wall / one.wall] if one and many else []
    yield _most("wall of a plan of 20 targets over one, 50 ms per request", 4, ratios, " x")


def _least(what: str, bound: float, values: list[float]) -> Goal:
    reached = bool(values) and min(values) >= bound
    return _goal(what, f"at least {bound:g} x", values, " x", reached=reached)


def _most(what: str, bound: float, values: list[float], unit: str = "") -> Goal:
    reached = bool(values) and max(values) <= bound
    return _goal(what, f"at most {bound:g}{unit}", values, unit, reached=reached)


def _goal(what: str, bound: str, values: list[float], unit: str, *, reached: bool) -> Goal:
    if not values:
        return Goal(what, bound, "not measured", "")
    ends = dict.fromkeys(f"{end:.2f}".rstrip("0").rstrip(".") for end in (min(values), max(values)))
    return Goal(what, bound, " to ".join(ends) + unit, "reached" if reached else "**not reached**")
