"""Where it is measured: a sealed environment, and processes that take turns."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from costs.host import Host

HERE = Path(__file__).parent
FLOOR = "`python -c pass`"


class Run(NamedTuple):
    """What one process took: seconds, MiB, and what the server saw of it."""

    wall: float
    cpu: float
    memory: float = 0
    megabytes: float = 0
    requests: float = 0
    fetches: float = 0
    connections: float = 0
    answering: float = 0


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
    """Prepares a run in a new folder, and returns the folder to run in."""
    after: Callable[[], None] = lambda: None
    rehearse: bool = False
    """Whether it runs once unmeasured, which fills the caches: Python's, the server's, ours."""
    delay: float = 0
    """Seconds that the server waits before each answer."""


class Lab(NamedTuple):
    """A scratch folder, how often all is run, and after how many seconds a way is not run again."""

    scratch: Path
    turns: int
    patience: float

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

    def git(self, path: Path, *arguments: str) -> str:
        """Run git in a folder and return what it prints."""
        command = ["git", "-C", str(path), *arguments]
        done = subprocess.run(
            command, env=self.environment, check=True, stdout=subprocess.PIPE, text=True
        )
        return done.stdout.strip()

    def measured(
        self, section: str, ways: Mapping[tuple[float, str], Way], host: Host | None = None
    ) -> list[Row]:
        """Run every way in turn, so that all see the same machine."""
        taken: dict[tuple[float, str], list[Run]] = {place: [] for place in ways}
        for turn in range(self.turns + 1):
            for place, way in ways.items():
                is_tired = sum(run.wall for run in taken[place]) > self.patience
                if is_tired or (turn == 0 and not way.rehearse):
                    continue
                run = self.run(way, host)
                if turn:
                    taken[place].append(run)
        return [Row(section, at, name, runs) for (at, name), runs in taken.items()]

    def run(self, way: Way, host: Host | None = None) -> Run:
        """Run one process and all that it starts, on a host as it was before."""
        if host is not None:
            host.reset(way.delay)
        folder = Path(tempfile.mkdtemp(dir=self.scratch))
        place = way.before(folder)
        if host is not None:
            host.taken()
        measuring = [sys.executable, "-I", "-S", str(HERE / "child.py"), *way.command]
        done = subprocess.run(
            measuring,
            cwd=place,
            env={**self.environment, **way.more},
            capture_output=True,
            text=True,
            check=True,
        )
        code, *taken = map(float, done.stdout.split())
        if code:
            raise SystemExit(f"{way.command} ended with {code:.0f}:\n{done.stderr}")
        seen = host.taken() if host is not None else ()
        way.after()
        shutil.rmtree(folder)
        return Run(*taken, *seen)


def python(*arguments: str) -> Way:
    """Return a way that runs this Python; once unmeasured, so that all bytecode is there."""
    return Way([sys.executable, *arguments], rehearse=True)


def floor() -> Way:
    """Return what every Python process takes at least."""
    return python("-c", "pass")
