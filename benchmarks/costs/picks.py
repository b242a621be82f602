"""The merge of one pick: here, by one ``git merge-tree`` process, and by pygit2 if it is installed.

All merge the same trees, one after the other on what the one before made, and have to come to the
same trees. What git and pygit2 write goes to a scratch repository.
"""

from __future__ import annotations

import subprocess
import time
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import TYPE_CHECKING, NamedTuple, cast

from costs.host import serving
from costs.lab import Row, Run
from dulwich.repo import Repo

from hotfix.forge.transport import HttpRepository
from hotfix.git.commits import read_commit
from hotfix.git.merge import Merged, merge_trees
from hotfix.git.needed import Change, Line, bring_for
from hotfix.git.objects import Overlay
from hotfix.identifiers import Sha

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from costs.lab import Lab
    from costs.repository import Synthetic

    from hotfix.git.objects import ObjectReader

HERE, PYGIT2 = "here, with what a plan has fetched", "pygit2, repository open"
MERGE_TREE, WITH_COMMITS = "`git merge-tree`", "`git commit-tree` x 3, `git merge-tree`"
_LATER = 4_000_000_000  # helper commits lie in the future, so that no search walks the history


class Merge(NamedTuple):
    """The three trees of a pick, and what comes of them."""

    base: Sha
    ours: Sha
    theirs: Sha
    result: Sha


def merged(lab: Lab, repository: Synthetic) -> list[Row]:
    """Measure the picks of a repository in each way, in turn."""
    scratch = lab.scratch / "merging" / repository.shape.folder
    shared = ("clone", "--quiet", "--bare", "--shared", str(repository.path), str(scratch))
    lab.git(lab.scratch, *shared)
    merges = list(_merges(scratch, repository))
    ways: dict[str, Callable[[Merge], str]] = {
        HERE: _here(_fetched(lab, repository, merges)),
        **_by_git(lab, scratch, merges),
        **_by_pygit2(scratch),
    }
    taken: dict[str, list[Run]] = {name: [] for name in ways}
    for _ in range(lab.turns):
        for merge in merges:
            for name, way in ways.items():
                began, used = time.perf_counter(), _cpu()
                result = way(merge)
                taken[name].append(Run(time.perf_counter() - began, _cpu() - used))
                if result != merge.result:
                    raise SystemExit(f"{name} makes the tree {result}, not {merge.result}")
    return [Row("pick", repository.shape.files, name, runs) for name, runs in taken.items()]


def _cpu() -> float:
    """Return the CPU time of this process and of those that it waited for."""
    used = (getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def _merges(scratch: Path, repository: Synthetic) -> Iterator[Merge]:
    with Repo(str(scratch)) as opened:
        reader = Overlay(cast("ObjectReader", opened.object_store))
        onto = read_commit(reader, Sha(repository.production)).tree
        merge = _here(reader)
        for pick in repository.picks:
            commit = read_commit(reader, Sha(pick.sha))
            base = read_commit(reader, commit.parents[0]).tree
            result = merge(Merge(base, onto, commit.tree, onto))
            yield Merge(base, onto, commit.tree, Sha(result))
            onto = Sha(result)


def _here(reader: ObjectReader) -> Callable[[Merge], str]:
    overlay = Overlay(reader)

    def merge(trees: Merge) -> str:
        outcome = merge_trees(overlay, base=trees.base, ours=trees.ours, theirs=trees.theirs)
        if not isinstance(outcome, Merged):
            raise SystemExit("a merge was expected")
        overlay.add(outcome.objects)
        return outcome.tree

    return merge


def _fetched(lab: Lab, repository: Synthetic, merges: list[Merge]) -> ObjectReader:
    """Fetch what the merges read, as a plan does."""
    with serving(lab, repository) as host:
        url = f"{host.url}/{repository.shape.path}.git"
        remote = HttpRepository(url, "none", gitlab=host.url, timeout=60, sleep=time.sleep)
        wanted = [repository.production, *(pick.sha for pick in repository.picks)]
        reader = remote.fetch([Sha(sha) for sha in wanted])
        changes = tuple(Change(each.base, each.theirs) for each in merges)
        bring_for(reader, [Line(merges[0].ours, changes)])
    return reader


def _by_git(lab: Lab, scratch: Path, merges: list[Merge]) -> dict[str, Callable[[Merge], str]]:
    def helper(tree: str, when: int, *parents: str) -> str:
        dated = (f"GIT_{who}_DATE=@{when} +0000" for who in ("AUTHOR", "COMMITTER"))
        command = ["env", *dated, "git", "commit-tree", tree, "-m", "helper", *parents]
        return _printed(lab, scratch, *command)

    def helpers(trees: Merge) -> tuple[str, str]:
        base = helper(trees.base, 1)
        ours = helper(trees.ours, _LATER, "-p", base)
        return ours, helper(trees.theirs, _LATER + 1, "-p", base)

    def merge(ours: str, theirs: str) -> str:
        return _printed(lab, scratch, "git", "merge-tree", "--write-tree", ours, theirs)

    ready: dict[Merge, tuple[str, str]] = {}
    for each in merges:  # what a merge stands on has to be written before a helper can name it
        ready[each] = helpers(each)
        merge(*ready[each])
    return {
        MERGE_TREE: lambda trees: merge(*ready[trees]),
        WITH_COMMITS: lambda trees: merge(*helpers(trees)),
    }


def _printed(lab: Lab, folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env=lab.environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def _by_pygit2(scratch: Path) -> dict[str, Callable[[Merge], str]]:
    try:
        import pygit2  # noqa: PLC0415 - of the dependency group `bench`, and may be absent
    except ImportError:
        print("pygit2 is not installed, its rows are left out: pip install --group bench")
        return {}
    opened = pygit2.Repository(str(scratch))

    def merge(trees: Merge) -> str:
        index = opened.merge_trees(trees.base, trees.ours, trees.theirs)
        return str(index.write_tree(opened))

    return {PYGIT2: merge}
