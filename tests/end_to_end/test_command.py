from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hotfix.sandbox import seed

from .conftest import CORE, Desk

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.end_to_end

APPLY = ("apply", "hotfix.yaml", "--auto-approve", "--promote")


def test_plan_apply_show_status_and_audit_as_an_operator_types_them(desk: Desk) -> None:
    assert desk.run("validate", "hotfix.yaml").returncode == 0
    assert desk.run("status", "hotfix.yaml").returncode == 3
    planned = desk.run("plan", "hotfix.yaml", "--out", "hotfix.plan.json", "--detailed-exitcode")
    assert planned.returncode == 2
    assert planned.stdout.startswith(
        b"Plan: 1 restore, 2 picks, 1 branch, 1 pipeline, 1 manual job, 1 check. "
        b"4 unreleased merge requests will leave release."
    )

    applied = desk.run(*APPLY)

    assert applied.returncode == 0, applied.stderr.decode()
    assert b"9 of 9 checks passed" in applied.stdout
    for words in (("status", "hotfix.yaml"), ("audit", "hotfix.lock.json"), APPLY):
        done = desk.run(*words)
        assert done.returncode == 0, done.stderr.decode()
    assert desk.run("show", "hotfix.plan.json").returncode == 0
    assert desk.run("show", "hotfix.lock.json").returncode == 0
    assert desk.run("plan", "hotfix.yaml", "--detailed-exitcode").stdout.startswith(b"No changes.")


def test_without_a_terminal_the_run_stops_at_each_gate_with_3(desk: Desk) -> None:
    first = desk.run("apply", "hotfix.yaml")
    assert first.returncode == 3
    assert b"plan-not-approved" in first.stderr
    assert desk.sandbox.requests.writes() == []

    second = desk.run("apply", "hotfix.yaml", "--auto-approve")
    assert second.returncode == 3
    assert b"error[production-gate]" in second.stderr
    assert desk.sandbox.requests.matching("POST", r"/play$") == []

    assert desk.run(*APPLY).returncode == 0


def test_planning_needs_no_more_than_a_token_that_reads(desk: Desk) -> None:
    desk.environment["HOTFIX_TOKEN"] = seed.TOKENS["operator-readonly"]

    assert desk.run("plan", "hotfix.yaml").returncode == 0
    assert desk.sandbox.requests.writes() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", r"/git-receive-pack$"),
        ("POST", r"/pipeline$"),
        ("POST", r"/play$"),
        ("POST", r"/issues$"),
    ],
)
def test_a_run_killed_in_the_middle_is_finished_by_the_same_command(
    desk: Desk, method: str, path: str
) -> None:
    process = desk.start(*APPLY)
    _wait_until(lambda: bool(desk.sandbox.requests.matching(method, path)))
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)

    done = desk.run(*APPLY)

    assert done.returncode == 0, done.stderr.decode()
    requests = desk.sandbox.requests
    assert len(requests.matching("POST", r"/pipeline$")) == 1
    assert len(requests.matching("POST", r"/play$")) == 1
    assert len(requests.matching("POST", r"/issues$")) == 1
    pushes = re.compile(rb"^[0-9a-f]{4}[0-9a-f]{40} [0-9a-f]{40} refs/heads/release")
    pushed = [
        each.body[45:85]
        for each in requests.matching("POST", "git-receive-pack")
        if pushes.match(each.body)
    ]
    assert len(pushed) == len(set(pushed)) == 2
    assert b"9 of 9 checks passed" in desk.run("audit", "hotfix.lock.json").stdout


def test_ctrl_c_at_work_ends_with_130_and_the_command_to_go_on(desk: Desk) -> None:
    desk.sandbox.world.script(CORE, "build", seconds=60.0, times=1)
    process = desk.start(*APPLY)
    _wait_until(lambda: bool(desk.sandbox.requests.matching("GET", r"/pipelines/\d+/bridges$")))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)

    assert process.returncode == 130, err.decode()
    assert b"hotfix apply" in err
    assert json.loads(desk.lockfile.read_bytes())["state"] == "waiting"


