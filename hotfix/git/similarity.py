"""How much of one file is in another, measured as Git's rename finding does (diffcore-delta).

A file is cut into spans: lines, and pieces of 64 bytes of longer lines. Each span gets a
number, and what counts is how many bytes two files have in spans of the same number. Different
spans may have the same number, and that decides now and then, so the number is Git's own.
"""

from __future__ import annotations

import struct
from collections import Counter
from io import BytesIO
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from hotfix.git.text.lines import is_binary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.git.rules import Effort

MAX_SCORE = 60000
_LONGEST = 64
_NUMBERS = 107927  # HASHBASE: the numbers that spans are counted under
_BYTES_PER_STEP = 8  # one step of work for so many bytes, about what they cost


class Spans(NamedTuple):
    """The bytes of a file under each number.

    ``last`` is a last line without line feed, with its number; before Git 2.44 it did not count.
    """

    counts: dict[int, int]
    last: tuple[int, int] | None

    def counted(self, *, with_last: bool) -> dict[int, int]:
        """Return the bytes under each number, with the last line or without it."""
        if self.last is None or not with_last:
            return self.counts
        number, size = self.last
        return self.counts | {number: self.counts.get(number, 0) + size}


def sizes_can_match(one: int, other: int, minimum: int) -> bool:
    """Tell whether files of these sizes can reach the minimum at all."""
    larger = max(one, other)
    return larger * (MAX_SCORE - minimum) >= (larger - min(one, other)) * MAX_SCORE


def count_spans(files: list[bytes], effort: Effort) -> list[Spans]:
    """Return for each file how many bytes stand under each number.

    In a text a carriage return before a line feed is left out. Many files at once cost much less
    than one after the other.
    """
    effort.spend(sum(map(len, files)) // _BYTES_PER_STEP)
    texts = [data if is_binary(data) else data.replace(b"\r\n", b"\n") for data in files]
    cut = [Counter(_cut(text)) for text in texts]
    distinct = list(dict.fromkeys(chain.from_iterable(cut)))
    numbers = dict(zip(distinct, _numbers(distinct), strict=True))
    return [_counted(text, found, numbers) for text, found in zip(texts, cut, strict=True)]


def _counted(text: bytes, found: Counter[bytes], numbers: dict[bytes, int]) -> Spans:
    rest = (len(text) - text.rfind(b"\n") - 1) % _LONGEST
    last = None
    if rest:
        open_end = text[len(text) - rest :]
        found[open_end] -= 1
        last = numbers[open_end], rest
    counts: dict[int, int] = {}
    for span, count in found.items():
        if count:
            number = numbers[span]
            counts[number] = counts.get(number, 0) + len(span) * count
    return Spans(counts, last)


def _cut(data: bytes) -> Iterator[bytes]:
    for line in BytesIO(data):
        if len(line) <= _LONGEST:
            yield line
        else:
            for start in range(0, len(line), _LONGEST):
                yield line[start : start + _LONGEST]


def _numbers(texts: list[bytes]) -> list[int]:
    """Return the number of each span, computed for all of them at once.

    Git turns a register of 64 bits left by seven and adds a byte to its upper half, byte after
    byte. Here one large integer holds a register for every span, and each step does that to all.
    Spans are filled up with zeros from the left, which leave a register of zero as it is.
    """
    lanes = len(texts)
    padded = b"".join(text.rjust(_LONGEST, b"\0") for text in texts)
    low_seven, top_bit = _lanes(lanes, 0x7F), _lanes(lanes, 1 << 63)
    without_low = _lanes(lanes, 0xFFFF_FFFF_FFFF_FF80)
    without_top = _lanes(lanes, (1 << 63) - 1)
    registers = 0
    for step in range(_LONGEST - max(map(len, texts), default=0), _LONGEST):
        turned = ((registers << 7) & without_low) | ((registers >> 57) & low_seven)
        column = bytearray(8 * lanes)
        column[4::8] = padded[step::_LONGEST]
        added = int.from_bytes(column, "little")
        registers = ((turned & without_top) + added) ^ (turned & top_bit)
    return [
        ((upper + lower * 0x61) & 0xFFFF_FFFF) % _NUMBERS
        for lower, upper in struct.iter_unpack("<II", registers.to_bytes(8 * lanes, "little"))
    ]


def _lanes(count: int, value: int) -> int:
    return int.from_bytes(value.to_bytes(8, "little") * count, "little")
