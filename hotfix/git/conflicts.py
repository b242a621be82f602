"""What a merge cannot decide, with everything that a person needs to see of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from hotfix.identifiers import Sha

ConflictKind = Literal[
    "content",
    "binary",
    "mode",
    "symlink",
    "submodule",
    "add/add",
    "modify/delete",
    "distinct-types",
    "file/directory",
    "rename/delete",
    "rename/rename",
    "rename/add",
    "directory-rename",
    "unsupported",
]


@dataclass(frozen=True, slots=True)
class Side:
    """A path as one of base, ours and theirs has it."""

    path: str
    mode: int
    oid: Sha


@dataclass(frozen=True, slots=True)
class Lines:
    """Some lines of one version; ``start`` counts from one, an empty range stands before it."""

    start: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hunk:
    """A place where both sides changed the same lines, or lines that touch."""

    base: Lines
    ours: Lines
    theirs: Lines


@dataclass(frozen=True, slots=True)
class Conflict:
    """One thing that a person has to decide.

    ``detail`` is a sentence. ``unsupported`` is the kind of what Git might merge and this
    program does not: never called clean, always said.
    """

    kind: ConflictKind
    paths: tuple[str, ...]
    detail: str
    base: Side | None = None
    ours: Side | None = None
    theirs: Side | None = None
    hunks: tuple[Hunk, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflicted:
    """The merge needs a person; nothing was made.

    ``by_lines`` holds the paths of the files that both sides changed.
    """

    conflicts: tuple[Conflict, ...]
    by_lines: tuple[bytes, ...] = ()
