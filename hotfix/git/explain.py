"""Why a pick conflicts: which commits, missing in production, the fix stands on.

A fix that does not apply was written on top of something that is not there. Told are the commits
that brought the conflicting lines, and the smallest set of commits that makes the pick clean when
they are picked first; it is found by trying, not by guessing. Looked at is the main line as merge
requests made it, first parents only, from the fix down to what production has.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hotfix.git.attributes import NO_ATTRIBUTES
from hotfix.git.commits import read_commit
from hotfix.git.conflicts import Conflicted
from hotfix.git.diff import deltas
from hotfix.git.lineage import Lineage, Origin
from hotfix.git.merge import merge_trees
from hotfix.git.needed import Line, bring_for, change_of
from hotfix.git.objects import EMPTY_TREE, Overlay
from hotfix.git.patch import same_patch
from hotfix.git.rules import Effort, TooMuchWorkError
from hotfix.git.trees import path_text

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from hotfix.git.attributes import Attributes
    from hotfix.git.conflicts import Conflict
    from hotfix.git.merge import Merged
    from hotfix.git.missing import Missing
    from hotfix.git.needed import Change
    from hotfix.git.objects import ObjectReader
    from hotfix.identifiers import Sha

_STEPS: Final = 3_000_000
"""What all the trying may cost, in the steps of a merge: a few seconds."""
_MERGE: Final = 5_000
"""What a merge costs beside the steps that it counts itself: reading trees and files."""
_SET: Final = 100
"""What a set costs whose merges are all known."""
_FOLDERS: Final = frozenset({"directory-rename", "file/directory"})


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a conflicting pick stands on; each oldest first."""

    stands_on: tuple[Sha, ...]
    """The missing commits that brought the conflicting lines or paths."""
    needed: tuple[Sha, ...]
    """The smallest set found that makes the pick clean; empty where none was found."""


def explain(
    reader: ObjectReader,
    *,
    onto: Sha,
    commit: Sha,
    conflicted: Conflicted,
    missing: Missing,
    group: Callable[[Sha], Hashable],
    attributes: Attributes = NO_ATTRIBUTES,
) -> Explanation:
    """Tell what a pick that conflicts stands on, and what would make it clean.

    Commits of one ``group`` (of one merge request) are only taken together. Those whose change
    came to production by another commit are not missing. Where trying takes too long no set is
    named: better none than a wrong one, since a named set has been seen to plan clean.
    """
    tree = read_commit(reader, onto).tree
    search = _Search(Overlay(reader), tree, commit, missing, group, attributes)
    stands_on = search.stands_on(conflicted)
    return Explanation(search.in_order(stands_on), search.in_order(search.smallest()))


def picks_clean(
    reader: ObjectReader, *, onto: Sha, commits: Iterable[Sha], attributes: Attributes
) -> bool:
    """Tell whether commits pick clean, one after the other; the proof of what is named."""
    view, tree = Overlay(reader), read_commit(reader, onto).tree
    changes = tuple(change_of(view, sha) for sha in commits)
    bring_for(view, [Line(tree, changes)])
    for change in changes:
        made = _merged(view, tree, change, attributes)
        if isinstance(made, Conflicted):
            return False
        view.add(made.objects)
        tree = made.tree
    return True


@dataclass(slots=True)
class _Stuck:
    """Where a set does not pick clean: at one of its own or, at the line's end, at the fix."""

    place: int
    conflicts: tuple[Conflict, ...]


