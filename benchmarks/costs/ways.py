"""A restore and some picks, pushed: ours, git without a working tree, and the runbook's way.

After each of them release has to be as many commits further, with the same tree whoever made it;
else this fails.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from costs.delay import delayed
from costs.lab import FLOOR, HERE, Way, floor
from costs.server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from costs.lab import Lab, Row
    from costs.repository import Synthetic

OURS, AGAIN, PLAN = "ours", "ours, objects kept", "ours, not pushed"
PLUMBING, FETCH = "git plumbing", "git fetch, `blob:none`"
WARM, SHALLOW, FULL = "runbook, warm clone", "runbook, `--depth=1`", "runbook, full clone"


def compared(lab: Lab, repository: Synthetic) -> list[Row]:
    """Measure every way on a repository."""
    with serving(repository) as server:
        ways = hotfix(lab, repository, server.url)
        return lab.measured("ways", repository.shape.files, ways, server)


def afar(lab: Lab, repository: Synthetic, milliseconds: Sequence[int]) -> Iterator[Row]:
    """Measure at some delays the ways that differ in round trips alone."""
    for delay in milliseconds:
        with serving(repository) as server, delayed(server.port, delay / 1000) as url:
            ways = hotfix(lab, repository, url, OURS, AGAIN, PLUMBING, WARM)
            yield from lab.measured("delay", delay, ways, server)


def growing(lab: Lab, section: str, at: float, repository: Synthetic) -> list[Row]:
    """Measure what grows with a repository's history or with the picks."""
    with serving(repository) as server:
        ways = hotfix(lab, repository, server.url, OURS, AGAIN, PLUMBING)
        return lab.measured(section, at, ways, server)


def hotfix(lab: Lab, repository: Synthetic, url: str, *names: str) -> Mapping[str, Way]:
    """Return the ways of these names, or all."""
    every = _Hotfix(lab, repository, url).ways()
    return {name: way for name, way in every.items() if name in names or not names}


class _Hotfix:
    """One hotfix that is made again and again, in several ways."""

    def __init__(self, lab: Lab, repository: Synthetic, url: str) -> None:
        self._lab = lab
        self._repository = repository
        self._url = f"{url}/{repository.shape.path}.git"
        self._place = lab.scratch / url.rpartition(":")[2]
        self._place.mkdir()
        self._tree: str | None = None

    def ways(self) -> Mapping[str, Way]:
        """Return all ways."""
        picks = (each.sha for each in self._repository.picks)
        release, production = self._repository.release, self._repository.production
        asked = (self._url, release, production, *picks)
        ours = (sys.executable, str(HERE / "ours.py"))
        plumbing, runbook = str(HERE / "plumbing.sh"), str(HERE / "runbook.sh")
        keeping = {"HOTFIX_BENCH_CACHE": str(self._place / "cache")}
        reading = {
            FLOOR: floor(),
            PLAN: Way((*ours, "plan", *asked), rehearse=True),
            FETCH: Way((plumbing, "fetch", *asked)),
        }
        pushing = {
            OURS: Way((*ours, "push", *asked), rehearse=True),
            AGAIN: Way((*ours, "push", *asked), keeping, rehearse=True),
            PLUMBING: Way((plumbing, "push", *asked)),
            WARM: Way((runbook, "warm", *asked)),
            SHALLOW: Way((runbook, "shallow", *asked)),
            FULL: Way((runbook, "full", *asked)),
        }
        pushing = {name: way._replace(after=self._check) for name, way in pushing.items()}
        return {
            name: way._replace(before=self._reset_warm if name == WARM else self._reset)
            for name, way in (reading | pushing).items()
        }

    def _reset(self, folder: Path) -> Path:
        self._lab.reset(self._repository)
        return folder

    def _reset_warm(self, folder: Path) -> Path:
        """Have a clone that is up to date and stands on main, the best case for the runbook."""
        self._reset(folder)
        warm = self._place / "warm"
        if not warm.exists():
            warm.mkdir()
            self._lab.git(warm, "clone", "--quiet", self._url, "work")
        release = self._repository.release
        self._lab.git(warm / "work", "checkout", "--quiet", "--force", "main")
        self._lab.git(warm / "work", "update-ref", "refs/remotes/origin/release", release)
        return warm

    def _check(self, way: str) -> None:
        """Have a restore and the picks on what release was, and the tree that the first made."""
        picks, production = len(self._repository.picks), self._repository.production
        if self._ask("rev-parse", f"release~{picks + 1}") != self._repository.release:
            raise SystemExit(f"{way}: release is not a restore and the picks on what it was")
        self._ask("diff", "--quiet", f"release~{picks}", production)
        tree = self._ask("rev-parse", "release^{tree}")
        self._tree = self._tree or tree
        if tree != self._tree:
            raise SystemExit(f"{way}: release has the tree {tree}, before it was {self._tree}")

    def _ask(self, *arguments: str) -> str:
        return self._lab.git(self._repository.path, *arguments)
