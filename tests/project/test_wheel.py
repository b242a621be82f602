"""What is published works when it is installed from the wheel, away from the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

import hotfix
from hotfix import schema

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(root))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    _pip("install", "--no-deps", "--target", str(folder), str(wheel))
    return folder


def test_the_installed_command_tells_its_version(installed: Path) -> None:
    assert hotfix.__version__ in _run(installed, "--version")


@pytest.mark.parametrize("name", schema.NAMES)
def test_the_installed_command_has_the_schema(name: str, installed: Path, root: Path) -> None:
    expected = (root / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")

    assert _run(installed, "schema", name) == expected


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.partition("/")[0] for name in names} == {
        "hotfix",
        f"hotfix-{hotfix.__version__}.dist-info",
    }
    assert "hotfix/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.endswith((".pyc", ".tmp"))]


def _pip(command: str, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", command, "--quiet", "--no-index", *arguments], check=True
    )


def _run(installed: Path, *arguments: str) -> str:
    # First on the path, so that the installed package is met before the repository's own.
    done = subprocess.run(
        [sys.executable, str(installed / "bin" / "hotfix"), *arguments],
        cwd=installed,
        env={**os.environ, "PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout
