"""Serving in the foreground, and what importing the sandbox costs."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests

from hotfix.sandbox import Sandbox, seed, serve

if TYPE_CHECKING:
    from tests.conftest import FixedClock


def test_it_serves_until_interrupted_and_gives_its_port_back() -> None:
    seen: list[str] = []

    def ready(sandbox: Sandbox) -> None:
        headers = {"PRIVATE-TOKEN": seed.TOKENS["reader"]}
        response = requests.get(f"{sandbox.url}/api/v4/user", headers=headers, timeout=5)
        seen.extend([sandbox.url, response.json()["username"]])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        serve(on_ready=ready)
    assert seen[0].startswith("http://127.0.0.1:")
    assert seen[1] == "reader"
    with pytest.raises(requests.ConnectionError):
        requests.get(seen[0], timeout=5)


def test_two_sandboxes_stand_side_by_side(clock: FixedClock) -> None:
    with Sandbox(seed.example(clock=clock)) as one, Sandbox(seed.example(clock=clock)) as two:
        assert one.url != two.url
        assert one.world.release_sha(seed.TARGETS[0]) == two.world.release_sha(seed.TARGETS[0])


def test_importing_it_does_not_load_a_web_server() -> None:
    code = (
        "import sys, hotfix.sandbox; sys.exit(bool({'werkzeug', 'dulwich'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0


def test_the_world_moves_when_it_is_asked_directly(clock: FixedClock) -> None:
    from hotfix.sandbox import jobs  # noqa: PLC0415 - used here alone

    world = seed.example(clock=clock, pace=1.0)
    project = world.project("evenergi/bf-portal")
    job = next(job for job in project.pipelines[-1].latest_jobs() if job.status == "manual")
    jobs.play(world, job, world.user("operator"))
    clock.advance(10)
    assert world.production_sha("evenergi/bf-portal") == job.pipeline.sha
