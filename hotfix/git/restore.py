"""Runbook, step 1: release becomes what production is, as one commit on top of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.git.commits import AlreadyThere, NewCommit, make_commit, read_raw_commit, signature
from hotfix.git.diff import changed_files
from hotfix.git.messages import with_lines
from hotfix.identifiers import Sha, short

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from hotfix.git.commits import Identity
    from hotfix.git.objects import ObjectReader


def restore(
    reader: ObjectReader,
    *,
    production: Sha,
    head: Sha,
    message: str,
    trailers: Sequence[str],
    committer: Identity,
    when: datetime,
) -> NewCommit | AlreadyThere:
    """Return the commit that gives release the tree of production.

    Its parent is the release head, so that release only moves forward and nothing is lost; where
    the trees are equal there is nothing to restore. The tree exists already (production has it),
    so the commit is the only new object.
    """
    tree = read_raw_commit(reader, production).tree
    head_tree = read_raw_commit(reader, head).tree
    if tree == head_tree:
        return AlreadyThere(f"release already has the tree of production {short(production)}", tree)
    text = with_lines(message.encode(), trailers)
    commit = make_commit(
        tree=tree,
        parent=head,
        author=signature(committer, when),
        committer=committer,
        when=when,
        encoding=None,
        message=text,
    )
    who = committer.line().decode()
    return NewCommit(
        sha=Sha(commit.id.decode()),
        tree=tree,
        parent=head,
        message=text.decode(),
        author=who,
        committer=who,
        files=changed_files(reader, head_tree, tree),
        objects=(commit,),
    )
