from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = Path(__file__).parent / "good"


@pytest.fixture
def good() -> Callable[[str], str]:
    """Read one of the good files by its name."""
    return lambda name: (GOOD / f"{name}.yaml").read_text("utf-8")


@pytest.fixture
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a repository with the team's defaults; problems then name short paths."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "defaults.yaml").write_text((GOOD / "defaults.yaml").read_text("utf-8"), "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path
