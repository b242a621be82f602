"""The command as users meet it: a process, a terminal, a signal."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hotfix.sandbox import Sandbox

pytestmark = pytest.mark.end_to_end

HOTFIX = [sys.executable, "-m", "hotfix"]


class Terminal:
    """A process on a terminal of its own, read until something is on the screen."""

    def __init__(self, *arguments: object, stdout: int | None = None, **environment: str) -> None:
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [*HOTFIX, *map(str, arguments)],
            stdin=slave,
            stdout=slave if stdout is None else stdout,
            stderr=slave,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24", **environment},
            start_new_session=True,
        )
        os.close(slave)
        self.seen = ""

    def until(self, text: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < deadline, f"{text!r} is not in {self.seen[-2000:]}"
            self._read()

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def end(self, seconds: float = 30) -> int:
        deadline = time.monotonic() + seconds
        while self._read():
            assert time.monotonic() < deadline, self.seen[-2000:]
        os.close(self._master)
        return self.process.wait(timeout=seconds)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], 0.2)
        if not ready:
            return self.process.poll() is None
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux: the other side has gone
            return False
        self.seen += data.decode(errors="replace")
        return True


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_a_person_answers_at_a_terminal(spec: Path) -> None:
    terminal = Terminal("apply", spec)
    terminal.until("Type yes:")
    terminal.type("yes\n")
    terminal.until("Type the project's name, bf-manage-core:")
    terminal.type("deploy-production\n")
    terminal.until("That is not the project's name; nothing was pressed.")
    terminal.until("bf-manage-core:")
    time.sleep(0.2)
    terminal.type("bf-manage-core\n")

    assert terminal.end() == 0
    assert "Hotfix inc-1042 is complete: 9 of 9 checks passed." in _plain(terminal.seen)
    lock = json.loads(spec.with_name("hotfix.lock.json").read_text())
    assert [approval["source"] for approval in lock["approvals"]] == ["typed", "typed"]


def test_whoever_is_asked_sees_the_plan_where_the_question_is(spec: Path) -> None:
    with (spec.parent / "out.txt").open("w") as out:
        terminal = Terminal("apply", spec, stdout=out.fileno())
        terminal.until("Type yes:")
        terminal.type("no\n")
        assert terminal.end() == 3

    assert "Plan: 1 restore" in terminal.seen
    assert (spec.parent / "out.txt").read_text().startswith("Plan: 1 restore")


def test_what_was_typed_before_the_question_is_no_answer(spec: Path) -> None:
    terminal = Terminal("apply", spec)
    terminal.type("yes\n")
    terminal.until("Type yes:")
    time.sleep(0.5)

    assert terminal.process.poll() is None
    terminal.type("no\n")
    assert terminal.end() == 3
    assert not spec.with_name("hotfix.lock.json").exists()


def test_ctrl_c_at_a_question_is_130_and_resumable(spec: Path) -> None:
    terminal = Terminal("apply", spec, "--auto-approve")
    terminal.until("Type the project's name")
    time.sleep(0.2)
    os.kill(terminal.process.pid, signal.SIGINT)

    assert terminal.end() == 130
    assert "error[interrupted]" in _plain(terminal.seen)
    done = _run("apply", spec, "--auto-approve", "--promote", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_signal_stops_where_it_is_safe(spec: Path, sandbox: Sandbox) -> None:
    sandbox.world.pace = 3
    process = subprocess.Popen(
        [*HOTFIX, "apply", str(spec), "--auto-approve", "--promote"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("[staging]"):
            break
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "Stopping where it is safe" in err
    assert "error[interrupted]" in err
    sandbox.world.pace = 0.01
    assert _run("apply", spec, "--auto-approve", "--promote").returncode == 0


def test_colour_is_for_terminals_that_want_it(spec: Path) -> None:
    coloured = Terminal("plan", spec, NO_COLOR="")
    coloured.end()
    plain = Terminal("plan", spec, NO_COLOR="1")
    plain.end()
    dumb = Terminal("plan", spec, NO_COLOR="", TERM="dumb")
    dumb.end()

    assert "\x1b[1m" in coloured.seen
    assert "\x1b" not in plain.seen
    assert "\x1b" not in dumb.seen
    assert _verdict(_plain(coloured.seen)) == _verdict(plain.seen)


def _verdict(seen: str) -> str:
    """Find the first line of the plan; before it may stand what was waited for."""
    return next(line for line in seen.splitlines() if line.startswith("Plan:"))


@pytest.fixture
def served() -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    with _serving() as told:
        yield told


@contextlib.contextmanager
def _serving(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
    with subprocess.Popen(
        [*HOTFIX, "sandbox", "--pace", "0.01", "--format", "json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        text = ""
        while not text.endswith("}\n"):
            text += process.stdout.readline()
        yield process, json.loads(text)
        process.terminate()


def test_the_sandbox_serves_until_it_is_told_to_stop(
    served: tuple[subprocess.Popen[str], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    process, told = served
    monkeypatch.setenv("HOTFIX_TOKEN", told["tokens"]["operator-readonly"])
    planned = _run("plan", told["spec"])
    process.send_signal(signal.SIGINT)

    assert planned.returncode == 0
    assert planned.stdout.startswith("Plan: 1 restore, 2 picks")
    assert process.wait(timeout=10) == 0
    assert not os.path.exists(told["spec"])  # noqa: PTH110  (a text from JSON)


def test_the_sandbox_tells_at_the_end_which_faults_struck(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = tmp_path / "faults.yaml"
    schedule.write_text("- {route: GET /user, nth: 1, kind: status, status: 503, times: 2}\n")
    with _serving("--fault", "pipeline-reset-after", "--faults", str(schedule)) as (process, told):
        monkeypatch.setenv("HOTFIX_TOKEN", told["tokens"]["operator-readonly"])
        planned = _run("plan", told["spec"])
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=10)

    assert planned.returncode == 0
    assert said.splitlines()[-2:] == [
        "  struck never: POST /projects/:id/pipeline #1 after reset",
        "  struck 2: GET /user #1-2 before 503",
    ]


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("git pull reset", "'git pull' is no route"),
        ("pipeline-rest", "there is no fault 'pipeline-rest'; there are pipelines-reset, "),
    ],
)
def test_a_fault_that_is_none_is_refused(option: str, says: str) -> None:
    refused = _run("sandbox", "--fault", option)

    assert refused.returncode == 64
    assert refused.stderr.startswith(f"error[invalid-fault]: {says}")


def test_a_port_that_is_taken_is_named(
    served: tuple[subprocess.Popen[str], dict[str, Any]],
) -> None:
    port = served[1]["url"].rpartition(":")[2]
    refused = _run("sandbox", "--port", port)

    assert refused.returncode == 64
    assert refused.stderr.splitlines()[-2] == (
        f"error[port-taken]: Port {port} of 127.0.0.1 cannot be had."
    )


def _run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*HOTFIX, *map(str, arguments)], check=False, capture_output=True, text=True
    )
