"""What a run that goes on after the press still asks of the world, and what it does not."""

from __future__ import annotations

import pytest

from hotfix.errors import BlockedError, FailedError, StaleError
from hotfix.identifiers import ZERO
from hotfix.sandbox import jobs

from .conftest import CORE, ONCE, Rehearsal, somebody_pushes

LEDGER = "evenergi/bf-ledger"


def test_an_approval_that_goes_before_the_press_still_blocks(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="staging")
    _withdraw_approvals(rehearsal)

    with pytest.raises(BlockedError) as caught:
        rehearsal.apply()

    assert caught.value.code == "mr-not-approved"
    assert rehearsal.effects()["press"] == 0


def test_an_approval_that_goes_after_the_press_does_not_keep_the_record_from_being_written(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.sandbox.world.project(CORE).service_status = "down"
    with pytest.raises(FailedError, match="smoke checks"):
        rehearsal.apply()
    _withdraw_approvals(rehearsal)
    rehearsal.sandbox.world.project(CORE).service_status = "ok"

    rehearsal.apply()

    assert rehearsal.lock.state == "complete"
    assert rehearsal.effects()["press"] == 1


def test_a_proven_target_is_not_gone_through_again_though_its_branch_moved_since(
    rehearsal: Rehearsal,
) -> None:
    _first_proven_second_failed(rehearsal)
    somebody_pushes(rehearsal, LEDGER)
    before = len(rehearsal.lock.entries)

    rehearsal.apply()

    assert rehearsal.lock.state == "complete"
    again = {e.step for e in rehearsal.lock.entries[before:] if e.target == LEDGER}
    assert again == {"lock", "unlock"}
    assert rehearsal.effects()["pipeline"] == 2 * ONCE["pipeline"]


def test_production_of_a_proven_target_that_moved_since_ends_the_run(rehearsal: Rehearsal) -> None:
    _first_proven_second_failed(rehearsal)
    rehearsal.sandbox.world.project(LEDGER).deployments[-1].sha = ZERO

    with pytest.raises(StaleError) as caught:
        rehearsal.apply()

    assert caught.value.code == "production-moved"
    assert "was checked; it runs 00000000 now" in caught.value.message


def _first_proven_second_failed(rehearsal: Rehearsal) -> None:
    rehearsal.write(rehearsal.target(LEDGER, 54), rehearsal.target(CORE, 812, 815, after=[LEDGER]))
    rehearsal.sandbox.world.script(CORE, "deploy-staging", outcome="failed", times=1)
    with pytest.raises(FailedError, match="before the production gate"):
        rehearsal.apply()
    _retry(rehearsal, "deploy-staging")


def _retry(rehearsal: Rehearsal, name: str) -> None:
    world = rehearsal.sandbox.world
    pipeline = world.project(CORE).pipelines[-1]
    job = next(job for job in pipeline.latest_jobs() if job.name == name)
    jobs.retry(world, job, world.user("operator"))


def _withdraw_approvals(rehearsal: Rehearsal) -> None:
    rehearsal.sandbox.world.project(CORE).merge_requests[812].approvals.clear()
