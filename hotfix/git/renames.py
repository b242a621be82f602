"""Finding where a side moved its files, as Git's ``ort`` asks for it (diffcore-rename).

First files whose bytes did not change; then, for the sources that matter, the one file of the
same base name at 75 % similarity; then the best pairs of all that are left at 50 %. Reading
content is dear, so each step only sees what the one before left over.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from hotfix.git.collect import SourceNeed
from hotfix.git.folders import FolderCounts
from hotfix.git.lazy import bring
from hotfix.git.objects import EMPTY_BLOB, BlobSizes, read_blob
from hotfix.git.similarity import MAX_SCORE, Spans, count_spans, sizes_can_match
from hotfix.git.trees import EXECUTABLE, FILE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotfix.git.collect import Pair, RenameQuestions
    from hotfix.git.objects import ObjectReader
    from hotfix.git.rules import Effort, Rules
    from hotfix.git.strmap import StringMap
    from hotfix.git.trees import Entry
    from hotfix.identifiers import Sha

_MINIMUM = MAX_SCORE // 2
_MINIMUM_SAME_NAME = _MINIMUM + (MAX_SCORE - _MINIMUM) // 2
_MOST_ALIKE = 100  # sources with the same bytes that are looked at for one target
_MOST_PAIRS = 7000 * 7000  # beyond, Git looks for no similar files (merge.renameLimit)
_BATCH = 200  # files that are read into memory at once
_CANDIDATES = 4  # best sources that are remembered for each target


class Renames(NamedTuple):
    """What became of the files of one side.

    ``moved`` maps new path to old; ``added`` holds, in the order of the walk, every path that
    the side added, moved or not; ``folders`` counts for each removed folder where its files went.
    """

    moved: dict[bytes, bytes]
    added: list[bytes]
    folders: StringMap[StringMap[int]]

    def same_as(self, other: Renames) -> bool:
        """Tell whether the same was found."""
        return self.moved == other.moved and _plain(self.folders) == _plain(other.folders)


@dataclass(slots=True, eq=False)
class _File:
    """A file that was removed (a source) or added (a target)."""

    path: bytes
    entry: Entry
    source: _File | None = None  # of a target: where it came from
    used: bool = False  # of a source: a target was found
    name: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.path.rpartition(b"/")[2]


class _Candidate(NamedTuple):
    score: int
    same_name: bool
    source: _File
    target: _File


def find_renames(reader: ObjectReader, questions: RenameQuestions, rules: Rules) -> Renames:
    """Return the renames of one side; none are looked for where none matters."""
    contents = _Contents(reader, rules.effort)
    found = _Finder(contents, questions, final_span=rules.final_span).run()
    if contents.open_ended and not rules.final_span:
        later = _Finder(contents, questions, final_span=True).run()
        if not found.same_as(later):
            rules.met.add("final_span")
    return found


class _Contents:
    """What is known of the files' contents, read when it is asked for."""

    def __init__(self, reader: ObjectReader, effort: Effort) -> None:
        self._reader = reader
        self.effort = effort
        self._sizes = BlobSizes(reader)
        self._spans: dict[Sha, Spans] = {}
        self.open_ended = False

    def size(self, oid: Sha) -> int:
        return self._sizes.of(oid)

    def spans(self, oid: Sha) -> Spans:
        self.prepare([oid])
        return self._spans[oid]

    def bring(self, files: Iterable[_File | None]) -> None:
        """Have files at hand that will be compared, by their sizes first."""
        bring(self._reader, [each.entry.oid for each in files if each and _is_regular(each.entry)])

    def prepare(self, oids: Iterable[Sha]) -> None:
        """Read and count several files at once."""
        unknown = [oid for oid in dict.fromkeys(oids) if oid not in self._spans]
        for start in range(0, len(unknown), _BATCH):
            some = unknown[start : start + _BATCH]
            found = count_spans([read_blob(self._reader, oid) for oid in some], self.effort)
            self._spans.update(zip(some, found, strict=True))
            self.open_ended = self.open_ended or any(each.last for each in found)


