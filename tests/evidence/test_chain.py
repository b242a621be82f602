from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.canonical import digest, without
from hotfix.evidence.chain import backwards, first_link, link, verify
from hotfix.plan.document import to_json

if TYPE_CHECKING:
    from conftest import Story

PLAN = "sha256:" + "a" * 64


def chain(length: int = 5) -> list[dict[str, Any]]:
    """Chain some entries, as they stand in a file."""
    entries: list[dict[str, Any]] = []
    previous = first_link(PLAN)
    for seq in range(1, length + 1):
        entry = link(
            previous,
            seq=seq,
            at=f"2026-11-22T12:00:0{seq}Z",
            step="preflight",
            target="group/project",
            phase="observed",
            facts={"number": seq, "list": [1, {"deep": None}]},
        )
        entries.append(to_json(entry))
        previous = entry.digest
    return entries


def breaks(entries: list[dict[str, Any]]) -> list[tuple[int, str]]:
    """Tell the place of each break."""
    return [(fault.index, fault.key) for fault in verify(entries, PLAN)]


def test_the_first_entry_hangs_on_the_plan() -> None:
    (entry,) = chain(1)

    assert entry["previous"] == PLAN
    assert entry["digest"] == digest(without(entry, "digest"))


def test_a_chain_as_it_was_made_has_no_fault() -> None:
    assert verify(chain(), PLAN) == ()


def test_no_entries_are_a_chain_too() -> None:
    assert verify([], PLAN) == ()


def test_a_chain_of_another_plan_breaks_at_its_first_entry() -> None:
    (fault,) = verify(chain(), "sha256:" + "b" * 64)

    assert (fault.index, fault.seq, fault.key) == (0, 1, "previous")


@pytest.mark.parametrize("key", ["at", "step", "target", "phase", "facts"])
def test_a_changed_entry_is_one_break_at_that_entry(key: str) -> None:
    entries = chain()
    entries[2][key] = {"other": 1} if key == "facts" else "other"

    assert breaks(entries) == [(2, "digest")]


def test_a_change_deep_in_the_facts_is_a_break() -> None:
    entries = chain()
    entries[3]["facts"]["list"][1]["deep"] = False

    assert breaks(entries) == [(3, "digest")]


def test_a_key_that_no_model_knows_is_a_break() -> None:
    entries = chain()
    entries[3]["more"] = None

    assert breaks(entries) == [(3, "digest")]


def test_a_changed_digest_is_named_with_the_entry_that_follows_it() -> None:
    entries = chain()
    entries[2]["digest"] = "sha256:" + "c" * 64

    assert breaks(entries) == [(2, "digest"), (3, "previous")]


def test_an_entry_left_out_is_a_break_where_it_stood() -> None:
    entries = chain()
    del entries[1]

    assert breaks(entries) == [(1, "seq"), (1, "previous")]


def test_an_entry_put_in_twice_is_a_break_where_it_stands() -> None:
    entries = chain()
    entries.insert(2, copy.deepcopy(entries[1]))

    assert breaks(entries) == [(2, "seq"), (2, "previous")]


def test_entries_that_changed_places_are_breaks() -> None:
    entries = chain()
    entries[1], entries[2] = entries[2], entries[1]

    assert {index for index, _ in breaks(entries)} == {1, 2, 3}


def test_an_entry_numbered_anew_is_a_break_though_it_is_in_its_place() -> None:
    entries = chain()
    entries[4]["seq"] = 9

    assert breaks(entries) == [(4, "seq"), (4, "digest")]


def test_every_break_is_named_not_only_the_first() -> None:
    entries = chain()
    entries[0]["at"] = entries[4]["at"] = "2027-01-01T00:00:00Z"

    assert breaks(entries) == [(0, "digest"), (4, "digest")]


def test_facts_that_no_digest_can_cover_are_a_break_and_no_crash() -> None:
    entries = chain()
    entries[1]["facts"] = {"big": 2**60}

    assert breaks(entries) == [(1, "digest")]


def test_a_clock_that_ran_backwards_is_told_and_breaks_nothing(hotfix: Story) -> None:
    entries = [entry.model_copy() for entry in hotfix.entries()]
    entries[4] = entries[4].model_copy(update={"at": "2020-01-01T00:00:00Z"})

    assert backwards(hotfix.entries()) == ()
    assert backwards(entries) == (4,)


@pytest.mark.parametrize(
    "value",
    [2**60, float("nan"), float("inf"), "\ud800", b"bytes", {1: "key"}, {"a", "b"}, object()],
)
def test_facts_that_canonical_json_cannot_say_are_refused_with_their_step(value: object) -> None:
    with pytest.raises(ValueError, match="facts of `lock` cannot be recorded"):
        link(
            PLAN,
            seq=1,
            at="2026-11-22T12:00:00Z",
            step="lock",
            target="group/project",
            phase="done",
            facts={"nested": [value]},
        )


def test_nobody_can_change_facts_after_they_were_digested() -> None:
    commits = ["one"]
    facts: dict[str, Any] = {"commits": commits, "pair": (1, 2)}
    entry = link(
        PLAN,
        seq=1,
        at="2026-11-22T12:00:00Z",
        step="pick",
        target="group/project",
        phase="intent",
        facts=facts,
    )
    commits.append("two")

    assert entry.facts == {"commits": ["one"], "pair": [1, 2]}
    assert verify([to_json(entry)], PLAN) == ()


def test_numbers_are_digested_as_rfc_8785_writes_them() -> None:
    entries = chain(1)
    entries[0]["facts"]["number"] = 1.0

    assert verify(entries, PLAN) == ()
