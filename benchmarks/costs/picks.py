"""One pick: here, by one ``git merge-tree`` process, and by pygit2 where it is installed.

All merge the same trees, one after the other on what the one before made, and have to come to the
same trees. What git and pygit2 write goes to a scratch repository.
"""

from __future__ import annotations

import subprocess
import time
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import TYPE_CHECKING, NamedTuple, cast

from costs.lab import Row, Run
from costs.server import serving
from dulwich.repo import Repo

from hotfix.forge.transport import HttpRepository
from hotfix.git.commits import read_commit
from hotfix.git.merge import Merged, merge_trees
from hotfix.git.needed import Change, Line, bring_for
from hotfix.git.objects import Overlay
from hotfix.identifiers import Sha

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from costs.lab import Lab
    from costs.repository import Synthetic

    from hotfix.git.objects import ObjectReader

AT_HAND, ON_DISK = "here, objects at hand", "here, from a pack"
MERGE_TREE, WITH_COMMITS = "`git merge-tree`", "`git commit-tree` × 3, `git merge-tree`"
PROCESS, PYGIT2 = "`git --version`", "pygit2"
LATER = 4_000_000_000  # helper commits lie in the future, so that no search walks the history


class Merge(NamedTuple):
    """The three trees of a pick, and what comes of it."""

    base: Sha
    ours: Sha
    theirs: Sha
    result: Sha


def merged(lab: Lab, repository: Synthetic) -> list[Row]:
    """Measure the picks of a repository in each way, in turn."""
    lab.reset(repository)
    scratch = lab.scratch / f"merging-{repository.shape.folder}"
    lab.git(lab.scratch, "clone", "--quiet", "--bare", "--shared", str(repository.path), str(scratch))
    with Repo(str(scratch)) as opened:
        reader = Overlay(cast("ObjectReader", opened.object_store))
        merges = list(_merges(reader, repository))
        ways: dict[str, Callable[[Merge], str]] = {
            AT_HAND: _here(_fetched(repository, merges)),
            ON_DISK: _here(cast("ObjectReader", opened.object_store)),
            **dict(_by_git(lab, scratch, merges)),
            **dict(_by_pygit2(scratch)),
        }
        return list(_in_turn(lab, repository.shape.files, merges, ways))


def _in_turn(
    lab: Lab, at: float, merges: Sequence[Merge], ways: Mapping[str, Callable[[Merge], str]]
) -> Iterator[Row]:
    taken: dict[str, list[Run]] = {name: [] for name in ways}
    for _ in range(lab.turns):
        for merge in merges:
            for name, way in ways.items():
                began, used = time.perf_counter(), _cpu()
                result = way(merge)
                taken[name].append(Run(time.perf_counter() - began, _cpu() - used))
                if result not in {merge.result, ""}:
                    raise SystemExit(f"{name} makes the tree {result}, not {merge.result}")
    return (Row("pick", at, name, runs) for name, runs in taken.items())


def _cpu() -> float:
    """Return the CPU time of this process and of those that it waited for."""
    used = (getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def _merges(reader: Overlay, repository: Synthetic) -> Iterator[Merge]:
    onto = read_commit(reader, Sha(repository.production)).tree
    for pick in repository.picks:
        commit = read_commit(reader, Sha(pick.sha))
        base = read_commit(reader, commit.parents[0]).tree
        outcome = merge_trees(reader, base=base, ours=onto, theirs=commit.tree)
        if not isinstance(outcome, Merged):
            raise SystemExit(f"{pick.sha} does not merge")
        reader.add(outcome.objects)
        yield Merge(base, onto, commit.tree, outcome.tree)
        onto = outcome.tree


def _here(reader: ObjectReader) -> Callable[[Merge], str]:
    overlay = Overlay(reader)

    def merge(trees: Merge) -> str:
        outcome = merge_trees(overlay, base=trees.base, ours=trees.ours, theirs=trees.theirs)
        if not isinstance(outcome, Merged):
            raise SystemExit("a merge was expected")
        overlay.add(outcome.objects)
        return outcome.tree

    return merge


def _fetched(repository: Synthetic, merges: Sequence[Merge]) -> ObjectReader:
    """Fetch what the merges read, as a plan does."""
    with serving(repository) as server:
        url = f"{server.url}/{repository.shape.path}.git"
        remote = HttpRepository(url, "none", gitlab=server.url, timeout=60, sleep=time.sleep)
        wanted = [repository.production, *(pick.sha for pick in repository.picks)]
        reader = remote.fetch([Sha(sha) for sha in wanted])
        changes = tuple(Change(each.base, each.theirs) for each in merges)
        bring_for(reader, [Line(merges[0].ours, changes)])
    return reader


def _by_git(
    lab: Lab, scratch: Path, merges: Sequence[Merge]
) -> Iterator[tuple[str, Callable[[Merge], str]]]:
    def git(*arguments: str, when: int = 0) -> str:
        dates = {f"GIT_{who}_DATE": f"@{when} +0000" for who in ("AUTHOR", "COMMITTER")}
        done = subprocess.run(
            ["git", "-C", str(scratch), *arguments],
            env={**lab.environment, **dates},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commits(trees: Merge) -> tuple[str, str]:
        base = git("commit-tree", trees.base, "-m", "helper", when=1)
        helper = ("-p", base, "-m", "helper")
        ours = git("commit-tree", trees.ours, *helper, when=LATER)
        return ours, git("commit-tree", trees.theirs, *helper, when=LATER + 1)

    ready: dict[Merge, tuple[str, str]] = {}

    def merge_tree(trees: Merge) -> str:
        return git("merge-tree", "--write-tree", *ready[trees])

    def with_commits(trees: Merge) -> str:
        return git("merge-tree", "--write-tree", *commits(trees))

    def process(trees: Merge) -> str:
        del trees
        git("--version")
        return ""

    # What a merge stands on has to be written before helpers can name it.
    for each in merges:
        ready[each] = commits(each)
        merge_tree(each)
    yield from ((PROCESS, process), (MERGE_TREE, merge_tree), (WITH_COMMITS, with_commits))


def _by_pygit2(scratch: Path) -> Iterator[tuple[str, Callable[[Merge], str]]]:
    try:
        import pygit2  # noqa: PLC0415 - of the extra `bench`, and may be absent
    except ImportError:
        return
    opened = pygit2.Repository(str(scratch))

    def merge(trees: Merge) -> str:
        index = opened.merge_trees(trees.base, trees.ours, trees.theirs)
        return str(index.write_tree(opened))

    yield PYGIT2, merge
