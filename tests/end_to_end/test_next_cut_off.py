"""What the record tells the next cut-off, tried with the git client on what apply left."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from hotfix.sandbox import seed

from .conftest import CORE, Desk

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.end_to_end, pytest.mark.oracle]

TAKEN_OFF = "docs/tariffs.md"


def git(folder: Path, *words: str, check: bool = True) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0 or not check, (words, done.stdout, done.stderr)
    return done.stdout.decode()


def test_only_with_the_restore_reverted_does_a_merge_bring_back_what_it_took_off(
    desk: Desk, tmp_path_factory: pytest.TempPathFactory
) -> None:
    done = desk.run("apply", "hotfix.yaml", "--auto-approve", "--until", "branch")
    assert done.returncode == 0, done.stderr.decode()
    (follow_up,) = json.loads(desk.lockfile.read_bytes())["plan"]["incident"]["follow_ups"]
    restore = re.search(r"revert the restore ([0-9a-f]+) on release", follow_up)
    assert restore is not None
    folder = tmp_path_factory.mktemp("cut-off")
    host = desk.sandbox.url.removeprefix("http://")
    git(folder, "clone", "-q", f"http://oauth2:{seed.TOKENS['operator']}@{host}/{CORE}.git", ".")
    git(folder, "checkout", "-q", "release")

    said = git(folder, "merge", "-q", "--no-edit", "origin/main", check=False)
    assert "CONFLICT (modify/delete): src/manage_core/reservations.py" in said, "main went on in it"
    assert not (folder / TAKEN_OFF).exists()

    git(folder, "reset", "-q", "--hard", "origin/release")
    git(folder, "revert", "--no-edit", restore[1])
    git(folder, "merge", "-q", "--no-edit", "origin/main")
    assert (folder / TAKEN_OFF).exists()
    git(folder, "diff", "--exit-code", "origin/main")
