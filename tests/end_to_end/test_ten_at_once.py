"""Ten people apply the same hotfix at the same moment: it happens once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from hotfix.sandbox import Sandbox, seed

from .conftest import CORE, Desk

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.conftest import FixedClock

pytestmark = pytest.mark.end_to_end

APPLY = ("apply", "hotfix.yaml", "--auto-approve", "--promote")


@pytest.fixture
def desk(tmp_path: Path, clock: FixedClock) -> Iterator[Desk]:
    """Serve a GitLab whose jobs run on only when the clock is moved."""
    with Sandbox(seed.example(clock)) as sandbox:
        yield Desk(sandbox, tmp_path)


def move_on(clock: FixedClock, processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Let GitLab's time go on until all have ended."""
    while any(process.poll() is None for process in processes):
        clock.advance(1.0)
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
    processes = [desk.start(*APPLY, "--lock", lockfile.format(number)) for number in range(10)]
    while sum(process.poll() is None for process in processes) > 1:
        time.sleep(0.05)
    at_work = next(process for process in processes if process.poll() is None)
    move_on(clock, [at_work])

    said = {process: process.communicate() for process in processes}
    assert at_work.returncode == 0, said[at_work]
    assert b"9 of 9 checks passed" in said.pop(at_work)[0]
    assert [process.returncode for process in said] == [6] * 9
    assert all(err.startswith(b"error[locked]: ") for _, err in said.values())
    assert_once(desk)


def test_nine_that_wait_find_it_done(desk: Desk, clock: FixedClock) -> None:
    processes = [desk.start(*APPLY, "--lock-timeout", "100") for _ in range(10)]
    move_on(clock, processes)

    said = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 10, said
    out = sorted(out.splitlines()[-1] for out, _ in said)
    assert [line.startswith(b"Nothing to do.") for line in out] == [False] + [True] * 9
    assert_once(desk)
