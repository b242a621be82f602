"""The runbook by hand, with the git client and python-gitlab: from the restore to production."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import gitlab
import pytest

from hotfix.sandbox import seed

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.sandbox import Sandbox
    from tests.conftest import FixedClock

CORE = "evenergi/bf-manage-core"


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def restore(sandbox: Sandbox, folder: Path, production: str) -> None:
    """Do steps 1 and 2 of the runbook, to the letter."""
    host = sandbox.url.removeprefix("http://")
    url = f"http://oauth2:{seed.TOKENS['operator']}@{host}/{CORE}.git"
    git(folder, "clone", "-q", url, "clone")
    clone = folder / "clone"
    git(clone, "checkout", "-q", "-B", "release", "origin/release")
    git(clone, "restore", f"--source={production}", "--staged", "--worktree", ".")
    message = "fix: restore release to last production state"
    git(clone, "commit", "-q", "--allow-empty", "--message", message)
    git(clone, "push", "-q", "origin", "release")
    git(clone, "fetch", "-q", "origin", "release")
    assert git(clone, "diff", f"{production}..origin/release") == ""


@pytest.mark.oracle
def test_a_hotfix_goes_to_production_by_hand(
    sandbox: Sandbox, gl: gitlab.Gitlab, clock: FixedClock, tmp_path: Path
) -> None:
    gl.auth()
    project = gl.projects.get(CORE)
    environment = project.environments.get(project.environments.list(name="production")[0].id)
    production = environment.last_deployment["sha"]
    restore(sandbox, tmp_path, production)

    for iid in (812, 815):
        request = project.mergerequests.get(iid)
        assert (request.state, request.approvals.get().approved_by[0]["user"]["username"]) == (
            "merged",
            "reviewer",
        )
        project.commits.get(request.merge_commit_sha).cherry_pick("release")
    head = project.branches.get("release").commit["id"]
    compared = project.repository_compare(production, head, straight=True)
    assert {diff["new_path"] for diff in compared["diffs"]} == {
        "config/default.yaml",
        "src/manage_core/ocpp/heartbeat.py",
        "tests/test_ocpp_heartbeat_expiry.py",
    }

    orchestrator = gl.projects.get(seed.ORCHESTRATOR)
    inputs = {
        "action": "deploy-release-branch-to-staging",
        "project": CORE,
        "confirm": True,
    }
    orchestration = orchestrator.pipelines.create({"ref": "main", "inputs": inputs})
    clock.advance(60)
    bridge = orchestration.bridges.list()[0]
    pipeline = project.pipelines.get(bridge.downstream_pipeline["id"])
    assert (pipeline.sha, pipeline.ref, pipeline.status) == (head, "release", "manual")

    found = {job.name: job for job in pipeline.jobs.list()}
    assert found["deploy-staging"].status == "success"
    project.jobs.get(found["deploy-production"].id).play()
    clock.advance(60)
    assert project.environments.get(environment.id).last_deployment["sha"] == head
    assert sandbox.world.production_sha(CORE) == head
    shipped = project.deployments.list(
        environment="production", status="success", order_by="finished_at", sort="desc"
    )[0]
    assert shipped.deployable["id"] == found["deploy-production"].id

    incident = orchestrator.issues.create(
        {"title": "Chargers drop", "issue_type": "incident", "description": "/severity high\nx"}
    )
    incident.notes.create({"body": f"Production runs {head}."})
    assert orchestrator.issues.get(incident.iid).user_notes_count == 1
    assert "/severity" not in incident.description


def test_python_gitlab_pages_through_everything(gl: gitlab.Gitlab) -> None:
    project = gl.projects.get(CORE)
    assert len(project.commits.list(ref_name="main", per_page=3, get_all=True)) > 15
    assert len(list(project.jobs.list(iterator=True, per_page=5))) == 16
    assert {branch.name for branch in project.branches.list(get_all=True)} == {
        "main",
        "release",
        "821-retry-a-lost-boot-notification",
    }
    assert project.members_all.get(gl.users.list(username="operator")[0].id).access_level == 40
    assert project.protectedbranches.get("release").push_access_levels[0]["access_level"] == 40
    text = project.files.get(".gitlab-ci.yml", ref="release").decode().decode()
    assert text.startswith("stages: [build, test")
    assert project.repository_merge_base(["main", "release"])["id"]


def test_python_gitlab_gets_gitlabs_own_words(gl: gitlab.Gitlab) -> None:
    with pytest.raises(gitlab.GitlabGetError, match="404 Project Not Found"):
        gl.projects.get("evenergi/none")
    with pytest.raises(gitlab.GitlabGetError, match="404"):
        gl.projects.get(CORE).pushrules.get()
    with pytest.raises(gitlab.GitlabCreateError, match="unknown input arguments"):
        gl.projects.get(seed.ORCHESTRATOR).pipelines.create(
            {"ref": "main", "inputs": {"acton": "x"}}
        )
