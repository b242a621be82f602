"""A spec from live facts, as its user has it written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hotfix.sandbox.deployments import last_deployment

from .conftest import CORE

if TYPE_CHECKING:
    from .conftest import Desk

pytestmark = pytest.mark.end_to_end
DEFAULTS = "version: 1\norchestration: {project: evenergi/develop}\n"
SPEC = "plans/mr-812-keep-ocpp-connections-that-send-heartbeats/hotfix.yaml"


@pytest.fixture
def team(desk: Desk) -> Desk:
    (desk.folder / "defaults.yaml").write_text(DEFAULTS, encoding="utf-8")
    return desk


def test_the_spec_that_is_written_validates_and_plans(team: Desk) -> None:
    url = f"{team.sandbox.url}/{CORE}/-/merge_requests/812"

    done = team.run("init", url, f"{CORE}!815")

    assert done.returncode == 0, done.stderr.decode()
    text = (team.folder / SPEC).read_text("utf-8")
    assert team.sandbox.world.production_sha(CORE) in text
    assert 'title: "fix: keep OCPP connections that send heartbeats"' in text
    assert f"hotfix plan {SPEC}".encode() in done.stdout
    assert team.run("validate", SPEC).returncode == 0
    planned = team.run("plan", SPEC)
    assert planned.returncode == 0, planned.stderr.decode()
    assert not team.sandbox.requests.writes()


def test_nothing_is_overwritten(team: Desk) -> None:
    before = team.spec.read_bytes()

    done = team.run("init", "812", "--project", CORE, "--out", "hotfix.yaml")

    assert done.returncode == 64
    assert b"error[file-exists]" in done.stderr
    assert team.spec.read_bytes() == before


def test_a_sha_on_which_the_sources_disagree_is_not_proposed(team: Desk) -> None:
    core = team.sandbox.world.project(CORE)
    environment = core.environment("production")
    assert environment is not None
    core.deployments = [
        each for each in core.deployments if each is not last_deployment(core, environment)
    ]

    done = team.run("init", "812", "--project", CORE, "--format", "json")

    document = json.loads(done.stdout)
    assert done.returncode == document["exit_code"] == 4
    assert document["code"] == "production-unknown"
    assert "\n  last production job: " in document["message"]
    assert "\n  environment: " in document["message"]
    assert not (team.folder / "plans").exists()


def test_json_tells_what_was_written_and_from_which_facts(team: Desk) -> None:
    document = json.loads(team.run("init", f"{CORE}!821", "--format", "json").stdout)

    (target,) = document["targets"]
    assert (target["project"], target["merge_requests"][0]["state"]) == (CORE, "opened")
    assert {source["sha"] for source in target["sources"]} == {target["production_sha"], None}
    assert (team.folder / document["file"]).exists()


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["812"], 64, b"unknown-merge-request"),
        (["https://elsewhere.example.com/a/b/-/merge_requests/1"], 64, b"unknown-merge-request"),
        (["999", "--project", CORE], 4, b"mr-not-found"),
        (["812", "--project", CORE, "--id", "../../x"], 64, b"usage"),
        (["812", "--project", "evenergi/bring-all-code-to-release-branch"], 64, b"usage"),
        (["812", "--project", "evenergi/none"], 1, b"gitlab-refused"),
    ],
)
def test_what_cannot_be_is_refused_and_writes_nothing(
    team: Desk, words: list[str], code: int, error: bytes
) -> None:
    done = team.run("init", *words)

    assert done.returncode == code, done.stderr.decode()
    assert b"error[" + error in done.stderr
    assert not (team.folder / "plans").exists()


def test_without_a_place_for_the_pipeline_it_says_how_to_name_one(desk: Desk) -> None:
    done = desk.run("init", "812", "--project", CORE)
    assert (done.returncode, b"--orchestration" in done.stderr) == (64, True)

    done = desk.run("init", "812", "--project", CORE, "--orchestration", "evenergi/develop")
    assert done.returncode == 0, done.stderr.decode()
    assert desk.run("validate", SPEC).returncode == 0
