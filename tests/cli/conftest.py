"""Command lines run in this process, and a hotfix that was carried out once for all to read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from hotfix.cli import redaction
from hotfix.cli.app import run as run_command_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hotfix.sandbox import Sandbox

PROJECT = "evenergi/bf-manage-core"


@dataclass(frozen=True, slots=True)
class Result:
    """How a command line ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def hotfix(capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run a command line in this process."""

    def run(*arguments: object) -> Result:
        capfd.readouterr()
        code = run_command_line([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return run


@pytest.fixture(autouse=True)
def _no_secret_of_another_test() -> Iterator[None]:
    redaction._secrets.clear()
    yield
    redaction._secrets.clear()


@pytest.fixture
def spec(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a spec against a sandbox of its own, with an operator's environment around it."""
    monkeypatch.setenv("HOTFIX_TOKEN", _token())
    monkeypatch.setenv("HOTFIX_POLL_SECONDS", "0.05")
    return write_spec(sandbox, tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Carry a hotfix out once; returns the folder with its spec, plan and lockfile."""
    from hotfix.sandbox import Sandbox, seed  # noqa: PLC0415  (most tests need no server)

    folder = tmp_path_factory.mktemp("finished")
    with Sandbox(seed.example(pace=0.01)) as sandbox, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOTFIX_TOKEN", _token())
        patch.setenv("HOTFIX_POLL_SECONDS", "0.05")
        file = str(write_spec(sandbox, folder))
        assert run_command_line(["plan", file, "--out", str(folder / "saved.plan.json")]) == 0
        assert run_command_line(["apply", file, "--auto-approve", "--promote"]) == 0
    return folder


def write_spec(sandbox: Sandbox, folder: Path, requests: str = "[812, 815]") -> Path:
    production = sandbox.world.production_sha(PROJECT)
    (folder / "defaults.yaml").write_text(
        f"version: 1\ngitlab: {sandbox.url}\norchestration: {{project: evenergi/develop}}\n"
    )
    path = folder / "hotfix.yaml"
    path.write_text(
        f"version: 1\nid: inc-1042\ntitle: Heartbeats are dropped\nproject: {PROJECT}\n"
        f"production_sha: {production}\nmerge_requests: {requests}\nsmoke_checks:\n"
        f"  - name: health\n    http: {{url: '{sandbox.url}/-/services/{PROJECT}/health'}}\n"
    )
    return path


def _token() -> str:
    from hotfix.sandbox.seed import TOKENS  # noqa: PLC0415  (most tests need no server)

    return os.environ.get("HOTFIX_TOKEN") or TOKENS["operator"]
