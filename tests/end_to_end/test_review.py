"""What was pushed after the approval is told by the plan, and stands in the record."""

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

NOTES = "docs/runbook.md"


def slipped_in(builder: WorldBuilder, _: Group, orchestrator: Project, people: People) -> None:
    project = builder.world.project(CORE)
    request = builder.merge_request(
        project, 830, "fix: notes", {"fix: notes": {NOTES: "one\n"}}, author=people.author
    )
    builder.approve(request, people.reviewer)
    builder.push(request, {NOTES: "one\nand another\n"}, "and another")
    builder.merge(request, people.operator)
    tell = Storyteller(builder, project, orchestrator, people)
    tell.merged(831, "fix: more notes", {"fix: more": {"docs/more.md": "1\n"}})


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setitem(seed_stories.STORIES, "slipped in", slipped_in)
    with Sandbox(seed.example(pace=0.05)) as sandbox:
        sandbox.world.tier = "premium"
        made = Desk(sandbox, tmp_path)
        spec = made.spec.read_text(encoding="utf-8")
        made.spec.write_text(spec.replace("[812, 815]", "[830, 831]"), encoding="utf-8")
        yield made
        made.leave()


def test_the_plan_tells_and_the_lockfile_keeps_which_head_was_approved(desk: Desk) -> None:
    plan = desk.document("plan", "hotfix.yaml")

    warnings = plan["warnings"]
    assert isinstance(warnings, list)
    told = [each for each in warnings if each["code"] == "mr-pushed-after-approval"]
    assert [each["message"][:4] for each in told] == ["!830"], "!831 was approved as it was merged"

    done = desk.run("apply", "hotfix.yaml", "--auto-approve", "--until", "branch")
    assert done.returncode == 0, done.stderr.decode()
    entries = json.loads(desk.lockfile.read_bytes())["entries"]
    (preflight,) = [each for each in entries if each["step"] == "preflight"]
    slipped, fine = preflight["facts"]["merge_requests"]
    assert slipped["approvals"][0]["by"] == "reviewer"
    assert slipped["approvals"][0]["head"] != slipped["head"]
    assert fine["approvals"][0]["head"] == fine["head"]
    assert fine["rules"][0]["approved"] is True
