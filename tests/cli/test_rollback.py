"""``hotfix rollback`` in this process, against a sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hotfix.sandbox import seed

from .conftest import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hotfix.sandbox import Sandbox
    from tests.cli.conftest import Result

    Run = Callable[..., Result]

YES = ("--auto-approve", "--promote")
COUNTED = "Plan: 1 restore, 1 branch, 1 pipeline, 1 manual job, 1 check."


@pytest.fixture
def lock(spec: Path, sandbox: Sandbox, hotfix: Run) -> Path:
    """Apply the hotfix, whose check is red, and let the service be well without it."""
    service = sandbox.world.project(PROJECT)
    service.service_status = "down"
    result = hotfix("apply", spec, *YES, "--quiet")
    assert result.code == 1
    found = spec.with_name("hotfix.lock.json")
    assert (
        f"Or take the way back that was approved with the plan: hotfix rollback {found} --apply"
        in (result.err)
    )
    service.service_status = "ok"
    return found


def test_the_way_back_is_a_plan_and_changes_nothing(
    lock: Path, sandbox: Sandbox, hotfix: Run
) -> None:
    writes = len(sandbox.requests.writes())
    result = hotfix("rollback", lock)

    assert result.code == 0
    assert result.out.splitlines()[0] == COUNTED
    assert "Exactly the way back that was approved with the hotfix" in result.out
    assert result.out.splitlines()[-1].strip() == f"hotfix rollback {lock} --apply"
    assert hotfix("rollback", lock, "--quiet").out == COUNTED + "\n"
    assert hotfix("rollback", lock, "--format", "markdown").out.startswith(f"**{COUNTED}**")
    assert len(sandbox.requests.writes()) == writes


def test_a_token_that_reads_is_enough_for_the_plan(
    lock: Path, hotfix: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTFIX_TOKEN", seed.TOKENS["operator-readonly"])

    assert hotfix("rollback", lock).code == 0


def test_a_saved_way_back_is_shown_and_carried_out(lock: Path, hotfix: Run) -> None:
    saved = lock.with_name("hotfix.rollback.plan.json")
    planned = hotfix("rollback", lock, "--out", saved, "--detailed-exitcode", "--format", "json")
    assert planned.code == 2
    assert json.loads(planned.out) == json.loads(saved.read_text())
    assert json.loads(planned.out)["kind"] == "rollback"
    shown = hotfix("show", saved)
    assert shown.code == 0
    assert shown.out.splitlines()[-1].strip() == (f"hotfix rollback {lock} --apply --plan {saved}")
    refused = hotfix("apply", saved)
    assert refused.code == 64
    assert f"hotfix rollback LOCK --apply --plan {saved}" in refused.err

    done = hotfix("rollback", lock, "--apply", "--plan", saved, *YES, "--reason", "worse")

    assert done.code == 0
    assert "Hotfix inc-1042 is rolled back: 9 of 9 checks passed." in done.out


def test_the_record_is_audited_shown_and_told_by_status(lock: Path, hotfix: Run) -> None:
    spec, back = lock.with_name("hotfix.yaml"), lock.with_name("hotfix.rollback.lock.json")
    for words in (("status", spec), ("status", spec, "--offline")):
        assert f"Or take the way back{'' if len(words) > 2 else ' that was approved'}" in (
            hotfix(*words).out
        )
        assert f"hotfix rollback {lock} --apply" in hotfix(*words).out
    until = hotfix("rollback", lock, "--apply", *YES, "--reason", "worse", "--until", "branch")
    assert until.code == 0
    assert "Rollback of hotfix inc-1042 stopped" in hotfix("status", spec, "--offline").out
    waiting = hotfix("status", spec)
    assert waiting.code == 3
    assert waiting.out.startswith("Next: start the orchestration pipeline in evenergi/develop.")
    assert f"hotfix rollback {lock} --apply" in waiting.out

    document = json.loads(hotfix("rollback", lock, "--apply", *YES, "--format", "json").out)

    assert (document["exit_code"], document["code"]) == (0, "complete")
    assert document["lockfile"] == str(back)
    assert hotfix("status", spec).code == hotfix("status", lock).code == 0
    assert "Rollback of hotfix inc-1042 is complete since" in hotfix("status", back).out
    assert hotfix("audit", back).code == 0
    audited = hotfix("audit", lock)
    assert audited.code == 1
    assert "is intact, hotfix inc-1042 is rolled-back, but only 8 of 9" in audited.out
    assert "because     worse" in hotfix("show", back).out
    assert "rolled back because worse" in hotfix("show", lock).out
    assert hotfix("show", lock, "--format", "markdown").code == 0
    assert hotfix("rollback", lock, "--apply").out.startswith("Nothing to do. Rollback of hotfix")
    assert hotfix("rollback", lock).out.startswith("Nothing to go back from.")
    assert hotfix("rollback", lock, "--detailed-exitcode").code == 0


def test_without_a_terminal_it_stops_at_each_question(lock: Path, hotfix: Run) -> None:
    for flags, code in (
        ((), "plan-not-approved"),
        (("--auto-approve",), "reason-missing"),
        (("--auto-approve", "--reason", "worse"), "production-gate"),
    ):
        result = hotfix("rollback", lock, "--apply", *flags)
        assert result.code == 3
        assert f"error[{code}]" in result.err


@pytest.mark.parametrize(
    "words",
    [
        ("--auto-approve",),
        ("--reason", "worse"),
        ("--until", "branch"),
        ("--apply", "--promote"),
        ("--apply", "--out", "x.json"),
        ("--apply", "--detailed-exitcode"),
        ("--apply", "--reason", "  "),
        ("--apply", "--reason", "x" * 1001),
        ("--apply", "--lock", "hotfix.lock.json"),
    ],
)
def test_words_that_do_not_go_together_are_64(
    words: tuple[str, ...], finished: Path, hotfix: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished)

    result = hotfix("rollback", "hotfix.lock.json", *words)

    assert result.code == 64
    assert result.err.startswith("error[usage]: ")


@pytest.mark.parametrize("name", ["hotfix.yaml", "saved.plan.json"])
def test_what_is_no_lockfile_is_64(name: str, finished: Path, hotfix: Run) -> None:
    result = hotfix("rollback", finished / name)

    assert result.code == 64
    assert "error[not-a-lockfile]" in result.err


def test_another_gitlab_gets_no_token(finished: Path, hotfix: Run) -> None:
    result = hotfix("rollback", finished / "hotfix.lock.json", "--gitlab", "http://127.0.0.1:9")

    assert result.code == 64
    assert "error[gitlab-differs]" in result.err


def test_a_damaged_lockfile_is_64_before_anybody_is_asked(
    lock: Path, sandbox: Sandbox, hotfix: Run
) -> None:
    asked = len(sandbox.requests)
    lock.write_text(lock.read_text().replace('"pushed"', '"adopted"', 1))

    result = hotfix("rollback", lock)

    assert result.code == 64
    assert "error[lock-edited]" in result.err
    assert len(sandbox.requests) == asked


def test_a_plan_of_something_else_is_not_carried_out(
    lock: Path, finished: Path, hotfix: Run
) -> None:
    plan = finished / "saved.plan.json"
    result = hotfix("rollback", lock, "--apply", "--plan", plan, *YES, "--reason", "worse")

    assert result.code == 64
    assert "error[not-applicable]" in result.err
