"""What a client lacks: from wants, haves and shallow boundaries to a pack."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.objects import Blob, Commit, Tree
from dulwich.pack import write_pack_objects

from hotfix.identifiers import Sha
from hotfix.sandbox import history
from hotfix.sandbox.repositories import SUBMODULE
from hotfix.sandbox.smart_http.packets import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dulwich.objects import ShaFile

    from hotfix.sandbox.repositories import Repository

_UNITS: Final = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


@dataclass(slots=True)
class Request:
    """What a client asks for; the same in every protocol version."""

    wants: list[Sha] = field(default_factory=list)
    haves: list[Sha] = field(default_factory=list)
    shallow: set[Sha] = field(default_factory=set)
    depth: int | None = None
    filter: str | None = None
    done: bool = False

    def take(self, line: str) -> None:
        """Take one line; raises ``ProtocolError`` for one that is not understood."""
        word, _, value = line.partition(" ")
        match word:
            case "want":
                self.wants.append(Sha(value))
            case "have":
                self.haves.append(Sha(value))
            case "shallow":
                self.shallow.add(Sha(value))
            case "deepen":
                self.depth = int(value)
            case "filter":
                self.filter = value
            case "done":
                self.done = True
            case "thin-pack" | "no-progress" | "include-tag" | "ofs-delta" | "wait-for-done":
                pass
            case _:
                raise ProtocolError(f"unexpected line: {line!r}")


class Selection:
    """The answer to a request: new boundaries, what both sides have, and the objects to send."""

    def __init__(self, repository: Repository, request: Request) -> None:
        """Look at a request; raises ``ProtocolError`` for an object that is not there.

        Any object of the repository may be wanted, as Gitaly sets ``allowAnySHA1InWant``.
        """
        for want in request.wants:
            if want not in repository:
                raise ProtocolError(f"upload-pack: not our ref {want}")
        self.repository = repository
        self.request = request
        self.common = [sha for sha in request.haves if sha in repository]
        self.boundary = self._boundary()
        self.shallow = sorted(self.boundary - request.shallow)
        self.unshallow = sorted(self._deepened())

    def ready(self) -> bool:
        """Tell whether what both sides have leads to everything that is wanted."""
        common = set(self.common)
        return bool(common) and all(
            common & history.ancestors(self.repository, [want])
            for want in map(self.repository.peeled, self.request.wants)
            if want is not None
        )

    def _boundary(self) -> set[Sha]:
        """Return the commits whose parents the client shall not have afterwards."""
        if self.request.depth is None:
            return self.request.shallow & set(self.repository.ids())
        level = {sha for want in self.request.wants if (sha := self.repository.peeled(want))}
        seen, left = set(level), self.request.depth - 1
        while level and left:
            level = {p for sha in level for p in self.repository.parents(sha)} - seen
            seen |= level
            left -= 1
        self._inside = seen - level
        return {sha for sha in level if self.repository.parents(sha)}

    def _deepened(self) -> set[Sha]:
        if self.request.depth is None:
            return set()
        return (self.request.shallow & self._inside) - self.boundary

    def objects(self) -> list[Sha]:
        """List what the client lacks."""
        known = set(
            history.reachable_objects(self.repository, self.common, boundary=self.request.shallow)
        )
        deeper = [parent for sha in self.unshallow for parent in self.repository.parents(sha)]
        starts = [*self.request.wants, *deeper]
        found = history.reachable_objects(
            self.repository, starts, known=known, boundary=self.boundary
        )
        keeps = self._filter()
        return [sha for sha in found if sha in self.request.wants or keeps(sha)]

    def _filter(self) -> Callable[[Sha], bool]:
        """Return what a partial clone's filter leaves in, besides all that is wanted by its id."""
        name = self.request.filter
        if name is None:
            return lambda _: True
        if name == "blob:none":
            return lambda sha: not isinstance(self.repository[sha], Blob)
        if name.startswith("blob:limit="):
            limit = _size(name.removeprefix("blob:limit="))
            return lambda sha: _blob_size(self.repository[sha]) < limit
        if name.startswith("tree:"):
            shallow = self._nearer_than(int(name.removeprefix("tree:")))
            return lambda sha: not isinstance(self.repository[sha], Blob | Tree) or sha in shallow
        raise ProtocolError(f"filter is not supported: {name}")

    def _nearer_than(self, depth: int) -> set[Sha]:
        """Return the trees and blobs less than so many levels below a commit or a wanted tree."""
        commits = history.reachable_objects(
            self.repository, self.request.wants, boundary=self.boundary
        )
        level = {
            self.repository.tree(sha) if isinstance(self.repository[sha], Commit) else sha
            for sha in commits
            if isinstance(self.repository[sha], Commit) or sha in self.request.wants
        }
        found: set[Sha] = set()
        for _ in range(depth):
            found |= level
            level = {
                entry.sha
                for sha in level
                if sha in self.repository and isinstance(self.repository[sha], Tree)
                for _, entry in self.repository.entries(sha)
                if entry.mode != SUBMODULE
            }
        return found

    def pack(self) -> bytes:
        """Write the pack."""
        parts: list[bytes] = []
        things = [self.repository[sha] for sha in self.objects()]
        write_pack_objects(parts.append, things, DEFAULT_OBJECT_FORMAT, deltify=False)
        return b"".join(parts)


def _blob_size(thing: ShaFile) -> int:
    return len(thing.data) if isinstance(thing, Blob) else 0


def _size(text: str) -> int:
    unit = _UNITS.get(text[-1:].lower(), 1)
    return int(text.rstrip("kKmMgG")) * unit
