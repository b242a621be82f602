"""All that was measured, and what is asked of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from costs.lab import Row, Run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_DIGITS = 5


class Figures(NamedTuple):
    """The rows of one run of the benchmark, and where and how it was made."""

    command: str
    machine: str
    rows: Sequence[Row]

    def of(self, section: str) -> list[Row]:
        """Return a section's rows."""
        return [row for row in self.rows if row.section == section]

    def places(self, section: str) -> list[float]:
        """Return the places of a section's axis, in order."""
        return sorted({row.at for row in self.of(section)})

    def ways(self, section: str) -> list[str]:
        """Return the ways of a section, as they were run."""
        return list(dict.fromkeys(row.way for row in self.of(section)))

    def find(self, section: str, at: float, way: str) -> Run | None:
        """Return the medians of one row; nothing where it was not measured."""
        for row in self.of(section):
            if (row.at, row.way) == (at, way):
                return row.middle
        return None

    def series(self, section: str, way: str, name: str) -> list[tuple[float, float]]:
        """Return one figure of a way along the section's axis."""
        found = {at: self.find(section, at, way) for at in self.places(section)}
        return [(at, getattr(run, name)) for at, run in found.items() if run is not None]


def save(figures: Figures, path: Path) -> None:
    """Write figures as JSON, a row a line."""
    rows = [
        [row.section, row.at, row.way, [[round(n, _DIGITS) for n in run] for run in row.runs]]
        for row in figures.rows
    ]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    head = json.dumps([figures.command, figures.machine], ensure_ascii=False)
    path.write_text(f'{{"of": {head}, "rows": [\n{lines}\n]}}\n', encoding="utf-8")


def load(path: Path) -> Figures:
    """Read figures that were saved."""
    saved = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        Row(section, at, way, [Run(*run) for run in runs])
        for section, at, way, runs in saved["rows"]
    ]
    return Figures(*saved["of"], rows)
