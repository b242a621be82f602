#!/usr/bin/env python3
"""Replay picks of real repositories and compare every one with C git.

    python benchmarks/replay.py [--picks N] [--seed N] REPOSITORY...

Each REPOSITORY is a Git directory with full history; nothing is written to it. From it two kinds
of picks are taken: backports that really happened (found by `cherry picked from` lines, done
again on the parent that they had), and commits of the main line, merges with mainline 1 among
them, on a point of it that is 5 to 500 commits older, which is what a hotfix does.

For every pick C git is asked with one `git merge-tree` process, and the same pick is made here,
in turn, so that both see the same machine. What matters is the fourth column of the table: clean
here where git conflicts, or another tree. It has to be zero.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from dulwich.objects import Commit
from dulwich.repo import Repo

from hotfix.errors import HotfixError
from hotfix.git.commits import read_raw_commit
from hotfix.git.merge import Conflicted, merge_trees
from hotfix.git.objects import EMPTY_TREE, object_id
from hotfix.identifiers import Sha

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotfix.git.objects import ObjectReader

PICKED = re.compile(r"\(cherry picked from commit ([0-9a-f]{40})\)")
OUTCOMES = ("same tree", "both conflict", "only here", "ONLY GIT", "OTHER TREE", "ERROR")
DANGEROUS = OUTCOMES[3:]
LATER = 4_000_000_000  # helper commits lie in the future, so that no search walks the history


class Pick(NamedTuple):
    """A commit and where it is picked to."""

    commit: Sha
    onto: Sha


class Trees(NamedTuple):
    """What a pick merges; a root commit is picked against the empty tree."""

    base: Sha | None
    ours: Sha
    theirs: Sha


@dataclass
class Tally:
    """What came out of one repository's picks."""

    outcomes: Counter[str] = field(default_factory=Counter)
    merges: int = 0
    renames: int = 0
    ours: list[float] = field(default_factory=list)
    git: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add another repository's."""
        self.outcomes += other.outcomes
        self.merges += other.merges
        self.renames += other.renames
        self.ours += other.ours
        self.git += other.git


class Git:
    """C git on a repository, writing to a scratch folder only."""

    def __init__(self, path: Path, scratch: Path) -> None:
        self._path = path
        self._objects = scratch / "objects"
        self._objects.mkdir()
        self._environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(scratch),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_DIR": str(path),
            "GIT_OBJECT_DIRECTORY": str(self._objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(path / "objects"),
        }
        self._write("tree", b"")

    def lines(self, *arguments: str) -> list[str]:
        """Return what a command prints."""
        return self._run(*arguments).stdout.decode("utf-8", "replace").splitlines()

    def helpers(self, trees: Trees) -> tuple[Sha, Sha]:
        """Write two commits whose merge is the pick, and return their ids."""
        base = self._commit(trees.base or EMPTY_TREE, None, 0)
        return self._commit(trees.ours, base, LATER), self._commit(trees.theirs, base, LATER + 1)

    def merge(self, ours: Sha, theirs: Sha) -> str | None:
        """Return the merged tree, or nothing where git conflicts."""
        done = self._run("merge-tree", "--write-tree", ours, theirs)
        if done.returncode not in (0, 1):
            raise RuntimeError(done.stderr.decode("utf-8", "replace"))
        return done.stdout.split()[0].decode() if done.returncode == 0 else None

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", *arguments], env=self._environment, capture_output=True, check=False
        )

    def _commit(self, tree: Sha, parent: Sha | None, when: int) -> Sha:
        who = f"replay <replay@example.com> {when} +0000"
        lines = [f"tree {tree}", *([f"parent {parent}"] if parent else [])]
        return self._write(
            "commit", "\n".join([*lines, f"author {who}", f"committer {who}", "", ""]).encode()
        )

    def _write(self, kind: str, data: bytes) -> Sha:
        oid = EMPTY_TREE if kind == "tree" else object_id(Commit, data)
        file = self._objects / oid[:2] / oid[2:]
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(zlib.compress(f"{kind} {len(data)}\0".encode() + data, 1))
        return oid


