"""What the search for a semantic gap takes and gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from hotfix.identifiers import Sha

Kind = Literal["name", "module", "file", "key", "migration", "package", "submodule"]


class Picked(NamedTuple):
    """The trees before and after a pick on the branch."""

    before: Sha
    after: Sha


class AddedFile(NamedTuple):
    """A file that a pick adds lines to."""

    pick: int
    """The place of the pick in the order of the branch."""
    path: str
    before: str
    """What stood on the branch, empty where nothing did."""
    after: str
    lines: tuple[tuple[int, str], ...]
    """The added lines with their numbers in ``after``, counted from one."""


class Use(NamedTuple):
    """A word on a line that a pick adds."""

    word: str
    pick: int
    path: str
    line: int


class Gap(NamedTuple):
    """Something that a pick uses, that the main line has, and that the branch will lack."""

    kind: Kind
    use: Use
    there: str
    """The path on the main line that has it."""
    detail: str = ""
    """Of a package or a submodule, what it is pinned to there and here."""


class Gaps(NamedTuple):
    """What was found, in how many of the files that may define words, and how many there are."""

    found: tuple[Gap, ...]
    searched: int = 0
    of: int = 0
    hindered: str = ""
    """Why nothing was searched, where that is so."""
