"""How far a hotfix reaches, in one sentence for every medium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.text import counted, listed, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hotfix.plan.model import BlastRadius, PastHotfixes, Share

_NAMED: Final = 5
"""How many folders and owners are named; the JSON has all."""


def blast_radius(radius: BlastRadius, quote: Callable[[str], str] = one_line) -> str:
    """Say what the hotfix changes in production; ``quote`` makes names safe for the medium.

    Files and lines stand as ``git diff --shortstat`` has them.
    """
    return "; ".join(_parts(radius, quote))


def _parts(radius: BlastRadius, quote: Callable[[str], str]) -> Iterator[str]:
    if not radius.files:
        yield "nothing: production has it all"
        return
    yield (
        f"{counted(radius.files, 'file')} changed, {counted(radius.added, 'insertion')}(+), "
        f"{counted(radius.removed, 'deletion')}(-)"
        + (f", {radius.uncounted} not counted" if radius.uncounted else "")
        + f", in {_shares(radius.folders, quote)}"
    )
    if radius.owners is not None:
        yield f"owned by {_shares(radius.owners, quote)}"
    if radius.past is not None:
        yield _compared(radius.past)


def _compared(past: PastHotfixes) -> str:
    median = f"the median is {counted(round(past.median_files), 'file')}"
    if past.smaller:
        hotfixes = counted(past.count, "past hotfix", "past hotfixes")
        return f"more files than {past.smaller} of {hotfixes} here ({median})"
    what = "the past hotfix" if past.count == 1 else f"any of {past.count} past hotfixes"
    return f"not more files than {what} here ({median})"


def _shares(shares: Sequence[Share], quote: Callable[[str], str]) -> str:
    named = [f"{quote(each.name)} ({each.files})" for each in shares[:_NAMED]]
    more = len(shares) - _NAMED
    return listed([*named, *([f"{more} more"] if more > 0 else [])])
