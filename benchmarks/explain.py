#!/usr/bin/env python3
"""Measure how well a conflicting pick is explained, on conflicts of real repositories.

    python benchmarks/explain.py [--picks N] [--seed N] [--merges N] REPOSITORY...

Each REPOSITORY is a Git directory with full history; nothing is written to it. Commits of the
main line are picked onto a point of it that is 5 to 500 commits older, which stands for
production, as in `replay.py`. Of the picks that conflict it is asked: which commits of the main
line, picked first and in order, make the pick clean?

The truth is searched for here, apart from what is measured. Which files a commit touches, and
under which names, is C git's word. Sets grow one commit at a time: where a set conflicts, it
needs one more of the older commits that touch the files of that conflict, under any of their
names. All sets of at most five commits that come about in this way are tried, the small ones
first. "A set exists" means that one was found, by this search, by taking every such commit and
leaving out what is not needed, or by what is measured. "None" means that all were tried, and
"unknown" that the search ended at its limit of merges. Whatever is named is picked again by C
git, one `git merge-tree` process for each pick; a named set that conflicts there is WRONG.

Then an earlier hotfix is put into production: a pick of one of the commits that touch those
files. Its original is the same change as something in production and must not be named (NAMED).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from dulwich.repo import Repo
from replay import Git, Pick, Trees, mainline_picks, times, trees_of

from hotfix.errors import HotfixError
from hotfix.git.commits import Identity, NewCommit, read_commit, read_raw_commit
from hotfix.git.explain import explain
from hotfix.git.merge import Conflicted, merge_trees
from hotfix.git.missing import missing_commits
from hotfix.git.objects import Overlay
from hotfix.git.patch import same_patch
from hotfix.git.pick import pick
from hotfix.identifiers import Sha

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hotfix.git.explain import Explanation
    from hotfix.git.objects import ObjectReader

LARGEST: Final = 5
HOTFIXES: Final = 12  # earlier hotfixes that are tried, until one leaves the conflict standing
MOST_CLOSED: Final = 60  # commits beyond which leaving out one after the other takes too long
NOBODY: Final = Identity("nobody", "nobody@example.com")


@dataclass
class Tally:
    """What came out of one repository's conflicts."""

    counts: Counter[str] = field(default_factory=Counter)
    sizes: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add another repository's."""
        self.counts += other.counts
        self.sizes += other.sizes
        self.seconds += other.seconds


@dataclass
class Line:
    """What the main line has between production and a fix, and what C git says of each commit."""

    shas: list[Sha]
    touched: list[set[str]]
    names: dict[str, set[str]]

    def relatives(self, paths: Iterable[str]) -> set[str]:
        """Return the paths under all the names that they had."""
        found, waiting = set[str](), list(paths)
        while waiting:
            path = waiting.pop()
            if path not in found:
                found.add(path)
                waiting += self.names.get(path, ())
        return found


def line_of(git: Git, chosen: Pick) -> Line:
    """Read the line from C git's log, oldest first."""
    text = "\n".join(
        git.lines(
            *("log", "--first-parent", "-m", "-M", "-l0", "--name-status", "--format=%x01%H"),
            *("--reverse", f"{chosen.onto}..{chosen.commit}^"),
        )
    )
    line = Line([], [], {})
    for record in text.split("\1")[1:]:
        sha, _, files = record.partition("\n")
        paths = set[str]()
        for entry in filter(None, files.split("\n")):
            _, *named = entry.split("\t")
            paths.update(named)
            for one in named:
                line.names.setdefault(one, set()).update(named)
        line.shas.append(Sha(sha))
        line.touched.append(paths)
    return line


class OutOfMergesError(Exception):
    """The search for the truth has come to its limit."""


