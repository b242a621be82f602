"""Reading Git objects, each proven to be what its id says."""

from __future__ import annotations

import hashlib
import zlib
from binascii import a2b_hex
from typing import TYPE_CHECKING, Protocol, cast

from dulwich.errors import ApplyDeltaError, FileFormatException
from dulwich.objects import Blob, Commit, RawObjectID, ShaFile, Tag, Tree
from dulwich.pack import PackFileDisappeared

from hotfix.errors import FailedError
from hotfix.git.packs import HEAD, size_in_pack
from hotfix.identifiers import Sha

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dulwich.pack import Pack

EMPTY_TREE = Sha("4b825dc642cb6eb9a060e54bf8d69288fbee4904")
EMPTY_BLOB = Sha("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")

GitObject = ShaFile
"""A Git object, under a name of our own for the rooms that only hand it on."""

_UNREADABLE = (FileFormatException, ApplyDeltaError, zlib.error, AssertionError, ValueError)
_KINDS = {each.type_num: each.type_name.decode() for each in (Blob, Tree, Commit, Tag)}


class ObjectReader(Protocol):
    """Where objects come from: a dulwich object store, a dict, an :class:`Overlay`."""

    def __getitem__(self, oid: bytes, /) -> ShaFile:
        """Return the object with this id of 40 hex bytes, or raise ``KeyError``."""
        ...

    def __contains__(self, oid: bytes, /) -> bool:
        """Tell whether the object is there."""
        ...


class MissingObjectError(FailedError):
    """An object that is needed was not fetched, or is gone."""

    def __init__(self, oid: str) -> None:
        super().__init__(
            "object-missing",
            f"the Git object {oid} is not in the objects that were fetched",
            hint="Run the command again; it fetches anew.",
        )
        self.oid = oid


class CorruptObjectError(FailedError):
    """An object is not what its id or its place says."""

    def __init__(self, oid: str, reason: str) -> None:
        super().__init__(
            "object-corrupt",
            f"the Git object {oid} {reason}",
            hint="Check the repository on the server with `git fsck`; nothing was done.",
        )
        self.oid = oid


class Overlay:
    """New objects laid over a reader, so that a commit can stand on one that was not pushed yet."""

    def __init__(self, base: ObjectReader) -> None:
        self._base = base
        self._new: dict[bytes, ShaFile] = {}

    @property
    def below(self) -> ObjectReader:
        """The reader that this is laid over."""
        return self._base

    def add(self, objects: Iterable[ShaFile]) -> None:
        """Lay these objects on top."""
        self._new.update((bytes(each.id), each) for each in objects)

    def __getitem__(self, oid: bytes, /) -> ShaFile:
        """Return the object with this id, the new ones first."""
        return self._new[oid] if oid in self._new else self._base[oid]

    def get_raw(self, oid: bytes, /) -> tuple[int, bytes]:
        """Return an object's type and bytes, as dulwich's stores do, without parsing it."""
        found = self._new.get(oid)
        if found is not None:
            return found.type_num, found.as_raw_string()
        return _raw_below(self._base, oid)

    @property
    def packs(self) -> Iterable[Pack]:
        """Return the packs below, which know the sizes of their objects."""
        found: Iterable[Pack] = getattr(self._base, "packs", ())
        return found

    def __contains__(self, oid: bytes, /) -> bool:
        """Tell whether the object is on top or below."""
        return oid in self._new or oid in self._base


class PacksFirst:
    """Reads a store's packs by themselves, and from the store only what none of them has.

    A store looks at each read whether its packs are still the same files. One merge reads
    thousands of objects, which no change of those files can alter; so it looks once.
    """

    def __init__(self, base: ObjectReader, packs: Iterable[Pack]) -> None:
        self._base = base
        self.packs = tuple(packs)
        """The packs, which know the sizes of their objects."""

    def __getitem__(self, oid: bytes, /) -> ShaFile:
        """Return the object with this id."""
        return self._base[oid]

    def __contains__(self, oid: bytes, /) -> bool:
        """Tell whether the object is there."""
        raw = RawObjectID(a2b_hex(oid))
        return any(raw in pack for pack in self.packs) or oid in self._base

    def get_raw(self, oid: bytes, /) -> tuple[int, bytes]:
        """Return an object's type and bytes, as dulwich's stores do."""
        raw = RawObjectID(a2b_hex(oid))
        for pack in self.packs:
            try:
                return pack.get_raw(raw)
            except (KeyError, PackFileDisappeared):
                continue
        return _raw_below(self._base, oid)