def test_a_second_ctrl_c_leaves_at_once_and_the_same_command_finds_what_happened(
    desk: Desk,
) -> None:
    creation = r"/projects/evenergi/develop/pipeline$"
    desk.sandbox.faults.add("POST", creation, when="after", delay=20.0)
    pipelines = desk.sandbox.world.project("evenergi/develop").pipelines
    before = len(pipelines)
    process = desk.start(*APPLY)
    _wait_until(lambda: len(pipelines) > before)
    assert process.stderr is not None
    process.send_signal(signal.SIGINT)
    for line in process.stderr:
        if b"Once more stops at once" in line:
            break
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=10)

    assert process.returncode == 130
    assert b"error[interrupted]: Stopped at once." in err
    assert b"hotfix apply hotfix.yaml" in err.splitlines()[-1]
    last = json.loads(desk.lockfile.read_bytes())["entries"][-1]
    assert (last["step"], last["phase"]) == ("orchestrate", "intent")
    assert desk.run(*APPLY).returncode == 0
    assert len(pipelines) == before + 1


def test_a_canary_token_is_found_in_no_output_and_no_file(desk: Desk) -> None:
    token = desk.environment["HOTFIX_TOKEN"].encode()
    outputs = [
        desk.run("plan", "hotfix.yaml", "--out", "hotfix.plan.json", "--verbose"),
        desk.run("plan", "hotfix.yaml", "--format", "markdown"),
        desk.run("apply", "hotfix.yaml", "--verbose"),
        desk.run(*APPLY, "--verbose", "--events", "events.ndjson"),
        desk.run("show", "hotfix.lock.json", "--format", "json"),
        desk.run("audit", "hotfix.lock.json", "--verbose"),
    ]
    desk.sandbox.faults.add("GET", "/api/v4/", times=50, status=403, body=b"echo " + token)
    outputs.append(desk.run("plan", "hotfix.yaml", "--verbose"))

    assert outputs[-1].returncode == 1
    folders = (desk.folder, Path(os.environ["HOME"]))
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    written = [path.read_bytes() for path in files]
    assert {"hotfix.plan.json", "hotfix.lock.json", "events.ndjson"} <= {f.name for f in files}
    for text in [*(each.stdout + each.stderr for each in outputs), *written]:
        assert token not in text


@pytest.mark.oracle
def test_git_on_the_path_gives_a_second_opinion_on_every_pick(desk: Desk) -> None:
    done = desk.run("plan", "hotfix.yaml", "--verify-with-git")

    assert done.returncode == 0, done.stderr.decode()
    assert re.search(rb"Second opinion: git [\d.]+ agrees with 2 of 2 picks", done.stdout)

    text = desk.spec.read_text(encoding="utf-8")
    desk.spec.write_text(text.replace("[812, 815]", "[812, 819]"), encoding="utf-8")
    done = desk.run("plan", "hotfix.yaml", "--verify-with-git")

    assert done.returncode == 4
    assert b"agrees with 2 of 2 picks" in done.stdout
    assert b"error[depends-on-unreleased]" in done.stderr
    assert b"git-disagrees" not in done.stderr


def test_a_saved_plan_cannot_send_the_token_to_another_gitlab(desk: Desk) -> None:
    assert desk.run("plan", "hotfix.yaml", "--out", "hotfix.plan.json").returncode == 0
    plan = desk.folder / "hotfix.plan.json"
    document = json.loads(plan.read_bytes())
    document["gitlab"] = "http://127.0.0.1:9"  # not digested: a reviewer's approval still holds
    plan.write_text(json.dumps(document), encoding="utf-8")

    done = desk.run("apply", "hotfix.plan.json", "--auto-approve")

    assert done.returncode == 64
    assert b"error[gitlab-differs]" in done.stderr


def test_a_saved_plan_runs_commands_only_where_the_team_allows_them(desk: Desk) -> None:
    allowed = "version: 1\npolicy: {allow_commands: true}\n"
    defaults = desk.folder / "defaults.yaml"
    defaults.write_text(allowed, encoding="utf-8")
    with desk.spec.open("a", encoding="utf-8") as spec:
        spec.write("  - {name: local, command: {argv: ['true']}}\n")
    assert desk.run("plan", "hotfix.yaml", "--out", "hotfix.plan.json").returncode == 0
    defaults.unlink()

    refused = desk.run("apply", "hotfix.plan.json", "--auto-approve")
    assert refused.returncode == 64
    assert b"error[commands-not-allowed]" in refused.stderr

    defaults.write_text(allowed, encoding="utf-8")
    assert desk.run("apply", "hotfix.plan.json", "--auto-approve", "--promote").returncode == 0


def test_with_json_standard_output_is_one_document_also_of_a_refusal(desk: Desk) -> None:
    desk.environment["HOTFIX_TOKEN"] = "wrong"

    done = desk.run("plan", "hotfix.yaml", "--format", "json")

    document = json.loads(done.stdout)
    assert done.returncode == document["exit_code"] == 1
    assert set(document) >= {"exit_code", "code", "message", "hint"}


def _wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)
