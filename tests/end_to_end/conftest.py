"""The command as its user runs it: a process, a folder with a spec, a token in the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hotfix.sandbox import Sandbox, seed
from tests.end_to_end.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CORE = "evenergi/bf-manage-core"
SPEC = """\
version: 1
id: inc-1042-ocpp-timeout
title: OCPP heartbeats are dropped after 30 s
project: {project}
production_sha: {sha}
merge_requests: [812, 815]
orchestration: {{project: evenergi/develop}}
smoke_checks:
  - name: health
    http: {{url: "{url}/-/services/{project}/health", json: {{status: ok}}}}
"""


class Desk:
    """A folder with a spec, and the command."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.spec = folder / "hotfix.yaml"
        self.lockfile = folder / "hotfix.lock.json"
        self._started: list[subprocess.Popen[bytes]] = []
        sha = sandbox.world.production_sha(CORE)
        self.spec.write_text(SPEC.format(project=CORE, sha=sha, url=sandbox.url), encoding="utf-8")
        self.environment = {
            **os.environ,
            "HOTFIX_GITLAB_URL": sandbox.url,
            "HOTFIX_TOKEN": seed.TOKENS["operator"],
            "HOTFIX_POLL_SECONDS": "0.05",
        }

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "hotfix", *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._started.append(process)
        return process

    def leave(self) -> None:
        """End what a failed test has left at work, so that no other test stumbles over it."""
        for process in self._started:
            process.kill()
            process.communicate()

    def run(self, *words: str) -> Command:
        command = Command(self.folder, self.environment, words)
        command.wait()
        return command

    def document(self, *words: str) -> dict[str, object]:
        done = self.run(*words, "--format", "json")
        return dict(json.loads(done.stdout))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Serve the example world, and lay its hotfix on the desk."""
    with Sandbox(seed.example(pace=0.05)) as sandbox:
        made = Desk(sandbox, tmp_path)
        yield made
        made.leave()
