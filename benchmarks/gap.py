#!/usr/bin/env python3
"""Look for the semantic gap in picks of real repositories, and ask C git whether it is one.

    python benchmarks/gap.py [--picks N] [--seed N] [--show] REPOSITORY...

Picks are mined as `replay.py` does. For each that is clean it is told what it uses that the main
line has and the result lacks. A warning is true where `git grep` does not find the word in the tree
that was picked onto, nor the path there; else it is a false alarm.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, cast

from dulwich.repo import Repo
from replay import Git, mainline_picks, mined, times, trees_of

from hotfix.errors import HotfixError
from hotfix.git.gap.find import find_gaps
from hotfix.git.gap.model import Picked
from hotfix.git.merge import Conflicted, merge_trees
from hotfix.git.objects import Overlay

if TYPE_CHECKING:
    from replay import Pick

    from hotfix.git.gap.model import Gap
    from hotfix.git.objects import ObjectReader
    from hotfix.identifiers import Sha


COLUMNS = (
    "repository",
    "clean picks",
    "with a warning",
    "with a false one",
    "not all searched",
    "warnings",
    "false",
    "p50 / p99 ms",
)
MANIFESTS = (
    "*require*",
    "*.toml",
    "*.lock",
    "*package*.json",
    "*go.mod",
    "*Gemfile*",
    "*setup.py",
    "*.gradle",
    "*pom.xml",
)


@dataclass
class Tally:
    """What came out of one repository's picks."""

    clean: int = 0
    warned: int = 0
    alarmed: int = 0
    unread: int = 0
    words: int = 0
    false: int = 0
    seconds: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add another repository's."""
        for name in ("clean", "warned", "alarmed", "unread", "words", "false", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def main() -> int:
    """Look at each repository and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("repositories", nargs="*", type=Path, metavar="REPOSITORY")
    parser.add_argument("--picks", type=int, default=600, help="picks per repository (600)")
    parser.add_argument("--seed", type=int, default=1, help="which picks are taken (1)")
    parser.add_argument("--mainline", action="store_true", help="no backports")
    parser.add_argument("--show", action="store_true", help="print every warning")
    options = parser.parse_args()
    if not options.repositories:
        print("Nothing to look at: name Git directories with full history, such as clones.")
        return 0
    total = Tally()
    print(f"| {' | '.join(COLUMNS)} |")
    print("| --- " * len(COLUMNS) + "|")
    for repository in options.repositories:
        tally = look(repository, options)
        print(
            row(repository.parent.name if repository.name == "repo" else repository.name, tally),
            flush=True,
        )
        total.add(tally)
    print(row("all", total))
    return 0


def look(path: Path, options: argparse.Namespace) -> Tally:
    """Look at the clean picks of one repository."""
    tally = Tally()
    chance = random.Random(options.seed)  # noqa: S311 - a choice of examples
    with tempfile.TemporaryDirectory() as scratch, Repo(str(path)) as repository:
        git = Git(path, Path(scratch))
        reader = cast("ObjectReader", repository.object_store)
        picks = (
            islice(mainline_picks(git, chance), options.picks)
            if options.mainline
            else mined(git, options.picks, chance)
        )
        for pick in picks:
            with suppress(HotfixError):  # a snapshot may lack objects
                look_at(path, reader, pick, tally, show=options.show)
    return tally


def look_at(path: Path, reader: ObjectReader, pick: Pick, tally: Tally, *, show: bool) -> None:
    """Make one pick and, where it is clean, look for what it lacks."""
    trees = trees_of(reader, pick)
    made = merge_trees(reader, base=trees.base, ours=trees.ours, theirs=trees.theirs)
    if isinstance(made, Conflicted) or made.tree == trees.ours:
        return
    overlay = Overlay(reader)
    overlay.add(made.objects)
    started = time.perf_counter()
    picks = [Picked(trees.ours, made.tree)]
    gaps = find_gaps(overlay, picks=picks, result=made.tree, main=trees.theirs)
    tally.seconds.append(time.perf_counter() - started)
    false = [gap for gap in gaps.found if is_known(path, trees.ours, gap)]
    tally.clean += 1
    tally.unread += gaps.searched < gaps.of
    tally.words += len(gaps.found)
    tally.false += len(false)
    tally.warned += bool(gaps.found)
    tally.alarmed += bool(false)
    for gap in gaps.found if show else ():
        verdict = "FALSE" if gap in false else "true"
        place = f"{gap.use.path}:{gap.use.line}"
        print(verdict, *pick, gap.kind, gap.use.word, place, gap.there, file=sys.stderr)


def is_known(path: Path, tree: Sha, gap: Gap) -> bool:
    """Tell whether the tree that was picked onto has the word, or of a file the path."""
    if gap.kind in {"module", "file", "migration"}:
        done = subprocess.run(
            ["git", "-C", path, "cat-file", "-e", f"{tree}:{gap.there}"],
            capture_output=True,
            check=False,
        )
        return done.returncode == 0
    if gap.kind == "submodule":
        return False
    files = MANIFESTS if gap.kind == "package" else ()
    if gap.there == gap.use.path:  # a name that the file itself has to bind
        files = (gap.there,)
    words = ["grep", "-qwF" + "i" * (gap.kind == "package"), "-e", gap.use.word, tree, "--", *files]
    done = subprocess.run(["git", "-C", path, *words], capture_output=True, check=False)
    return done.returncode == 0


def row(name: str, tally: Tally) -> str:
    """Return a line of the table."""
    cells = [
        name,
        tally.clean,
        tally.warned,
        tally.alarmed,
        tally.unread,
        tally.words,
        tally.false,
        times(tally.seconds),
    ]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
