"""Which commit of the main line brought what a pick uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.git.lineage import Lineage
from hotfix.git.rules import Effort, TooMuchWorkError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hotfix.git.commits import CommitInfo
    from hotfix.git.gap.model import Gap
    from hotfix.git.objects import ObjectReader
    from hotfix.identifiers import Sha

_STEPS: Final = 1_000_000
"""What the search may cost, in the steps of a merge: a second or so."""
_PATHS: Final = frozenset({"module", "file", "migration", "submodule"})
"""Kinds that are there as soon as their path is."""


def brought_by(
    reader: ObjectReader, gaps: Iterable[Gap], line: Sequence[CommitInfo]
) -> dict[Gap, Sha]:
    """Tell which commit of a line, oldest first, brought each; those it cannot tell are left out.

    The newest one after which the word stands in the file, and before which it does not.
    """
    lineage = Lineage(reader, line, Effort(_STEPS))
    found: dict[Gap, Sha] = {}
    try:
        for gap in gaps:
            place = _place(lineage, gap, len(line))
            if place is not None:
                found[gap] = line[place].sha
    except TooMuchWorkError:
        pass
    return found


def _place(lineage: Lineage, gap: Gap, below: int) -> int | None:
    if gap.kind in _PATHS:
        steps = lineage.steps(gap.there, below)
        return next((step.place for step in steps if step.appears or gap.kind == "submodule"), None)
    word = gap.use.word.encode()
    if gap.kind == "package":  # whose spelling differs from tool to tool
        return lineage.bringer(gap.there, below, lambda text: word in _plain(text))
    return lineage.bringer(gap.there, below, lambda text: word in text)


def _plain(text: bytes) -> bytes:
    return text.lower().replace(b"_", b"-")
