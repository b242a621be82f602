"""The page of benchmarks and its charts, made of the figures."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from costs import chart, made_of, picks, profiled, ways
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
    "of them fetches": lambda row: f"{row.middle.fetches:.0f}",
    "answers s": lambda row: f"{row.middle.answering:.2f}",
    "connections": lambda row: f"{row.middle.connections:.0f}",
    "runs": lambda row: str(len(row.runs)),
}
_OURS = (ways.PUSHED, ways.KEPT, ways.PLAN, ways.APPLY)
_MISSING = "Not measured in this run."


def write(figures: Figures, path: Path) -> None:
    """Write the page, and its charts into a folder of its name beside it."""
    folder = path.with_suffix("")
    for name, drawn in _charts(figures):
        (folder / f"{name}.svg").write_text(drawn, encoding="utf-8")
    template = (HERE / "page.md").read_text(encoding="utf-8")
    filled = template.format(
        machine=figures.machine,
        goals=_table(("what", "goal", "measured", "", "at best"), list(goals(figures))),
        files=_by_files(figures),
        made_of=_made_of(figures),
        profile=_profile(figures),
        start=_start(figures),
        pick=_pick(figures),
        **{name.replace(" ", "_"): _growth(figures, name) for name in _GROWTH},
    )
    path.write_text(filled, encoding="utf-8")


_GROWTH = ("picks", "history", "since", "targets", "targets afar")


def _charts(figures: Figures) -> Iterator[tuple[str, str]]:
    """Draw what grows, where there is more than one place to draw."""
    wanted: Mapping[str, tuple[str, str, str, str, Sequence[str]]] = {
        "wall": ("Wall, s", "files", "files", "wall", (*_OURS, *ways.OTHERS)),
        "cpu": ("CPU, s", "files", "files", "cpu", (*_OURS, *ways.OTHERS)),
        "bytes": (
            "MB received", "files", "files", "megabytes",
            (ways.PUSHED, ways.APPLY, ways.FETCH, *ways.OTHERS[2:]),
        ),
        "picks": ("CPU, s", "picks", "picks", "cpu", (ways.PART, ways.PLAN, ways.PLUMBING)),
    }  # fmt: skip
    for name, (title, across, section, figure, names) in wanted.items():
        series = {way.replace("`", ""): figures.series(section, way) for way in names}
        lines = {
            way: {at: getattr(run, figure) for at, run in runs.items()}
            for way, runs in series.items()
            if len(runs) > 1
        }
        if lines:
            yield name, chart.drawn(title, across, lines)


def _by_files(figures: Figures) -> str:
    return (
        "\n\n".join(
            f"### {size:,.0f} files\n\n{_rows(_at(figures, 'files', size), ways.PUSHED)}"
            for size in figures.places("files")
        )
        or _MISSING
    )


def _at(figures: Figures, section: str, place: float) -> list[Row]:
    return [row for row in figures.of(section) if row.at == place]


def _rows(rows: Sequence[Row], base: str) -> str:
    """Write rows with all their figures, and with ratios of wall and CPU to one of them."""
    to = next(row.middle for row in rows if row.way == base)
    cells = [
        {
            "": row.way,
            **{name: write(row) for name, write in _COLUMNS.items()},
            "x wall": f"{row.middle.wall / to.wall:.2f}",
            "x CPU": f"{row.middle.cpu / to.cpu:.2f}",
        }
        for row in rows
    ]
    first = ("", "wall s (min-max)", "x wall", "CPU s (min-max)", "x CPU")
    heads = dict.fromkeys((*first, *_COLUMNS))
    return _table(list(heads), [[cell[head] for head in heads] for cell in cells])


def _start(figures: Figures) -> str:
    rows = figures.of("start")
    return _rows(rows, FLOOR) if rows else _MISSING


def _growth(figures: Figures, section: str) -> str:
    """Write a table by way, then by place, with what one more costs from end to end."""
    rows = sorted(figures.of(section), key=lambda row: (row.way, row.at))
    if not rows:
        return _MISSING
    cells = [
        [row.way, f"{row.at:,.0f}", *(write(row) for write in _COLUMNS.values())] for row in rows
    ]
    added = [
        _each_more(way, figures.series(section, way)) for way in dict.fromkeys(r.way for r in rows)
    ]
    return "\n".join([_table(["", section.partition(" ")[0], *_COLUMNS], cells), "", *added])


def _each_more(way: str, series: Mapping[float, Run]) -> str:
    low, high = min(series), max(series)
    first, last = series[low], series[high]

    def one(figure: str) -> str:
        """Tell a thousandth; what is less than none is noise."""
        more = (getattr(last, figure) - getattr(first, figure)) / (high - low)
        return f"{max(0.0, 1000 * more):.2f}"

    return (
        f"- {way}, for each one more: wall {one('wall')} ms, CPU {one('cpu')} ms, "
        f"{one('megabytes')} KB, {(last.requests - first.requests) / (high - low):.2f} requests."
    )


def _pick(figures: Figures) -> str:
    heads = ("", "wall ms (min-max)", "x `git merge-tree`", "CPU ms, mean")
    return (
        "\n\n".join(
            f"### One pick, {size:,.0f} files\n\n"
            + _table(heads, list(_merges(_at(figures, "pick", size))))
            for size in figures.places("pick")
        )
        or _MISSING
    )


def _merges(rows: Sequence[Row]) -> Iterator[Sequence[str]]:
    base = next(row.middle.wall for row in rows if row.way == picks.MERGE_TREE)
    for row in rows:
        cpu = 1000 * statistics.fmean(run.cpu for run in row.runs)
        wall = _spread(row, "wall", 1000)
        yield row.way, wall, f"{row.middle.wall / base:.2f}", f"{cpu:.2f}"
    if picks.PYGIT2 not in {row.way for row in rows}:
        yield picks.PYGIT2, "not installed", "", ""


def _made_of(figures: Figures) -> str:
    """Write by command what each step adds, the floor, and what the work waited."""
    aimed = {ways.VALIDATE: 0.25, ways.PLAN: 0.45, ways.PART: 0.15}
    found = {name: rows for name in aimed if (rows := figures.of(f"made of {name}"))}
    taken = {name: made_of.parts(rows) for name, rows in found.items()}
    if not taken:
        return _MISSING
    steps = [step for step in made_of.PARTS if any(step in parts for parts in taken.values())]
    lines: dict[str, list[float | None]] = {
        step: [parts.get(step) for parts in taken.values()] for step in steps
    }
    lines |= {
        "**CPU of all of it**": [sum(parts.values()) for parts in taken.values()],
        "**over `python -c pass`**": [
            sum(parts.values()) - parts[FLOOR] for parts in taken.values()
        ],
        "goal": [aimed[name] for name in taken],
        "floor: the libraries alone": [made_of.libraries(parts) for parts in taken.values()],
        "wall less CPU: waiting": [
            rows[-1].middle.wall - rows[-1].middle.cpu for rows in found.values()
        ],
    }
    cells = [
        [name, *("" if each is None else f"{1000 * each:.0f}" for each in line)]
        for name, line in lines.items()
    ]
    return _table(["ms", *taken], cells)


def _profile(figures: Figures) -> str:
    """Write each function's share of the whole."""
    rows = figures.of(profiled.SECTION)
    if not rows:
        return _MISSING
    whole = next(row.middle.cpu for row in rows if row.way == profiled.ALL)
    return _table(
        ("function", "% of the CPU"),
        [(row.way, f"{100 * row.middle.cpu / whole:.0f}") for row in rows],
    )


def _spread(row: Row, figure: str, unit: float = 1) -> str:
    values = [unit * getattr(run, figure) for run in row.runs]
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
