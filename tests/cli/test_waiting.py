"""What a person sees of a fetch: long waits, and that a server could serve better."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hotfix.cli import waiting
from hotfix.cli.screen import Screen
from hotfix.cli.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.sandbox import Sandbox
    from tests.cli.conftest import Result
    from tests.conftest import FixedClock

GIT = r"\.git/git-upload-pack$"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    written: list[str] = []
    monkeypatch.setattr(waiting, "is_capable", lambda _: True)
    monkeypatch.setattr(waiting, "_write", written.append)
    return written


def test_a_short_wait_is_not_shown(terminal: list[str], clock: FixedClock) -> None:
    with Waiting(Screen(), clock).waiting("fetching"):
        pass

    assert terminal == []


def test_short_waits_one_after_the_other_are_shown_once_they_took_long(
    terminal: list[str], clock: FixedClock
) -> None:
    telling = Waiting(Screen(), clock)
    for _ in range(2):
        with telling.waiting("fetching a"):
            clock.advance(0.3)
    with telling.waiting("fetching \x1b[2Jb"):
        time.sleep(0.1)

    assert terminal[0].startswith("fetching ")
    assert "\x1b" not in "".join(terminal)
    assert terminal[1].strip("\r ") == ""


@pytest.mark.parametrize("quiet", [True, False])
def test_nothing_is_shown_to_a_pipe_or_to_those_who_want_quiet(
    terminal: list[str], clock: FixedClock, *, quiet: bool
) -> None:
    telling = Waiting(Screen(quiet=quiet), clock, shows_waits=quiet)
    clock.advance(10)

    with telling.waiting("fetching"):
        time.sleep(0.6)

    assert terminal == []


def test_a_plan_made_again_asks_for_no_object(
    hotfix: Callable[..., Result], sandbox: Sandbox, spec: Path
) -> None:
    first = hotfix("plan", spec)
    sandbox.requests.clear()

    again = hotfix("plan", spec)

    asked = sandbox.requests.matching("POST", GIT)
    assert [request.body for request in asked if b"command=fetch" in request.body] == []
    assert without_times(again.out) == without_times(first.out)


def without_times(text: str) -> str:
    return re.sub(r"\d{2}:\d{2}:\d{2}", "", text)


def test_no_cache_fetches_anew_and_keeps_nothing(
    hotfix: Callable[..., Result], sandbox: Sandbox, spec: Path
) -> None:
    for _ in range(2):
        sandbox.requests.clear()
        assert hotfix("plan", spec, "--no-cache").code == 0
        asked = sandbox.requests.matching("POST", GIT)
        assert [request.body for request in asked if b"command=fetch" in request.body]

    assert not Path("~/.cache").expanduser().exists()


def test_the_cache_lies_where_the_users_caches_are(
    hotfix: Callable[..., Result], spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    hotfix("plan", spec)

    kept = Path("~/.cache/hotfix").expanduser()
    assert [file.name for file in kept.iterdir()] == ["objects.sqlite3"]
    assert os.environ["HOTFIX_TOKEN"].encode() not in (kept / "objects.sqlite3").read_bytes()
