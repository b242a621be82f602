"""Which commits of a line a place in a file goes back to, as ``git log -L`` and blame tell it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from hotfix.git.commits import read_commit
from hotfix.git.diff import deltas
from hotfix.git.lazy import bring
from hotfix.git.needed import Change as TreeChange
from hotfix.git.needed import Line, bring_for, bring_paths
from hotfix.git.objects import EMPTY_BLOB, read_blob
from hotfix.git.similarity import MAX_SCORE, count_spans
from hotfix.git.text.changes import shown_changes
from hotfix.git.text.lines import Interner, is_binary
from hotfix.git.trees import DIRECTORY, SUBMODULE, Entry, path_text, read_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hotfix.git.commits import CommitInfo
    from hotfix.git.conflicts import Hunk
    from hotfix.git.objects import ObjectReader
    from hotfix.git.rules import Effort
    from hotfix.git.text.changes import Change
    from hotfix.identifiers import Sha

_TREE: Final = 200
"""What a tree costs to read, in the steps of a merge."""
_DELTAS: Final = 2000
"""What two trees cost to compare."""


class Step(NamedTuple):
    """A commit that changed a path, by its place on the line, and the path's name before it."""

    place: int
    path: str
    before: str
    appears: bool
    """Whether the path was absent on one of its sides."""


class Origin(NamedTuple):
    """What some lines go back to.

    ``brought`` are the commits that wrote the lines, ``touched`` also those that changed or
    removed lines there or beside them: with any of them gone the lines would look different.
    """

    brought: frozenset[int]
    touched: frozenset[int]


