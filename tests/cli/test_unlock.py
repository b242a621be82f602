"""``hotfix unlock`` and ``apply --lock-timeout``, against a lock that another run holds."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hotfix.apply.lock_notes import LockNotes
from hotfix.apply.ref_lock import RefPlace
from hotfix.cli import operator
from hotfix.clock import SystemClock, timestamp
from hotfix.forge.gitlab import GitLabForge
from hotfix.sandbox.seed import TOKENS
from tests.cli.conftest import PROJECT
from tests.views.test_held_lock import HOLDER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hotfix.forge.protocol import Repository
    from hotfix.sandbox import Sandbox
    from tests.cli.conftest import Result

    Run = Callable[..., Result]

CLOCK = SystemClock()
REF = "refs/hotfix/lock/release"
"""What the example's target is locked by."""


def repository(sandbox: Sandbox) -> Repository:
    forge = GitLabForge(sandbox.url, TOKENS["operator"])
    return forge.repository(forge.project(PROJECT))


@pytest.fixture
def hold(sandbox: Sandbox, spec: Path) -> Callable[..., None]:
    """Hold the lock as a run elsewhere, alive or dead by its lease."""
    assert spec

    def make(*, minutes: float = 10, branch: str = "release") -> None:
        until = timestamp(datetime.now(UTC) + timedelta(minutes=minutes))
        place = RefPlace(repository(sandbox), branch, CLOCK)
        assert place.put(replace(HOLDER, until=until), None)

    return make


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Be a person at a terminal who types these lines."""

    def make(*lines: str) -> list[str]:
        questions: list[str] = []
        left = list(lines)

        def read(_: object, question: str, *__: object) -> str | None:
            questions.append(question)
            return left.pop(0) if left else None

        monkeypatch.setattr(operator.TerminalAnswers, "read", read)
        return questions

    return make


def locked(sandbox: Sandbox) -> bool:
    return REF in repository(sandbox).refs("refs/hotfix/")


def unlock(hotfix: Run, sandbox: Sandbox, *more: str, reason: str = "fan is on fire") -> Result:
    return hotfix("unlock", PROJECT, "--reason", reason, "--gitlab", sandbox.url, *more)


# unlock


@pytest.mark.parametrize("answer", ["bf-manage-core", PROJECT])
def test_a_lock_is_shown_and_broken_after_the_project_s_name(
    hotfix: Run,
    sandbox: Sandbox,
    hold: Callable[..., None],
    typed: Callable[..., list[str]],
    answer: str,
) -> None:
    hold(minutes=-1)
    questions = typed("yes", answer)
    result = unlock(hotfix, sandbox)

    assert result.code == 0
    assert result.out == f"Broke the lock of {PROJECT}.\n"
    assert "held by  olga on laptop-7 since 2026-11-22T12:00:00Z" in result.err
    assert "its run  dead: its lease ran out at" in result.err
    assert "WARNING" not in result.err
    assert "The next run writes down who broke it, when and why." in result.err
    assert questions[0] == "\nBreak this lock?\nType the project's name, bf-manage-core:"
    assert questions[1].startswith("  That is not the project's name; nothing was broken.")
    assert not locked(sandbox)


def test_a_live_run_is_warned_of_also_where_the_answer_was_given_before(
    hotfix: Run, sandbox: Sandbox, hold: Callable[..., None]
) -> None:
    hold()
    result = unlock(hotfix, sandbox, "--yes", "--quiet")

    assert result.code == 0
    assert "WARNING Its run is alive." in result.err
    assert result.out == f"Broke the lock of {PROJECT}.\n"
    assert not locked(sandbox)


def test_without_a_terminal_and_without_yes_nothing_is_broken(
    hotfix: Run, sandbox: Sandbox, hold: Callable[..., None]
) -> None:
    hold()
    result = unlock(hotfix, sandbox)

    assert result.code == 3
    assert "error[unlock-not-confirmed]" in result.err
    assert f"--reason 'fan is on fire' --gitlab {sandbox.url} --yes" in result.err
    assert locked(sandbox)


def test_a_project_that_is_not_locked_is_fine(hotfix: Run, sandbox: Sandbox, spec: Path) -> None:
    assert spec
    result = unlock(hotfix, sandbox)

    assert (result.code, result.out) == (0, f"{PROJECT} is not locked.\n")


def test_a_broken_lock_as_json(hotfix: Run, sandbox: Sandbox, hold: Callable[..., None]) -> None:
    hold()
    result = unlock(hotfix, sandbox, "--yes", "--format", "json")

    document = json.loads(result.out)
    assert (document["exit_code"], document["code"]) == (0, "unlocked")
    assert (document["reason"], document["by"]) == ("fan is on fire", "operator")
    assert (document["recorded"], document["lock"]["alive"]) == (True, True)
    assert document["lock"]["holder"]["hotfix"] == HOLDER.hotfix
    free = json.loads(unlock(hotfix, sandbox, "--format", "json").out)
    assert (free["exit_code"], free["code"], free["lock"]) == (0, "not-locked", None)


def test_a_lock_that_moved_while_it_was_asked_is_6(
    hotfix: Run, sandbox: Sandbox, hold: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(minutes=-1)

    def renew_and_say_yes(*_: object) -> str:
        place = RefPlace(repository(sandbox), "release", CLOCK)
        held = place.look()
        assert held is not None
        assert place.put(replace(held.holder, until="2099-01-01T00:00:00Z"), held)
        return "bf-manage-core"

    monkeypatch.setattr(operator.TerminalAnswers, "read", renew_and_say_yes)
    result = unlock(hotfix, sandbox)

    assert result.code == 6
    assert "error[lock-moved]" in result.err
    assert "its lease was renewed meanwhile, to 2099-01-01T00:00:00Z" in result.err
    assert locked(sandbox)


def test_of_several_locks_one_is_to_be_named(
    hotfix: Run, sandbox: Sandbox, hold: Callable[..., None]
) -> None:
    hold(minutes=-1)
    hold(minutes=-1, branch="release-eu")
    result = unlock(hotfix, sandbox, "--yes")

    assert result.code == 64
    assert "error[several-locks]" in result.err
    assert "--lock refs/hotfix/lock/release-eu" in result.err
    assert unlock(hotfix, sandbox, "--yes", "--lock", "refs/hotfix/lock/release-eu").code == 0
    assert locked(sandbox)


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 501])
def test_a_reason_is_a_reason(hotfix: Run, sandbox: Sandbox, spec: Path, reason: str) -> None:
    assert spec
    assert unlock(hotfix, sandbox, reason=reason).code == 64


def test_what_is_no_project_is_64(hotfix: Run) -> None:
    result = hotfix("unlock", "core", "--reason", "x")

    assert result.code == 64
    assert "write a project's full path" in result.err


def test_a_project_that_is_not_there_is_1(hotfix: Run, sandbox: Sandbox, spec: Path) -> None:
    assert spec
    result = hotfix("unlock", "evenergi/nothing", "--reason", "x", "--gitlab", sandbox.url)

    assert result.code == 1


def test_the_gitlab_is_that_of_the_folder_s_defaults(
    hotfix: Run, hold: Callable[..., None], spec: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(minutes=-1)
    monkeypatch.chdir(spec.parent)

    assert hotfix("unlock", PROJECT, "--reason", "x", "--yes").code == 0


def test_a_token_in_the_reason_reaches_neither_gitlab_nor_a_lockfile(
    hotfix: Run, sandbox: Sandbox, hold: Callable[..., None], spec: Path
) -> None:
    hold(minutes=-1)
    token = TOKENS["operator"]
    unlock(hotfix, sandbox, "--yes", reason=f"fire at {token}")

    [note] = LockNotes(repository(sandbox), "release", CLOCK).read()
    assert note.reason.startswith("fire at ")
    assert token not in str(asdict(note))
    assert hotfix("apply", spec, "--auto-approve", "--promote").code == 0
    lockfile = spec.with_name("hotfix.lock.json").read_text()
    assert "was broken by operator on" in lockfile
    assert token not in lockfile


# apply


def test_a_held_lock_is_6_at_once_with_the_line_that_breaks_it(
    hotfix: Run, sandbox: Sandbox, hold: Callable[..., None], spec: Path
) -> None:
    hold()
    result = hotfix("apply", spec, "--auto-approve")

    assert result.code == 6
    lines = result.err.splitlines()
    assert lines[0] == (
        f"error[locked]: The lock of {PROJECT} is held by olga on laptop-7 "
        "since 2026-11-22T12:00:00Z."
    )
    assert [line.strip() for line in lines[1:]][-2:] == [
        (
            f"If you know that it is dead: hotfix unlock {PROJECT} --gitlab {sandbox.url} "
            "--reason 'WHY'"
        ),
        f"Go on with: hotfix apply {spec}",
    ]
    assert not spec.with_name("hotfix.lock.json").exists()
    assert json.loads(hotfix("apply", spec, "--format", "json").out)["code"] == "locked"


def test_a_lock_that_is_waited_for_is_shown_with_its_holder(
    hotfix: Run, hold: Callable[..., None], spec: Path
) -> None:
    hold()
    result = hotfix("apply", spec, "--auto-approve", "--lock-timeout", "1.2")

    assert result.code == 6
    waiting = [line for line in result.err.splitlines() if line.startswith("[lock]")]
    held = f"The lock of {PROJECT} is held by olga on laptop-7 since 2026-11-22T12:00:00Z."
    assert waiting == [f"[lock] waiting for the lock: {held}"]
    assert "This run waited for it for 1 s." in result.err


def test_a_lock_that_becomes_free_is_taken(
    hotfix: Run, hold: Callable[..., None], spec: Path
) -> None:
    hold(minutes=1.2 / 60)
    result = hotfix("apply", spec, "--auto-approve", "--promote", "--lock-timeout", "30")

    assert result.code == 0
    assert "taken over by operator on" in spec.with_name("hotfix.lock.json").read_text()


def test_a_wait_for_the_lock_is_in_the_command_that_goes_on(
    hotfix: Run, hold: Callable[..., None], spec: Path
) -> None:
    hold(minutes=-1)
    result = hotfix("apply", spec, "--auto-approve", "--lock-timeout", "30")

    assert result.code == 3
    assert result.err.rstrip().endswith(f"hotfix apply {spec} --lock-timeout 30")
