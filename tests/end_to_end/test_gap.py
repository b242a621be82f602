"""A fix that calls what was merged a day before is told, though it picks without a conflict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hotfix.sandbox import Sandbox, seed, seed_stories
from hotfix.sandbox.seed_stories import Storyteller

from .conftest import CORE, Desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hotfix.sandbox.builder import WorldBuilder
    from hotfix.sandbox.projects import Project
    from hotfix.sandbox.seed_stories import People
    from hotfix.sandbox.users import Group

pytestmark = pytest.mark.end_to_end

PACKAGE = "src/manage_core"
BACKOFF = {f"{PACKAGE}/backoff.py": "def backoff():\n    return 3\n"}
CALMER = {f"{PACKAGE}/calmer.py": "from manage_core.backoff import backoff\n\nbackoff()\n"}


def yesterday(builder: WorldBuilder, _group: Group, orchestrator: Project, people: People) -> None:
    tell = Storyteller(builder, builder.world.project(CORE), orchestrator, people)
    tell.merged(830, "feat: back off", {"feat: back off": BACKOFF})
    tell.merged(831, "fix: be calmer", {"fix: be calmer": CALMER})


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setitem(seed_stories.STORIES, "yesterday", yesterday)  # type: ignore[arg-type]
    with Sandbox(seed.example(pace=0.05)) as sandbox:
        made = Desk(sandbox, tmp_path)
        yield made
        made.leave()


def ask_for(desk: Desk, *iids: int) -> None:
    spec = desk.spec.read_text(encoding="utf-8")
    desk.spec.write_text(spec.replace("[812, 815]", f"{[812, 815, *iids]}"), encoding="utf-8")


def gaps(plan: dict[str, object]) -> list[dict[str, str]]:
    warnings = plan["warnings"]
    assert isinstance(warnings, list)
    return [each for each in warnings if each["code"] == "semantic-gap"]


def test_the_plan_warns_by_merge_request_file_and_line_and_the_record_keeps_it(desk: Desk) -> None:
    ask_for(desk, 831)

    (found,) = gaps(desk.document("plan", "hotfix.yaml"))

    assert found["message"] == (
        "!831 uses what !830 brought to main and the planned branch lacks: "
        "module `manage_core.backoff`."
    )
    assert found["detail"].startswith(f"{PACKAGE}/calmer.py, line 1: ")
    done = desk.run("apply", "hotfix.yaml", "--auto-approve", "--until", "branch")
    assert done.returncode == 0, "a warning stops nobody"
    assert gaps(json.loads(desk.lockfile.read_bytes())["plan"]) == [found]


def test_with_what_it_uses_named_too_nothing_is_left_to_warn_of(desk: Desk) -> None:
    ask_for(desk, 830, 831)

    assert gaps(desk.document("plan", "hotfix.yaml")) == []
