"""Readers that fetch what they do not have: what they want to be told beforehand, and by whom.

A reader that asks a server for each object by itself would ask thousands of times. Code that knows
what it is going to read says so here first; over any other reader that costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from hotfix.git.objects import EMPTY_TREE, ObjectReader, Overlay

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from hotfix.identifiers import Sha


@runtime_checkable
class LazyReader(ObjectReader, Protocol):
    """A reader that fetches an object when it is read; ``in`` tells what is at hand already."""

    def bring(self, oids: Collection[Sha]) -> None:
        """Fetch these objects at once; what the server does not have is missed when it is read."""
        ...

    def bring_history(self, head: Sha) -> None:
        """Fetch a commit with a good piece of the history below it."""
        ...

    def bring_between(self, *, exclude: Sha, include: Collection[Sha]) -> None:
        """Fetch what these commits have and ``exclude`` has not."""
        ...

    def between(self, *, exclude: Sha, include: Sha) -> frozenset[Sha] | None:
        """Return what ``include`` has and ``exclude`` has not; ``None`` if all has to be walked."""
        ...


def lazy_below(reader: ObjectReader) -> LazyReader | None:
    """Return the reader that fetches, below whatever is laid over it; ``None`` where none does."""
    while isinstance(reader, Overlay):
        reader = reader.below
    return reader if isinstance(reader, LazyReader) else None


def bring(reader: ObjectReader, oids: Iterable[Sha]) -> None:
    """Have these objects at hand, with one request for all that are not."""
    source = lazy_below(reader)
    if source is None:
        return
    missing = {oid for oid in oids if oid != EMPTY_TREE and oid.encode() not in reader}
    if missing:
        source.bring(missing)


def bring_between(reader: ObjectReader, *, exclude: Sha, include: Iterable[Sha]) -> None:
    """Have the commits at hand that these have and ``exclude`` has not."""
    source = lazy_below(reader)
    if source is not None:
        source.bring_between(exclude=exclude, include=set(include))