def main() -> int:
    """Replay each repository, print the table, and fail where anything dangerous was seen."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("repositories", nargs="*", type=Path, metavar="REPOSITORY")
    parser.add_argument("--picks", type=int, default=600, help="picks per repository (600)")
    parser.add_argument("--seed", type=int, default=1, help="which picks are taken (1)")
    options = parser.parse_args()
    if not options.repositories:
        print("Nothing to replay: name Git directories with full history, such as clones.")
        return 0
    total = Tally()
    print(
        "| repository | picks | merges | "
        + " | ".join(OUTCOMES)
        + " | renames | here p50/p99 ms | git p50/p99 ms |"
    )
    print("| --- " * (len(OUTCOMES) + 6) + "|")
    for repository in options.repositories:
        tally = replay(repository, options.picks, options.seed)
        print(
            row(repository.parent.name if repository.name == "repo" else repository.name, tally),
            flush=True,
        )
        for note in tally.notes[:20]:
            print(f"  {note}", file=sys.stderr)
        total.add(tally)
    print(row("all", total))
    return 1 if any(total.outcomes[name] for name in DANGEROUS) else 0


def replay(path: Path, count: int, seed: int) -> Tally:
    """Make the picks of one repository here and with C git."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as scratch, Repo(str(path)) as repository:
        git = Git(path, Path(scratch))
        reader = cast("ObjectReader", repository.object_store)
        for pick in mined(git, count, random.Random(seed)):  # noqa: S311 - a choice of examples
            try:
                trees = trees_of(reader, pick)
            except HotfixError:
                continue  # a snapshot may lack objects
            tally.merges += len(read_raw_commit(reader, pick.commit).parents) > 1
            compare(git, reader, pick, trees, tally)
    return tally


def compare(git: Git, reader: ObjectReader, pick: Pick, trees: Trees, tally: Tally) -> None:
    """Make one pick twice; which goes first changes from pick to pick."""
    helpers = git.helpers(trees)
    theirs: str | None = None
    ours, why, followed = None, "", False
    git_turn = len(tally.git) % 2
    for turn in (0, 1):
        started = time.perf_counter()
        if turn == git_turn:
            theirs = git.merge(*helpers)
            tally.git.append(time.perf_counter() - started)
            continue
        ours, why, followed = merge_here(reader, trees)
        tally.ours.append(time.perf_counter() - started)
    tally.renames += followed
    name = verdict(ours, theirs)
    tally.outcomes[name] += 1
    if name not in OUTCOMES[:2]:
        tally.notes.append(f"{name}: {pick.commit} onto {pick.onto} {why}")


def merge_here(reader: ObjectReader, trees: Trees) -> tuple[str | None, str, bool]:
    """Return the merged tree or nothing, why it is none, and whether renames were followed."""
    try:
        outcome = merge_trees(reader, base=trees.base, ours=trees.ours, theirs=trees.theirs)
    except HotfixError as error:
        return "error", error.message, False
    if isinstance(outcome, Conflicted):
        return None, ", ".join(sorted({each.kind for each in outcome.conflicts})), False
    return outcome.tree, "", bool(outcome.renames)


def verdict(ours: str | None, theirs: str | None) -> str:
    """Name the column that a pick belongs to."""
    if ours == "error":
        return "ERROR"
    if ours is None:
        return "both conflict" if theirs is None else "only here"
    if theirs is None:
        return "ONLY GIT"
    return "same tree" if ours == theirs else "OTHER TREE"


def mined(git: Git, count: int, chance: random.Random) -> Iterator[Pick]:
    """Choose picks: half of them backports if there are so many, the rest from the main line."""
    backports = list(_backports(git))
    chance.shuffle(backports)
    chosen = backports[: count // 2]
    chosen += islice(mainline_picks(git, chance), count - len(chosen))
    return iter(chosen)


def mainline_picks(git: Git, chance: random.Random) -> Iterator[Pick]:
    """Choose commits of the main line, each on a point of it that is 5 to 500 commits older."""
    mainline = [Sha(line) for line in git.lines("rev-list", "--first-parent", "HEAD")]
    while len(mainline) > 10:  # noqa: PLR2004 - a history worth the name
        place = chance.randrange(len(mainline) - 6)
        distance = chance.randint(5, min(500, len(mainline) - place - 1))
        yield Pick(mainline[place], mainline[place + distance])


def _backports(git: Git) -> Iterator[Pick]:
    records = "\n".join(
        git.lines("log", "--all", "--grep=cherry picked from commit", "--format=%x00%P%x01%B")
    )
    for record in records.split("\0"):
        parents, _, message = record.partition("\1")
        found = PICKED.findall(message)
        if found and parents:
            yield Pick(Sha(found[-1]), Sha(parents.split()[0]))


def trees_of(reader: ObjectReader, pick: Pick) -> Trees:
    """Return the three trees of a pick."""
    commit = read_raw_commit(reader, pick.commit)
    base = read_raw_commit(reader, commit.parents[0]).tree if commit.parents else None
    return Trees(base, read_raw_commit(reader, pick.onto).tree, commit.tree)


def row(name: str, tally: Tally) -> str:
    """Return a line of the table."""
    cells = [name, sum(tally.outcomes.values()), tally.merges]
    cells += [tally.outcomes[outcome] for outcome in OUTCOMES]
    cells += [tally.renames, times(tally.ours), times(tally.git)]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def times(seconds: Sequence[float]) -> str:
    """Write the median and the 99th percentile in milliseconds."""
    if len(seconds) < 2:  # noqa: PLR2004 - what quantiles need
        return "-"
    last = statistics.quantiles(seconds, n=100)[98]
    return f"{1000 * statistics.median(seconds):.0f} / {1000 * last:.0f}"


if __name__ == "__main__":
    sys.exit(main())
