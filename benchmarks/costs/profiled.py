"""Where a command's CPU goes, by Python's profiler: the functions of ours that take the most."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from costs.lab import HERE, Row, Run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from costs.host import Host
    from costs.lab import Lab, Way

SECTION, ALL = "profile", "all of it"
_LEAST, _MOST = 0.05, 0.8
"""Of the whole: what takes less says little, and what takes more only calls the others."""


def profiled(lab: Lab, at: float, way: Way, host: Host) -> Iterator[Row]:
    """Yield the public functions by what they take with all that they call."""
    saved = lab.scratch / f"profile-{at:.0f}.json"
    command = [sys.executable, str(HERE / "profiling.py"), str(saved), *way.command[1:]]
    lab.run(way._replace(command=command), host)
    taken = json.loads(saved.read_text(encoding="utf-8"))
    whole = max(cpu for *_, cpu in taken)
    yield Row(SECTION, at, ALL, [Run(0, whole)])
    for file, name, calls, cpu in sorted(taken, key=lambda each: each[-1], reverse=True):
        if _LEAST <= cpu / whole <= _MOST and name[0] not in "_<":
            yield Row(SECTION, at, f"`{file}` `{name}`, {calls:,} x", [Run(0, cpu)])
