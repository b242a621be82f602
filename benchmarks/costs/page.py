"""The page of benchmarks and its charts, made of the figures."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from costs import chart, commands, made_of, picks, ways
from costs.chart import Bars, Lines
from costs.goals import goals
from costs.lab import FLOOR, HERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from costs.figures import Figures
    from costs.lab import Row, Run

_COLUMNS: Mapping[str, Callable[[Row], str]] = {
    "wall s (min-max)": lambda row: _spread(row, "wall"),
    "CPU s (min-max)": lambda row: _spread(row, "cpu"),
    "peak MiB": lambda row: f"{row.middle.memory:.0f}",
    "MB received": lambda row: f"{row.middle.megabytes:.3f}",
    "requests": lambda row: f"{row.middle.requests:.0f}",
    "connections": lambda row: f"{row.middle.connections:.0f}",
    "runs": lambda row: str(len(row.runs)),
}


def write(figures: Figures, path: Path) -> None:
    """Write the page, and its charts into a folder of its name beside it."""
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    for name, drawn in _charts(figures).items():
        (folder / f"{name}.svg").write_text(drawn, encoding="utf-8")
    template = (HERE / "page.md").read_text(encoding="utf-8")
    path.write_text(template.format(**_parts(figures)), encoding="utf-8")


def _parts(figures: Figures) -> Mapping[str, str]:
    return {
        "command": figures.command,
        "machine": figures.machine,
        "goals": _goals(figures),
        "ways": _by_place(figures, "ways", "### {:,.0f} files", ways.OURS),
        "delay": _by_place(figures, "delay", "### {:.0f} ms", ways.OURS),
        "growth": "\n\n".join(_growth(figures)),
        "picks": _picks(figures),
        "commands": _commands(figures),
        "made_of": _made_of(figures),
        "left_out": _left_out(figures),
    }


def _charts(figures: Figures) -> Mapping[str, str]:
    drawn: dict[str, str] = {}
    compared = [way for way in figures.ways("ways") if way not in {FLOOR, ways.PLAN, ways.FETCH}]
    for name, figure, up in (
        ("wall", "wall", "wall, s"),
        ("cpu", "cpu", "CPU, s"),
    ):
        series = {way: figures.series("ways", way, figure) for way in compared}
        title = f"A restore and three picks, pushed: {up.partition(',')[0]} by files"
        _draw(drawn, name, Lines(title, "files in the repository", up, series))
    fetched = (ways.OURS, ways.FETCH, ways.SHALLOW, ways.FULL)
    series = {way: figures.series("ways", way, "megabytes") for way in fetched}
    _draw(drawn, "bytes", Lines("Bytes received, by files", "files in the repository", "MB", series))
    series = {way: figures.series("delay", way, "wall") for way in figures.ways("delay")}
    _draw(
        drawn, "delay",
        Lines("Wall by round trip", "round trip, ms", "wall, s", series, is_log=False),
    )  # fmt: skip
    series = {
        "plan": figures.series("plan picks", commands.COLD, "cpu"),
        **{way: figures.series("picks", way, "cpu") for way in (ways.OURS, ways.PLUMBING)},
    }
    _draw(drawn, "picks", Lines("CPU by picks", "picks", "CPU, s", series))
    bars = {
        name: made_of.steps(rows)
        for name in _TAKEN_APART
        if (rows := figures.of(f"made of {name}"))
    }
    floor = next((next(iter(parts.values())) for parts in bars.values()), 0)
    if bars:
        marks = {name: floor + goal for name, goal in _TAKEN_APART.items()}
        plain = {name.replace("`", ""): parts for name, parts in bars.items()}
        drawn["made-of"] = chart.bars(
            Bars("What the CPU is made of", "CPU, s", plain,
                 {name.replace("`", ""): mark for name, mark in marks.items()})
        )  # fmt: skip
    return drawn


_TAKEN_APART = {commands.VALIDATE: 0.25, ways.PLAN: 0.15, commands.COLD: 0.45}
"""Commands that are taken apart, with the seconds over Python's start that were aimed at."""


def _draw(drawn: dict[str, str], name: str, wanted: Lines) -> None:
    """Draw a chart, if there is more than one place to draw."""
    plain = {
        way.replace("`", ""): points for way, points in wanted.series.items() if len(points) > 1
    }
    if plain:
        drawn[name] = chart.lines(wanted._replace(series=plain))


def _goals(figures: Figures) -> str:
    rows = [
        (goal.what, goal.bound, goal.measured or "not measured",
         "" if goal.measured is None else "yes" if goal.reached else "**no**")
        for goal in goals(figures)
    ]  # fmt: skip
    return _table(("what", "goal", "measured", "reached"), rows)


def _by_place(figures: Figures, section: str, heading: str, ours: str) -> str:
    parts = [
        f"{heading.format(at)}\n\n{_rows([r for r in figures.of(section) if r.at == at], ours)}"
        for at in figures.places(section)
    ]
    return "\n\n".join(parts) or _MISSING


_MISSING = "Not measured in this run."


def _rows(rows: Sequence[Row], ours: str | None = None) -> str:
    """Write rows with all their figures; with ratios of wall and CPU where one is compared to."""
    base = next((row.middle for row in rows if row.way == ours), None)
    heads = ["way", *_COLUMNS]
    cells = [[row.way, *(write(row) for write in _COLUMNS.values())] for row in rows]
    if base is not None:
        heads[2:2] = ["x ours"]
        heads[4:4] = ["x ours"]
        for cell, row in zip(cells, rows, strict=True):
            cell[2:2] = [f"{row.middle.wall / base.wall:.1f}"]
            cell[4:4] = [f"{row.middle.cpu / base.cpu:.1f}"]
    return _table(heads, cells)