class _Finder:
    def __init__(
        self, contents: _Contents, questions: RenameQuestions, *, final_span: bool
    ) -> None:
        self._contents = contents
        self._final_span = final_span
        self._questions = questions
        self._added = [pair.path for pair in questions.pairs if pair.added]
        self._targets = [_file(pair) for pair in questions.pairs if _counts(pair, added=True)]
        self._sources = [_file(pair) for pair in questions.pairs if _counts(pair, added=False)]
        self._folders = FolderCounts(dict(questions.removed_folders))

    def run(self) -> Renames:
        if self._questions.pairs and self._questions.sources and self._targets and self._sources:
            self._find_exact()
            self._keep_sources()
            self._folders.start(
                (each.source.path, each.path) for each in self._targets if each.source
            )
            self._find_same_name()
            self._keep_sources(self._questions.sources)
            self._drop_known_folders()
            self._find_similar()
        moved = {each.path: each.source.path for each in self._targets if each.source}
        return Renames(moved, self._added, self._folders.finish())

    def _keep_sources(self, needed: dict[bytes, SourceNeed] | None = None) -> None:
        self._sources = [
            each
            for each in self._sources
            if not each.used and (needed is None or each.path in needed)
        ]

    # Files whose bytes did not change.

    def _find_exact(self) -> None:
        by_id: dict[Sha, list[_File]] = {}
        for source in self._sources:
            by_id.setdefault(source.entry.oid, []).append(source)
        for target in self._targets:
            same = _same_bytes(by_id.get(target.entry.oid, []), target)
            if same:
                _pair(same, target)

    # Files that kept their base name.

    def _find_same_name(self) -> None:
        sources = _by_unique_name(self._sources)
        open_targets = [each for each in self._targets if not each.source]
        targets = _by_unique_name(open_targets)
        by_path = {each.path: each for each in open_targets}
        named = [each for each in self._sources if each.path in self._questions.sources]
        named = [each for each in named if each.name in targets]
        self._contents.bring([*named, *(targets[each.name] for each in named)])
        for source in self._sources:
            if source.path not in self._questions.sources or source.name not in targets:
                continue
            target = targets[source.name]
            if sources[source.name] is None or target is None:
                guessed = self._folders.guess(source.path)
                target = by_path.get(guessed) if guessed is not None else None
            if target is None or target.source:
                continue
            if self._similarity(source, target, _MINIMUM_SAME_NAME) >= _MINIMUM_SAME_NAME:
                _pair(source, target)
                self._folders.count(source.path, target.path)

    def _drop_known_folders(self) -> None:
        """Leave out files that only tell where their folder went, where that is known already."""
        self._folders.settle_known([each.path for each in self._sources])
        kept = []
        for source in self._sources:
            only_location = self._questions.sources[source.path] == SourceNeed.LOCATION
            if not only_location or self._folders.is_open(source.path):
                kept.append(source)
        self._sources = kept

    # The best pairs of what is left.

    def _find_similar(self) -> None:
        targets = [each for each in self._targets if not each.source]
        if not targets or not self._sources or len(targets) * len(self._sources) > _MOST_PAIRS:
            return
        self._contents.bring([*self._sources, *targets])
        matrix = _Matrix(self._contents, self._sources, final_span=self._final_span)
        matrix.prepare(targets)
        found = [each for target in targets for each in matrix.best_sources(target)]
        found.sort(key=lambda each: (-each.score, -each.same_name))
        for candidate in found:
            if candidate.score < _MINIMUM:
                break
            if not candidate.target.source and not candidate.source.used:
                _pair(candidate.source, candidate.target)
                self._folders.count(candidate.source.path, candidate.target.path)

    def _similarity(self, source: _File, target: _File, minimum: int) -> int:
        if not _is_regular(source.entry) or not _is_regular(target.entry):
            return 0
        one, other = (self._contents.size(each.entry.oid) for each in (source, target))
        if not sizes_can_match(one, other, minimum):
            return 0
        ours, theirs = (
            self._contents.spans(each.entry.oid).counted(with_last=self._final_span)
            for each in (source, target)
        )
        common = sum(min(ours[number], theirs[number]) for number in ours.keys() & theirs.keys())
        return common * MAX_SCORE // max(one, other)


