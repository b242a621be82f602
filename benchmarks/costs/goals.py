"""The goals, held against the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from costs import made_of, picks, ways
from costs.lab import FLOOR
from costs.repository import Shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from costs.figures import Figures

_DEPTH = 4
"""Parts of a path in the synthetic repositories."""


class Goal(NamedTuple):
    """What was aimed at, and what came of it: the least and the most, if it was measured."""

    what: str
    bound: str
    measured: str
    verdict: str
    at_best: str
    """What other rows of the same run leave possible."""


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
            pairs = [(theirs.wall, ours)] if ours and theirs else []
            yield _least(
                f"wall of {way} over ours, {size:,} files",
                bound,
                [wall / run.wall for wall, run in pairs],
                [wall / run.answering for wall, run in pairs],
            )


def _fetches(figures: Figures) -> Iterator[Goal]:
    part = figures.series("files", ways.PART)
    plain = figures.series("files", ways.FETCH)
    large = [at for at in part if at >= 10_000]  # noqa: PLR2004 - the goal's
    shares = {at: part[at].megabytes / plain[at].megabytes for at in large}
    history = Shape(0).since * _each_merge_request(figures)
    floors = [share - history / plain[at].megabytes for at, share in shares.items()]
    what = "bytes over git's `blob:none` fetch, from 10,000 files up"
    yield _most(what, 0.33, list(shares.values()), floors=floors)
    fetches = list(_fetches_of_one_plan(figures))
    yield _most("requests of a cold plan's fetch: depth of the paths + 2", _DEPTH + 2, fetches)
    yield _most("connections of it", 1, [run.connections for run in part.values()])
    kept = [figures.series("files", way).values() for way in (ways.KEPT, ways.AGAIN)]
    fetches = [run.fetches for runs in kept for run in runs]
    yield _most("requests for objects with a warm cache", 0, fetches)


def _fetches_of_one_plan(figures: Figures) -> Iterator[float]:
    """Yield what plans of one target fetch, wherever one was measured."""
    for row in figures.rows:
        is_one = not row.section.startswith("targets") or row.at == 1
        if row.way in {ways.PART, ways.PLAN} and is_one:
            yield row.middle.fetches


def _each_merge_request(figures: Figures) -> float:
    """Return the megabytes that each one more since production costs."""
    runs = figures.series("since", ways.PART)
    if len(runs) < 2:  # noqa: PLR2004 - a slope has two ends
        return 0
    low, high = min(runs), max(runs)
    return (runs[high].megabytes - runs[low].megabytes) / (high - low)


def _processes(figures: Figures) -> Iterator[Goal]:
    for way, name, cpu, memory in (
        (ways.PLAN, "a cold plan of three picks", 0.45, 70),
        (ways.PART, "its Git part", 0.15, 40),
    ):
        runs = figures.series("files", way)
        floors = figures.series("files", FLOOR)
        over = [run.cpu - floors[at].cpu for at, run in runs.items()]
        yield _most(
            f"CPU of {name} over `python -c pass`", cpu, over, " s", _libraries(figures, way)
        )
        yield _most(f"peak memory of {name}", memory, [run.memory for run in runs.values()], " MiB")
    version, validate, floor = (
        figures.find("start", 0, way) for way in (ways.VERSION, ways.VALIDATE, FLOOR)
    )
    ratios = [version.wall / floor.wall] if version and floor else []
    yield _most("wall of `--version` over `python -c pass`", 1.3, ratios, " x")
    over = [validate.cpu - floor.cpu] if validate and floor else []
    floors = _libraries(figures, ways.VALIDATE)
    yield _most("CPU of `validate` over `python -c pass`", 0.25, over, " s", floors)


def _libraries(figures: Figures, way: str) -> list[float]:
    rows = figures.of(f"made of {way}")
    return [made_of.libraries(made_of.parts(rows))] if rows else []


def _growth(figures: Figures) -> Iterator[Goal]:
    merges = [99 * run.cpu for run in figures.series("pick", picks.HERE).values()]
    for way in (ways.PLAN, ways.PART):
        one, many = (figures.find("picks", at, way) for at in (1, 100))
        more = [many.cpu - one.cpu] if one and many else []
        yield _most(f"CPU of 100 picks more than of one, {way}", 0.5, more, " s", merges)
    one, many = (figures.find("targets afar", at, ways.PLAN) for at in (1, 20))
    ratios = [many.wall / one.wall] if one and many else []
    yield _most("wall of a plan of 20 targets over one, 50 ms per request", 4, ratios, " x")


def _least(what: str, bound: float, values: list[float], floors: list[float]) -> Goal:
    reached = bool(values) and min(values) >= bound
    return _goal(what, f"at least {bound:g} x", values, floors, " x", reached=reached)


def _most(
    what: str, bound: float, values: list[float], unit: str = "", floors: Sequence[float] = ()
) -> Goal:
    reached = bool(values) and max(values) <= bound
    return _goal(what, f"at most {bound:g}{unit}", values, floors, unit, reached=reached)


def _goal(
    what: str,
    bound: str,
    values: list[float],
    floors: Sequence[float],
    unit: str,
    *,
    reached: bool,
) -> Goal:
    if not values:
        return Goal(what, bound, "not measured", "", "")
    verdict = "reached" if reached else "**not reached**"
    return Goal(what, bound, _ends(values, unit), verdict, _ends(floors, unit))


def _ends(values: Sequence[float], unit: str) -> str:
    if not values:
        return ""
    told = (f"{end:.2f}".rstrip("0").rstrip(".") for end in (min(values), max(values)))
    return " to ".join(dict.fromkeys(told)) + unit