class Truth:
    """Looks for a smallest set that makes a pick clean."""

    def __init__(self, reader: ObjectReader, chosen: Pick, line: Line, merges: int) -> None:
        self._reader = Overlay(reader)
        self._pick = chosen
        self._line = line
        self._left = self._merges = merges
        self._known: dict[tuple[Sha, int], Sha | Conflicted] = {}

    def smallest(self) -> tuple[str, frozenset[int]]:
        """Return `some` and a set, `none`, or `unknown`."""
        try:
            found = self._by_size()
        except OutOfMergesError:
            return self._smaller()
        return ("some", found) if found else ("none", frozenset())

    def _smaller(self) -> tuple[str, frozenset[int]]:
        self._left = self._merges
        try:
            found = self._by_leaving_out()
        except OutOfMergesError:
            found = None
        return ("some", found) if found and len(found) <= LARGEST else ("unknown", frozenset())

    def related(self) -> list[int]:
        """Return the commits that touch what the pick conflicts in."""
        stuck = self._try(frozenset())
        return sorted(self._all_related(*stuck)) if stuck else []

    def _by_size(self) -> frozenset[int] | None:
        seen = {frozenset[int]()}
        waiting = deque(seen)
        while waiting:
            places = waiting.popleft()
            stuck = self._try(places)
            if stuck is None:
                return places
            if len(places) == LARGEST:
                continue
            for place in self._one_of(*stuck) - places:
                more = places | {place}
                if more not in seen:
                    seen.add(more)
                    waiting.append(more)
        return None

    def _by_leaving_out(self) -> frozenset[int] | None:
        places = frozenset[int]()
        while stuck := self._try(places):
            more = self._all_related(*stuck) - places
            if not more or len(places | more) > MOST_CLOSED:
                return None
            places |= more
        for place in sorted(places, reverse=True):
            if self._try(places - {place}) is None:
                places -= {place}
        return places

    def _try(self, places: frozenset[int]) -> tuple[int, Conflicted] | None:
        tree = read_raw_commit(self._reader, self._pick.onto).tree
        last = len(self._line.shas)
        for place in [*sorted(places), last]:
            made = self._merge(tree, place)
            if isinstance(made, Conflicted):
                return place, made
            tree = made
        return None

    def _merge(self, tree: Sha, place: int) -> Sha | Conflicted:
        key = (tree, place)
        if key not in self._known:
            self._left -= 1
            if self._left < 0:
                raise OutOfMergesError
            shas = [*self._line.shas, self._pick.commit]
            commit = read_raw_commit(self._reader, shas[place])
            base = read_raw_commit(self._reader, commit.parents[0]).tree
            made = merge_trees(self._reader, base=base, ours=tree, theirs=commit.tree)
            if isinstance(made, Conflicted):
                self._known[key] = made
            else:
                self._reader.add(made.objects)
                self._known[key] = made.tree
        return self._known[key]

    def _one_of(self, place: int, conflicted: Conflicted) -> set[int]:
        """Return commits of which a larger set needs one: those for the fewest-related conflict."""
        return min(
            (self._touching(place, each.paths, each.kind) for each in conflicted.conflicts), key=len
        )

    def _all_related(self, place: int, conflicted: Conflicted) -> set[int]:
        return set[int]().union(
            *(self._touching(place, each.paths, each.kind) for each in conflicted.conflicts)
        )

    def _touching(self, place: int, paths: Iterable[str], kind: str) -> set[int]:
        wanted = self._line.relatives(paths)
        folders = (
            {path.rpartition("/")[0] + "/" for path in wanted}
            if kind in {"directory-rename", "file/directory", "unsupported"}
            else set()
        )
        return {
            older
            for older, touched in enumerate(self._line.touched[:place])
            if wanted & touched
            or (folders and any(path.startswith(tuple(folders)) for path in touched))
        }


def main() -> int:
    """Measure each repository, print the table, and fail where something wrong was named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("repositories", nargs="*", type=Path, metavar="REPOSITORY")
    parser.add_argument("--picks", type=int, default=200, help="picks per repository (200)")
    parser.add_argument("--seed", type=int, default=1, help="which picks are taken (1)")
    parser.add_argument("--merges", type=int, default=400, help="merges that seek the truth (400)")
    options = parser.parse_args()
    if not options.repositories:
        print("Nothing to explain: name Git directories with full history, such as clones.")
        return 0
    print(
        "| repository | conflicts | none | unknown | a set exists | named | share | as small | "
        "not named | WRONG | p50 / p99 ms | in production | NAMED |"
    )
    print("| --- " * 13 + "|")
    total = Tally()
    for path in options.repositories:
        tally = measure(path, options.picks, options.seed, options.merges)
        print(row(path.parent.name if path.name == "repo" else path.name, tally), flush=True)
        total.add(tally)
    print(row("all", total))
    return 1 if total.counts["WRONG"] or total.counts["NAMED"] else 0


def measure(path: Path, count: int, seed: int, merges: int) -> Tally:
    """Explain the conflicts of one repository, and hold each answer against the truth."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as scratch, Repo(str(path)) as repository:
        git = Git(path, Path(scratch))
        reader = cast("ObjectReader", repository.object_store)
        chance = random.Random(seed)  # noqa: S311 - a choice of examples
        for chosen in islice(mainline_picks(git, chance), count):
            try:
                if is_conflict(reader, chosen):
                    weigh(git, reader, chosen, merges, tally)
            except HotfixError:
                continue  # a snapshot may lack objects
    return tally