def _growth(figures: Figures) -> Iterator[str]:
    sections = {
        "picks": "### Picks\n\nThe Git part and its pushes, and git plumbing.",
        "plan picks": "The whole `hotfix plan`.",
        "history": "### Length of the history\n\nCommits of the main line, production 300 merge "
        "requests behind.",
        "since": "### Distance of production\n\nCommits of the main line since production.",
        "targets 0": "### Targets\n\nThe whole `hotfix plan`, on loopback.",
        "targets 50": "The same, 50 ms away.",
    }
    for section, text in sections.items():
        rows = [r for r in figures.of(section) if r.way != FLOOR]
        if not rows:
            yield f"{text}\n\n{_MISSING}"
            continue
        heads = ["", "way", *_COLUMNS]
        cells = [
            [f"{row.at:,.0f}", row.way, *(write(row) for write in _COLUMNS.values())]
            for row in sorted(rows, key=lambda row: (figures.ways(section).index(row.way), row.at))
        ]
        added = "".join(_added(figures, section, way) for way in figures.ways(section))
        yield f"{text}\n\n{_table(heads, cells)}\n{added}".rstrip()


def _added(figures: Figures, section: str, way: str) -> str:
    """Tell what one more costs, from the first place to the last."""
    first, *_, last = (figures.find(section, at, way) for at in _ends(figures, section))
    low, high = _ends(figures, section)
    if way == FLOOR or first is None or last is None or low == high:
        return ""
    each = [(b - a) / (high - low) for a, b in zip(first, last, strict=True)]
    return (
        f"\n- Each one more, {way}: CPU {1000 * each[1]:.2f} ms, wall {1000 * each[0]:.2f} ms, "
        f"{1000 * each[3]:.2f} KB, {each[4]:.2f} requests."
    )


def _ends(figures: Figures, section: str) -> tuple[float, float]:
    places = figures.places(section)
    return places[0], places[-1]


def _picks(figures: Figures) -> str:
    parts = []
    for size in figures.places("pick"):
        rows = [row for row in figures.of("pick") if row.at == size]
        base = next(row.middle.wall for row in rows if row.way == picks.MERGE_TREE)
        cells = [
            (row.way, _spread(row, "wall", 1000), f"{row.middle.wall / base:.2f}",
             f"{1000 * statistics.fmean(run.cpu for run in row.runs):.2f}")
            for row in rows
        ]  # fmt: skip
        if picks.PYGIT2 not in {row.way for row in rows}:
            cells.append((picks.PYGIT2, "pygit2 is not installed", "", ""))
        heads = ("way", "wall ms (min-max)", "x `git merge-tree`", "CPU ms, mean")
        parts.append(f"### {size:,.0f} files\n\n{_table(heads, cells)}")
    return "\n\n".join(parts) or _MISSING


def _commands(figures: Figures) -> str:
    parts = []
    if rows := figures.of("light"):
        parts.append(_against_floor(rows))
    for size in figures.places("plan"):
        rows = [row for row in figures.of("plan") if row.at == size]
        parts.append(f"### {size:,.0f} files\n\n{_against_floor(rows)}")
    return "\n\n".join(parts) or _MISSING


def _against_floor(rows: Sequence[Row]) -> str:
    floor: Run = next(row.middle for row in rows if row.way == FLOOR)
    heads = ["command", *_COLUMNS]
    heads[2:2] = ["x `pass`"]
    heads[4:4] = ["CPU s over `pass`"]
    cells = []
    for row in rows:
        cell = [row.way, *(write(row) for write in _COLUMNS.values())]
        cell[2:2] = [f"{row.middle.wall / floor.wall:.2f}"]
        cell[4:4] = [f"{row.middle.cpu - floor.cpu:.3f}"]
        cells.append(cell)
    return _table(heads, cells)


def _made_of(figures: Figures) -> str:
    taken = {
        name: made_of.steps(rows)
        for name in _TAKEN_APART
        if (rows := figures.of(f"made of {name}"))
    }
    if not taken:
        return _MISSING
    parts = [FLOOR, *made_of.PARTS, made_of.OURS, made_of.WORK]
    seen = [part for part in parts if any(part in steps for steps in taken.values())]
    cells = [
        [part, *(f"{1000 * steps[part]:.0f}" if part in steps else "" for steps in taken.values())]
        for part in seen
    ]
    sums = ["**all of it**", *(f"**{1000 * sum(steps.values()):.0f}**" for steps in taken.values())]
    floors = ["floor: all but our modules and the work"]
    mine = (made_of.OURS, made_of.WORK)
    for steps in taken.values():
        floors.append(f"{1000 * sum(n for part, n in steps.items() if part not in mine):.0f}")
    over = ["floor over `python -c pass`"]
    over += [
        f"{1000 * sum(n for part, n in steps.items() if part not in {*mine, FLOOR}):.0f}"
        for steps in taken.values()
    ]
    goal = ["goal over `python -c pass`", *(f"{1000 * _TAKEN_APART[name]:.0f}" for name in taken)]
    return _table(["CPU ms", *taken], [*cells, sums, floors, over, goal])


def _left_out(figures: Figures) -> str:
    wanted = {
        "ways": (200_000, "200,000 files"),
        "history": (30_000, "a history of 30,000 commits"),
        "since": (6_000, "6,000 commits since production"),
    }
    missing = [
        name for section, (at, name) in wanted.items() if at not in figures.places(section)
    ]
    if not missing:
        return ""
    return (
        f"Left out of this run: {', '.join(missing)}. `make bench BENCH_ARGS=--all` measures "
        "everything.\n"
    )


def _spread(row: Row, figure: str, unit: float = 1) -> str:
    values = [unit * getattr(run, figure) for run in row.runs]
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
