"""The runbook followed by hand, with the git client and python-gitlab, against our own command."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING, Any

import gitlab
import pytest

from hotfix.sandbox import Sandbox, seed

from .conftest import CORE, Desk

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.end_to_end, pytest.mark.oracle]


def test_the_runbook_by_hand_and_apply_make_the_same_release_and_the_same_pipeline(
    desk: Desk, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Sandbox(seed.example(pace=0.05)) as other:
        tree = _by_hand(other, tmp_path_factory.mktemp("by-hand"))
        by_hand = _pipeline_sent(other)

    done = desk.run("apply", "hotfix.yaml", "--auto-approve", "--promote")

    assert done.returncode == 0, done.stderr.decode()
    world = desk.sandbox.world
    release = world.release_sha(CORE)
    assert world.project(CORE).repository.tree(release) == tree
    assert world.production_sha(CORE) == release
    assert _pipeline_sent(desk.sandbox) == by_hand


def test_a_hotfix_begun_by_hand_is_adopted_without_a_new_commit(
    desk: Desk, tmp_path_factory: pytest.TempPathFactory
) -> None:
    _restore_and_pick(desk.sandbox, tmp_path_factory.mktemp("by-hand"))
    head = desk.sandbox.world.release_sha(CORE)

    done = desk.run("apply", "hotfix.yaml", "--auto-approve", "--promote")

    assert done.returncode == 0, done.stderr.decode()
    assert desk.sandbox.world.release_sha(CORE) == head
    lock = json.loads(desk.lockfile.read_bytes())
    assert {commit["action"] for commit in lock["plan"]["targets"][0]["commits"]} == {"keep"}
    assert {check["outcome"] for check in lock["checks"]} == {"passed"}


def _by_hand(sandbox: Sandbox, folder: Path) -> str:
    api = _restore_and_pick(sandbox, folder)
    project = api.projects.get(CORE)
    pipeline = api.projects.get("evenergi/develop").pipelines.create(
        {
            "ref": "main",
            "inputs": {
                "action": "deploy-release-branch-to-staging",
                "project": CORE,
                "confirm": True,
            },
        }
    )
    downstream = _soon(
        lambda: next(
            (
                bridge.downstream_pipeline
                for bridge in pipeline.bridges.list(get_all=True)
                if bridge.downstream_pipeline
            ),
            None,
        )
    )
    found = project.pipelines.get(downstream["id"])
    job = _soon(
        lambda: next(
            (
                each
                for each in found.jobs.list(get_all=True)
                if each.name == "deploy-production" and each.status == "manual"
            ),
            None,
        )
    )
    project.jobs.get(job.id).play()
    head = project.branches.get("release").commit["id"]
    environment = project.environments.list(name="production", get_all=True)[0].id
    _soon(lambda: project.environments.get(environment).last_deployment["sha"] == head or None)
    return sandbox.world.project(CORE).repository.tree(head)


def _restore_and_pick(sandbox: Sandbox, folder: Path) -> gitlab.Gitlab:
    """Go the runbook's steps 1 to 3, its commands to the letter."""
    token = seed.TOKENS["operator"]
    api = gitlab.Gitlab(sandbox.url, private_token=token)
    project = api.projects.get(CORE)
    environment = project.environments.list(name="production", get_all=True)[0].id
    sha = project.environments.get(environment).last_deployment["sha"]
    origin = project.http_url_to_repo.replace("://", f"://oauth2:{token}@")
    _shell(folder, f"git clone --quiet {origin} checkout")
    _shell(
        folder / "checkout",
        f"""
        export PRODUCTION_SHA1={sha}
        git fetch --all --quiet
        git checkout --quiet -B release origin/release
        git restore --source="${{PRODUCTION_SHA1}}" --staged --worktree .
        git commit --quiet --allow-empty --message "fix: restore release to last production state"
        git push --quiet origin release
        git fetch --quiet origin release
        test -z "$(git diff "${{PRODUCTION_SHA1}}"..origin/release)"
        """,
    )
    for iid in (812, 815):
        merged = project.mergerequests.get(iid)
        project.commits.get(merged.merge_commit_sha).cherry_pick("release")
    return api


def _pipeline_sent(sandbox: Sandbox) -> dict[str, Any]:
    (request,) = sandbox.requests.matching("POST", r"/projects/[^/]+(/[^/]+)?/pipeline$")
    return dict(json.loads(request.body))


def _shell(folder: Path, script: str) -> None:
    later = {"GIT_AUTHOR_DATE": "", "GIT_COMMITTER_DATE": ""}
    environment = {key: value for key, value in os.environ.items() if key not in later}
    subprocess.run(["bash", "-euc", script], cwd=folder, env=environment, check=True)


def _soon(look: Any) -> Any:  # noqa: ANN401
    deadline = time.monotonic() + 30
    while (found := look()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found
