"""One door per outside thing, where import-linter cannot look: calls, and parts of packages."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What is behind a door, and the modules that may open it (a folder ends with a slash).
DOORS = {
    "time": (
        {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"},
        ("clock.py",),
    ),
    "network": (
        {"urllib.request", "http.client", "ftplib", "smtplib", "asyncio", "xmlrpc"},
        # Git's own requests: docs/decisions/0006-lean-fetch.md.
        ("forge/wire.py",),
    ),
    "processes": (
        {"os.system", "os.popen", "os.fork", "os.posix_spawn", "os.execv", "os.execvp"},
        (),
    ),
    "written files": (
        {"write_text", "write_bytes", "mkstemp", "NamedTemporaryFile"},
        # The second opinion writes into a temporary repository of its own, and nowhere else.
        ("files.py", "sandbox/", "cli/second_opinion.py"),
    ),
    "environment": (
        {"os.environ", "os.getenv", "os.environb"},
        ("cli/", "sandbox/", "smoke/command.py", "smoke/trust.py", "forge/network.py"),
    ),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_door_is_opened_by_its_keepers_alone(door: str, modules: list[Path], root: Path) -> None:
    behind, keepers = DOORS[door]
    found = [
        f"{module.relative_to(root)}:{line}: {name}"
        for module in modules
        if not str(module.relative_to(root / "hotfix")).startswith(keepers)
        for line, name in _names(ast.parse(module.read_bytes()))
        if any(name == entry or name.endswith(f".{entry}") for entry in behind)
    ]

    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\nx = datetime.now()",
        "import datetime\nx = datetime.datetime.now(datetime.UTC)",
        "import urllib.request",
        "from urllib import request",
        "import os\nx = os.environ['HOME']",
        "path.write_text('x')",
    ],
)
def test_a_door_that_is_opened_is_seen(source: str) -> None:
    names = {name for _, name in _names(ast.parse(source))}
    behind = set().union(*(entries for entries, _ in DOORS.values()))

    assert any(name == entry or name.endswith(f".{entry}") for name in names for entry in behind)


def test_every_import_is_of_a_declared_dependency(modules: list[Path], root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    declared = {canonicalize_name(Requirement(text).name) for text in project["dependencies"]}
    # These come with what is declared, as a part of its own interface.
    declared |= {canonicalize_name(name) for name in ("urllib3", "pydantic-core")}
    owners = packages_distributions()
    unknown = {
        top
        for module in modules
        for top in _imported(ast.parse(module.read_bytes()))
        if top not in sys.stdlib_module_names and top != "hotfix"
        if not {canonicalize_name(owner) for owner in owners.get(top, [])} & declared
    }

    assert unknown == set()


def _names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from ((node.lineno, alias.name) for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                yield node.lineno, module
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
            case ast.Attribute():
                yield node.lineno, _dotted(node)


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return f"{_dotted(node.value)}.{node.attr}"
        case _:
            return ""


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from (alias.name.partition(".")[0] for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
