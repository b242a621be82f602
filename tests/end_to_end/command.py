"""The command line as a process of its own, from a server that has imported it already."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import sys
from typing import TYPE_CHECKING

from hotfix.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SECONDS = 60
_NUMBERS = itertools.count(1)


class Command:
    """A command line at work in a folder; nobody is at its terminal."""

    def __init__(self, folder: Path, environment: Mapping[str, str], words: Sequence[str]) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(
            ["hotfix.cli.apply", "hotfix.apply.run", "hotfix.forge.gitlab"]
        )
        said = folder.parent / f"{folder.name}-said"
        said.mkdir(exist_ok=True)
        self._out, self._err = (said / f"{next(_NUMBERS)}.{name}" for name in ("out", "err"))
        given = (folder, dict(environment), self._out, self._err, tuple(words))
        self._process = context.Process(target=_main, args=given, daemon=True)
        self._process.start()

    @property
    def returncode(self) -> int | None:
        """How it ended; ``None`` while it is at work."""
        return self._process.exitcode

    @property
    def stdout(self) -> bytes:
        return self._out.read_bytes()

    @property
    def stderr(self) -> bytes:
        return self._err.read_bytes()

    def wait(self) -> None:
        self._process.join(SECONDS)
        assert self.returncode is not None, "it takes too long"


def _main(
    folder: Path, environment: Mapping[str, str], out: Path, err: Path, words: Sequence[str]
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    with out.open("wb") as stdout, err.open("wb") as stderr:
        os.dup2(stdout.fileno(), 1)
        os.dup2(stderr.fileno(), 2)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  (the process's)
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115  (as above)
    sys.exit(main(list(words)))
