"""Git's own string map, because a merge goes over it in the order of its hashes.

Where several files could be the source of a rename, that order can decide; so it is followed
instead of hoped for (Git's hashmap.c: FNV-1, chains whose newest entry comes first).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

Value = TypeVar("Value")

_FIRST_SIZE = 64
_LOAD = 80  # per cent
_GROWTH = 4

_Chains = list[list[tuple[int, bytes]]]


class StringMap(Generic[Value]):
    """Maps byte strings to values; iterates as Git does."""

    def __init__(self) -> None:
        self._values: dict[bytes, Value] = {}

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: bytes) -> Value | None:
        """Return the value of a key, or nothing."""
        return self._values.get(key)

    def put(self, key: bytes, value: Value) -> None:
        """Set the value of a key; a known key keeps its place."""
        self._values[key] = value

    def __iter__(self) -> Iterator[bytes]:
        """Go over the keys in the order in which they came, for work that no order matters to."""
        return iter(self._values)

    def items(self) -> Iterator[tuple[bytes, Value]]:
        """Go over keys and values in Git's order."""
        for chain in _chained(self._values):
            for _, key in chain:
                yield key, self._values[key]


def _chained(keys: dict[bytes, Value]) -> _Chains:
    """Put the keys into chains one after the other, growing the table when Git does."""
    chains: _Chains = [[] for _ in range(_FIRST_SIZE)]
    for count, key in enumerate(keys, start=1):
        _insert(chains, _fnv1(key), key)
        if count > len(chains) * _LOAD // 100:
            old, chains = chains, [[] for _ in range(len(chains) * _GROWTH)]
            for chain in old:
                for hashed, known in chain:
                    _insert(chains, hashed, known)
    return chains


def _insert(chains: _Chains, hashed: int, key: bytes) -> None:
    chains[hashed % len(chains)].insert(0, (hashed, key))


def _fnv1(key: bytes) -> int:
    hashed = 0x811C9DC5
    for char in key:
        hashed = (hashed * 0x01000193 & 0xFFFF_FFFF) ^ char
    return hashed
