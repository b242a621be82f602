"""The runbook followed by hand, with the git client and python-gitlab, against our own command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from typing import TYPE_CHECKING, Any

import gitlab
import pytest

from hotfix.sandbox import Sandbox, seed

from .conftest import CORE, Desk

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.sandbox.request_log import Request

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
    world = desk.sandbox.world
    head = world.release_sha(CORE)
    picked = world.project(CORE).repository.commit(head).message.decode()
    assert re.search(r"\(cherry[- ]picked from commit [0-9a-f]{40}\)", picked), (
        "GitLab's own trailer"
    )
    assert "Hotfix:" not in picked

    done = desk.run("apply", "hotfix.yaml", "--auto-approve", "--promote")

    assert done.returncode == 0, done.stderr.decode()
    assert world.release_sha(CORE) == head == world.production_sha(CORE)
    pushed = [r for r in desk.sandbox.requests.matching("POST", "git-receive-pack") if _by_us(r)]
    assert pushed, "the lock"
    assert not any(b"refs/heads/" in request.body for request in pushed)
    lock = json.loads(desk.lockfile.read_bytes())
    assert {commit["action"] for commit in lock["plan"]["targets"][0]["commits"]} == {"keep"}
    assert lock["plan"]["summary"]["commits"] == 0
    assert [check["outcome"] for check in lock["checks"]] == ["passed"] * 9
    audited = desk.run("audit", "hotfix.lock.json")
    assert audited.returncode == 0, audited.stdout.decode()


def test_a_pipeline_started_by_hand_too_is_adopted_by_its_number_alone(
    desk: Desk, tmp_path_factory: pytest.TempPathFactory
) -> None:
    api = _restore_and_pick(desk.sandbox, tmp_path_factory.mktemp("by-hand"))
    pipeline, _ = _started(api)

    asked = desk.run("apply", "hotfix.yaml", "--auto-approve", "--promote")
    assert asked.returncode == 3
    said = asked.stderr.decode()
    assert f"error[pipeline-found]: Pipeline {pipeline.id} of evenergi/develop" in said
    assert "started by operator" in said
    adopt = f"--adopt-pipeline={pipeline.id}"
    done = desk.run("apply", "hotfix.yaml", "--auto-approve", "--promote", adopt)

    assert done.returncode == 1, "nobody can prove the inputs of a pipeline started by hand"
    lock = json.loads(desk.lockfile.read_bytes())
    missing = [check["id"] for check in lock["checks"] if check["outcome"] != "passed"]
    assert missing == ["orchestration-inputs", "cut-off-not-selected"]
    assert desk.sandbox.world.production_sha(CORE) == desk.sandbox.world.release_sha(CORE)
    assert len(desk.sandbox.requests.matching("POST", r"/projects/[^/]+(/[^/]+)?/pipeline$")) == 1


def _by_hand(sandbox: Sandbox, folder: Path) -> str:
    api = _restore_and_pick(sandbox, folder)
    project = api.projects.get(CORE)
    _, downstream = _started(api)
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


def _started(api: gitlab.Gitlab) -> tuple[Any, dict[str, Any]]:
    """Start the guided pipeline as its page does, until the target's pipeline is there."""
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
    return pipeline, downstream


def _by_us(request: Request) -> bool:
    """Tell our own pushes from those of the git client."""
    return b"agent=git/2.0-hotfix" in request.body


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
