"""The command line as a process of its own that starts in no time."""

from __future__ import annotations

import multiprocessing
import os
import sys
from typing import TYPE_CHECKING

from hotfix.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Command:
    """The command line as a process of its own, from a server that has imported it already."""

    def __init__(self, folder: Path, environment: dict[str, str], number: int, *words: str) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["hotfix.cli.apply", "hotfix.apply.run"])
        self._says = folder / f"{number}.txt"
        given = (folder, environment, self._says, words)
        self._process = context.Process(target=_main, args=given, daemon=True)
        self._process.start()

    @property
    def code(self) -> int | None:
        return self._process.exitcode

    @property
    def said(self) -> list[str]:
        return self._says.read_text(encoding="utf-8").splitlines()


def _main(folder: Path, environment: dict[str, str], says: Path, words: Sequence[str]) -> None:
    os.environ.update(environment)
    os.chdir(folder)
    with says.open("w", encoding="utf-8") as file:
        sys.stdout = sys.stderr = file
        sys.exit(main(list(words)))
