from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hotfix.cli import validate
from hotfix.cli.boundary import guarded
from hotfix.cli.redaction import keep_environment_secret
from hotfix.cli.screen import Screen
from hotfix.errors import BlockedError, HotfixError, WaitingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Result

CANARY = "glpat-canary-0123456789"


def _raising(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan"],
        ["plan", "--unknown", "x"],
        ["nonsense"],
        ["apply", "x", "--wait", "-1"],
        ["apply", "x", "--until", "lunch"],
        ["apply", "x", "--promote"],
        ["schema", "nothing"],
        ["audit"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_64_and_says_where_help_is(
    arguments: list[str], hotfix: Callable[..., Result]
) -> None:
    result = hotfix(*arguments)

    assert result.code == 64
    assert result.out == ""
    assert result.err.startswith("error[usage]: ")
    assert "--help" in result.err


def test_with_json_a_refusal_is_one_document(hotfix: Callable[..., Result]) -> None:
    result = hotfix("plan", "absent.yaml", "--format", "json")
    document = json.loads(result.out)

    assert document.keys() >= {"exit_code", "code", "message", "hint"}
    assert document["exit_code"] == result.code == 64


def test_a_wrong_command_line_is_json_too(hotfix: Callable[..., Result]) -> None:
    assert json.loads(hotfix("plan", "--format=json").out)["code"] == "usage"


def test_a_refusal_stands_on_standard_error_with_its_hint_below(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = BlockedError("mr-not-merged", "!812 is opened.", hint="Merge it first.\nThen plan.")

    assert guarded(_raising(error), []) == 4
    assert capsys.readouterr() == (
        "",
        "error[mr-not-merged]: !812 is opened.\n  Merge it first.\n  Then plan.\n",
    )


def test_what_else_failed_meanwhile_stands_below(capsys: pytest.CaptureFixture[str]) -> None:
    error = BlockedError("gitlab-refused", "GitLab answered 403.", hint="Ask for the role.")
    error.add_note("Meanwhile: another answered 500\x1b[2J")

    guarded(_raising(error), [])

    assert capsys.readouterr().err == (
        "error[gitlab-refused]: GitLab answered 403.\n"
        "  Ask for the role.\n"
        "  Meanwhile: another answered 500\\x1b[2J\n"
    )


def test_hostile_text_in_an_error_does_not_act(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(_raising(WaitingError("x", "\x1b[2J\rowned", hint="\x07")), [])

    assert not {"\x1b", "\r", "\x07"} & set(capsys.readouterr().err)


def test_a_defect_is_70_and_shows_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(_raising(RuntimeError("boom")), ["plan"]) == 70
    err = capsys.readouterr().err

    assert err.startswith("error[defect]: This is a defect of hotfix: RuntimeError: boom")
    assert "Traceback" not in err


def test_a_defect_shows_its_traceback_where_asked_without_the_token(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITLAB_TOKEN", CANARY)
    guarded(_raising(RuntimeError(f"https://oauth2:{CANARY}@gitlab.test")), ["plan", "--verbose"])
    err = capsys.readouterr().err

    assert "Traceback" in err
    assert "[token]" in err
    assert CANARY not in err


def test_a_defect_is_json_where_asked(capsys: pytest.CaptureFixture[str]) -> None:
    guarded(_raising(RuntimeError("boom")), ["plan", "--format", "json"])

    assert json.loads(capsys.readouterr().out)["exit_code"] == 70


@pytest.mark.parametrize("variable", ["HOTFIX_TOKEN", "GITLAB_TOKEN"])
def test_no_token_leaves_in_any_spelling(
    variable: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import base64  # noqa: PLC0415  (used here alone)

    token = "glpat-%canary/0123"
    basic = base64.b64encode(f"oauth2:{token}".encode()).decode()
    monkeypatch.setenv(variable, token)
    for arguments in ([], ["--format", "json"]):
        said = f"{token} {basic} glpat-%25canary%2F0123"
        guarded(_raising(WaitingError("x", said, hint=said)), arguments)
        out, err = capsys.readouterr()

        assert "canary" not in out + err
        assert basic not in out + err


def test_the_live_display_redacts_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTFIX_TOKEN", CANARY)
    keep_environment_secret()
    Screen().console().print(f"GitLab said {CANARY}")

    assert "GitLab said [token]" in capsys.readouterr().err


def test_a_published_token_of_the_sandbox_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTFIX_TOKEN", CANARY)
    keep_environment_secret()
    Screen().out(CANARY, published=[CANARY])

    assert capsys.readouterr().out == CANARY


def test_ctrl_c_is_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(_raising(KeyboardInterrupt()), []) == 130
    assert capsys.readouterr().err.startswith("error[interrupted]: ")


def test_an_error_of_no_kind_is_a_defect() -> None:
    assert guarded(_raising(HotfixError("odd", "odd")), []) == 70


def test_a_reader_that_goes_away_is_no_drama() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "hotfix", "schema", "lock"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()

        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_every_problem_of_a_spec_is_in_the_document(
    tmp_path: Path, hotfix: Callable[..., Result]
) -> None:
    path = tmp_path / "hotfix.yaml"
    path.write_text("version: 2\nid: X\n")
    document = json.loads(hotfix("validate", path, "--format", "json").out)

    assert document["exit_code"] == 64
    assert len(document["problems"]) > 1
    assert document["problems"][0].keys() == {"file", "line", "column", "message", "hint"}


def test_a_command_is_found_by_its_module() -> None:
    assert validate.command.name == "validate"
