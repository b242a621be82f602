"""The doctor as its user calls it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.sandbox import seed

from .conftest import CORE

if TYPE_CHECKING:
    from .conftest import Desk

pytestmark = pytest.mark.end_to_end


def test_a_hotfix_that_can_go_through_is_asked_the_first_question_and_sent_on(desk: Desk) -> None:
    desk.environment["COLUMNS"] = "100"

    done = desk.run("doctor", "hotfix.yaml")

    assert done.returncode == 0, done.stdout.decode()
    lines = done.stdout.decode().splitlines()
    assert lines[0] == "Operational, not code: is this really a code fix?"
    assert "stop here" in lines[1]
    assert "Nothing seen that would stop hotfix inc-1042-ocpp-timeout: 0 failed" in lines[4]
    assert lines[-1] == "Go on with: hotfix plan hotfix.yaml --out hotfix.plan.json"
    assert not desk.sandbox.requests.writes()
    assert not desk.lockfile.exists()
    planned = desk.run(*lines[-1].removeprefix("Go on with: hotfix ").split())
    assert planned.returncode == 0


def test_what_would_stop_it_ends_with_1_and_the_same_command_again(desk: Desk) -> None:
    desk.sandbox.world.tier = "premium"
    desk.sandbox.world.project(CORE).push_rule = {"id": 1, "reject_unsigned_commits": True}

    done = desk.run("doctor", "hotfix.yaml")

    assert done.returncode == 1
    assert "Unsigned commits are refused" in done.stdout.decode()
    again = "When it is mended, look again: hotfix doctor hotfix.yaml"
    assert done.stdout.decode().splitlines()[-1] == again
    desk.sandbox.world.project(CORE).push_rule = None
    assert desk.run("doctor", "hotfix.yaml").returncode == 0


def test_scripts_get_one_document_that_keeps_its_schema(desk: Desk) -> None:
    from jsonschema import Draft202012Validator  # noqa: PLC0415  (loads slowly)

    desk.environment["HOTFIX_TOKEN"] = seed.TOKENS["operator-readonly"]
    done = desk.run("doctor", "hotfix.yaml", "--format", "json")

    document: dict[str, Any] = json.loads(done.stdout)
    schema = json.loads(desk.run("schema", "doctor").stdout)
    Draft202012Validator(schema).validate(document["examination"])
    assert (done.returncode, document["exit_code"], document["code"]) == (1, 1, "would-stop")
    (scopes,) = (c for c in document["examination"]["checks"] if c["id"] == "token-scopes")
    assert (scopes["outcome"], scopes["command"]) == ("failed", "hotfix doctor hotfix.yaml")
    assert seed.TOKENS["operator-readonly"].encode() not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        (["--quiet"], "Nothing seen that would stop hotfix inc-1042-ocpp-timeout: "),
        (["--format", "markdown"], "**`Operational, not code: is this really a code fix?`**"),
    ],
)
def test_it_can_be_short_or_for_a_merge_request(desk: Desk, words: list[str], begins: str) -> None:
    done = desk.run("doctor", "hotfix.yaml", *words)

    assert done.returncode == 0
    assert done.stdout.decode().startswith(begins)


def test_a_token_that_gitlab_does_not_take_is_refused_in_one_sentence(desk: Desk) -> None:
    desk.environment["HOTFIX_TOKEN"] = "glpat-none-such"

    done = desk.run("doctor", "hotfix.yaml")

    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error[")
    assert b"glpat-none-such" not in done.stderr
