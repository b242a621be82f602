"""What ``status`` sees: where ``apply`` would end, by the same steps, and nothing is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_type_hints

import pytest

from hotfix.apply.look import _LOOKS, Onlooker, Remembering, look
from hotfix.apply.ports import Yes
from hotfix.errors import (
    BlockedError,
    FailedError,
    HotfixError,
    LockedError,
    StaleError,
    WaitingError,
)
from hotfix.forge.protocol import Forge
from hotfix.sandbox import jobs

from .conftest import CORE, Rehearsal, somebody_pushes

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.apply.run import Outcome


def seen(rehearsal: Rehearsal) -> Outcome:
    """Look, and hold that it left no trace: not on GitLab, not in the lockfile."""
    writes = len(rehearsal.sandbox.requests.writes())
    before = rehearsal.lockfile.read_bytes() if rehearsal.lockfile.exists() else None
    folder = sorted(rehearsal.lockfile.parent.iterdir())
    try:
        return look(
            rehearsal.request(),
            forge=rehearsal.forge(),
            clock=rehearsal.clock,
            progress=Remembering(),
        )
    finally:
        assert len(rehearsal.sandbox.requests.writes()) == writes
        assert sorted(rehearsal.lockfile.parent.iterdir()) == folder
        assert before == (rehearsal.lockfile.read_bytes() if before else None)


def test_before_the_first_run_the_plan_waits_for_a_yes(rehearsal: Rehearsal) -> None:
    with pytest.raises(WaitingError) as caught:
        seen(rehearsal)

    assert caught.value.code == "plan-not-approved"
    assert "hotfix apply hotfix.yaml" in caught.value.hint


def test_a_plan_that_is_blocked_is_seen_to_be(rehearsal: Rehearsal) -> None:
    rehearsal.write(rehearsal.target(CORE, 817))

    with pytest.raises(BlockedError):
        seen(rehearsal)


@pytest.mark.parametrize(
    ("until", "following"),
    [
        ("restore", "push .* to release of evenergi/bf-manage-core"),
        ("branch", "start the orchestration pipeline in evenergi/develop"),
        ("production", "make the smoke check health of evenergi/bf-manage-core"),
    ],
)
def test_what_comes_next_is_the_act_that_is_still_to_do(
    rehearsal: Rehearsal, until: str, following: str
) -> None:
    rehearsal.apply(until=until)

    with pytest.raises(WaitingError, match=f"^Next: {following}"):
        seen(rehearsal)


def test_the_gate_is_named_with_its_job(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="staging")

    with pytest.raises(WaitingError, match=r"deploy-production .* waits for your yes") as caught:
        seen(rehearsal)

    assert caught.value.code == "production-gate"


def test_a_pipeline_at_work_is_waited_for_and_not_for_long(rehearsal: Rehearsal) -> None:
    rehearsal.person.press = None
    with pytest.raises(WaitingError):
        rehearsal.apply(longest=0.0)

    with pytest.raises(WaitingError, match=r"^Waiting for .*evenergi/bf-manage-core") as caught:
        seen(rehearsal)

    assert caught.value.code == "wait-expired"


def test_a_job_that_somebody_pressed_meanwhile_is_seen_in_gitlab(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="staging")
    world = rehearsal.sandbox.world
    pipeline = world.project(CORE).pipelines[-1]
    job = next(job for job in pipeline.latest_jobs() if job.name == "deploy-production")
    jobs.play(world, job, world.user("operator"))

    with pytest.raises(WaitingError, match=r"^Waiting for deploy-production to end"):
        seen(rehearsal)


def _smoke_is_red(rehearsal: Rehearsal) -> None:
    rehearsal.sandbox.world.project(CORE).service_status = "down"


def _job_fails(rehearsal: Rehearsal) -> None:
    rehearsal.sandbox.world.script(CORE, "deploy-production", outcome="failed")


def _branch_moves(rehearsal: Rehearsal) -> None:
    def press(_: object) -> Yes:
        somebody_pushes(rehearsal)
        return Yes("typed")

    rehearsal.person.approve_press = press  # type: ignore[assignment,method-assign]


@pytest.mark.parametrize("happens", [_smoke_is_red, _job_fails, _branch_moves])
def test_it_ends_as_the_run_did_and_would_again(
    rehearsal: Rehearsal, happens: Callable[[Rehearsal], None]
) -> None:
    happens(rehearsal)
    with pytest.raises((FailedError, StaleError)) as ran:
        rehearsal.apply()

    with pytest.raises(HotfixError) as looked:
        seen(rehearsal)

    assert (type(looked.value), looked.value.code) in {
        (type(ran.value), ran.value.code),
        (StaleError, "branch-moved"),
    }


def test_a_complete_hotfix_is_done_until_somebody_deploys(rehearsal: Rehearsal) -> None:
    rehearsal.apply()

    assert seen(rehearsal).message.startswith("Nothing to do.")
    rehearsal.sandbox.world.project(CORE).deployments[-1].sha = rehearsal.lock.plan.targets[
        0
    ].production.sha
    with pytest.raises(StaleError):
        seen(rehearsal)


def test_a_run_at_work_is_named(rehearsal: Rehearsal) -> None:
    def press(_: object) -> None:
        with pytest.raises(LockedError, match="is held by operator"):
            seen(rehearsal)

    rehearsal.person.approve_press = press  # type: ignore[assignment,method-assign]
    with pytest.raises(WaitingError):
        rehearsal.apply()


def test_every_door_that_is_gone_through_is_one_of_the_forges() -> None:
    doors = {name for name in vars(Forge) if not name.startswith("_")} | {*get_type_hints(Forge)}

    assert doors >= _LOOKS
    acting = doors - _LOOKS - {"repository", "lock_state"}
    assert acting == {
        "add_note",
        "add_timeline_event",
        "create_incident",
        "create_pipeline",
        "play",
        "unlock_state",
        "update_description",
    }
    window = Onlooker(None)  # type: ignore[arg-type]
    for name in acting:
        with pytest.raises(WaitingError, match=r"^Next: "):
            getattr(window, name)("group/project", 1)
