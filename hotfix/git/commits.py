"""Commits: what the plan needs to know of one, and how the bytes of a new one are made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Literal, NamedTuple

from dulwich.objects import Commit

from hotfix.errors import InputError
from hotfix.git.conflicts import Conflict, Conflicted
from hotfix.git.messages import decode, find_picked_from, find_trailers
from hotfix.git.objects import CorruptObjectError, object_of, read_commit_bytes
from hotfix.identifiers import SHA_PATTERN, Sha

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dulwich.objects import ShaFile

    from hotfix.git.objects import ObjectReader

__all__ = [
    "AlreadyThere",
    "CommitInfo",
    "Conflict",
    "Conflicted",
    "FileChange",
    "Identity",
    "NewCommit",
    "RawCommit",
    "make_commit",
    "read_commit",
    "read_raw_commit",
]

_SHA = re.compile(SHA_PATTERN)
_IDENTITY = re.compile(rb"^(?P<who>.*>) (?P<seconds>-?\d{1,18}) (?P<zone>[+-]\d{1,8})$", re.DOTALL)
_MAX_ZONE_MINUTES = 24 * 60 - 1


@dataclass(frozen=True, slots=True)
class Identity:
    """A name and an address, as a commit records them."""

    name: str
    email: str

    def line(self) -> bytes:
        """Return ``Name <mail>``; ``InputError`` for what would break the commit's lines."""
        for part in (self.name, self.email):
            if any(char in part for char in "<>\n\0") or part != part.strip() or not part:
                raise InputError(
                    "identity-invalid",
                    f"{part!r} cannot stand in a commit as a name or an address",
                    hint="Set `committer: {name, email}` without angle brackets and line breaks.",
                )
        return f"{self.name} <{self.email}>".encode()


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """What the plan needs to know of a commit; texts are as written, views make them safe."""

    sha: Sha
    tree: Sha
    parents: tuple[Sha, ...]
    title: str
    message: str
    author: str
    committer: str
    author_time: datetime
    committer_time: datetime
    trailers: Mapping[str, tuple[str, ...]]
    picked_from: tuple[Sha, ...]


@dataclass(frozen=True, slots=True)
class FileChange:
    """A path that a commit changes; of a rename, the new path."""

    path: str
    change: Literal["added", "modified", "deleted", "renamed", "mode"]


@dataclass(frozen=True, slots=True)
class NewCommit:
    """A commit that does not exist yet, with every object that it brings, itself last."""

    sha: Sha
    tree: Sha
    parent: Sha
    message: str
    author: str
    committer: str
    files: tuple[FileChange, ...]
    objects: tuple[ShaFile, ...]
    by_lines: tuple[bytes, ...] = ()
    """The files that both sides of a pick changed."""


@dataclass(frozen=True, slots=True)
class AlreadyThere:
    """The tree is what it should become: nothing to commit, said so."""

    reason: str
    tree: Sha
    by_lines: tuple[bytes, ...] = ()
    """As in :class:`NewCommit`."""


class RawCommit(NamedTuple):
    """A commit's parts in its own bytes; what is kept is copied, never written anew."""

    sha: Sha
    tree: Sha
    parents: tuple[Sha, ...]
    author: bytes
    committer: bytes
    encoding: bytes | None
    message: bytes


def read_commit(reader: ObjectReader, sha: Sha) -> CommitInfo:
    """Return what a commit says.

    :class:`~hotfix.git.objects.MissingObjectError` where it is not there,
    :class:`~hotfix.git.objects.CorruptObjectError` where it is no commit.
    """
    raw = read_raw_commit(reader, sha)
    message = decode(raw.message, raw.encoding)
    author, author_time = _identity(raw, raw.author)
    committer, committer_time = _identity(raw, raw.committer)
    return CommitInfo(
        sha=sha,
        tree=raw.tree,
        parents=raw.parents,
        title=message.lstrip("\n").partition("\n")[0].strip(),
        message=message,
        author=author,
        committer=committer,
        author_time=author_time,
        committer_time=committer_time,
        trailers=find_trailers(message),
        picked_from=find_picked_from(message),
    )


def read_raw_commit(reader: ObjectReader, sha: Sha) -> RawCommit:
    """Return a commit's parts; of a header that stands twice the first counts, as in Git."""
    head, _, message = read_commit_bytes(reader, sha).partition(b"\n\n")
    headers: dict[bytes, list[bytes]] = {}
    for line in head.split(b"\n"):
        if not line.startswith(b" "):  # a continuation belongs to a signature or a merged tag
            key, _, value = line.partition(b" ")
            headers.setdefault(key, []).append(value)
    try:
        return RawCommit(
            sha=sha,
            tree=_sha(headers[b"tree"][0]),
            parents=tuple(_sha(value) for value in headers.get(b"parent", [])),
            author=headers[b"author"][0],
            committer=headers[b"committer"][0],
            encoding=headers.get(b"encoding", [None])[0],
            message=message,
        )
    except (KeyError, ValueError):
        raise CorruptObjectError(sha, "lacks a header that every commit has") from None


def make_commit(
    *,
    tree: Sha,
    parent: Sha,
    author: bytes,
    committer: Identity,
    when: datetime,
    encoding: bytes | None,
    message: bytes,
) -> ShaFile:
    """Return the commit object of exactly these parts; the committer's zone is always +0000."""
    lines = [
        b"tree " + tree.encode(),
        b"parent " + parent.encode(),
        b"author " + author,
        b"committer " + signature(committer, when),
    ]
    if encoding is not None:
        lines.append(b"encoding " + encoding)
    return object_of(Commit, b"\n".join(lines) + b"\n\n" + message)


def signature(identity: Identity, when: datetime) -> bytes:
    """Return an author or committer line: name, address, seconds, zone +0000."""
    if when.tzinfo is None:
        raise ValueError("a commit's date needs its zone")
    return identity.line() + b" %d +0000" % int(when.timestamp())


def author_of(raw: RawCommit) -> str:
    """Return ``Name <mail>`` of a commit's author."""
    return decode(_who(raw.author), raw.encoding)


def _who(line: bytes) -> bytes:
    found = _IDENTITY.match(line)
    return found["who"] if found else line


def _identity(raw: RawCommit, line: bytes) -> tuple[str, datetime]:
    found = _IDENTITY.match(line)
    if not found:
        raise CorruptObjectError(raw.sha, "has an author or committer line without a date")
    digits = found["zone"][1:].rjust(4, b"0")
    minutes = int(digits[:-2]) * 60 + int(digits[-2:])
    if minutes > _MAX_ZONE_MINUTES:  # old tools wrote such zones; the moment does not depend on it
        minutes = 0
    sign = -1 if found["zone"].startswith(b"-") else 1
    try:
        moment = datetime.fromtimestamp(int(found["seconds"]), UTC)
        local = moment.astimezone(timezone(timedelta(minutes=sign * minutes)))
    except (OverflowError, ValueError, OSError):
        raise CorruptObjectError(raw.sha, "has a date that is out of all range") from None
    return decode(found["who"], raw.encoding), local


def _sha(value: bytes) -> Sha:
    text = value.decode("ascii")
    if not _SHA.match(text):
        raise ValueError(text)
    return Sha(text)
