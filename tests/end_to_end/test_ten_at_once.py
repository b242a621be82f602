"""Ten people apply the same hotfix at the same moment: it happens once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.sandbox import Sandbox, seed
from tests.end_to_end.command import Command

from .conftest import CORE, Desk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import FixedClock

pytestmark = pytest.mark.end_to_end

APPLY = ("apply", "hotfix.yaml", "--auto-approve", "--promote")


@pytest.fixture
def desk(tmp_path: Path, clock: FixedClock) -> Iterator[Desk]:
    """Serve a GitLab whose jobs run on only when the clock is moved."""
    with Sandbox(seed.example(clock)) as sandbox:
        yield Desk(sandbox, tmp_path)


def wait(until: Callable[[], bool], meanwhile: Callable[[], Any] = lambda: None) -> None:
    while not until():
        meanwhile()
        time.sleep(0.05)


def assert_once(desk: Desk) -> None:
    requests, world = desk.sandbox.requests, desk.sandbox.world
    assert len(requests.matching("POST", r"/pipeline$")) == 1
    assert len(requests.matching("POST", r"/play$")) == 1
    assert len(requests.matching("POST", r"/issues$")) == 1
    pushes = requests.matching("POST", r"/git-receive-pack$")
    assert sum(b" refs/heads/release" in push.body for push in pushes) == 2
    assert world.production_sha(CORE) == world.release_sha(CORE)


@pytest.mark.parametrize("lockfile", ["hotfix.lock.json", "{}.lock.json"])
def test_one_does_the_work_and_nine_end_with_6(
    desk: Desk, clock: FixedClock, lockfile: str
) -> None:
    """On one lockfile this machine keeps them apart; with one each, GitLab does."""
    ten = [
        Command(desk.folder, desk.environment, number, *APPLY, "--lock", lockfile.format(number))
        for number in range(10)
    ]
    wait(lambda: sum(each.code is None for each in ten) <= 1)
    at_work = [each for each in ten if each.code is None]
    wait(lambda: all(each.code is not None for each in ten), lambda: clock.advance(1.0))

    assert sorted(each.code or 0 for each in ten) == [0] + [6] * 9, [each.said for each in ten]
    assert [each.code for each in at_work] == [0]
    assert "9 of 9 checks passed" in "".join(at_work[0].said)
    turned_away = [each for each in ten if each.code == 6]
    assert all("error[locked]: " in "".join(each.said) for each in turned_away)
    assert_once(desk)


def test_nine_that_wait_find_it_done(desk: Desk, clock: FixedClock) -> None:
    ten = [
        Command(desk.folder, desk.environment, number, *APPLY, "--lock-timeout", "100")
        for number in range(10)
    ]
    wait(lambda: all(each.code is not None for each in ten), lambda: clock.advance(1.0))

    assert [each.code for each in ten] == [0] * 10, [each.said for each in ten]
    told = ["\n".join(each.said) for each in ten]
    assert sum("9 of 9 checks passed" in each for each in told) == 1
    assert sum("Nothing to do. Hotfix" in each for each in told) == 9
    assert_once(desk)
