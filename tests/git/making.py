"""Histories made of values: a tree is a mapping from paths to contents."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree

from hotfix.identifiers import Sha

if TYPE_CHECKING:
    from collections.abc import Mapping

START = 1_700_000_000


@dataclass(frozen=True)
class File:
    """A content that is no plain text file."""

    data: bytes
    mode: int = 0o100644


def executable(data: bytes) -> File:
    return File(data, 0o100755)


def link(target: bytes) -> File:
    return File(target, 0o120000)


def submodule(number: int) -> File:
    return File(b"%040x" % number, 0o160000)


Content = bytes | File
Files = dict[str, Content]


@dataclass
class Store:
    """Objects in a dict, with counters of what was read."""

    objects: dict[bytes, ShaFile] = field(default_factory=dict)
    reads: list[bytes] = field(default_factory=list)

    def __getitem__(self, oid: bytes, /) -> ShaFile:
        self.reads.append(oid)
        return self.objects[oid]

    def __contains__(self, oid: bytes, /) -> bool:
        return oid in self.objects

    def add(self, made: ShaFile) -> Sha:
        self.objects[bytes(made.id)] = made
        return Sha(made.id.decode())

    def blob(self, data: bytes) -> Sha:
        return self.add(Blob.from_string(data))

    def tree(self, files: Mapping[str, Content]) -> Sha:
        folders: dict[str, dict[str, Content]] = {}
        tree = Tree()
        for path, content in files.items():
            head, _, rest = path.partition("/")
            if rest:
                folders.setdefault(head, {})[rest] = content
                continue
            made = content if isinstance(content, File) else File(content)
            oid = made.data.decode() if made.mode == 0o160000 else self.blob(made.data)
            tree.add(path.encode(), made.mode, ObjectID(oid.encode()))
        for name, inner in folders.items():
            tree.add(name.encode(), 0o040000, ObjectID(self.tree(inner).encode()))
        return self.add(tree)

    def raw_tree(self, *entries: tuple[bytes, int, Sha]) -> Sha:
        """Make a tree exactly as given, wrong order and dangerous names included."""
        data = b"".join(
            b"%o %s\0%s" % (mode, name, bytes.fromhex(oid)) for name, mode, oid in entries
        )
        return self.add(ShaFile.from_raw_string(Tree.type_num, data))

    def commit(self, tree: Sha, *parents: Sha, **fields: bytes | int) -> Sha:
        made = Commit()
        made.tree = tree.encode()
        made.parents = [ObjectID(parent.encode()) for parent in parents]
        made.author = made.committer = b"Ada Author <ada@example.com>"
        made.author_time = made.commit_time = START
        made.author_timezone = made.commit_timezone = 0
        made.message = b"Change something\n"
        for name, value in fields.items():
            setattr(made, name, value)
        return self.add(made)

    def files(self, tree: Sha, prefix: str = "") -> dict[str, bytes]:
        """Return what a tree holds, submodules by their ids."""
        found: dict[str, bytes] = {}
        held = self.objects[tree.encode()]
        assert isinstance(held, Tree)
        for entry in held.items():
            path = prefix + entry.path.decode("utf-8", "surrogateescape")
            if entry.mode == 0o040000:
                found |= self.files(Sha(entry.sha.decode()), path + "/")
            else:
                blob = self.objects.get(entry.sha)
                found[path] = blob.as_raw_string() if blob else entry.sha
        return found


def lines(*texts: str | int) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()
