"""The objects of a repository, fetched one by one or in batches when they are read.

What was read once is held in memory. What is not there is looked for in the cache, and then asked
for by its id; code that knows what it will read says so beforehand (``hotfix.git.lazy``).
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from dulwich.objects import Blob, Commit, ShaFile, Tag, Tree

from hotfix.forge.smart_http import RefusedWantError, Want, plain_errors
from hotfix.git.commits import read_raw_commit
from hotfix.git.objects import EMPTY_TREE, object_id
from hotfix.git.packs import read_pack
from hotfix.identifiers import Sha

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from hotfix.forge.cache import Cache

_COMMITS_ONLY: Final = "tree:0"
_WITH_ROOT_TREES: Final = "tree:1"
_AT_ONCE: Final = 2000
_PIECE: Final = 64
_LONGEST_PIECE: Final = 8192
_CACHED_BYTES: Final = 1 << 20
_SHORT: Final = 20
_KINDS: Final = {kind.type_num: kind for kind in (Commit, Tree, Blob, Tag)}


class Source(Protocol):
    """Where objects are fetched from."""

    def __call__(self, want: Want, what: str) -> bytes:
        """Return the pack that answers; raises ``RefusedWantError``."""
        ...


class LazyObjects:
    """Objects by their ids, a ``LazyReader``; each is proven by its hash as it comes in."""

    def __init__(self, source: Source, cache: Cache | None, scope: str) -> None:
        self._source = source
        self._cache = cache
        self._scope = hashlib.sha256(scope.encode()).hexdigest()[:_SHORT]
        self._held: dict[bytes, tuple[int, bytes]] = {}
        self._absent: set[Sha] = set()
        self._between: dict[Sha, _Between] = {}
        self._piece = _PIECE

    def __contains__(self, oid: bytes, /) -> bool:
        """Tell whether an object is at hand."""
        return oid in self._held

    def at_hand(self) -> Iterator[ShaFile]:
        """List what was read so far."""
        for type_num, data in list(self._held.values()):
            yield ShaFile.from_raw_string(type_num, data)

    def __getitem__(self, oid: bytes, /) -> ShaFile:
        """Return an object, or raise ``KeyError`` where the server does not have it."""
        type_num, data = self.get_raw(oid)
        return ShaFile.from_raw_string(type_num, data)

    def get_raw(self, oid: bytes, /) -> tuple[int, bytes]:
        """Return an object's type and bytes, or raise ``KeyError``."""
        if oid not in self._held:
            self.bring({Sha(oid.decode("ascii"))})
        return self._held[oid]

    def open(self, commits: Iterable[Sha]) -> tuple[Sha, ...]:
        """Bring commits, their parents and the root trees of all; return those that are missing."""
        self._absent.clear()  # somebody may have pushed it since
        wanted = [commit for commit in dict.fromkeys(commits) if not self._is_open(commit)]
        absent: list[Sha] = []
        while wanted:
            try:
                self._fetch(Want(wanted, depth=2, filter=_WITH_ROOT_TREES), "commits")
                break
            except RefusedWantError as error:
                named = _refused(error, wanted)
                if named is None:
                    return (*absent, *(oid for each in wanted for oid in self.open([each])))
                absent.append(named)
                wanted.remove(named)
        return tuple(absent)

    def bring(self, oids: Collection[Sha]) -> None:
        """Fetch objects by their ids at once; what the server does not have stays missing.

        An answer may lack an object that is also part of another in the same request: git's filter
        counts it as left out there. So what did not come is asked for again.
        """
        self._load(oids)
        wanted = sorted(oid for oid in oids if not self._is_known(oid))
        while wanted:
            some = wanted[:_AT_ONCE]
            try:
                came = self._fetch(Want(some, depth=1, filter=_COMMITS_ONLY), "objects")
                self._absent.update(() if came & set(some) else some)
            except RefusedWantError as error:
                named = _refused(error, some)
                if named is None:
                    for each in some:
                        self.bring([each])
                else:
                    self._absent.add(named)
            wanted = [oid for oid in wanted if not self._is_known(oid)]

    def bring_history(self, head: Sha) -> None:
        """Fetch a commit with a piece of the history below it, a longer one each time."""
        self._load([head])
        if head.encode() not in self._held:
            piece, self._piece = self._piece, min(2 * self._piece, _LONGEST_PIECE)
            with suppress(RefusedWantError):
                self._fetch(Want([head], depth=piece, filter=_COMMITS_ONLY), "history")

    def bring_between(self, *, exclude: Sha, include: Collection[Sha]) -> None:
        """Fetch what these commits have and ``exclude`` has not, as the server's Git tells it."""
        known = self._known_between(exclude)
        wanted = sorted(set(include) - known.members - known.edges)
        if not wanted:
            return
        want = Want(wanted, have=[exclude, *sorted(known.tips)], filter=_COMMITS_ONLY)
        came = self._fetch(want, "history")
        known.add(wanted, {oid: self._parents(oid) for oid in came if self._is_commit(oid)})
        if self._cache is not None:
            self._cache.put({self._key(f"^{exclude}"): known.dump()})

    def between(self, *, exclude: Sha, include: Sha) -> frozenset[Sha]:
        """Return what ``include`` has and ``exclude`` has not."""
        self.bring_between(exclude=exclude, include=[include])
        members = self._known_between(exclude).members
        found: set[Sha] = set()
        stack = [include]
        while stack:
            sha = stack.pop()
            if sha in members and sha not in found:
                found.add(sha)
                stack += self._parents(sha)
        return frozenset(found)

    def _known_between(self, exclude: Sha) -> _Between:
        if exclude not in self._between:
            self._between[exclude] = self._cached_between(exclude) or _Between({exclude})
        return self._between[exclude]

    def _cached_between(self, exclude: Sha) -> _Between | None:
        """Return what an earlier run was told, if every commit of it is in the cache, too."""
        key = self._key(f"^{exclude}")
        dumped = self._cache.get([key]).get(key) if self._cache is not None else None
        if dumped is None:
            return None
        found = _Between.loaded(dumped)
        self._load(found.members)
        return found if all(oid.encode() in self._held for oid in found.members) else None

    def _is_open(self, commit: Sha) -> bool:
        """Tell whether a commit, its parents and their root trees are at hand or in the cache."""
        self._load([commit])
        if commit.encode() not in self._held or not self._is_commit(commit):
            return commit.encode() in self._held
        family = [commit, *self._parents(commit)]
        self._load(family)
        if any(each.encode() not in self._held for each in family):
            return False
        trees = [read_raw_commit(self, each).tree for each in family if self._is_commit(each)]
        self._load(trees)
        return all(tree == EMPTY_TREE or tree.encode() in self._held for tree in trees)

    def _fetch(self, want: Want, what: str) -> set[Sha]:
        """Ask for objects, hold what came, and return its ids."""
        pack = self._source(want, what)
        with plain_errors(f"the fetch of {what}"):
            found = list(read_pack(pack))
        self._held.update((each.oid, (each.type_num, each.data)) for each in found)
        if self._cache is not None:
            self._cache.put(
                {
                    self._key(each.oid.decode()): bytes([each.type_num]) + each.data
                    for each in found
                    if len(each.data) <= _CACHED_BYTES
                }
            )
        return {Sha(each.oid.decode()) for each in found}

    def _load(self, oids: Iterable[Sha]) -> None:
        """Take from the cache what is there of these, proven by its hash."""
        if self._cache is None:
            return
        keys = {self._key(oid): oid for oid in oids if oid.encode() not in self._held}
        for key, entry in self._cache.get(keys).items() if keys else ():
            type_num, data = entry[0], entry[1:]
            kind = _KINDS.get(type_num)
            if kind is not None and object_id(kind, data) == keys[key]:
                self._held[keys[key].encode()] = (type_num, data)
            else:
                self._cache.drop([key])

    def _key(self, name: str) -> str:
        return f"{self._scope} {name}"

    def _is_known(self, oid: Sha) -> bool:
        return oid.encode() in self._held or oid in self._absent

    def _is_commit(self, oid: Sha) -> bool:
        return self._held[oid.encode()][0] == Commit.type_num

    def _parents(self, oid: Sha) -> tuple[Sha, ...]:
        head = self._held[oid.encode()][1].partition(b"\n\n")[0]
        lines = (line for line in head.split(b"\n") if line.startswith(b"parent "))
        return tuple(Sha(line[7:].decode("ascii", "replace")) for line in lines)