class _Matrix:
    """The similarity of every source to a target, looked up by spans and not pair by pair."""

    def __init__(self, contents: _Contents, sources: list[_File], *, final_span: bool) -> None:
        self._contents = contents
        self._sources = sources
        self._final_span = final_span
        self._by_size = sorted(
            (contents.size(each.entry.oid), place)
            for place, each in enumerate(sources)
            if _is_regular(each.entry)
        )
        self._sizes = {place: size for size, place in self._by_size}
        self._by_name: dict[bytes, list[int]] = {}
        for place, each in enumerate(sources):
            self._by_name.setdefault(each.name, []).append(place)
        self._holders: dict[int, list[int]] | None = None

    def prepare(self, targets: list[_File]) -> None:
        """Read at once what will be compared: targets that some source may be like by its size."""
        fitting = [each.entry.oid for each in targets if self._fits(each)]
        if fitting:
            sources = (self._sources[place].entry.oid for _, place in self._by_size)
            self._contents.prepare([*sources, *fitting])

    def best_sources(self, target: _File) -> list[_Candidate]:
        """Return the best few sources, in the order in which Git's own list has them."""
        if not self._fits(target):
            return []
        likely = self._scores(target, rare_only=True)
        found = [self._candidate(place, score, target) for place, score in likely.items()]
        found = [each for each in found if each.score >= _MINIMUM]
        if not found:
            return []
        if len(found) == len({_rank(each) for each in found}):
            # All of different rank: what else Git's list would hold decides nothing.
            return sorted(found, key=_rank, reverse=True)[:_CANDIDATES]
        return self._as_git_lists_them(target)

    def _as_git_lists_them(self, target: _File) -> list[_Candidate]:
        """Fill the list as Git does, place by place: of equal sources its order decides.

        A source without any similarity takes a place in it only while places are free, or by
        its name, so that most sources need not be looked at.
        """
        scores = self._scores(target, rare_only=False)
        looked_at = {*range(min(_CANDIDATES, len(self._sources))), *scores}
        looked_at.update(self._by_name.get(target.name, ()))
        self._contents.effort.spend(len(looked_at))
        best: list[_Candidate | None] = [None] * _CANDIDATES
        for place in sorted(looked_at):
            found = self._candidate(place, scores.get(place, 0), target)
            ranks = [_rank(each) for each in best]
            worst = min(ranks)
            if worst < _rank(found):
                best[ranks.index(worst)] = found
        return [each for each in best if each]

    def _candidate(self, place: int, score: int, target: _File) -> _Candidate:
        source = self._sources[place]
        return _Candidate(score, source.name == target.name, source, target)

    def _limits(self, target: _File) -> tuple[int, int]:
        """Return the smallest and the largest size that a source of a target can have."""
        size = self._contents.size(target.entry.oid)
        return (size + 1) // 2, 2 * size

    def _fits(self, target: _File) -> bool:
        """Tell whether a target may be like some source by its size."""
        if not _is_regular(target.entry):
            return False
        smallest, largest = self._limits(target)
        first = bisect_left(self._by_size, (smallest, -1))
        return first < len(self._by_size) and self._by_size[first][0] <= largest

    def _scores(self, target: _File, *, rare_only: bool) -> dict[int, int]:
        """Return the sources that share something with a target, with their similarity.

        With ``rare_only`` at least those that reach the minimum: they share half of the target's
        bytes, so something of each half of them, also of the half that stands in few files.
        """
        size = self._contents.size(target.entry.oid)
        smallest, largest = self._limits(target)
        spans, holders = self._spans(target), self._holders_of_spans()
        looked_up = _rarer_half(spans, holders, size) if rare_only else spans
        places = {
            place
            for number in looked_up
            for place in holders.get(number, ())
            if smallest <= self._sizes[place] <= largest
        }
        self._contents.effort.spend(len(places))
        scores = {}
        for place in places:
            other = self._spans(self._sources[place])
            common = sum(
                min(count, other[number]) for number, count in spans.items() if number in other
            )
            if common:
                scores[place] = common * MAX_SCORE // max(size, self._sizes[place])
        return scores

    def _holders_of_spans(self) -> dict[int, list[int]]:
        """Return for each number which sources have it."""
        if self._holders is None:
            self._holders = {}
            for _, place in self._by_size:
                for number in self._spans(self._sources[place]):
                    self._holders.setdefault(number, []).append(place)
        return self._holders

    def _spans(self, file: _File) -> dict[int, int]:
        return self._contents.spans(file.entry.oid).counted(with_last=self._final_span)


def _rarer_half(spans: dict[int, int], holders: dict[int, list[int]], size: int) -> list[int]:
    """Return the rarest numbers of a file that make up more than half of its bytes."""
    rarest = sorted(spans, key=lambda number: len(holders.get(number, ())))
    taken = 0
    for count, number in enumerate(rarest, start=1):
        taken += spans[number]
        if 2 * taken > size:
            return rarest[:count]
    return rarest


def _counts(pair: Pair, *, added: bool) -> bool:
    return pair.added == added and pair.entry.oid != EMPTY_BLOB


def _file(pair: Pair) -> _File:
    return _File(pair.path, pair.entry)


def _pair(source: _File, target: _File) -> None:
    source.used = True
    target.source = source


def _is_regular(entry: Entry) -> bool:
    return entry.mode in {FILE, EXECUTABLE}


def _same_bytes(sources: list[_File], target: _File) -> _File | None:
    """Return an unused source with the target's bytes, one of the same base name if possible."""
    best = None
    looked_at = 0
    for source in sources:
        both_regular = _is_regular(source.entry) and _is_regular(target.entry)
        if source.used or not (both_regular or source.entry.mode == target.entry.mode):
            continue
        if source.name == target.name:
            return source
        best = best or source
        looked_at += 1
        if looked_at == _MOST_ALIKE:
            break
    return best


def _by_unique_name(files: list[_File]) -> dict[bytes, _File | None]:
    """Map base names to files; names that several files have, to nothing."""
    found: dict[bytes, _File | None] = {}
    for file in files:
        found[file.name] = None if file.name in found else file
    return found


def _plain(folders: StringMap[StringMap[int]]) -> dict[bytes, dict[bytes, int]]:
    return {folder: dict(targets.items()) for folder, targets in folders.items()}


def _rank(candidate: _Candidate | None) -> tuple[int, bool]:
    return (-1, False) if candidate is None else (candidate.score, candidate.same_name)
