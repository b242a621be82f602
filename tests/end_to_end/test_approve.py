"""Two people, two tokens: one approves exactly the plan, the other carries it out."""

from __future__ import annotations

import json

import pytest

from hotfix.sandbox import seed

from .conftest import CORE, Desk

pytestmark = pytest.mark.end_to_end


def test_a_second_person_approves_the_digest_and_nothing_else_is_carried_out(desk: Desk) -> None:
    (desk.folder / "defaults.yaml").write_text(
        "version: 1\npolicy:\n  plan_approvals: {minimum: 1, groups: [evenergi]}\n"
    )
    plan, apply = "hotfix.plan.json", ("apply", "hotfix.yaml", "--auto-approve", "--promote")
    assert desk.run("plan", "hotfix.yaml", "--out", plan).returncode == 0
    first = json.loads((desk.folder / plan).read_bytes())["digest"]

    waiting = desk.run(*apply)
    assert waiting.returncode == 3
    assert b"error[approvals-missing]" in waiting.stderr
    assert desk.sandbox.requests.writes() == []

    approve(desk, plan, first)
    text = desk.spec.read_text(encoding="utf-8")
    desk.spec.write_text(text.replace("after 30 s", "after 40 s"), encoding="utf-8")
    void = desk.run(*apply)
    assert void.returncode == 3
    assert b"1 of another plan is void" in void.stderr
    assert len(desk.sandbox.requests.writes()) == 1

    assert desk.run("plan", "hotfix.yaml", "--out", plan).returncode == 0
    second = json.loads((desk.folder / plan).read_bytes())["digest"]
    assert second != first
    approve(desk, plan, second)
    done = desk.run(*apply)

    assert done.returncode == 0, done.stderr.decode()
    lock = json.loads(desk.lockfile.read_bytes())
    assert {"by": "reviewer", "what": f"approve plan {second}"}.items() <= lock["approvals"][
        1
    ].items()
    assert desk.run("audit", "hotfix.lock.json").returncode == 0
    notes = desk.sandbox.world.project(CORE).merge_requests[812].notes
    assert [note.author.username for note in notes] == ["reviewer", "reviewer"]


def approve(desk: Desk, plan: str, digest: str) -> None:
    mine = desk.environment["HOTFIX_TOKEN"]
    desk.environment["HOTFIX_TOKEN"] = seed.TOKENS["reviewer"]
    done = desk.run("approve", plan, "--digest", digest)
    assert done.returncode == 0, done.stderr.decode()
    desk.environment["HOTFIX_TOKEN"] = mine
