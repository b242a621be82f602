"""A lock before it is broken: who holds it, for what, and whether its run lives."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hotfix.apply.holder import Holder, stranger
from hotfix.apply.lease import Held
from hotfix.apply.unlock import FoundLock
from hotfix.views.held_lock_text import held_lock_text, lock_document

if TYPE_CHECKING:
    from collections.abc import Callable

HOLDER = Holder(
    id="0123456789abcdef",
    who="olga",
    host="laptop-7",
    place="here",
    process="1:2",
    since="2026-11-22T12:00:00Z",
    until="2026-11-22T12:10:00Z",
    hotfix="inc-1042-ocpp-timeout",
    plan_digest="sha256:" + "d19e57ab" * 8,
    tool_version="0.1.0",
    job="https://gitlab.example.com/evenergi/develop/-/jobs/85",
)


class Place:
    name = "refs/hotfix/lock/release"


def lock(holder: Holder, why_dead: str | None = None, why_alive: str | None = None) -> FoundLock:
    place: object = Place()
    notes: object = None
    return FoundLock(
        "evenergi/bf-manage-core", place, Held("x", holder), notes, why_dead, why_alive
    )  # type: ignore[arg-type]


def test_a_lock_is_shown_with_what_its_run_is_at(golden: Callable[[str, str], None]) -> None:
    shown = [
        lock(HOLDER, "its lease ran out at 2026-11-22T12:10:00Z"),
        lock(HOLDER, why_alive=f"its lease runs until {HOLDER.until}"),
        lock(replace(HOLDER, until=None, job=None)),
        lock(stranger("a1b2", who="maria", since="2026-11-22T12:00:00Z")),
    ]

    golden("held-lock.txt", "\n".join(held_lock_text(x, width=100, colour=False) for x in shown))


def test_a_run_that_may_live_is_warned_of_in_colour() -> None:
    alive = held_lock_text(lock(HOLDER, why_alive="it is here"), width=100, colour=True)
    dead = held_lock_text(lock(HOLDER, "its process is gone"), width=100, colour=True)

    assert "\x1b[1;31mWARNING" in alive
    assert "WARNING" not in dead


def test_hostile_names_do_not_act_on_the_terminal() -> None:
    bad = "\x1b[2J\r\nx"
    hostile = replace(HOLDER, who=bad, host=bad, since=bad, until=bad, hotfix=bad, job=bad)

    text = held_lock_text(lock(hostile), width=100, colour=False)

    assert not {"\x1b", "\r"} & set(text)


def test_a_lock_as_json_says_null_for_what_it_does_not_tell() -> None:
    document = lock_document(lock(stranger("a1b2", who="maria")))

    assert document["alive"] is None
    assert document["holder"]["who"] == "maria"
    assert document["holder"]["hotfix"] is None
