"""Run a program of the operator's machine; exit code 0 is green."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from threading import Thread
from typing import IO, TYPE_CHECKING

from hotfix.smoke.result import Finding, extract, shown, timed_out
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotfix.clock import Clock
    from hotfix.spec.model import CommandCheck

KEPT_OUTPUT = 4096
"""How much of the end of the output is kept in memory; a program may print for ever."""

_DRAIN_SECONDS = 1.0
_OUR_PREFIXES = ("HOTFIX_", "GITLAB_", "CI_")
_OUR_TOKENS = ("HOTFIX_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN")
_TOKEN_LENGTH = 8  # a shorter text is no token, and stands in too many values by chance


def observe(check: CommandCheck, timeout: float, clock: Clock) -> Finding:
    """Start the program without a shell, in a process group of its own, and wait for its end.

    When its time is over, the whole group is killed, so that nothing of it goes on against
    production. It reads nothing and is given no token of ours.
    """
    begin = clock.monotonic()
    try:
        process = subprocess.Popen(  # noqa: S603  (what it is for; no shell, allowed by the team)
            check.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
            env=without_tokens(os.environ),
        )
    except (OSError, ValueError) as error:
        return Finding(passed=False, detail=f"{shown(check.argv[0])} does not start: {_why(error)}")
    output = _Output(process.stdout)
    code = _wait(process, timeout)
    last_line = output.last_line()
    facts = {
        "exit_code": code,
        "latency_ms": round((clock.monotonic() - begin) * 1000),
        "output_bytes": output.size,
        "extract": extract(last_line),
    }
    if code is None:
        return Finding(passed=False, detail=timed_out(timeout).detail + "; killed", facts=facts)
    said = f": {extract(last_line)}" if last_line else ""
    wanted = "" if code == 0 else ", expected 0"
    return Finding(passed=code == 0, detail=f"exit code {code}{wanted}{said}", facts=facts)


def without_tokens(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment less what could speak to GitLab in the operator's name.

    Left out are ``HOTFIX_*``, ``GITLAB_*`` and ``CI_*``, among them a URL with a job's token, and
    any other variable in which one of the tokens stands under another name.
    """
    tokens = [environ[name] for name in _OUR_TOKENS if len(environ.get(name, "")) >= _TOKEN_LENGTH]
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith(_OUR_PREFIXES) and not any(token in value for token in tokens)
    }


def _wait(process: subprocess.Popen[bytes], timeout: float) -> int | None:
    """Return the exit code, or None for a program that was killed at the end of its time."""
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        _kill(process)
        return None
    except BaseException:
        # In a session of its own, an interrupt from the keyboard does not reach it.
        _kill(process)
        raise


def _kill(process: subprocess.Popen[bytes]) -> None:
    # The leader is not waited for yet, so its number cannot belong to anybody else.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_DRAIN_SECONDS)


def _why(error: Exception) -> str:
    return one_line(error.strerror or "") if isinstance(error, OSError) else "an odd argument"


class _Output:
    """Reads all that a program prints, so that it never blocks, and keeps the end.

    A child that lives on may hold the pipe open; then the reader is left behind, as a daemon.
    """

    def __init__(self, stream: IO[bytes] | None) -> None:
        self.size = 0
        self._tail = b""
        self._reader = Thread(target=self._read, args=(stream,), daemon=True)
        self._reader.start()

    def last_line(self) -> bytes:
        """Return the last line that says something, if its beginning was kept too.

        The end of a longer line could show half of a secret, which no pattern would recognise.
        """
        self._reader.join(_DRAIN_SECONDS)
        kept = self._tail if self.size <= KEPT_OUTPUT else self._tail.partition(b"\n")[2]
        lines = kept.strip().splitlines()
        return lines[-1] if lines else b""

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            while chunk := stream.read(64 * 1024):
                self.size += len(chunk)
                self._tail = (self._tail + chunk)[-KEPT_OUTPUT:]
