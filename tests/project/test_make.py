"""The Makefile and .ci/run say the same, and name what there is."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def test_ci_runs_what_a_developer_runs(root: Path) -> None:
    script = (root / ".ci/run").read_text(encoding="utf-8")

    assert [line.split(" <")[0] for line in script.splitlines() if line.startswith("make ")] == [
        "make check",
        "make test",
    ]
    assert os.access(root / ".ci/run", os.X_OK)


def test_make_test_runs_every_test_and_checks_no_less(root: Path) -> None:
    planned = {
        target: subprocess.run(
            ["make", "--dry-run", target],
            cwd=root,
            env={"PATH": os.environ["PATH"]},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for target in ("test", "check")
    }

    assert planned["test"].splitlines()[-1].strip() == (
        ".venv/bin/python -m pytest --numprocesses auto"
    )
    for tool in ("ruff check", "ruff format --check", "mypy", "lint-imports", "diff -r schemas"):
        assert tool in planned["check"]


def test_every_decision_stands_in_the_index(root: Path) -> None:
    folder = root / "docs/decisions"
    records = {path.name for path in folder.glob("[0-9]*.md")}

    assert set(re.findall(r"\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text())) == records
