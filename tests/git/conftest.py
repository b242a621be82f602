from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from .cgit import CGit
from .making import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture(scope="session")
def git(tmp_path_factory: pytest.TempPathFactory) -> CGit:
    """Give a repository of C git's; objects of all tests gather in it and do not disturb."""
    if not shutil.which("git"):
        pytest.skip("git is not on the PATH")
    folder: Path = tmp_path_factory.mktemp("cgit") / "repository.git"
    return CGit(folder)
