"""All that was measured, kept as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from costs.lab import Row, Run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_DIGITS = 5


class Figures(NamedTuple):
    """The rows of one run of the benchmark, and on what machine it was made."""

    machine: str
    rows: Sequence[Row]

    def of(self, section: str) -> list[Row]:
        """Return a section's rows."""
        return [row for row in self.rows if row.section == section]

    def places(self, section: str) -> list[float]:
        """Return the places of a section's axis, in order."""
        return sorted({row.at for row in self.of(section)})

    def find(self, section: str, at: float, way: str) -> Run | None:
        """Return the medians of one row; nothing where it was not measured."""
        found = (row.middle for row in self.of(section) if (row.at, row.way) == (at, way))
        return next(found, None)

    def series(self, section: str, way: str) -> dict[float, Run]:
        """Return the medians of a way along the section's axis."""
        return {row.at: row.middle for row in self.of(section) if row.way == way}


def save(figures: Figures, path: Path) -> None:
    """Write figures, a row a line."""
    rows = [
        [row.section, row.at, row.way, [[round(n, _DIGITS) for n in run] for run in row.runs]]
        for row in figures.rows
    ]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    head = json.dumps(figures.machine, ensure_ascii=False)
    path.write_text(f'{{"machine": {head}, "rows": [\n{lines}\n]}}\n', encoding="utf-8")


def load(path: Path) -> Figures:
    """Read figures that were saved."""
    saved = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        Row(section, at, way, [Run(*run) for run in runs])
        for section, at, way, runs in saved["rows"]
    ]
    return Figures(saved["machine"], rows)