def is_conflict(reader: ObjectReader, chosen: Pick) -> bool:
    """Tell whether the pick alone conflicts."""
    trees = trees_of(reader, chosen)
    made = merge_trees(reader, base=trees.base, ours=trees.ours, theirs=trees.theirs)
    return isinstance(made, Conflicted)


def weigh(git: Git, reader: ObjectReader, chosen: Pick, merges: int, tally: Tally) -> None:
    """Explain one conflict, and count what the explanation is worth."""
    line = line_of(git, chosen)
    truth = Truth(reader, chosen, line, merges)
    known, smallest = truth.smallest()
    started = time.process_time()
    found = ask(reader, chosen)
    tally.seconds.append(time.process_time() - started)
    tally.counts["conflicts"] += 1
    verdict = "not named"
    if found.needed:
        verdict = "named" if is_clean(git, reader, chosen, found.needed) else "WRONG"
        if verdict == "named" and len(found.needed) <= LARGEST and known != "some":
            known, smallest = "some", frozenset(range(len(found.needed)))
    tally.counts[known] += 1
    if verdict == "WRONG" or known == "some":
        tally.counts[verdict] += 1
    if verdict == "named" and known == "some":
        tally.sizes[len(found.needed) - len(smallest)] += 1
    note = (known, len(smallest), verdict, len(found.needed), round(tally.seconds[-1], 2))
    print(*note, chosen.commit, chosen.onto, file=sys.stderr, flush=True)
    named = [line.shas.index(sha) for sha in (*found.needed, *found.stands_on) if sha in line.shas]
    related = dict.fromkeys([*named, *truth.related()])
    for name in hotfixed(reader, chosen, line, related):
        tally.counts[name] += 1
        if name == "NAMED":
            print("NAMED", chosen.commit, chosen.onto, file=sys.stderr, flush=True)


def ask(reader: ObjectReader, chosen: Pick) -> Explanation:
    """Have a conflict explained; each commit of the main line is a merge request of its own."""
    conflicted = _picked(reader, chosen)
    if not isinstance(conflicted, Conflicted):
        raise TypeError(conflicted)
    return explain(
        reader,
        onto=chosen.onto,
        commit=chosen.commit,
        conflicted=conflicted,
        missing=missing_commits(
            reader, commit=chosen.commit, onto=chosen.onto, production=chosen.onto
        ),
        group=lambda sha: sha,
    )


def is_clean(git: Git, reader: ObjectReader, chosen: Pick, needed: Sequence[Sha]) -> bool:
    """Let C git pick the set and then the fix, each onto the tree that the one before made."""
    tree = read_raw_commit(reader, chosen.onto).tree
    for sha in (*needed, chosen.commit):
        trees = trees_of(reader, Pick(sha, chosen.onto))
        made = git.merge(*git.helpers(Trees(trees.base, tree, trees.theirs)))
        if made is None:
            return False
        tree = Sha(made)
    return True


def hotfixed(
    reader: ObjectReader, chosen: Pick, line: Line, related: Iterable[int]
) -> Iterator[str]:
    """Put a related commit into production first, and tell whether it is still named."""
    for place in islice(related, HOTFIXES):
        earlier = line.shas[place]
        made = _picked(reader, Pick(earlier, chosen.onto))
        if not isinstance(made, NewCommit):
            continue
        view = Overlay(reader)
        view.add(made.objects)
        later = Pick(chosen.commit, made.sha)
        if not same_patch(view, earlier, made.sha) or not is_conflict(view, later):
            continue
        found = ask(view, later)
        yield "in production"
        if earlier in (*found.stands_on, *found.needed):
            yield "NAMED"
        return


def _picked(reader: ObjectReader, chosen: Pick) -> object:
    when = read_commit(reader, chosen.commit).committer_time
    return pick(
        reader,
        onto=chosen.onto,
        commit=chosen.commit,
        trailers=(),
        committer=NOBODY,
        when=when,
    )


def row(name: str, tally: Tally) -> str:
    """Return a line of the table."""
    counts, exists = tally.counts, tally.counts["some"]
    share = f"{100 * counts['named'] / exists:.0f} %" if exists else "-"
    cells = [name, counts["conflicts"], counts["none"], counts["unknown"], exists]
    cells += [counts["named"], share, sum(n for more, n in tally.sizes.items() if more <= 0)]
    cells += [counts["not named"], counts["WRONG"], times(tally.seconds)]
    cells += [counts["in production"], counts["NAMED"]]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
