"""What the main line has below a commit and production does not have.

History alone does not tell that. A restore leaves in a branch's history what it took out of its
files, and a pick brings a change without its commit. So a commit of production's branch with the
tree of an older one there counts as that older one, and what production's branch has on its own
is told beside the line, for whoever asks whether a change came that way.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from hotfix.git.commits import read_commit
from hotfix.git.history import commits_between, first_parents, is_ancestor
from hotfix.git.lazy import lazy_below

if TYPE_CHECKING:
    from dulwich.objects import ShaFile

    from hotfix.git.commits import CommitInfo
    from hotfix.git.objects import ObjectReader
    from hotfix.identifiers import Sha

_SEARCHED: Final = 2000
"""How far down a branch is looked at."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The main line below a commit, and what stands in for some of it."""

    line: tuple[CommitInfo, ...]
    """First parents, a merge as one, oldest first, down to where production left the line."""
    own: tuple[CommitInfo, ...] = ()
    """What production's branch has by itself, above its restores: earlier hotfixes and such."""


def missing_commits(reader: ObjectReader, *, commit: Sha, onto: Sha, production: Sha) -> Missing:
    """Compare the main line below a commit with the branch that it would be picked onto.

    ``onto`` has production's files and what was picked on them; its history may have more.
    """
    known = reader if lazy_below(reader) is not None else _Remembered(reader)
    parents = read_commit(known, commit).parents
    if not parents:
        return Missing(())
    above = _above(known, onto, production)
    line = _line(known, parents[0], production)
    if line and production in line[-1].parents[:1]:
        return Missing(tuple(reversed(line)), tuple(above))
    standing, own = _standing(known, production, parents[0])
    if standing != production:
        line = _line(known, parents[0], standing)
    return Missing(tuple(reversed(line)), (*above, *own))


def _above(reader: ObjectReader, onto: Sha, production: Sha) -> list[CommitInfo]:
    """Return what was picked on production's files."""
    tree = read_commit(reader, production).tree
    above: list[CommitInfo] = []
    for each in islice(first_parents(reader, onto), _SEARCHED):
        if each.tree == tree:
            return above
        above.append(each)
    return []


def _standing(reader: ObjectReader, production: Sha, main: Sha) -> tuple[Sha, list[CommitInfo]]:
    """Return a commit whose whole history production has, and what its branch has above that."""
    own = _line(reader, production, main)
    if not own:
        return production, []
    below = list(islice(first_parents(reader, production), _SEARCHED))
    oldest = {commit.tree: place for place, commit in enumerate(below)}
    above: list[CommitInfo] = []
    standing, place = production, 0
    while place < len(own):
        back = oldest[own[place].tree]
        if back > place:
            place, standing = back, below[back].sha
        else:
            above.append(own[place])
            place += 1
    return standing, above


def _line(reader: ObjectReader, head: Sha, other: Sha) -> list[CommitInfo]:
    """Return a branch's first parents, newest first, down to what another commit contains.

    A server's own Git tells with one request what that is. Else the end is found by bisection,
    since what contains a commit contains all below it; the history of ``other`` may be long.
    """
    line: list[CommitInfo] = []
    if lazy_below(reader) is not None:
        lacking = frozenset(commits_between(reader, exclude=other, include=head))
        while head in lacking and len(line) < _SEARCHED:
            line.append(read_commit(reader, head))
            head = next(iter(line[-1].parents), other)
        return line
    branch = islice(first_parents(reader, head), _SEARCHED)
    size = 8
    while some := list(islice(branch, size)):
        if is_ancestor(reader, some[-1].sha, other):
            end = bisect_left(some, x=1, key=lambda each: is_ancestor(reader, each.sha, other))
            return line + some[:end]
        line += some
        size *= 2
    return line


class _Remembered:
    """A reader that remembers: the same commits are walked again and again."""

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader
        self._known: dict[bytes, ShaFile] = {}

    def __getitem__(self, oid: bytes, /) -> ShaFile:
        if oid not in self._known:
            self._known[oid] = self._reader[oid]
        return self._known[oid]

    def __contains__(self, oid: bytes, /) -> bool:
        return oid in self._known or oid in self._reader
