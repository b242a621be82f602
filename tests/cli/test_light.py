"""What each command loads, as a process: nothing heavy that it does not use.

A list is exact: a package more is a wait more for everybody who runs that command, and a package
less is to be written down here, so that it stays so. ``docs/decisions/0007`` has what they cost.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from hotfix.cli.app import COMMANDS, app
from hotfix.cli.example import write_example
from hotfix.sandbox.seed import TOKENS

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.sandbox import Sandbox

HEAVY = frozenset(
    {
        "click",
        "dulwich",
        "email",
        "gitlab",
        "http",
        "jsonschema",
        "pydantic",
        "requests",
        "rfc8785",
        "rich",
        "socket",
        "ssl",
        "urllib3",
        "werkzeug",
        "yaml",
    }
)
"""Packages that take more than a few milliseconds to load, and every way to the network."""

PYDANTIC = {"pydantic", "email", "socket"}
"""pydantic looks for plug-ins by importlib.metadata, which loads the two of the library."""

MODELS = {"click", *PYDANTIC}
READING = {*MODELS, "jsonschema", "rfc8785"}
GITLAB = {"gitlab", "requests", "urllib3", "http", "ssl"}
PLANNING = {*MODELS, *GITLAB, "dulwich", "rfc8785", "yaml"}

_PROGRAM = """
import json, sys
from hotfix.__main__ import main
try:
    main({arguments!r})
finally:
    print("LOADED" + json.dumps(sorted(sys.modules)))
"""


def _loaded(arguments: list[str], **environment: str) -> set[str]:
    """Run a command line as a process and return the heavy packages that it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM.format(arguments=arguments)],
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
    )
    return {name for name in json.loads(done.stdout.rpartition("LOADED")[2]) if name in HEAVY}


@pytest.mark.parametrize(
    "arguments",
    [["--help"], [], *([name, "--help"] for name in COMMANDS), ["schema", "plan"], ["plan", "-x"]],
    ids=" ".join,
)
def test_help_loads_the_command_line_alone(arguments: list[str]) -> None:
    assert _loaded(arguments) == {"click"}


def test_the_version_loads_not_even_the_command_line() -> None:
    assert _loaded(["--version"]) == set()


@pytest.mark.parametrize("words", ["hotfix ", "hotfix plan --", "hotfix apply --until "])
def test_completion_loads_the_command_line_alone(words: str) -> None:
    loaded = _loaded(
        [],
        _HOTFIX_COMPLETE="bash_complete",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split(" ")) - 1),
    )

    assert loaded == {"click"}


@pytest.mark.parametrize(
    ("arguments", "packages"),
    [
        (["validate", "hotfix.yaml"], {*MODELS, "yaml"}),
        (["validate", "hotfix.yaml", "--format", "json"], {*MODELS, "yaml"}),
        (["show", "saved.plan.json"], {*READING, "rich"}),
        (["show", "saved.plan.json", "--format", "markdown"], READING),
        (["show", "saved.plan.json", "--quiet"], READING),
        (["show", "hotfix.lock.json"], {*READING, "rich"}),
        (["show", "hotfix.lock.json", "--format", "json"], READING),
        (["audit", "hotfix.lock.json"], {*READING, "rich"}),
        (["audit", "hotfix.lock.json", "--format", "json"], READING),
        (["status", "hotfix.lock.json", "--offline"], {*READING, "rich"}),
        (["status", "hotfix.yaml", "--offline"], {*READING, "rich", "yaml"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_reading_a_file_loads_nothing_of_gitlab_or_git(
    arguments: list[str], packages: set[str], finished: Path
) -> None:
    command, name, *options = arguments

    assert _loaded([command, str(finished / name), *options]) == packages


@pytest.mark.parametrize(
    ("arguments", "packages"),
    [
        (["plan"], {*PLANNING, "rich"}),
        (["plan", "--format", "json"], PLANNING),
        (["plan", "--format", "markdown"], PLANNING),
        (["plan", "--quiet"], PLANNING),
        (["doctor"], {*PLANNING, "rich"}),
        (["doctor", "--format", "json"], PLANNING),
        (["doctor", "--format", "markdown"], PLANNING),
        (["doctor", "--quiet"], PLANNING),
        (["apply"], {*PLANNING, "rich"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_asking_gitlab_loads_no_server_and_no_schema(
    arguments: list[str], packages: set[str], sandbox: Sandbox, tmp_path: Path
) -> None:
    spec = write_example(sandbox, tmp_path)
    command, *options = arguments

    loaded = _loaded([command, str(spec), *options], HOTFIX_TOKEN=TOKENS["operator"])

    assert loaded == packages


def test_a_refusal_before_gitlab_is_asked_loads_nothing_of_it(finished: Path) -> None:
    assert _loaded(["plan", str(finished / "hotfix.yaml")], HOTFIX_TOKEN="") == {*MODELS, "yaml"}


def test_every_listed_command_has_a_short_description_that_is_not_cut() -> None:
    context = app.make_context("hotfix", [], resilient_parsing=True)
    for name in COMMANDS:
        command = app.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert not command.get_short_help_str(70).endswith("...")
