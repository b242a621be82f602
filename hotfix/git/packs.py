"""Reading packs (Git docs, "gitformat-pack"): whole ones from memory, and sizes out of any.

dulwich's readers are made for packs on disk and cost three times as much for the small packs of a
plan; its ``apply_delta`` does the work here, too.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from dulwich.errors import ApplyDeltaError
from dulwich.objects import Blob, Commit, Tag, Tree
from dulwich.pack import OFS_DELTA, REF_DELTA, apply_delta

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = 1024
"""Bytes that hold an object's head in a pack and what a delta begins with."""

_HEAD = struct.Struct(">4sII")
_TWO_SIZES = 20  # bytes that hold the two sizes that a delta begins with
_TRAILER = 20
_VERSIONS = (2, 3)
_NAMES = {kind.type_num: kind.type_name for kind in (Commit, Tree, Blob, Tag)}


class PackedObject(NamedTuple):
    """An object as it came; ``oid`` in hex was computed from its bytes."""

    oid: bytes
    type_num: int
    data: bytes


def read_pack(pack: bytes) -> Iterator[PackedObject]:
    """Yield every object of a whole pack; ``ValueError`` for bytes that are none."""
    if len(pack) < _HEAD.size + _TRAILER:
        raise ValueError("the pack is cut off")
    magic, version, count = _HEAD.unpack_from(pack)
    end = len(pack) - _TRAILER
    if hashlib.sha1(memoryview(pack)[:end], usedforsecurity=False).digest() != pack[end:]:
        raise ValueError("the pack is cut off or damaged")
    if magic != b"PACK" or version not in _VERSIONS:
        raise ValueError("it is no pack of a version that is known")
    yield from _Reading(pack, end).run(count)


def size_in_pack(head: bytes) -> int:
    """Return the size of the object that a pack has at some place, without inflating it.

    ``head`` holds the first :data:`HEAD` bytes from there. A delta says the size of what it makes
    in itself, as the second number. ``ValueError`` for bytes that are no object.
    """
    type_num, size, place = _header(head, 0, len(head))
    if type_num == REF_DELTA:
        place += 20
    elif type_num == OFS_DELTA:
        _, place = _offset(head, place, len(head))
    else:
        return size
    delta = zlib.decompressobj().decompress(head[place:], _TWO_SIZES)
    _, place = _number(delta, 0, len(delta))
    return _number(delta, place, len(delta))[0]


class _Reading:
    def __init__(self, pack: bytes, end: int) -> None:
        self._pack = pack
        self._end = end
        self._by_place: dict[int, PackedObject] = {}
        self._by_id: dict[bytes, PackedObject] = {}
        # Deltas that came before what they are based on: place, base's id, delta.
        self._waiting: list[tuple[int, int | bytes, bytes]] = []

    def run(self, count: int) -> Iterator[PackedObject]:
        place = _HEAD.size
        for _ in range(count):
            start = place
            type_num, size, place = _header(self._pack, place, self._end)
            base: int | bytes | None = None
            if type_num == OFS_DELTA:
                back, place = _offset(self._pack, place, self._end)
                base = start - back
            elif type_num == REF_DELTA:
                base, place = self._pack[place : place + 20].hex().encode(), place + 20
            data, place = self._inflated(place, size)
            found = (
                self._keep(start, type_num, data)
                if base is None
                else self._based(start, base, data)
            )
            if found is not None:
                yield found
        if place != self._end:
            raise ValueError("the pack has more in it than it says")
        yield from self._late()

    def _late(self) -> Iterator[PackedObject]:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            for start, base, delta in waiting:
                found = self._based(start, base, delta)
                if found is not None:
                    yield found
            if len(self._waiting) == len(waiting):
                raise ValueError("the pack lacks what its deltas are based on")

    def _based(self, start: int, base: int | bytes, delta: bytes) -> PackedObject | None:
        below = self._by_place.get(base) if isinstance(base, int) else self._by_id.get(base)
        if below is None:
            self._waiting.append((start, base, delta))
            return None
        try:
            data = b"".join(apply_delta(below.data, delta))
        except (ApplyDeltaError, IndexError) as error:
            raise ValueError(f"a delta of the pack is damaged: {error}") from None
        return self._keep(start, below.type_num, data)

    def _keep(self, start: int, type_num: int, data: bytes) -> PackedObject:
        name = _NAMES.get(type_num)
        if name is None:
            raise ValueError(f"the pack holds an object of the unknown type {type_num}")
        header = b"%s %d\0" % (name, len(data))
        oid = hashlib.sha1(header + data, usedforsecurity=False).hexdigest().encode()
        found = self._by_place[start] = self._by_id[oid] = PackedObject(oid, type_num, data)
        return found

    def _inflated(self, place: int, size: int) -> tuple[bytes, int]:
        """Inflate what has to become ``size`` bytes; no more is taken in, and none is let out."""
        longest = size + (size >> 10) + 64  # what deflate makes of bytes that cannot be pressed
        part = self._pack[place : min(place + longest, self._end)]
        stream = zlib.decompressobj()
        try:
            data = stream.decompress(part, size + 1)
        except zlib.error as error:
            raise ValueError(f"an object of the pack cannot be inflated: {error}") from None
        if not stream.eof or len(data) != size:
            raise ValueError("an object of the pack has not the size that it says")
        return data, place + len(part) - len(stream.unused_data)


def _header(data: bytes, place: int, end: int) -> tuple[int, int, int]:
    """Read an object's type and size, which share the first byte; return where they end, too."""
    first = _byte(data, place, end)
    type_num, size = first >> 4 & 7, first & 15
    if first & 0x80:
        more, place = _number(data, place + 1, end)
        return type_num, size | more << 4, place
    return type_num, size, place + 1


def _number(data: bytes, place: int, end: int) -> tuple[int, int]:
    """Read a number of seven bits a byte, the low ones first; return where it ends, too."""
    value = shift = 0
    while True:
        byte = _byte(data, place, end)
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if not byte & 0x80:
            return value, place


def _offset(data: bytes, place: int, end: int) -> tuple[int, int]:
    """Read how far before a delta its base lies; return where the number ends, too."""
    byte = _byte(data, place, end)
    offset = byte & 0x7F
    while byte & 0x80:
        place += 1
        byte = _byte(data, place, end)
        offset = offset + 1 << 7 | byte & 0x7F
    return offset, place + 1


def _byte(data: bytes, place: int, end: int) -> int:
    if place >= end:
        raise ValueError("the pack ends in the middle of an object")
    return data[place]
