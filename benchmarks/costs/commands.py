"""The commands as their user runs them: a process, models and GitLab's API included."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from costs.delay import delayed
from costs.gitlab import TOKEN, gitlab, move, write_spec
from costs.lab import FLOOR, Way, floor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from costs.lab import Lab, Row
    from costs.repository import Synthetic
    from costs.server import Server

COLD, KEPT = "`hotfix plan`", "`hotfix plan`, objects kept"
VERSION, HELP, VALIDATE = "`hotfix --version`", "`hotfix --help`", "`hotfix validate`"
_HOTFIX = str(Path(sys.executable).parent / "hotfix")


def light(lab: Lab, repository: Synthetic) -> list[Row]:
    """Measure what asks nobody."""
    return lab.measured("light", 0, light_ways(lab, repository))


def light_ways(lab: Lab, repository: Synthetic) -> Mapping[str, Way]:
    """Return the commands that ask nobody."""
    spec = lab.scratch / "light.yaml"
    write_spec(spec, "https://gitlab.example.com", [repository])
    return {
        FLOOR: floor(),
        VERSION: _hotfix("--version"),
        HELP: _hotfix("--help"),
        VALIDATE: _hotfix("validate", str(spec)),
    }


def planned(lab: Lab, section: str, at: float, repositories: Sequence[Synthetic]) -> list[Row]:
    """Measure a plan of a target for each repository."""
    with planning(lab, repositories) as (server, ways):
        return lab.measured(section, at, {FLOOR: floor(), **ways}, server)


def planned_afar(
    lab: Lab,
    section: str,
    repositories: Sequence[Synthetic],
    counts: Sequence[int],
    milliseconds: int,
) -> Iterator[Row]:
    """Measure plans of some targets behind a network."""
    for count in counts:
        with planning(lab, repositories[:count], milliseconds) as (server, ways):
            yield from lab.measured(section, count, {COLD: ways[COLD]}, server)


@contextmanager
def planning(
    lab: Lab, repositories: Sequence[Synthetic], milliseconds: int = 0
) -> Iterator[tuple[Server, Mapping[str, Way]]]:
    """Have a GitLab, and the ways to plan on it."""
    with gitlab(lab, repositories) as server, delayed(server.port, milliseconds / 1000) as afar:
        url = afar if milliseconds else server.url
        move(server, url)
        place = lab.scratch / f"plan-{server.port}"
        place.mkdir()
        spec = place / "hotfix.yaml"
        write_spec(spec, url, repositories)
        more = {"HOTFIX_TOKEN": TOKEN, "XDG_CACHE_HOME": str(place)}
        yield (
            server,
            {
                COLD: _hotfix("plan", str(spec), "--no-cache", more=more),
                KEPT: _hotfix("plan", str(spec), more=more),
            },
        )


def _hotfix(*arguments: str, more: Mapping[str, str] | None = None) -> Way:
    return Way((_HOTFIX, *arguments), more or {}, rehearse=True)
