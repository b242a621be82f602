"""A commit that carries text and no files: what a ref of ours, such as a lock, points to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dulwich.objects import Commit, Tree

from hotfix.git.commits import signature
from hotfix.git.objects import EMPTY_TREE, object_of
from hotfix.identifiers import Sha

if TYPE_CHECKING:
    from datetime import datetime

    from hotfix.git.commits import Identity
    from hotfix.git.objects import GitObject


def make_record(text: str, by: Identity, when: datetime) -> tuple[Sha, tuple[GitObject, ...]]:
    """Return the id and the objects of a parentless commit with an empty tree and this message."""
    who = signature(by, when)
    lines = (b"tree " + EMPTY_TREE.encode(), b"author " + who, b"committer " + who)
    commit = object_of(Commit, b"\n".join(lines) + b"\n\n" + text.encode() + b"\n")
    return Sha(commit.id.decode()), (object_of(Tree, b""), commit)
