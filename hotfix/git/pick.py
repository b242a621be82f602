"""A cherry-pick without a working tree: the runbook's step 2, known before anything is pushed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.git.attributes import NO_ATTRIBUTES
from hotfix.git.commits import (
    AlreadyThere,
    Conflicted,
    NewCommit,
    author_of,
    make_commit,
    read_raw_commit,
)
from hotfix.git.diff import changed_files
from hotfix.git.merge import merge_trees
from hotfix.git.messages import decode, with_lines
from hotfix.git.objects import Overlay
from hotfix.identifiers import Sha, short

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from dulwich.objects import ShaFile

    from hotfix.git.attributes import Attributes
    from hotfix.git.commits import Identity, RawCommit
    from hotfix.git.merge import Merged
    from hotfix.git.objects import ObjectReader


def pick(
    reader: ObjectReader,
    *,
    onto: Sha,
    commit: Sha,
    trailers: Sequence[str],
    committer: Identity,
    when: datetime,
    attributes: Attributes = NO_ATTRIBUTES,
) -> NewCommit | AlreadyThere | Conflicted:
    """Return the commit that ``git cherry-pick -x -m 1`` would make of ``commit`` on ``onto``.

    The change of a commit is the one against its first parent (a merge commit: what the merge
    brought), of a root commit the one against the empty tree. A pick that changes nothing is
    :class:`AlreadyThere`: Git would stop and ask, the plan says so and goes on.

    The picked commit's author line, message and ``encoding`` are kept byte for byte; its
    signature is left out, because it signs other bytes.
    """
    picked = read_raw_commit(reader, commit)
    ours = read_raw_commit(reader, onto).tree
    base = read_raw_commit(reader, picked.parents[0]).tree if picked.parents else None
    outcome = merge_trees(reader, base=base, ours=ours, theirs=picked.tree, attributes=attributes)
    if isinstance(outcome, Conflicted):
        return outcome
    if outcome.tree == ours:
        return AlreadyThere(
            f"everything that {short(commit)} changes is there already", ours, outcome.by_lines
        )
    lines = [f"(cherry picked from commit {commit})", *trailers]
    message = with_lines(picked.message, lines, picked.encoding)
    made = make_commit(
        tree=outcome.tree,
        parent=onto,
        author=picked.author,
        committer=committer,
        when=when,
        encoding=picked.encoding,
        message=message,
    )
    return _new_commit(reader, picked, ours, outcome, made, message, onto, committer)


def _new_commit(
    reader: ObjectReader,
    picked: RawCommit,
    ours: Sha,
    merged: Merged,
    made: ShaFile,
    message: bytes,
    onto: Sha,
    committer: Identity,
) -> NewCommit:
    view = Overlay(reader)
    view.add(merged.objects)
    return NewCommit(
        sha=Sha(made.id.decode()),
        tree=merged.tree,
        parent=onto,
        message=decode(message, picked.encoding),
        author=author_of(picked),
        committer=committer.line().decode(),
        files=changed_files(view, ours, merged.tree),
        objects=(*merged.objects, made),
        by_lines=merged.by_lines,
    )
