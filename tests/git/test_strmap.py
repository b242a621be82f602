from __future__ import annotations

import pytest

from hotfix.git.strmap import StringMap, _fnv1


@pytest.mark.parametrize(
    ("text", "expected"), [(b"", 0x811C9DC5), (b"a", 0x050C5D7E), (b"foobar", 0x31F0B262)]
)
def test_the_hash_is_fnv_1(text: bytes, expected: int) -> None:
    assert _fnv1(text) == expected


def test_keys_are_gone_over_in_the_order_of_gits_hashes() -> None:
    found: StringMap[int] = StringMap()
    for number, key in enumerate([b"src", b"doc", b"lib", b"test", b"a/b/c"]):
        found.put(key, number)
    found.put(b"doc", 9)

    # Modulo 64 their hashes are 33, 41, 2, 41, 43; in a chain the newest key comes first.
    assert [key for key, _ in found.items()] == [b"lib", b"src", b"test", b"doc", b"a/b/c"]
    assert found.get(b"doc") == 9
    assert found.get(b"none") is None
    assert len(found) == 5


def test_no_key_is_lost_when_the_table_grows() -> None:
    keys = [b"folder/%d" % number for number in range(1000)]
    found: StringMap[None] = StringMap()
    for key in keys:
        found.put(key, None)

    assert sorted(key for key, _ in found.items()) == sorted(keys)
