from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return _ROOT


@pytest.fixture(scope="session")
def committed(root: Path) -> list[Path]:
    """Return what is committed; before the first commit, what git would not ignore."""
    return _listed(root, "--cached") or _listed(root, "--others", "--exclude-standard")


@pytest.fixture(scope="session")
def modules(root: Path) -> list[Path]:
    return sorted((root / "hotfix").rglob("*.py"))


def _listed(root: Path, *which: str) -> list[Path]:
    # The folder may belong to somebody else, as in a container, and the sealed configuration of the
    # tests cannot say that this is fine.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", *which]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True)
    paths = [root / os.fsdecode(name) for name in listed.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file()]
