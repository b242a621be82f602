"""What a command loads: help and completion answer at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hotfix.cli.app import COMMANDS, app

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {"pydantic", "dulwich", "gitlab", "rich", "requests", "jsonschema", "yaml", "werkzeug"}
_PROGRAM = """
import json, sys
from hotfix.__main__ import main
try:
    main({arguments!r})
finally:
    loaded = sorted(name for name in sys.modules if "." not in name)
    print("LOADED" + json.dumps(loaded))
"""


def _loaded(arguments: list[str], **environment: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(arguments=arguments)],
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    return set(json.loads(done.stdout.rpartition("LOADED")[2]))


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["plan", "--help"], ["apply", "-h"], ["demo", "--help"], ["schema", "plan"]],
    ids=" ".join,
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert not _loaded(arguments) & HEAVY


def test_the_version_loads_not_even_the_command_line() -> None:
    assert not _loaded(["--version"]) & {"click", *HEAVY}


@pytest.mark.parametrize("words", ["hotfix ", "hotfix plan --", "hotfix apply --until "])
def test_completion_loads_nothing_heavy(words: str) -> None:
    loaded = _loaded(
        [],
        _HOTFIX_COMPLETE="bash_complete",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split(" ")) - 1),
    )

    assert "click" in loaded
    assert not loaded & HEAVY


def test_an_offline_check_loads_nothing_of_gitlab_or_git() -> None:
    assert not _loaded(["validate", "absent.yaml"]) & {"gitlab", "dulwich", "requests", "rich"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "saved.plan.json"],
        ["show", "hotfix.lock.json"],
        ["audit", "hotfix.lock.json"],
        ["status", "hotfix.lock.json"],
        ["validate", "hotfix.yaml"],
    ],
    ids=" ".join,
)
def test_reading_a_file_loads_nothing_of_gitlab_or_git(
    arguments: list[str], finished: Path
) -> None:
    command, name = arguments

    assert not _loaded([command, str(finished / name)]) & {
        "gitlab",
        "dulwich",
        "requests",
        "werkzeug",
    }


def test_every_listed_command_has_a_short_description_that_is_not_cut() -> None:
    context = app.make_context("hotfix", [], resilient_parsing=True)
    for name in COMMANDS:
        command = app.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert not command.get_short_help_str(70).endswith("...")
