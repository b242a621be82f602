"""Every byte of a lockfile counts: whatever is changed is refused, or found and named."""

from __future__ import annotations

import copy
import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.errors import InputError
from hotfix.evidence.audit import audit
from hotfix.evidence.lockfile import parse, serialize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Story

pytestmark = pytest.mark.usefixtures("_no_schema")

EXAMPLES = int(os.environ.get("HOTFIX_ORACLE_EXAMPLES") or 24)
"""How many changes of each kind are tried; with more than there are places, all of them."""

_PLACE = re.compile(r"at `.+`|line \d+ column \d+|position \d+|the key .+ stands twice")

Path = tuple[str | int, ...]

OUTSIDE: tuple[Path, ...] = (("seal", "at"),)
"""What no chain can hold: the moment at which the head was put into the incident."""


@pytest.fixture
def data(hotfix: Story) -> bytes:
    return serialize(hotfix.sealed())


@pytest.fixture
def raw(data: bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(data)
    return parsed


def found(data: bytes) -> bool:
    """Tell whether a change was refused or found, in either case with its place."""
    try:
        document = parse(data, "x.lock.json")
    except InputError as refused:
        return _PLACE.search(refused.message) is not None
    report = audit(document)
    failed = [finding for finding in report.findings if finding.outcome == "failed"]
    assert all(finding.where.startswith("$") and finding.detail for finding in failed)
    return report.verdict == "failed"


def dump(raw: dict[str, Any]) -> bytes:
    return (json.dumps(raw, indent=2, ensure_ascii=False) + "\n").encode()


def spread(cases: list[Any], count: int = EXAMPLES) -> list[Any]:
    """Take so many of the cases, evenly; the same ones every time."""
    return (
        [cases[index * len(cases) // count] for index in range(count)] if cases[count:] else cases
    )


# ---- values ----


def places(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401  (any JSON value)
    """Walk to every value of a document, containers too."""
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def altered(value: object) -> object:
    """Change a leaf as little as its type lets it, so that it is still of the right shape."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            last = {"0": "1", "a": "b", "Z": "Z"}.get(value[-1:], "0")
            return f"{value[:-1]}{last}" if not value.endswith("Z") else f"2027{value[4:]}"
        case None:
            return "0" * 40
        case _:
            return [*value, "more"] if isinstance(value, list) else {"more": 1}


def placed(raw: dict[str, Any], path: Path, change: Callable[[Any, Any], None]) -> bytes:
    """Change a copy of the document at one place."""
    document: Any = copy.deepcopy(raw)
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    change(inner, path[-1])
    return dump(document)


def leaves(raw: dict[str, Any]) -> list[tuple[Path, Any]]:
    """List the values that hold no others."""
    return [
        (path, value)
        for path, value in places(raw)
        if path and path not in OUTSIDE and (not isinstance(value, dict | list) or not value)
    ]


def test_every_value_of_the_document_counts(raw: dict[str, Any]) -> None:
    outside = [case for case in leaves(raw) if case[0][0] not in ("plan", "entries")]
    inside = [case for case in leaves(raw) if case[0][0] in ("plan", "entries")]
    assert len(inside) > 1000

    for path, value in [*spread(outside), *spread(inside)]:

        def change(inner: Any, key: Any, value: object = value) -> None:  # noqa: ANN401  (any JSON value)
            inner[key] = altered(value)

        assert found(placed(raw, path, change)), path


def test_everything_that_is_left_out_is_missed(raw: dict[str, Any]) -> None:
    def remove(inner: Any, key: Any) -> None:  # noqa: ANN401  (any JSON value)
        del inner[key]

    for path, _ in spread([case for case in places(raw) if case[0]]):
        assert found(placed(raw, path, remove)), path


def test_everything_that_is_put_in_is_seen(raw: dict[str, Any]) -> None:
    containers = [
        path for path, value in places(raw) if path and isinstance(value, dict | list) and value
    ]

    def add(inner: Any, key: Any) -> None:  # noqa: ANN401  (any JSON value)
        holder = inner[key]
        if isinstance(holder, dict):
            holder["more"] = None
        else:
            holder.append(copy.deepcopy(holder[-1]))

    for path in spread(containers):
        assert found(placed(raw, path, add)), path


# ---- entries ----


def named(raw: dict[str, Any]) -> set[str]:
    """Tell the places in the chain that an audit names."""
    report = audit(parse(dump(raw), "x.lock.json"))
    assert report.verdict == "failed"
    return {each.where for each in report.findings if each.what in ("chain", "head")} - {"$.head"}


@pytest.mark.parametrize("index", [0, 1, 17, 38])
def test_an_entry_left_out_is_named_by_its_place(raw: dict[str, Any], index: int) -> None:
    del raw["entries"][index]

    assert f"$.entries[{index}].previous" in named(raw)


def test_the_last_entry_left_out_is_seen_at_the_head(raw: dict[str, Any]) -> None:
    del raw["entries"][-1]
    report = audit(parse(dump(raw), "x.lock.json"))

    assert ("failed", "$.head") in {(each.outcome, each.where) for each in report.findings}


@pytest.mark.parametrize("index", [0, 20, 39])
def test_an_entry_put_in_is_named_by_its_place(raw: dict[str, Any], index: int) -> None:
    raw["entries"].insert(index, copy.deepcopy(raw["entries"][index]))

    assert f"$.entries[{index + 1}].previous" in named(raw)


@pytest.mark.parametrize(("one", "other"), [(0, 1), (5, 6), (3, 30)])
def test_entries_that_changed_places_are_named(raw: dict[str, Any], one: int, other: int) -> None:
    entries = raw["entries"]
    entries[one], entries[other] = entries[other], entries[one]

    assert {f"$.entries[{one}].previous", f"$.entries[{other}].previous"} <= named(raw)


def test_a_file_cut_off_anywhere_is_refused(data: bytes) -> None:
    for end in spread(list(range(len(data) - 2))):
        assert found(data[:end]), end


# ---- bytes ----


def bare(data: bytes) -> bytes:
    """Take JSON's blank space away, outside of texts; found by hand, not as the product does."""
    kept, inside, escaped = bytearray(), False, False
    for byte in data:
        if inside:
            inside = escaped or byte != ord('"')
            escaped = not escaped and byte == ord("\\")
        elif byte in b" \t\r\n":
            continue
        else:
            inside = byte == ord('"')
        kept.append(byte)
    return bytes(kept)


def may_change(data: bytes) -> range:
    """Find the bytes that nothing holds: the moment in the seal."""
    start = data.rindex(b'"at": "') + len(b'"at": "')
    return range(start, data.index(b'"', start))


def holds(original: bytes, changed: bytes, position: int) -> None:
    """Require that a change is found, unless it is of blank space alone."""
    if position in may_change(original) or bare(changed) == bare(original):
        return
    assert found(changed), (position, changed[position - 30 : position + 30])


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80])
def test_every_byte_counts(data: bytes, mask: int) -> None:
    for position in spread(list(range(len(data))), EXAMPLES // 2):
        changed = bytearray(data)
        changed[position] ^= mask
        holds(data, bytes(changed), position)


@pytest.mark.parametrize("byte", [b" ", b"0", b"e", b"\\", b'"', b","])
def test_every_byte_put_in_counts(data: bytes, byte: bytes) -> None:
    for position in spread(list(range(1, len(data))), EXAMPLES // 4):
        holds(data, data[:position] + byte + data[position:], position)


def test_every_byte_left_out_counts(data: bytes) -> None:
    for position in spread(list(range(len(data))), EXAMPLES):
        holds(data, data[:position] + data[position + 1 :], position)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"5.0", b"5.00"),
        (b"5.0", b"5e0"),
        (b"0.25", b"2.5e-1"),
        (b"olive", b"\\u006flive"),
        (b"/develop", b"\\/develop"),
        ("früh".encode(), b"fr\\u00fch"),
        ("früh".encode(), b"fr\\u00FCh"),
        (b"{", b"\xef\xbb\xbf{"),
    ],
)
def test_the_same_value_in_other_bytes_counts(data: bytes, old: bytes, new: bytes) -> None:
    assert old in data

    assert found(data.replace(old, new, 1))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_the_same_text_in_another_encoding_counts(data: bytes, encoding: str) -> None:
    assert found(data.decode().encode(encoding))