@dataclass(slots=True)
class Lineage:
    """A line of commits, oldest first, each the first parent of the next."""

    reader: ObjectReader
    line: Sequence[CommitInfo]
    effort: Effort
    _parents: list[Sha | None] = field(init=False)
    _entries: dict[tuple[Sha, str], Entry | None] = field(default_factory=dict)
    _scripts: dict[tuple[Entry | None, Entry | None], list[Change]] = field(default_factory=dict)
    _sources: dict[tuple[int, str], str | None] = field(default_factory=dict)
    _brought: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        # The tree before each commit, which is the one after the commit before it.
        first = self.line[0] if self.line else None
        self._parents = [self._parent_tree(first) if first else None]
        self._parents += [commit.tree for commit in self.line]

    def steps(self, path: str, below: int) -> Iterator[Step]:
        """Yield what changed a path, newest first, under the names that it had before too."""
        self._bring(path)
        for place in range(below - 1, -1, -1):
            old, new = self._sides(place, path, path)
            if old == new:
                continue
            before = path
            if old is None:
                before = self._source(place, path, new) or path
                self._bring(before)
            yield Step(place, path, before, appears=old is None or new is None)
            path = before

    def changes(self, commit: CommitInfo, path: str) -> bool:
        """Tell whether a commit, on the line or not, changes a path."""
        return self._entry(self._parent_tree(commit), path) != self._entry(commit.tree, path)

    def origin(self, path: str, hunks: Sequence[Hunk], below: int) -> Origin:
        """Follow the base's side of some hunks down to the commits behind it."""
        lines = {
            number
            for hunk in hunks
            for number in range(hunk.base.start - 1, hunk.base.start - 1 + len(hunk.base.lines))
        }
        regions = [_region(hunk) for hunk in hunks]
        brought, touched = set[int](), set[int]()
        for step in self.steps(path, below):
            script = self._script(*self._sides(step.place, step.before, step.path))
            kept = {_line_before(number, script) for number in lines} - {-1}
            if len(kept) < len(lines):
                brought.add(step.place)
            earlier = [_region_before(region, script) for region in regions]
            if any(hit for _, hit in earlier):
                touched.add(step.place)
            lines, regions = kept, [region for region, _ in earlier]
        return Origin(frozenset(brought), frozenset(touched | brought))

    def bringer(self, path: str, below: int, has: Callable[[bytes], bool]) -> int | None:
        """Return the newest commit that made a file have what it had not; by its place."""
        for step in self.steps(path, below):
            old, new = self._sides(step.place, step.before, step.path)
            if has(self._text(new)) and not has(self._text(old)):
                return step.place
        return None

    def _bring(self, path: str) -> None:
        """Have at hand what stood at a path all along the line; the look itself costs steps."""
        self.effort.spend(len(self.line))
        if path not in self._brought:
            self._brought.add(path)
            bring_paths(self.reader, {tree for tree in self._parents if tree}, [path])

    def _script(self, old: Entry | None, new: Entry | None) -> list[Change]:
        key = (old, new)
        if key not in self._scripts:
            interner = Interner()
            before, after = (interner.split(self._text(each)) for each in key)
            self._scripts[key] = shown_changes(before, after, self.effort)
        return self._scripts[key]

    def _text(self, entry: Entry | None) -> bytes:
        if entry is None or entry.mode in {DIRECTORY, SUBMODULE}:
            return b""
        data = read_blob(self.reader, entry.oid)
        return b"" if is_binary(data) else data

    def _sides(self, place: int, before: str, path: str) -> tuple[Entry | None, Entry | None]:
        old, new = self._parents[place], self.line[place].tree
        return self._entry(old, before), self._entry(new, path)

    def _parent_tree(self, commit: CommitInfo) -> Sha | None:
        return read_commit(self.reader, commit.parents[0]).tree if commit.parents else None

    def _source(self, place: int, path: str, new: Entry | None) -> str | None:
        """Find the file that a commit renamed to this one: the same bytes, or the most alike."""
        key = (place, path)
        if key not in self._sources:
            self._sources[key] = self._most_alike(place, path, new) if new else None
        return self._sources[key]

    def _most_alike(self, place: int, path: str, new: Entry) -> str | None:
        if new.mode in {DIRECTORY, SUBMODULE} or new.oid == EMPTY_BLOB:
            return None
        self.effort.spend(_DELTAS)
        self._bring_change(place)
        removed: dict[str, Entry] = {}
        for delta in deltas(self.reader, self._parents[place], self.line[place].tree):
            self.effort.spend(1)
            if delta.old and not delta.new and delta.old.mode == new.mode:
                removed[path_text(delta.path)] = delta.old
        same_name = [each for each in removed if _name(each) == _name(path)]
        for each in (*same_name, *removed):
            if removed[each].oid == new.oid:
                return each
        likely = same_name or list(removed)
        bring(self.reader, [removed[each].oid for each in likely])
        scores = {each: self._likeness(removed[each], new) for each in likely}
        best = max(scores, key=scores.__getitem__, default=None)
        return best if best is not None and scores[best] >= MAX_SCORE // 2 else None

    def _bring_change(self, place: int) -> None:
        change = TreeChange(self._parents[place], self.line[place].tree)
        bring_for(self.reader, [Line(None, (change,))])

    def _likeness(self, old: Entry, new: Entry) -> int:
        texts = [read_blob(self.reader, each.oid) for each in (old, new)]
        one, other = (each.counted(with_last=True) for each in count_spans(texts, self.effort))
        common = sum(min(count, other.get(number, 0)) for number, count in one.items())
        return common * MAX_SCORE // max(1, *map(len, texts))

    def _entry(self, tree: Sha | None, path: str) -> Entry | None:
        """Look a path up in a tree; remembered, since neighbours on the line share most trees."""
        if tree is None:
            return None
        key = (tree, path)
        if key not in self._entries:
            self.effort.spend(_TREE)
            name, _, rest = path.partition("/")
            entry = read_tree(self.reader, tree).get(name.encode())
            if entry is not None and rest:
                entry = self._entry(entry.oid, rest) if entry.mode == DIRECTORY else None
            self._entries[key] = entry
        return self._entries[key]


def _region(hunk: Hunk) -> tuple[int, int]:
    start = hunk.base.start - 1
    return start, start + len(hunk.base.lines)


def _line_before(number: int, script: Sequence[Change]) -> int:
    """Return where a line of the new text stood in the old one, -1 where it is new."""
    shift = 0
    for change in script:
        if number < change.new_start:
            break
        if number < change.new_start + change.new_count:
            return -1
        shift += change.old_count - change.new_count
    return number + shift


def _region_before(
    region: tuple[int, int], script: Sequence[Change]
) -> tuple[tuple[int, int], bool]:
    """Return where a region stood in the old text, and whether it or its edge was changed.

    A change in it or beside it belongs to it from there on, since Git's merge takes changes that
    touch for one.
    """
    start, end = region
    shift = 0
    hits: list[Change] = []
    for change in script:
        if change.new_start > end:
            break
        if change.new_start + change.new_count < start:
            shift += change.old_count - change.new_count
        else:
            hits.append(change)
    if not hits:
        return (start + shift, end + shift), False
    last = hits[-1]
    beyond = max(0, end - last.new_start - last.new_count)
    return (
        min(start + shift, hits[0].old_start),
        max(last.old_start + last.old_count + beyond, start + shift),
    ), True


def _name(path: str) -> str:
    return path.rpartition("/")[2]
