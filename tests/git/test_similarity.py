from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hotfix.git.rules import Effort
from hotfix.git.similarity import MAX_SCORE, count_spans, sizes_can_match

words = st.sampled_from([b"a", b"bc", b"\r", b"\n", b"\r\n", b"\xff", b"x" * 61, b"\0"])
texts = st.lists(words, max_size=40).map(b"".join)


def one_by_one(data: bytes, *, with_last: bool) -> dict[int, int]:
    """Count spans as Git's documentation of the algorithm tells it: byte after byte."""
    counts: dict[int, int] = {}
    upper = lower = length = 0
    is_text = b"\0" not in data[:8000]

    def close() -> None:
        number = (upper + lower * 0x61) % 2**32 % 107927
        counts[number] = counts.get(number, 0) + length

    for place, byte in enumerate(data):
        if is_text and byte == 13 and data[place + 1 : place + 2] == b"\n":
            continue
        upper, lower = (
            ((upper << 7 | lower >> 25) + byte) % 2**32,
            (lower << 7 | upper >> 25) % 2**32,
        )
        length += 1
        if length == 64 or byte == 10:
            close()
            upper = lower = length = 0
    if length and with_last:
        close()
    return counts


@given(texts)
def test_counting_all_spans_at_once_gives_what_counting_bytes_gives(data: bytes) -> None:
    _, found, _ = count_spans([b"before\n", data, b"after"], Effort())

    assert found.counted(with_last=True) == one_by_one(data, with_last=True)
    assert found.counted(with_last=False) == one_by_one(data, with_last=False)


def test_files_of_very_different_sizes_are_not_compared() -> None:
    assert sizes_can_match(50, 100, MAX_SCORE // 2)
    assert not sizes_can_match(49, 100, MAX_SCORE // 2)
    assert sizes_can_match(80, 100, MAX_SCORE * 3 // 4)
    assert not sizes_can_match(74, 100, MAX_SCORE * 3 // 4)