@dataclass(slots=True)
class _Search:
    """Tries sets of missing commits, given by their places on the line."""

    reader: Overlay
    onto: Sha
    """The tree that is picked onto."""
    commit: Sha
    missing: Missing
    group: Callable[[Sha], Hashable]
    attributes: Attributes
    effort: Effort = field(default_factory=lambda: Effort(_STEPS))
    lineage: Lineage = field(init=False)
    merged: dict[tuple[Sha, int], Sha | _Stuck] = field(default_factory=dict)
    there: dict[int, bool] = field(default_factory=dict)
    origins: dict[tuple[Conflict, int], Origin] = field(default_factory=dict)
    brought: set[int] = field(default_factory=set)
    groups: dict[Hashable, frozenset[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lineage = Lineage(self.reader, self.missing.line, self.effort)
        for place, commit in enumerate(self.missing.line):
            name = self.group(commit.sha)
            self.groups[name] = self.groups.get(name, frozenset()) | {place}

    def in_order(self, places: Iterable[int]) -> tuple[Sha, ...]:
        return tuple(self.missing.line[place].sha for place in sorted(places))

    def stands_on(self, conflicted: Conflicted) -> frozenset[int]:
        """Return the commits that brought the lines, or the paths, that the fix conflicts in."""
        end = len(self.missing.line)
        try:
            origins = [self._origin(each, end) for each in conflicted.conflicts]
            brought = self._missing(_union(each.brought for each in origins))
            return brought or self._missing(_union(each.touched for each in origins))
        except TooMuchWorkError:
            return frozenset()

    def smallest(self) -> frozenset[int]:
        """Return the smallest set that makes the fix clean, as far as that can be told in time."""
        whole = self.effort.left
        found: frozenset[int] | None = None
        for way in (self._by_size, self._by_leaving_out):
            try:
                self.effort.left = whole // 2
                found = way()
            except TooMuchWorkError:
                continue
            if found:
                return found
        return frozenset()

    def _by_size(self) -> frozenset[int] | None:
        """Try sets by size; one that is stuck gets each of the groups that may help there."""
        seen = {frozenset[int]()}
        waiting = deque(seen)
        while waiting:
            places = waiting.popleft()
            stuck = self._try(places)
            if stuck is None:
                return places
            for more in self._one_of(stuck, places):
                larger = places | more
                if larger not in seen:
                    seen.add(larger)
                    waiting.append(larger)
        return None

    def _by_leaving_out(self) -> frozenset[int] | None:
        """Take all that may help until everything is clean, then leave out what is not needed."""
        places = frozenset[int]()
        while stuck := self._try(places):
            more = _union(self._all_of(stuck, places))
            if not more:
                return None
            places |= more
        return self._reduced(places)

    def _reduced(self, places: frozenset[int]) -> frozenset[int]:
        """Leave out what is not needed, many groups at once at first; what is left picks clean.

        Once more where something was left out: what undid that is not needed any more either.
        """
        kept = list(dict.fromkeys(self._closed(place) for place in _newest(places)))
        size, before = len(kept), 0
        try:
            while size > 1 or len(kept) != before:
                size, before, at = (size + 1) // 2, len(kept), 0
                while at < len(kept):
                    newer, older = kept[:at], kept[at + size :]
                    rest = self._clean(newer + older)
                    if rest is None:
                        at += size
                    else:
                        kept = rest
                        at = sum(each in rest for each in newer)
        except TooMuchWorkError:
            pass
        return _union(kept)

    def _clean(self, groups: list[frozenset[int]]) -> list[frozenset[int]] | None:
        """Leave out of the groups those that are stuck; nothing where the fix itself is."""
        left = list(groups)
        while stuck := self._try(_union(left)):
            stuck_in = [each for each in left if stuck.place in each]
            if not stuck_in:
                return None
            left.remove(stuck_in[0])
        return left

    def _try(self, places: frozenset[int]) -> _Stuck | None:
        """Pick the set and then the fix, in memory; tell where and why one conflicts."""
        self.effort.spend(_SET + len(places))
        self._bring(places)
        tree = self.onto
        for place in (*sorted(places), len(self.missing.line)):
            made = self._merge(tree, place)
            if isinstance(made, _Stuck):
                return made
            tree = made
        return None

    def _merge(self, tree: Sha, place: int) -> Sha | _Stuck:
        key = (tree, place)
        if key not in self.merged:
            self.effort.spend(_MERGE)
            change = change_of(self.reader, self._sha(place))
            made = _merged(self.reader, tree, change, self.attributes, self.effort)
            self.effort.spend(0)  # a merge that ran out of steps says "unsupported"
            if isinstance(made, Conflicted):
                self.merged[key] = _Stuck(place, made.conflicts)
            else:
                self.reader.add(made.objects)
                self.merged[key] = made.tree
        return self.merged[key]

    def _bring(self, places: frozenset[int]) -> None:
        """Have at hand what picking these and the fix reads, unless it was brought before."""
        if places - self.brought or not self.brought:
            self.brought |= places
            line = (*sorted(places), len(self.missing.line))
            changes = tuple(change_of(self.reader, self._sha(place)) for place in line)
            bring_for(self.reader, [Line(self.onto, changes)])

    def _sha(self, place: int) -> Sha:
        line = self.missing.line
        return line[place].sha if place < len(line) else self.commit

    # What may help.

    def _one_of(self, stuck: _Stuck, places: frozenset[int]) -> list[frozenset[int]]:
        """Return what a larger set needs one of: what may help in the clearest conflict."""
        return min((self._helpful(each, stuck, places) for each in stuck.conflicts), key=len)

    def _all_of(self, stuck: _Stuck, places: frozenset[int]) -> list[frozenset[int]]:
        return [more for each in stuck.conflicts for more in self._helpful(each, stuck, places)]

    def _helpful(
        self, conflict: Conflict, stuck: _Stuck, places: frozenset[int]
    ) -> list[frozenset[int]]:
        """Return the groups that the conflicting place goes back to, or else all at its paths.

        Those come first that brought the lines themselves.
        """
        origin = self._origin(conflict, stuck.place)
        paths = conflict.paths or self._changed(stuck.place)
        for find in (
            lambda: (*_newest(origin.brought), *_newest(origin.touched)),
            lambda: _newest(self._touching(paths, stuck.place)),
        ):
            groups = [self._closed(place) for place in find() if not self._is_there(place)]
            helpful = [each for each in dict.fromkeys(groups) if not each <= places]
            if helpful:
                return helpful
        return []

    def _origin(self, conflict: Conflict, below: int) -> Origin:
        key = (conflict, below)
        if key not in self.origins:
            self.origins[key] = self._find_origin(conflict, below)
        return self.origins[key]

    def _find_origin(self, conflict: Conflict, below: int) -> Origin:
        if conflict.base is not None and conflict.hunks:
            return self.lineage.origin(conflict.base.path, conflict.hunks, below)
        paths = list(conflict.paths)
        if conflict.kind in _FOLDERS:
            paths += [folder for path in paths if (folder := path.rpartition("/")[0])]
        steps = [step for path in paths for step in self.lineage.steps(path, below)]
        touched = frozenset(step.place for step in steps)
        if conflict.ours is None or conflict.base is None:
            # What only one of the two has came or went with one of them.
            touched = frozenset(step.place for step in steps if step.appears) or touched
        return Origin(touched, touched)

    def _touching(self, paths: Iterable[str], below: int) -> set[int]:
        return {step.place for path in paths for step in self.lineage.steps(path, below)}

    def _changed(self, place: int) -> tuple[str, ...]:
        change = change_of(self.reader, self._sha(place))
        bring_for(self.reader, [Line(None, (change,))])
        return tuple(path_text(delta.path) for delta in deltas(self.reader, *change))

    def _missing(self, places: Iterable[int]) -> frozenset[int]:
        return _union(self._closed(place) for place in places if not self._is_there(place))

    def _is_there(self, place: int) -> bool:
        """Tell whether production has the commit's change by another commit."""
        if place not in self.there:
            self.there[place] = self._has_twin(self.missing.line[place].sha, place)
        return self.there[place]

    def _has_twin(self, sha: Sha, place: int) -> bool:
        paths = self._changed(place) if self.missing.own else ()
        return any(
            sha in each.picked_from
            or (
                all(self.lineage.changes(each, path) for path in paths)
                and same_patch(self.reader, sha, each.sha)
            )
            for each in self.missing.own
        )

    def _closed(self, place: int) -> frozenset[int]:
        """Return a commit with all others of its group."""
        return self.groups[self.group(self.missing.line[place].sha)]


def _merged(
    reader: ObjectReader,
    tree: Sha,
    change: Change,
    attributes: Attributes,
    effort: Effort | None = None,
) -> Merged | Conflicted:
    return merge_trees(
        reader,
        base=change.old,
        ours=tree,
        theirs=change.new or EMPTY_TREE,
        attributes=attributes,
        effort=effort,
    )


def _union(sets: Iterable[frozenset[int]]) -> frozenset[int]:
    return frozenset[int]().union(*sets)


def _newest(places: Iterable[int]) -> list[int]:
    return sorted(places, reverse=True)
