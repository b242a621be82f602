"""Where it is measured: a sealed environment, repositories, and processes that take turns."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from costs.repository import git, synthetic

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from costs.repository import Shape, Synthetic
    from costs.server import Server

HERE = Path(__file__).parent
FLOOR = "`python -c pass`"


class Run(NamedTuple):
    """What one process took: seconds, MiB, and what the server saw of it."""

    wall: float
    cpu: float
    memory: float = 0
    megabytes: float = 0
    requests: float = 0
    connections: float = 0


class Row(NamedTuple):
    """One way at one place of a section's axis, with all its runs."""

    section: str
    at: float
    way: str
    runs: Sequence[Run]

    @property
    def middle(self) -> Run:
        """The median of each figure."""
        return Run(*map(statistics.median, zip(*self.runs, strict=True)))


class Way(NamedTuple):
    """A way to do something: its command, and what goes before and after it, unmeasured."""

    command: Sequence[str]
    more: Mapping[str, str] = {}
    before: Callable[[Path], Path] = lambda folder: folder
    after: Callable[[str], None] = lambda _: None
    rehearse: bool = False
    """Whether it runs once unmeasured, which fills the caches: Python's, the server's, ours."""


class Lab(NamedTuple):
    """A scratch folder, where repositories are kept, and how often all is run."""

    scratch: Path
    kept: Path
    turns: int
    patience: float
    """Seconds after which a way takes no further turn."""

    @property
    def environment(self) -> Mapping[str, str]:
        """An operator's environment without settings; git cleans nothing up in between."""
        settings = {"gc.auto": "0", "maintenance.auto": "false", "advice.detachedHead": "false"}
        numbered = {
            f"GIT_CONFIG_{part}_{number}": text
            for number, setting in enumerate(settings.items())
            for part, text in zip(("KEY", "VALUE"), setting, strict=True)
        }
        return numbered | {
            "PATH": os.environ["PATH"],
            "HOME": str(self.scratch),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": str(len(settings)),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "Operator",
            "GIT_AUTHOR_EMAIL": "operator@example.com",
            "GIT_COMMITTER_NAME": "Operator",
            "GIT_COMMITTER_EMAIL": "operator@example.com",
        }

    def repository(self, shape: Shape) -> Synthetic:
        """Return the repository of a shape, made once."""
        return synthetic(self.kept, shape, self.environment)

    def reset(self, repository: Synthetic) -> None:
        """Put release back to where it was before the hotfix."""
        self.git(repository.path, "update-ref", "refs/heads/release", repository.release)

    def git(self, path: Path, *arguments: str) -> str:
        """Run git in a repository and return what it prints."""
        return git(path, self.environment, *arguments)

    def measured(
        self, section: str, at: float, ways: Mapping[str, Way], server: Server | None = None
    ) -> list[Row]:
        """Run every way in turn, so that all see the same machine, and as often as there is time.

        A way that has taken longer than ``patience`` takes no further turn.
        """
        taken: dict[str, list[Run]] = {name: [] for name in ways}
        for turn in range(self.turns + 1):
            for name, way in ways.items():
                if turn == 0 and not way.rehearse:
                    continue
                if sum(run.wall for run in taken[name]) > self.patience:
                    continue
                run = self.run(way, server)
                way.after(name)
                if turn:
                    taken[name].append(run)
        return [Row(section, at, name, runs) for name, runs in taken.items()]

    def run(self, way: Way, server: Server | None = None) -> Run:
        """Run one process and all that it starts, in a folder of its own."""
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        place = way.before(folder)
        if server is not None:
            server.taken()
        measuring = [sys.executable, "-I", "-S", str(HERE / "child.py"), *way.command]
        done = subprocess.run(
            measuring,
            cwd=place,
            env={**self.environment, **way.more},
            capture_output=True,
            text=True,
            check=True,
        )
        code, wall, cpu, memory = map(float, done.stdout.split())
        if code:
            raise SystemExit(f"{way.command} ended with {code:.0f}:\n{done.stderr}")
        shutil.rmtree(folder)
        if server is None:
            return Run(wall, cpu, memory)
        seen = server.taken()
        return Run(wall, cpu, memory, seen.sent / 1e6, seen.requests, seen.connections)


def python(*arguments: str) -> Way:
    """Return a way that runs this Python; once unmeasured, so that all bytecode is there."""
    return Way([sys.executable, *arguments], rehearse=True)


def floor() -> Way:
    """Return what every Python process takes at least."""
    return python("-c", "pass")
