from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hotfix.smoke.command import without_tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from hotfix.smoke.result import SmokeResult

    Check = Callable[..., SmokeResult]


def python(script: str, *arguments: str) -> dict[str, list[str]]:
    return {"argv": [sys.executable, "-I", "-c", script, *arguments]}


def test_exit_code_zero_is_green_with_the_last_line(check: Check) -> None:
    result = check(command=python("print('warming up'); print('12 of 12 fine')"))

    assert (result.outcome, result.kind) == ("passed", "command")
    assert result.detail == "exit code 0: 12 of 12 fine"
    assert result.facts == {
        "exit_code": 0,
        "latency_ms": 0,
        "output_bytes": 25,
        "extract": "12 of 12 fine",
    }


def test_another_exit_code_is_red_and_standard_error_is_read_too(check: Check) -> None:
    result = check(command=python("import sys; sys.exit('no heartbeat')"))

    assert (result.outcome, result.detail) == ("failed", "exit code 1, expected 0: no heartbeat")


def test_a_program_that_says_nothing_is_judged_by_its_code(check: Check) -> None:
    assert check(command=python("pass")).detail == "exit code 0"


def test_a_program_that_is_not_there_is_red(check: Check) -> None:
    result = check(command={"argv": ["no-such-program"]})

    assert result.outcome == "failed"
    assert result.detail == "`no-such-program` does not start: No such file or directory"


def test_an_argument_that_no_program_can_be_given_is_red(check: Check) -> None:
    result = check(command={"argv": [sys.executable, "nul\0byte"]})

    assert (result.outcome, result.detail.endswith("an odd argument")) == ("failed", True)


def test_no_shell_reads_the_arguments(check: Check, tmp_path: Path) -> None:
    argument = f"$(touch {tmp_path}/made); `id` > x & *"

    result = check(command=python("import sys; print(sys.argv[1])", argument))

    assert result.facts["extract"] == argument
    assert list(tmp_path.iterdir()) == []


def test_it_reads_nothing_from_the_operators_keyboard(check: Check) -> None:
    assert (
        check(command=python("import sys; print(repr(sys.stdin.read()))")).facts["extract"] == "''"
    )


def test_no_token_reaches_the_program(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOTFIX_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN", "HOTFIX_OTHER"):
        monkeypatch.setenv(name, f"canary-{name}")
    monkeypatch.setenv("CI_REPOSITORY_URL", "https://ci:canary@gitlab.com/group/project.git")
    monkeypatch.setenv("HEADER", "PRIVATE-TOKEN: canary-GITLAB_TOKEN")
    monkeypatch.setenv("SERVICE", "core")

    script = "import os; print('canary' in str(os.environ), os.environ['SERVICE'])"
    result = check(command=python(script))

    assert result.facts["extract"] == "False core"


def test_a_text_too_short_for_a_token_takes_nothing_away() -> None:
    assert without_tokens({"HOTFIX_TOKEN": "a", "PATH": "/bin:/sbin"}) == {"PATH": "/bin:/sbin"}


def test_endless_output_is_read_and_only_its_end_is_kept(check: Check) -> None:
    script = "import sys\nfor _ in range(3000): sys.stdout.write('x' * 1023 + '\\n')\nprint('end')"

    result = check(command=python(script))

    assert result.outcome == "passed"
    assert result.facts["output_bytes"] == 3000 * 1024 + 4
    assert result.facts["extract"] == "end"


def test_the_end_of_a_line_whose_beginning_is_lost_is_not_shown(check: Check) -> None:
    result = check(command=python("print('glpat-' + 'x' * 5000 + 'canary', end='')"))

    assert (result.detail, result.facts["extract"]) == ("exit code 0", "")


def test_hostile_output_is_harmless_and_a_secret_in_it_is_covered(check: Check) -> None:
    script = "print('\\x1b[2J\\u202e glpat-canary12345678901234')"

    result = check(
        command=python(f"import sys; sys.stdout.reconfigure(encoding='utf-8'); {script}")
    )

    assert result.detail.isprintable()
    assert "canary" not in result.detail


def test_at_the_end_of_its_time_the_whole_group_is_killed(check: Check, tmp_path: Path) -> None:
    script = """
import os, sys, time
pid = os.fork()
with open(sys.argv[1], 'a') as file:
    file.write(f'{os.getpid()}\\n')
time.sleep(60)
"""
    begin = time.monotonic()
    result = check(command=python(script, str(tmp_path / "pids")), timeout=0.7)
    seconds = time.monotonic() - begin

    assert result.outcome == "failed"
    assert result.detail == "no answer within 0.7 s; killed"
    assert result.facts["exit_code"] is None
    assert seconds < 2
    pids = [int(line) for line in (tmp_path / "pids").read_text().splitlines()]
    assert len(pids) == 2
    assert all(_is_gone(pid) for pid in pids)


def test_a_child_that_lives_on_does_not_hold_the_check(check: Check) -> None:
    script = """
import os, time
if os.fork() == 0:
    os.setsid()
    time.sleep(3)
else:
    print('up')
"""
    begin = time.monotonic()
    result = check(command=python(script), timeout=30)

    assert time.monotonic() - begin < 2.5
    assert (result.outcome, result.facts["extract"]) == ("passed", "up")


def test_a_red_command_is_tried_again(check: Check, tmp_path: Path) -> None:
    script = """
import pathlib, sys
path = pathlib.Path(sys.argv[1])
code = 0 if path.exists() else 1
path.touch()
sys.exit(code)
"""

    result = check(command=python(script, str(tmp_path / "up")), retries=3)

    assert (result.outcome, result.attempts) == ("passed", 2)


def _is_gone(pid: int) -> bool:
    """Tell whether a process has ended; one that is not reaped yet has."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
            state = _state(pid)
        except (ProcessLookupError, FileNotFoundError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
