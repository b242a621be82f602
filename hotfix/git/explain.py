"""Why a pick conflicts: which commits, missing in production, the fix stands on.

A fix that does not apply was written on top of something that is not there. Told are the commits
that brought the conflicting lines, and the smallest set of commits that makes the pick clean when
they are picked first; it is found by trying, not by guessing. Looked at is the main line as merge
requests made it, first parents only, from the fix down to what production has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Final

from hotfix.git.attributes import NO_ATTRIBUTES
from hotfix.git.commits import Conflicted, Identity, NewCommit, read_commit
from hotfix.git.history import commits_between, first_parents
from hotfix.git.lazy import bring, lazy_below
from hotfix.git.needed import Line, bring_for, bring_paths, change_of
from hotfix.git.objects import Overlay, read_blob
from hotfix.git.pick import pick
from hotfix.git.rules import Effort, TooMuchWorkError
from hotfix.git.text.changes import shown_changes
from hotfix.git.text.lines import Interner, is_binary
from hotfix.git.trees import DIRECTORY, SUBMODULE, Entry, read_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterable, Sequence

    from hotfix.git.attributes import Attributes
    from hotfix.git.commits import CommitInfo
    from hotfix.git.conflicts import Conflict
    from hotfix.git.objects import ObjectReader
    from hotfix.git.text.changes import Change
    from hotfix.identifiers import Sha

_PICKS: Final = 1500
"""How many picks may be tried, a few seconds' work."""
_EXHAUSTIVE: Final = 9
"""Up to so many groups every smaller set is tried as well."""
_NOBODY: Final = Identity("nobody", "nobody@example.invalid")


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a conflicting pick stands on; each oldest first."""

    stands_on: tuple[Sha, ...]
    """The missing commits that brought the conflicting lines or paths."""
    needed: tuple[Sha, ...]
    """The smallest set found that makes the pick clean; empty where none was found."""


def missing_commits(
    reader: ObjectReader, *, commit: Sha, production: Sha
) -> tuple[CommitInfo, ...]:
    """List what the main line had below a commit and production does not have, oldest first."""
    parents = read_commit(reader, commit).parents
    if not parents:
        return ()
    missing = frozenset(commits_between(reader, exclude=production, include=parents[0]))
    line: list[CommitInfo] = []
    for each in first_parents(reader, parents[0]):
        if each.sha not in missing:
            break
        line.append(each)
    return tuple(reversed(line))


def explain(
    reader: ObjectReader,
    *,
    onto: Sha,
    commit: Sha,
    conflicted: Conflicted,
    missing: Sequence[CommitInfo],
    group: Callable[[Sha], Hashable],
    attributes: Attributes = NO_ATTRIBUTES,
) -> Explanation:
    """Tell what a pick that conflicts stands on, and what would make it clean.

    ``missing`` comes from :func:`missing_commits`; commits of one ``group`` (of one merge request)
    are only taken together. Where trying takes too long no set is named: better none than a wrong
    one, since a named set has been seen to plan clean.
    """
    search = _Search(reader, onto, commit, list(missing), group, attributes)
    blamed = search.blamed(conflicted, len(search.missing))
    suspects = blamed or search.touching(_paths(conflicted), len(search.missing))
    try:
        found = search.grow(suspects)
        needed = search.shrink(found) if found is not None else frozenset()
    except _BudgetSpentError:
        needed = frozenset()
    return Explanation(search.in_order(suspects), search.in_order(needed))


class _BudgetSpentError(Exception):
    pass


@dataclass(slots=True)
class _Search:
    """Tries sets of missing commits, given by their places on the line."""

    reader: ObjectReader
    onto: Sha
    commit: Sha
    missing: list[CommitInfo]
    group: Callable[[Sha], Hashable]
    attributes: Attributes
    left: int = _PICKS
    entries: dict[tuple[Sha, str], Entry | None] = field(default_factory=dict)
    brought: set[int] = field(default_factory=set)

    def in_order(self, places: Iterable[int]) -> tuple[Sha, ...]:
        return tuple(self.missing[place].sha for place in sorted(places))

    def touching(self, paths: Iterable[str], below: int) -> frozenset[int]:
        """Find the commits below a place that change one of the paths, whole groups."""
        wanted = tuple(paths)
        self._bring(wanted, below)
        found = {
            place
            for place, commit in enumerate(self.missing[:below])
            if any(self._changes(commit, path) for path in wanted)
        }
        return self._closed(found)

    def blamed(self, conflicted: Conflicted, below: int) -> frozenset[int]:
        """Find the commits below a place that brought the lines in which the pick conflicts."""
        found: set[int] = set()
        self._bring([each.base.path for each in conflicted.conflicts if each.base], below)
        for conflict in conflicted.conflicts:
            found |= self._blamed(conflict, below)
        return self._closed(found)

    def grow(self, places: frozenset[int]) -> frozenset[int] | None:
        """Add what the set itself stands on until everything in it picks clean, in order."""
        while True:
            stuck = self._try(places)
            if stuck is None:
                return places
            below, conflicted = stuck
            more = self.blamed(conflicted, below) - places
            more = more or self.touching(_paths(conflicted), below) - places
            if not more:
                return None
            places |= more

    def shrink(self, places: frozenset[int]) -> frozenset[int]:
        """Leave out every group that is not needed, then look for a smaller set altogether."""
        for members in reversed(self._groups(places)):
            if self._try(places - members) is None:
                places -= members
        groups = self._groups(places)
        if len(groups) <= _EXHAUSTIVE:
            for size in range(1, len(groups) - 1):
                for chosen in combinations(groups, size):
                    smaller = frozenset[int]().union(*chosen)
                    if self._try(smaller) is None:
                        return smaller
        return places

    def _try(self, places: frozenset[int]) -> tuple[int, Conflicted] | None:
        """Pick the set and then the fix; where one conflicts, tell its place and why."""
        overlay, head = Overlay(self.reader), self.onto
        self._bring_picks(places)
        for place in [*sorted(places), len(self.missing)]:
            self.left -= 1
            if self.left < 0:
                raise _BudgetSpentError
            own = place == len(self.missing)
            sha = self.commit if own else self.missing[place].sha
            when = read_commit(self.reader, sha).committer_time
            made = pick(
                overlay,
                onto=head,
                commit=sha,
                trailers=(),
                committer=_NOBODY,
                when=when,
                attributes=self.attributes,
            )
            if isinstance(made, Conflicted):
                return place, made
            if isinstance(made, NewCommit):
                overlay.add(made.objects)
                head = made.sha
        return None

    def _bring(self, paths: Collection[str], below: int) -> None:
        """Have at hand what stood at some paths before and after each commit below a place."""
        if lazy_below(self.reader) is None:
            return
        commits = self.missing[:below]
        before = {sha for commit in commits for sha in commit.parents[:1]}
        bring(self.reader, before)
        trees = {commit.tree for commit in commits}
        trees |= {read_commit(self.reader, sha).tree for sha in before}
        bring_paths(self.reader, trees, paths)

    def _bring_picks(self, places: frozenset[int]) -> None:
        """Have at hand what picking these and the fix reads, unless it was brought before."""
        if places - self.brought or not self.brought:
            self.brought |= places
            shas = [*(self.missing[place].sha for place in sorted(places)), self.commit]
            changes = tuple(change_of(self.reader, sha) for sha in shas)
            bring_for(self.reader, [Line(read_commit(self.reader, self.onto).tree, changes)])

    def _groups(self, places: frozenset[int]) -> list[frozenset[int]]:
        named: dict[Hashable, set[int]] = {}
        for place in sorted(places):
            named.setdefault(self.group(self.missing[place].sha), set()).add(place)
        return [frozenset(members) for members in named.values()]

    def _closed(self, places: set[int]) -> frozenset[int]:
        names = {self.group(self.missing[place].sha) for place in places}
        return frozenset(
            place for place, commit in enumerate(self.missing) if self.group(commit.sha) in names
        )

    def _blamed(self, conflict: Conflict, below: int) -> set[int]:
        """Follow the base's conflicting lines down the line to the commits that brought them."""
        if conflict.base is None or not conflict.hunks:
            return set()
        path = conflict.base.path
        wanted = {
            number - 1
            for hunk in conflict.hunks
            for number in range(hunk.base.start, hunk.base.start + len(hunk.base.lines))
        }
        found: set[int] = set()
        for place in range(below - 1, -1, -1):
            commit = self.missing[place]
            if not wanted or not self._changes(commit, path):
                continue
            kept = self._carried(commit, path, wanted)
            if len(kept) < len(wanted):
                found.add(place)
            wanted = kept
        return found

    def _carried(self, commit: CommitInfo, path: str, wanted: set[int]) -> set[int]:
        """Return where the lines stood in the commit's first parent, less those it brought."""
        old, new = self._text(commit.parents[0], path), self._text(commit.sha, path)
        lines = Interner()
        try:
            script = shown_changes(lines.split(old), lines.split(new), Effort())
        except TooMuchWorkError:
            return set()
        before = (_line_before(number, script) for number in wanted)
        return {number for number in before if number is not None}

    def _text(self, sha: Sha, path: str) -> bytes:
        entry = self._entry(read_commit(self.reader, sha).tree, path)
        if entry is None or entry.mode in {DIRECTORY, SUBMODULE}:
            return b""
        data = read_blob(self.reader, entry.oid)
        return b"" if is_binary(data) else data

    def _changes(self, commit: CommitInfo, path: str) -> bool:
        if not commit.parents:
            return True
        before = read_commit(self.reader, commit.parents[0]).tree
        return self._entry(before, path) != self._entry(commit.tree, path)

    def _entry(self, tree: Sha, path: str) -> Entry | None:
        """Look a path up in a tree; remembered, since neighbours on the line share most trees."""
        key = (tree, path)
        if key not in self.entries:
            name, _, rest = path.partition("/")
            entry = read_tree(self.reader, tree).get(name.encode("utf-8", "surrogateescape"))
            if entry is not None and rest:
                entry = self._entry(entry.oid, rest) if entry.mode == DIRECTORY else None
            self.entries[key] = entry
        return self.entries[key]


def _line_before(number: int, script: Sequence[Change]) -> int | None:
    """Return where a line of the new text stood in the old one, ``None`` where it is new."""
    shift = 0
    for change in script:
        if number < change.new_start:
            break
        if number < change.new_start + change.new_count:
            return None
        shift += change.old_count - change.new_count
    return number + shift


def _paths(conflicted: Conflicted) -> tuple[str, ...]:
    paths: dict[str, None] = {}
    for conflict in conflicted.conflicts:
        for side in (conflict.base, conflict.ours, conflict.theirs):
            if side is not None:
                paths[side.path] = None
        paths.update(dict.fromkeys(conflict.paths))
    return tuple(paths)
