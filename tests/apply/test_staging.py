"""What a pipeline says while it moves: between two requests a job ends, or is retried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.forge.gitlab import GitLabForge
from hotfix.sandbox import jobs

from .conftest import CORE, ONCE, Rehearsal

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from hotfix.forge.types import Job, Pipeline


def test_a_pipeline_that_ends_between_two_requests_is_not_taken_for_one_without_its_job(
    rehearsal: Rehearsal,
    ci: Callable[[str, Callable[[str], str]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ci(CORE, lambda text: text.replace("  allow_failure: false\n", ""))
    real = GitLabForge.jobs

    def slowly(self: GitLabForge, project: str, pipeline_id: int) -> tuple[Job, ...]:
        found = real(self, project, pipeline_id)
        rehearsal.clock.sleep(60)
        return found

    monkeypatch.setattr(GitLabForge, "jobs", slowly)
    rehearsal.apply()

    assert rehearsal.effects() == ONCE
    assert set(rehearsal.checks().values()) == {"passed"}


def test_a_job_retried_after_its_pipeline_ended_is_waited_for(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = rehearsal.sandbox.world
    world.script(CORE, "deploy-staging", outcome="failed", times=1)
    rehearsal.apply(until="branch")
    real, retried = GitLabForge.pipeline, []

    def then_retried(self: GitLabForge, project: str, pipeline_id: int) -> Pipeline:
        found = real(self, project, pipeline_id)
        if project == CORE and found.status == "failed" and not retried:
            (failed,) = [e for e in world.project(CORE).pipelines[-1].jobs if e.status == "failed"]
            retried.append(jobs.retry(world, failed, world.user("operator")))
        return found

    monkeypatch.setattr(GitLabForge, "pipeline", then_retried)
    rehearsal.apply()

    assert retried
    assert set(rehearsal.checks().values()) == {"passed"}
