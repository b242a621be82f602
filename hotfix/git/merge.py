"""The three-way merge of trees that a pick rests on: what Git's ``ort`` makes, or a conflict.

A silently different clean result is the worst that this program could do. So every rule here is
Git's own (docs/decisions/0003-merge-engine.md says which and how that is measured), and
whatever is not decided as Git decides it comes back as a conflict that says so.

No attributes are read from the trees, as with ``git merge-tree`` in a bare repository: what a
branch says about its own files must not change how they are merged.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotfix.git.collect import SIDES, collect
from hotfix.git.conflicts import Conflict, Conflicted
from hotfix.git.content import ContentMerger
from hotfix.git.objects import PacksFirst
from hotfix.git.renames import find_renames
from hotfix.git.rules import Rules, TooMuchWorkError, later_rules
from hotfix.git.settle import Settler
from hotfix.git.trees import path_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dulwich.objects import ShaFile

    from hotfix.git.objects import ObjectReader
    from hotfix.identifiers import Sha

__all__ = ["Conflict", "Conflicted", "Merged", "merge_trees"]


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge that needed nobody: its tree, the objects that are new, the renames it followed."""

    tree: Sha
    objects: tuple[ShaFile, ...]
    renames: tuple[tuple[str, str], ...]


def merge_trees(
    reader: ObjectReader, *, base: Sha | None, ours: Sha, theirs: Sha
) -> Merged | Conflicted:
    """Bring the change from ``base`` to ``theirs`` into ``ours``; all three are tree ids.

    A base of ``None`` is the empty tree. Errors: an object that is missing or corrupt
    (``MissingObjectError``, ``CorruptObjectError``), a tree that no checkout may write
    (``UnsafeTreeError``).
    """
    if theirs in (base, ours):
        return Merged(ours, (), ())
    try:
        with _without_cycle_search():
            return _merge_by_every_version(PacksFirst(reader), base, ours, theirs)
    except TooMuchWorkError:
        return _unsupported("the merge takes more work than a real change ever did")


@contextmanager
def _without_cycle_search() -> Iterator[None]:
    """Let the interpreter not look for cycles meanwhile.

    A merge makes many thousands of small values and no cycle among them; on a large merge the
    search for cycles takes a third of the time and finds nothing.
    """
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            gc.enable()


def _merge_by_every_version(
    reader: ObjectReader, base: Sha | None, ours: Sha, theirs: Sha
) -> Merged | Conflicted:
    rules = Rules()
    outcome = _merge(reader, base, ours, theirs, rules)
    for later in later_rules(rules.met):
        if _essence(_merge(reader, base, ours, theirs, later)) != _essence(outcome):
            return _unsupported("versions of Git differ in how they merge this (2.44, 2.54)")
    return outcome


def _merge(
    reader: ObjectReader, base: Sha | None, ours: Sha, theirs: Sha, rules: Rules
) -> Merged | Conflicted:
    collected = collect(reader, base, ours, theirs, rules)
    renames = {side: find_renames(reader, collected.questions[side], rules) for side in SIDES}
    contents = ContentMerger(reader, rules)
    settler = Settler(collected, renames, contents)
    tree = settler.run()
    if settler.conflicts:
        return Conflicted(tuple(settler.conflicts))
    made = [*contents.blobs.values(), *settler.trees.values()]
    new = tuple(each for each in made if bytes(each.id) not in reader)
    followed = [(old, new) for side in SIDES for new, old in renames[side].moved.items()]
    return Merged(
        tree, new, tuple((path_text(old), path_text(new)) for old, new in sorted(followed))
    )


def _essence(outcome: Merged | Conflicted) -> Sha | None:
    return outcome.tree if isinstance(outcome, Merged) else None


def _unsupported(detail: str) -> Conflicted:
    return Conflicted((Conflict("unsupported", (), detail),))
