"""The way back as an operator types it after a red check, at 3 AM."""

from __future__ import annotations

import json
import re
import signal
import time
from typing import TYPE_CHECKING

import pytest

from .conftest import CORE, Desk

if TYPE_CHECKING:
    from hotfix.sandbox.request_log import Request

pytestmark = pytest.mark.end_to_end

YES = ("--auto-approve", "--promote")
APPLY = ("apply", "hotfix.yaml", *YES)
BACK = ("rollback", "hotfix.lock.json", "--apply", *YES)
WHY = ("--reason", "heartbeats are still lost")
RELEASE = re.compile(rb"^[0-9a-f]{4}[0-9a-f]{40} [0-9a-f]{40} refs/heads/release")


@pytest.fixture
def failed(desk: Desk) -> Desk:
    """Apply the hotfix with its check red; without it the service is well again."""
    with desk.spec.open("a", encoding="utf-8") as spec:
        spec.write("    retries: 0\n")
    service = desk.sandbox.world.project(CORE)
    service.service_status = "down"
    done = desk.run(*APPLY)
    assert done.returncode == 1
    assert b"error[smoke-failed]" in done.stderr
    assert b"hotfix rollback hotfix.lock.json --apply" in done.stderr
    service.service_status = "ok"
    return desk


def test_after_a_red_check_the_offered_command_takes_the_hotfix_back(failed: Desk) -> None:
    world = failed.sandbox.world
    good = json.loads(failed.lockfile.read_bytes())["plan"]["targets"][0]["production"]["sha"]
    assert failed.run("rollback", "hotfix.lock.json", "--detailed-exitcode").returncode == 2
    assert failed.run("status", "hotfix.yaml").returncode == 1

    done = failed.run(*BACK, *WHY)

    assert done.returncode == 0, done.stderr.decode()
    assert b"is rolled back: 9 of 9 checks passed." in done.stdout
    repository = world.project(CORE).repository
    assert repository.tree(world.production_sha(CORE)) == repository.tree(good)
    assert failed.run("status", "hotfix.yaml").returncode == 0
    assert failed.run("audit", "hotfix.rollback.lock.json").returncode == 0
    assert json.loads(failed.lockfile.read_bytes())["state"] == "rolled-back"
    again = failed.run(*APPLY)
    assert again.returncode == 5
    assert b"error[rolled-back]" in again.stderr
    assert failed.run(*BACK).stdout.startswith(b"Nothing to do.")


def test_a_service_that_stays_down_ends_the_tools_part(failed: Desk) -> None:
    failed.sandbox.world.project(CORE).service_status = "down"

    done = failed.run(*BACK, *WHY)

    assert done.returncode == 1
    assert b"error[not-recovered]" in done.stderr
    assert b"Stop using this tool now" in done.stderr
    assert failed.run("status", "hotfix.yaml").returncode == 1


@pytest.mark.parametrize("path", [r"/git-receive-pack$", r"/pipeline$", r"/play$", r"/issues/\d+$"])
def test_a_rollback_killed_in_the_middle_is_finished_by_the_same_command(
    failed: Desk, path: str
) -> None:
    before = len(_posted(failed, path))
    process = failed.start(*BACK, *WHY)
    deadline = time.monotonic() + 60
    while len(_posted(failed, path)) == before:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)

    done = failed.run(*BACK, *WHY)

    assert done.returncode == 0, done.stderr.decode()
    counts = {name: len(_posted(failed, name)) for name in (r"/pipeline$", r"/play$", r"/issues$")}
    assert counts == {r"/pipeline$": 2, r"/play$": 2, r"/issues$": 1}
    pushed = [each.body[45:85] for each in _posted(failed, r"/git-receive-pack$")]
    assert len(pushed) == len(set(pushed)) == 3
    assert failed.run("audit", "hotfix.rollback.lock.json").returncode == 0
    assert json.loads(failed.lockfile.read_bytes())["state"] == "rolled-back"


def _posted(desk: Desk, path: str) -> list[Request]:
    """List what was written to a path; the description of an incident is put, all else posted."""
    found = [
        *desk.sandbox.requests.matching("POST", path),
        *desk.sandbox.requests.matching("PUT", path),
    ]
    return [each for each in found if "receive-pack" not in path or RELEASE.match(each.body)]
