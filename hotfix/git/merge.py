"""The three-way merge of trees that a pick rests on: what Git's ``ort`` makes, or a conflict.

A silently different clean result is the worst that this program could do. So every rule here is
Git's own (docs/decisions/0003-merge-engine.md says which and how that is measured), and
whatever is not decided as Git decides it comes back as a conflict that says so.

Attributes come from the caller, in the form of ``info/attributes``, and never from the trees, as
with ``git merge-tree`` in a bare repository: what a branch says about its own files must not
change how they are merged.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dulwich.objects import Tree

from hotfix.git.attributes import NO_ATTRIBUTES
from hotfix.git.collect import SIDES, collect
from hotfix.git.conflicts import Conflict, Conflicted
from hotfix.git.content import ContentMerger
from hotfix.git.objects import object_of, packs_first, read_blob
from hotfix.git.renames import find_renames
from hotfix.git.rules import Rules, TooMuchWorkError, later_rules
from hotfix.git.settle import Settler
from hotfix.git.text.lines import is_binary
from hotfix.git.trees import EXECUTABLE, FILE, path_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dulwich.objects import ShaFile

    from hotfix.git.attributes import Attributes
    from hotfix.git.collect import RenameQuestions
    from hotfix.git.objects import ObjectReader
    from hotfix.git.rules import Effort
    from hotfix.identifiers import Sha

__all__ = ["Conflict", "Conflicted", "Merged", "merge_trees"]


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge that needed nobody: its tree, the objects that are new, the renames it followed.

    ``by_lines`` holds the paths of the files that both sides changed.
    """

    tree: Sha
    objects: tuple[ShaFile, ...]
    renames: tuple[tuple[str, str], ...]
    by_lines: tuple[bytes, ...] = ()


def merge_trees(
    reader: ObjectReader,
    *,
    base: Sha | None,
    ours: Sha,
    theirs: Sha,
    attributes: Attributes = NO_ATTRIBUTES,
    effort: Effort | None = None,
) -> Merged | Conflicted:
    """Bring the change from ``base`` to ``theirs`` into ``ours``; all three are tree ids.

    ``attributes`` say which files are not merged by lines; a merge driver that somebody
    configured is never run. A base of ``None`` is the empty tree. Merges that are given one
    ``effort`` share it. Errors: an object that is missing or corrupt (``MissingObjectError``,
    ``CorruptObjectError``), a tree that no checkout may write (``UnsafeTreeError``).
    """
    if theirs in (base, ours):
        return Merged(ours, (), ())
    try:
        with _without_cycle_search():
            return _merge_by_every_version(
                packs_first(reader), base, ours, theirs, attributes, effort
            )
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
    reader: ObjectReader,
    base: Sha | None,
    ours: Sha,
    theirs: Sha,
    attributes: Attributes,
    effort: Effort | None,
) -> Merged | Conflicted:
    rules = Rules()
    rules.effort = effort or rules.effort
    outcome = _merge(reader, base, ours, theirs, attributes, rules)
    for later in later_rules(rules.met):
        later.effort = effort or later.effort
        again = _merge(reader, base, ours, theirs, attributes, later)
        if _essence(again) != _essence(outcome):
            return _unsupported("versions of Git differ in how they merge this (2.44, 2.54)")
    return outcome


def _merge(
    reader: ObjectReader,
    base: Sha | None,
    ours: Sha,
    theirs: Sha,
    attributes: Attributes,
    rules: Rules,
) -> Merged | Conflicted:
    collected = collect(reader, base, ours, theirs, rules)
    doubtful = _doubtful_file(reader, collected.questions.values(), attributes, rules)
    if doubtful is not None:
        detail = "whether it was renamed hangs on its attribute `diff` and on how its lines end"
        return Conflicted((Conflict("unsupported", (path_text(doubtful),), detail),))
    renames = {side: find_renames(reader, collected.questions[side], rules) for side in SIDES}
    contents = ContentMerger(reader, rules, attributes)
    settler = Settler(collected, renames, contents)
    tree = settler.run()
    if settler.conflicts:
        return Conflicted(tuple(settler.conflicts), tuple(contents.by_lines))
    blobs = [blob for oid, blob in contents.blobs.items() if oid.encode() not in reader]
    trees = [
        object_of(Tree, data) for oid, data in settler.trees.items() if oid.encode() not in reader
    ]
    followed = [(old, new) for side in SIDES for new, old in renames[side].moved.items()]
    return Merged(
        tree,
        (*blobs, *trees),
        tuple((path_text(old), path_text(new)) for old, new in sorted(followed)),
        tuple(contents.by_lines),
    )


def _doubtful_file(
    reader: ObjectReader, sides: Iterable[RenameQuestions], attributes: Attributes, rules: Rules
) -> bytes | None:
    """Return a file that Git would compare with others otherwise than its content says.

    Looking for renames, Git leaves carriage returns out of texts alone, and ``diff`` says what is
    a text. So far-fetched a case is left to a person.
    """
    if attributes.are_none:
        return None
    for questions in sides:
        for pair in questions.pairs if questions.sources else ():
            if pair.entry.mode not in {FILE, EXECUTABLE}:
                continue
            told = attributes.is_binary(pair.path, rules.effort)
            if told is not None:
                data = read_blob(reader, pair.entry.oid)
                if told != is_binary(data) and b"\r\n" in data:
                    return pair.path
    return None


def _essence(outcome: Merged | Conflicted) -> Sha | None:
    return outcome.tree if isinstance(outcome, Merged) else None


def _unsupported(detail: str) -> Conflicted:
    return Conflicted((Conflict("unsupported", (), detail),))
