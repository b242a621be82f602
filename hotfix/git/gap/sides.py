"""The two trees of a search, the main line's and the branch's, where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from hotfix.git.diff import deltas
from hotfix.git.gap.sources import MOST_BYTES, family, is_test, nearness
from hotfix.git.lazy import bring
from hotfix.git.objects import read_blob
from hotfix.git.text.lines import is_binary
from hotfix.git.trees import EXECUTABLE, FILE, entry_at, path_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotfix.git.objects import ObjectReader
    from hotfix.git.trees import Entry
    from hotfix.identifiers import Sha

MOST_FILES: Final = 300
"""How many files are searched for words, those nearest to the pick's."""


class Differing(NamedTuple):
    """A path at which the main line and the branch differ."""

    path: str
    there: Entry | None
    """On the main line."""
    here: Entry | None
    """On the branch as it will be."""


class Chosen(NamedTuple):
    """The files that are searched, and how many there are of their kind."""

    files: tuple[Differing, ...]
    of: int


class Sides:
    """What differs between the two; files are read when they are asked for."""

    def __init__(self, reader: ObjectReader, *, result: Sha, main: Sha) -> None:
        self._reader = reader
        self._result = result
        found = deltas(reader, result, main)
        self.differing = {
            path: Differing(path, each.new, each.old)
            for each in found
            if (path := path_text(each.path))
        }
        """By path, in the order of a tree walk."""
        self.lacking = [each.path for each in self.differing.values() if not each.here]
        """What the main line has and the branch will lack."""

    def chosen(self, families: Iterable[str], near: Iterable[str]) -> Chosen:
        """Choose what is searched: sources of these families, the nearest to these paths first.

        Tests are left out: nothing that is released uses what they define.
        """
        wanted = frozenset(families)
        folders = frozenset(
            path[:place] for path in near for place in range(len(path)) if path[place] == "/"
        )
        sources = [
            each
            for each in self.differing.values()
            if family(each.path) in wanted and not is_test(each.path)
        ]
        nearest = sorted(sources, key=lambda each: -nearness(each.path, folders))
        return Chosen(tuple(nearest[:MOST_FILES]), len(sources))

    def lacks(self, path: str) -> bool:
        """Tell whether the main line has a path, and the branch will not."""
        found = self.differing.get(path)
        return found is not None and found.here is None

    def has(self, path: str) -> bool:
        """Tell whether the branch will have a file or a folder at a path."""
        return entry_at(self._reader, self._result, path) is not None

    def bring(self, entries: Iterable[Entry | None]) -> None:
        """Have these files at hand, with one request."""
        bring(self._reader, {each.oid for each in entries if each and _is_file(each)})

    def text(self, entry: Entry | None) -> str:
        """Return a file's text; nothing of what is no text, or of what nobody wrote."""
        if entry is None or not _is_file(entry):
            return ""
        data = read_blob(self._reader, entry.oid)
        if is_binary(data) or len(data) > MOST_BYTES:
            return ""
        return data.decode("utf-8", "replace")


def _is_file(entry: Entry) -> bool:
    return entry.mode in {FILE, EXECUTABLE}