def packs_first(reader: ObjectReader) -> ObjectReader:
    """Return a reader's packs laid over it; a reader without packs as it is."""
    packs = tuple(getattr(reader, "packs", ()))
    return PacksFirst(reader, packs) if packs else reader


def read_blob(reader: ObjectReader, oid: Sha) -> bytes:
    """Return a blob's bytes; :class:`MissingObjectError` or :class:`CorruptObjectError`."""
    return _read(reader, oid, Blob)


class BlobSizes:
    """The sizes of blobs, from the heads that packs keep where the reader has packs.

    Rename finding asks for the sizes of many files and for the bytes of few.
    """

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader
        self._packs: list[Pack] = list(getattr(reader, "packs", ()))
        self._known: dict[Sha, int] = {}

    def of(self, oid: Sha) -> int:
        """Return a blob's size; :class:`MissingObjectError` where it is not there."""
        if oid not in self._known:
            self._known[oid] = self._look_up(oid)
        return self._known[oid]

    def _look_up(self, oid: Sha) -> int:
        raw = RawObjectID(a2b_hex(oid))
        for pack in self._packs:
            try:
                offset = pack.index.object_offset(raw)
            except KeyError:
                continue
            contents = pack.data._buffer()  # noqa: SLF001 - dulwich cannot read a head alone
            return size_in_pack(contents[offset : offset + HEAD])
        return len(_raw(self._reader, oid)[1])


def read_tree_bytes(reader: ObjectReader, oid: Sha) -> bytes:
    """Return a tree's bytes; the empty tree needs no object, as in Git."""
    return b"" if oid == EMPTY_TREE else _read(reader, oid, Tree)


def read_commit_bytes(reader: ObjectReader, oid: Sha) -> bytes:
    """Return a commit's bytes."""
    return _read(reader, oid, Commit)


def read_commit_object(reader: ObjectReader, oid: Sha) -> Commit:
    """Return a commit as dulwich parsed it: for walks over thousands, so its id is not proven."""
    try:
        found = reader[oid.encode("ascii")]
    except KeyError:
        raise MissingObjectError(oid) from None
    except _UNREADABLE:
        raise CorruptObjectError(oid, "cannot be read") from None
    _expect(oid, found.type_num, Commit)
    return cast("Commit", found)


def object_of(kind: type[ShaFile], data: bytes) -> ShaFile:
    """Return the object with exactly these bytes."""
    return ShaFile.from_raw_string(kind.type_num, data)


def object_id(kind: type[ShaFile], data: bytes) -> Sha:
    """Return the id that Git gives to an object with these bytes."""
    header = b"%s %d\0" % (kind.type_name, len(data))
    return Sha(hashlib.sha1(header + data, usedforsecurity=False).hexdigest())


def _read(reader: ObjectReader, oid: Sha, kind: type[ShaFile]) -> bytes:
    type_number, data = _raw(reader, oid)
    _expect(oid, type_number, kind)
    if object_id(kind, data) != oid:
        raise CorruptObjectError(oid, "has bytes that do not belong to this id")
    return data


def _raw(reader: ObjectReader, oid: Sha) -> tuple[int, bytes]:
    """Return an object's type and bytes; a store that has them unparsed gives them at once."""
    try:
        return _raw_below(reader, oid.encode("ascii"))
    except KeyError:
        raise MissingObjectError(oid) from None
    except _UNREADABLE:
        raise CorruptObjectError(oid, "cannot be read") from None


def _raw_below(reader: ObjectReader, oid: bytes) -> tuple[int, bytes]:
    get_raw: Callable[[bytes], tuple[int, bytes]] | None = getattr(reader, "get_raw", None)
    if get_raw is not None:
        return get_raw(oid)
    found = reader[oid]
    return found.type_num, found.as_raw_string()


def _expect(oid: Sha, type_number: int, kind: type[ShaFile]) -> None:
    if type_number != kind.type_num:
        seen = _KINDS.get(type_number, "something else")
        expected = _KINDS[kind.type_num]
        raise CorruptObjectError(oid, f"is a {seen} where a {expected} is expected")
