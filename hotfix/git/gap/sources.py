"""Which files are read, as what, and which are left out."""

from __future__ import annotations

import re
from typing import Final

MOST_BYTES: Final = 256 * 1024
"""A longer file was not written by hand."""

PYTHON: Final = "python"
CONFIG: Final = "config"
PINS: Final = "pins"

_FAMILIES: Final = {
    PYTHON: "py pyi pyx",
    "script": "js jsx mjs cjs ts tsx mts cts vue svelte",
    "jvm": "java kt kts scala groovy",
    "c": "c h cc cpp cxx hh hpp hxx m mm",
    "ruby": "rb rake erb haml slim",
    "go": "go",
    "php": "php",
    "rust": "rs",
    "dotnet": "cs fs vb",
    "swift": "swift",
    "shell": "sh bash zsh",
    "elixir": "ex exs",
    "perl": "pl pm",
    CONFIG: "yml yaml json toml ini cfg conf env properties tf tfvars",
}
_BY_ENDING: Final = {
    ending: family for family, endings in _FAMILIES.items() for ending in endings.split()
}
_PINS: Final = re.compile(
    r"(?:requirements[\w.-]*\.(?:txt|in)|constraints[\w.-]*\.txt|pyproject\.toml|setup\.cfg"
    r"|Pipfile(?:\.lock)?|poetry\.lock|uv\.lock|pdm\.lock|package(?:-lock)?\.json|yarn\.lock"
    r"|pnpm-lock\.yaml|go\.mod|Cargo\.(?:toml|lock)|Gemfile(?:\.lock)?|[\w-]+\.gemspec"
    r"|composer\.(?:json|lock)|pom\.xml|build\.gradle(?:\.kts)?|libs\.versions\.toml)"
)
_OTHERS_WORK: Final = re.compile(
    r"(?:^|/)(?:node_modules|vendor|third_party|dist|build|generated|__generated__"
    r"|locales?|i18n|translations)/|\.min\.\w+$|[._-]generated\.\w+$|\.pb\.go$|_pb2\.py$"
)
_TESTS: Final = re.compile(
    r"(?:^|/)(?:tests?|specs?|__tests__|testdata|test-utils|fixtures|features|e2e|benchmarks?)/"
    r"|(?:^|/)(?:test_|conftest)[^/]*$|[._-](?:tests?|spec)\.\w+$|(?:Tests?|Spec)\.\w+$",
)


def family(path: str) -> str | None:
    """Tell what a file is written in, as far as words of it may mean each other; else nothing.

    Pins are what a package manager reads. What others wrote, or a program, is no source.
    """
    if _OTHERS_WORK.search(path):
        return None
    name = path.rpartition("/")[2]
    if _PINS.fullmatch(name):
        return PINS
    if name.startswith(".env") or name in {"Procfile", "Dockerfile"}:
        return CONFIG
    return _BY_ENDING.get(name.rpartition(".")[2].lower()) if "." in name else None


def is_test(path: str) -> bool:
    """Tell whether a file is run by tests only, by its name or the folder's."""
    return _TESTS.search(path) is not None


def nearness(path: str, folders: frozenset[str]) -> int:
    """Tell how many folders a file shares with the nearest of these."""
    parts = path.split("/")[:-1]
    while parts and "/".join(parts) not in folders:
        parts.pop()
    return len(parts)
