"""What production runs, told by all that know it, as the command shows it to its user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.identifiers import ZERO
from hotfix.sandbox.deployments import last_deployment

from .conftest import CORE

if TYPE_CHECKING:
    from .conftest import Desk

pytestmark = pytest.mark.end_to_end


def _with_version(desk: Desk) -> None:
    url = f"{desk.sandbox.url}/-/services/{CORE}/health"
    with desk.spec.open("a", encoding="utf-8") as spec:
        spec.write(f'production_version: {{url: "{url}", json: version}}\n')


def test_the_sources_after_a_rollback_agree_and_the_hotfix_goes_through(desk: Desk) -> None:
    _with_version(desk)
    core = desk.sandbox.world.project(CORE)
    live = desk.sandbox.world.production_sha(CORE)
    core.repository.update_ref("refs/tags/v41", ZERO, live)
    core.releases["v41"] = core.created_at

    planned = desk.run("plan", "hotfix.yaml")
    done = desk.run("apply", "hotfix.yaml", "--auto-approve", "--promote")

    assert planned.returncode == 0, planned.stderr.decode()
    sha = desk.sandbox.world.production_sha(CORE, "production")
    assert done.returncode == 0, done.stderr.decode()
    text = planned.stdout.decode()
    for source in ("environment", "deployments by finish time", "last production job"):
        assert f"{source}: " in text
    assert f"tag or release: {live[:8]}, release v41" in text
    assert "the service itself: it says " in text
    assert sha != desk.spec.read_text("utf-8").partition("production_sha: ")[2][:40]


def test_a_service_that_was_rolled_back_outside_gitlab_stops_the_plan(desk: Desk) -> None:
    _with_version(desk)
    core = desk.sandbox.world.project(CORE)
    other = core.repository.refs["refs/heads/main"]
    core.service_version = other

    done = desk.run("plan", "hotfix.yaml")

    assert done.returncode == 4
    lines = done.stdout.decode().splitlines()
    assert "error[production-unknown]: What production runs is not clear: " in lines[1]
    assert f"{other[:8]} says the service itself" in done.stderr.decode()
    assert b"gather evidence from deploy logs" in done.stderr


def test_a_deployment_whose_record_is_gone_is_seen_by_its_job(desk: Desk) -> None:
    core = desk.sandbox.world.project(CORE)
    environment = core.environment("production")
    assert environment is not None
    last = last_deployment(core, environment)
    assert last is not None
    core.deployments.remove(last)

    done = desk.run("plan", "hotfix.yaml")

    assert done.returncode == 4
    assert f"{last.sha[:8]} says last production job" in done.stderr.decode()
