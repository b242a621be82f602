"""The objects of a server that does not give single ones: branches with all their files.

Some servers have no filters, or give nothing by its id. Then the next best is asked for: the tops
of the history, and where that is not enough all of it. It lies in a temporary folder, which goes
when it is needed no more.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from dulwich.object_store import DiskObjectStore
from dulwich.objects import ObjectID

from hotfix.forge.smart_http import RefusedWantError, Want, plain_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dulwich.objects import ShaFile
    from dulwich.pack import Pack

    from hotfix.identifiers import Sha

_DEPTH: Final = 50
_SMALLEST_PACK: Final = 32
_TRAILER: Final = 20
_PART: Final = 1 << 20


class WholeBranches:
    """Objects in a folder; what is missed there makes it fetch the whole history, once."""

    def __init__(
        self,
        source: Callable[[Want, Callable[[bytes], object]], None],
        branches: Callable[[], Sequence[Sha]],
        patiently: Callable[[Callable[[], None]], None],
        tell: Callable[[str], object],
    ) -> None:
        folder = tempfile.mkdtemp(prefix="hotfix-")
        self._store = DiskObjectStore.init(str(Path(folder, "objects")))
        self._source = source
        self._branches = branches
        self._patiently = patiently
        self._tell = tell
        self._tips: list[Sha] = []
        self._is_whole = False
        weakref.finalize(self, _discard, self._store, folder)

    def __contains__(self, oid: bytes, /) -> bool:
        """Tell whether an object is there."""
        return ObjectID(oid) in self._store

    def at_hand(self) -> Iterator[ShaFile]:
        """List what was fetched so far."""
        return (self._store[oid] for oid in self._store)

    def __getitem__(self, oid: bytes, /) -> ShaFile:
        """Return an object, or raise ``KeyError``."""
        self._miss(oid)
        return self._store[ObjectID(oid)]

    def get_raw(self, oid: bytes, /) -> tuple[int, bytes]:
        """Return an object's type and bytes, or raise ``KeyError``."""
        self._miss(oid)
        return self._store.get_raw(ObjectID(oid))

    @property
    def packs(self) -> Iterable[Pack]:
        """The packs, which know the sizes of their objects."""
        return self._store.packs

    def open(self, commits: Iterable[Sha]) -> tuple[Sha, ...]:
        """Bring commits with their files; return those that are missing."""
        wanted = list(dict.fromkeys(commits))
        if not self._absent(wanted):
            return ()
        depth = None if self._is_whole else _DEPTH
        if not self._is_whole:
            self._tell(f"fetching the newest {_DEPTH} commits with all their files")
        if not self._take(self._absent(wanted), depth):
            self._take(self._branches(), depth)
        if self._absent(wanted):
            self._complete()
        return tuple(each for each in self._absent(wanted) if not self._take([each], None))

    def _absent(self, commits: Iterable[Sha]) -> list[Sha]:
        return [each for each in commits if each.encode() not in self]

    def _miss(self, oid: bytes) -> None:
        if oid not in self and not self._is_whole:
            self._complete()

    def _complete(self) -> None:
        """Fetch the whole history: of what was asked for, or else of the branches."""
        if self._is_whole:
            return
        self._is_whole = True
        self._tell("fetching the whole history with all its files; that may take long")
        known, self._tips = self._tips, []
        if not known or not self._take(known, None):
            self._take(self._branches(), None)

    def _take(self, wanted: Sequence[Sha], depth: int | None) -> bool:
        """Fetch commits and what belongs to them; tell whether the server was willing."""
        if not wanted:
            return False
        have = self._tips if self._is_whole else []
        want = Want(wanted, have=have, depth=depth)
        try:
            self._patiently(lambda: self._store_answer(want))
        except RefusedWantError:
            return False
        self._tips += [each for each in wanted if each not in self._tips]
        return True

    def _store_answer(self, want: Want) -> None:
        file, commit, abort = self._store.add_pack()
        try:
            self._source(want, file.write)
            with plain_errors("the fetch of branches"):
                _check_pack(file)
                commit()
        except BaseException:
            with suppress(OSError):
                abort()
            raise


def _check_pack(file: BinaryIO) -> None:
    """Refuse a file that is no whole pack, before dulwich reads it."""
    size = file.tell()
    file.seek(0)
    digest = hashlib.sha1(usedforsecurity=False)
    left = size - _TRAILER
    while left > 0 and (part := file.read(min(left, _PART))):
        digest.update(part)
        left -= len(part)
    if size < _SMALLEST_PACK or file.read() != digest.digest():
        raise ValueError("the pack is cut off or damaged")


def _discard(store: DiskObjectStore, folder: str) -> None:
    store.close()
    shutil.rmtree(folder, ignore_errors=True)