class _Between:
    """The commits that some tips have and one commit has not, and where that ends."""

    def __init__(self, edges: set[Sha]) -> None:
        self.members: set[Sha] = set()
        self.edges = edges
        """Commits that the one has, too: it, tips, and parents of members."""
        self.tips: set[Sha] = set()

    def add(self, tips: Iterable[Sha], commits: Mapping[Sha, tuple[Sha, ...]]) -> None:
        """Add what the server told of more tips."""
        self.members |= commits.keys()
        self.tips |= self.members & set(tips)
        self.edges |= set(tips) | {parent for found in commits.values() for parent in found}
        self.edges -= self.members

    def dump(self) -> bytes:
        """Write it as the cache keeps it."""
        parts = (self.members, self.edges, self.tips)
        return b"\n".join(" ".join(sorted(part)).encode() for part in parts)

    @classmethod
    def loaded(cls, dumped: bytes) -> _Between:
        """Read what was written."""
        members, edges, tips = (
            {Sha(oid) for oid in line.split()} for line in dumped.decode().split("\n")
        )
        found = cls(edges)
        found.members, found.tips = members, tips
        return found


def _refused(error: RefusedWantError, wanted: Sequence[Sha]) -> Sha | None:
    """Tell which of several the server refused, if that is known."""
    if error.oid in wanted:
        return error.oid
    return wanted[0] if len(wanted) == 1 else None
