from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hotfix.errors import InputError
from hotfix.evidence.lockfile import parse, serialize

if TYPE_CHECKING:
    from conftest import Story


def test_a_lockfile_read_back_is_the_one_that_was_written(hotfix: Story) -> None:
    lock = hotfix.sealed()
    document = parse(serialize(lock), "x.lock.json")

    assert document.lock == lock
    assert serialize(document.lock) == serialize(lock)
    assert document.source == "x.lock.json"


def test_a_lockfile_can_be_read_and_compared_line_by_line(hotfix: Story) -> None:
    text = serialize(hotfix.sealed()).decode()

    assert text.startswith('{\n  "format": "lock/1",\n  "hotfix": "inc-1042-ocpp-timeout",\n')
    assert text.endswith("}\n")
    assert "zu früh" in text


def test_the_file_has_what_the_contract_names(hotfix: Story) -> None:
    document = json.loads(serialize(hotfix.sealed()))

    assert set(document) >= {
        "format",
        "hotfix",
        "kind",
        "plan",
        "plan_digest",
        "spec_digest",
        "state",
        "approvals",
        "entries",
        "checks",
        "head",
        "seal",
    }
    assert [entry["seq"] for entry in document["entries"]] == list(range(1, 41))
    assert document["entries"][0]["previous"] == document["plan_digest"]
    assert document["seal"]["head"] == document["head"] == document["entries"][-1]["digest"]


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        (b'"state": "complete"', b'"state": "finished"', "$.state"),
        (b'"seq": 3,', b'"seq": 0,', "$.entries[2].seq"),
        (b'"phase": "intent"', b'"phase": "wish"', "$.entries[1].phase"),
        (b'"format": "lock/1"', b'"format": "plan/1"', "$.format"),
        (b'"applied_by": "olive"', b'"applied_by": null', "$.applied_by"),
        (b'"hotfix": "inc-1042-ocpp-timeout"', b'"hotfax": "x"', "hotfax"),
    ],
)
def test_a_file_of_another_shape_is_refused_with_its_place(
    hotfix: Story, old: bytes, new: bytes, place: str
) -> None:
    data = serialize(hotfix.sealed())
    assert old in data

    with pytest.raises(InputError) as refused:
        parse(data.replace(old, new, 1), "x.lock.json")

    assert refused.value.code == "lock-invalid"
    assert place in refused.value.message
    assert refused.value.message.startswith("x.lock.json")


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a": 1, "a": 2}', b"NaN", b'{"a": 1e999}']
)
def test_what_is_no_lockfile_at_all_is_refused(data: bytes) -> None:
    with pytest.raises(InputError) as refused:
        parse(data, "x.lock.json")

    assert refused.value.code == "lock-invalid"


@pytest.mark.parametrize("value", [b"9007199254740993", b"1e999", b'"\\ud800"', b"[" * 5000])
def test_a_fact_that_no_digest_can_cover_is_refused(hotfix: Story, value: bytes) -> None:
    data = serialize(hotfix.sealed()).replace(
        b'"timeline_events": 6', b'"timeline_events": ' + value
    )

    with pytest.raises(InputError) as refused:
        parse(data, "x.lock.json")

    assert refused.value.code == "lock-invalid"


def test_a_file_of_a_later_version_says_so(hotfix: Story) -> None:
    data = serialize(hotfix.sealed()).replace(b'"lock/1"', b'"lock/12"', 1)

    with pytest.raises(InputError) as refused:
        parse(data, "x.lock.json")

    assert refused.value.code == "lock-invalid"
    assert refused.value.message == (
        "x.lock.json has the format `lock/12`, which a later version of this tool wrote; "
        "this one reads `lock/1`."
    )
    assert refused.value.hint == "Use the version that wrote it, or a later one."
