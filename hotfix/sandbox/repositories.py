"""A bare Git repository in memory: objects, refs, and the questions that GitLab asks of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tag, Tree

from hotfix.identifiers import ZERO, Sha

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

FILE = 0o100644
EXECUTABLE = 0o100755
SYMLINK = 0o120000
FOLDER = 0o040000
SUBMODULE = 0o160000


class Entry(NamedTuple):
    """What lies at a path: its mode and its object."""

    mode: int
    sha: Sha


class RefMove(NamedTuple):
    """A ref that moved, and from where to where."""

    ref: str
    old: Sha
    new: Sha


class Signature(NamedTuple):
    """Who made a commit, and when."""

    name: str
    email: str
    at: datetime


@dataclass(frozen=True, slots=True)
class File:
    """A file to be committed."""

    content: bytes
    mode: int = FILE


class StaleRefError(Exception):
    """A ref does not stand where the update expected it."""


@dataclass(slots=True)
class Repository:
    """Objects by id and refs by full name; accepted commits are kept for ever."""

    default_branch: str = "main"
    refs: dict[str, Sha] = field(default_factory=dict)
    promised: frozenset[Sha] = frozenset()
    """Objects that are named by those that are here, and lie elsewhere (git's partial clone): they
    count as there where a push needs them, and end a walk."""
    moves: list[RefMove] = field(default_factory=list)
    """How refs moved since, the oldest first."""
    _objects: dict[Sha, ShaFile] = field(default_factory=dict)
    _files: dict[Sha, Mapping[str, Entry]] = field(default_factory=dict)

    # objects
    def __contains__(self, sha: object) -> bool:
        return sha in self._objects

    def __getitem__(self, sha: str) -> ShaFile:
        return self._objects[Sha(sha)]

    def add(self, thing: ShaFile) -> Sha:
        """Store an object; returns its id."""
        sha = Sha(thing.id.decode())
        self._objects.setdefault(sha, thing)
        return sha

    def commit(self, sha: str) -> Commit:
        """Return the commit of an id; ``KeyError`` where the id names none."""
        found = self._objects[Sha(sha)]
        if not isinstance(found, Commit):
            raise KeyError(sha)
        return found

    def parents(self, sha: str) -> list[Sha]:
        """Return the ids of a commit's parents, less those that lie elsewhere."""
        parents = [Sha(parent.decode()) for parent in self.commit(sha).parents]
        return [parent for parent in parents if not self.is_elsewhere(parent)]

    def is_elsewhere(self, sha: Sha) -> bool:
        """Tell whether an object is promised and not here."""
        return sha in self.promised and sha not in self._objects

    def tree(self, commit: str) -> Sha:
        """Return the id of a commit's tree."""
        return Sha(self.commit(commit).tree.decode())

    def blob(self, sha: str) -> bytes:
        """Return a file's content."""
        found = self._objects[Sha(sha)]
        if not isinstance(found, Blob):
            raise KeyError(sha)
        return found.data

    def entries(self, tree: str) -> list[tuple[str, Entry]]:
        """List one folder's entries by name."""
        found = self._objects[Sha(tree)]
        if not isinstance(found, Tree):
            raise KeyError(tree)
        return [
            (item.path.decode(), Entry(item.mode, Sha(item.sha.decode())))
            for item in found.iteritems()
        ]

    def files(self, commit: str) -> Mapping[str, Entry]:
        """Return every file of a commit by its whole path."""
        return self.files_of_tree(self.tree(commit))

    def files_of_tree(self, tree: Sha) -> Mapping[str, Entry]:
        """Return every file below a tree by its whole path, less folders that lie elsewhere."""
        if tree not in self._files:
            found: dict[str, Entry] = {}
            for name, entry in self.entries(tree):
                if entry.mode == FOLDER and self.is_elsewhere(entry.sha):
                    continue
                if entry.mode == FOLDER:
                    below = self.files_of_tree(entry.sha)
                    found.update({f"{name}/{path}": file for path, file in below.items()})
                else:
                    found[name] = entry
            self._files[tree] = found
        return self._files[tree]

    # writing
    def write_blob(self, content: bytes) -> Sha:
        """Store a file's content; returns its id."""
        return self.add(Blob.from_string(content))

    def write_tree(self, files: Mapping[str, Entry]) -> Sha:
        """Store the folders that hold these files; returns the id of the uppermost."""
        tree = Tree()
        folders: dict[str, dict[str, Entry]] = {}
        for path, entry in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(name, {})[rest] = entry
            else:
                tree.add(name.encode(), entry.mode, _bytes(entry.sha))
        for name, below in folders.items():
            tree.add(name.encode(), FOLDER, _bytes(self.write_tree(below)))
        return self.add(tree)

    def write_commit(
        self,
        tree: Sha,
        parents: Iterable[Sha],
        message: str,
        author: Signature,
        committer: Signature | None = None,
    ) -> Sha:
        """Store a commit, in zone ``+0000``; returns its id."""
        commit = Commit()
        commit.tree = _bytes(tree)
        commit.parents = [_bytes(parent) for parent in parents]
        commit.author, commit.author_time = _ident(author), int(author.at.timestamp())
        committer = committer or author
        commit.committer, commit.commit_time = _ident(committer), int(committer.at.timestamp())
        commit.author_timezone = commit.commit_timezone = 0
        commit.encoding = None
        commit.message = message.encode()
        return self.add(commit)

    def edited(self, commit: str | None, changes: Mapping[str, File | None]) -> Sha:
        """Return the tree of a commit after changes; ``None`` deletes a path."""
        files = dict(self.files(commit)) if commit else {}
        for path, change in changes.items():
            if change is None:
                del files[path]
            else:
                files[path] = Entry(change.mode, self.write_blob(change.content))
        return self.write_tree(files)

    # refs
    def update_ref(self, ref: str, old: Sha, new: Sha) -> None:
        """Move a ref from ``old`` to ``new``; zero ids create and delete.

        Raises ``StaleRefError`` and changes nothing where the ref stands elsewhere.
        """
        self.expect(ref, old)
        self.moves.append(RefMove(ref, old, new))
        if new == ZERO:
            self.refs.pop(ref, None)
        else:
            self.refs[ref] = new

    def expect(self, ref: str, old: Sha) -> None:
        """Raise ``StaleRefError`` unless a ref stands at an id; zero is for "does not exist"."""
        if self.refs.get(ref, ZERO) != old:
            raise StaleRefError(ref)

    def forget(self, shas: Iterable[Sha]) -> None:
        """Drop objects that were never accepted."""
        for sha in shas:
            del self._objects[sha]

    def branch(self, name: str) -> Sha | None:
        """Return where a branch stands."""
        return self.refs.get(f"refs/heads/{name}")

    def branches(self) -> dict[str, Sha]:
        """Return all branches by name, sorted."""
        return self._named("refs/heads/")

    def tags(self) -> dict[str, Sha]:
        """Return all tags by name, sorted, each with what its ref points at."""
        return self._named("refs/tags/")

    def _named(self, prefix: str) -> dict[str, Sha]:
        return {
            ref.removeprefix(prefix): sha
            for ref, sha in sorted(self.refs.items())
            if ref.startswith(prefix)
        }

    def resolve(self, name: str) -> Sha | None:
        """Return the commit that a branch, a tag, a full ref, a whole or a short id names."""
        if name == "HEAD":
            name = self.default_branch
        for ref in (f"refs/heads/{name}", f"refs/tags/{name}", name):
            if ref in self.refs:
                return self.peeled(self.refs[ref])
        if re.fullmatch(r"[0-9a-f]{7,40}", name):
            found = [sha for sha in self._objects if sha.startswith(name)]
            if len(found) == 1:
                return self.peeled(found[0])
        return None

    def peeled(self, sha: Sha) -> Sha | None:
        """Return the commit behind an id: itself, or what a tag object points at."""
        found = self._objects.get(sha)
        while isinstance(found, Tag):
            sha = Sha(found.object[1].decode())
            found = self._objects.get(sha)
        return sha if isinstance(found, Commit) else None

    def ids(self) -> Iterator[Sha]:
        """Iterate over the ids of all objects."""
        return iter(self._objects)


def _ident(signature: Signature) -> bytes:
    return f"{signature.name} <{signature.email}>".encode()


def _bytes(sha: str) -> ObjectID:
    return ObjectID(sha.encode("ascii"))
