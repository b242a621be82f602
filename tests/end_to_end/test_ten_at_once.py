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


def begin(desk: Desk, *more: str) -> Command:
    return Command(desk.folder, desk.environment, (*APPLY, *more))


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
    ten = [begin(desk, "--lock", lockfile.format(number)) for number in range(10)]
    wait(lambda: sum(each.returncode is None for each in ten) <= 1)
    at_work = [each for each in ten if each.returncode is None]
    wait(lambda: all(each.returncode is not None for each in ten), lambda: clock.advance(1.0))

    assert sorted(each.returncode or 0 for each in ten) == [0] + [6] * 9, [
        each.stderr for each in ten
    ]
    assert [each.returncode for each in at_work] == [0]
    assert b"9 of 9 checks passed" in at_work[0].stdout
    turned_away = [each for each in ten if each.returncode == 6]
    assert all(each.stderr.startswith(b"error[locked]: ") for each in turned_away)
    assert_once(desk)


def test_nine_that_wait_find_it_done(desk: Desk, clock: FixedClock) -> None:
    ten = [begin(desk, "--lock-timeout", "100") for _ in range(10)]
    wait(lambda: all(each.returncode is not None for each in ten), lambda: clock.advance(1.0))

    assert [each.returncode for each in ten] == [0] * 10, [each.stderr for each in ten]
    assert sum(b"9 of 9 checks passed" in each.stdout for each in ten) == 1
    assert sum(b"Nothing to do. Hotfix" in each.stdout for each in ten) == 9
    assert_once(desk)
