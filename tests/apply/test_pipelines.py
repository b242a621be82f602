"""Which pipeline and which job are meant, in projects whose CI does more than the example's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hotfix.apply.ports import Yes
from hotfix.errors import BlockedError, FailedError, LockedError, StaleError, WaitingError
from hotfix.forge.protocol import ForgeError
from hotfix.forge.transport import HttpRepository
from hotfix.identifiers import ZERO
from hotfix.sandbox import jobs, seed
from hotfix.sandbox.projects import ProtectedEnvironment
from hotfix.sandbox.users import MAINTAINER

from .conftest import CORE, ONCE, Rehearsal

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.sandbox.pipelines import Job
    from hotfix.sandbox.users import User


def test_a_pipeline_of_the_same_project_on_another_branch_is_not_pressed(
    rehearsal: Rehearsal, ci: Callable[[str, Callable[[str], str]], None]
) -> None:
    ci(
        CORE,
        lambda text: (
            text
            + f"""
sync-main:
  stage: staging
  rules:
    - if: '$CI_COMMIT_BRANCH == "release"'
  trigger:
    project: {CORE}
    branch: main
"""
        ),
    )

    rehearsal.apply()

    after = rehearsal.lock.plan.targets[0].after
    assert rehearsal.sandbox.world.production_sha(CORE) == after
    assert set(rehearsal.checks().values()) == {"passed"}


def test_a_job_after_the_gate_does_not_keep_it_shut(
    rehearsal: Rehearsal, ci: Callable[[str, Callable[[str], str]], None]
) -> None:
    ci(
        CORE,
        lambda text: (
            text.replace("staging, production]", "staging, production, after]")
            + "\nannounce:\n  stage: after\n  script:\n    - ./announce\n"
        ),
    )

    rehearsal.apply()

    assert rehearsal.effects() == ONCE


def test_an_orchestrator_that_starts_nothing_ends_the_run(
    rehearsal: Rehearsal, ci: Callable[[str, Callable[[str], str]], None]
) -> None:
    trigger = "  trigger:\n    project: $[[ inputs.project ]]\n    branch: release\n"
    ci(seed.ORCHESTRATOR, lambda text: text.replace(trigger, "  script:\n    - ./other\n"))

    with pytest.raises(FailedError, match="is success, and it started no pipeline"):
        rehearsal.apply(longest=None)


def test_a_pipeline_that_may_be_ours_is_never_started_again(
    rehearsal: Rehearsal, ci: Callable[[str, Callable[[str], str]], None]
) -> None:
    notify = "notify:\n  stage: confirm\n  trigger:\n    project: evenergi/bf-ledger\n"
    notify += "    branch: main\n\nconfirm:\n  stage: confirm\n  script:\n    - sandbox"
    confirm = "confirm:\n  stage: confirm\n  script:\n    - sandbox"
    ci(seed.ORCHESTRATOR, lambda text: text.replace(confirm, notify))
    rehearsal.sandbox.world.script(seed.ORCHESTRATOR, "confirm", seconds=300.0)
    rehearsal.sandbox.faults.add("POST", r"/pipeline$", when="after", reset=True)

    with pytest.raises(FailedError) as caught:
        rehearsal.apply()
    assert caught.value.code == "pipeline-unclear"
    rehearsal.clock.sleep(300)
    rehearsal.apply()

    assert rehearsal.effects() == ONCE


def test_a_deployment_that_waits_for_approval_is_waited_for(rehearsal: Rehearsal) -> None:
    rehearsal.sandbox.world.tier = "premium"
    protected = ProtectedEnvironment("production", required_approvals=1)
    rehearsal.sandbox.world.project(CORE).protected_environments.append(protected)

    with pytest.raises(WaitingError) as caught:
        rehearsal.apply()

    assert caught.value.code == "deployment-approval"
    assert rehearsal.person.pressed == []
    assert rehearsal.effects()["press"] == 0


def test_a_production_job_canceled_before_anybody_pressed_is_not_called_pressed(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.apply(until="staging")
    jobs = rehearsal.sandbox.world.project(CORE).pipelines[-1].jobs
    job = next(job for job in jobs if job.name == "deploy-production")
    job.status = "canceled"

    with pytest.raises((FailedError, WaitingError)):
        rehearsal.apply(longest=5.0)

    assert not any(entry.step == "promote" for entry in rehearsal.lock.entries)


def test_an_unlock_that_fails_does_not_hide_how_the_run_ended(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    rehearsal.person.press = None
    push = HttpRepository.push

    def busy(self: HttpRepository, ref: str, **named: object) -> None:
        if named["new"] == ZERO:
            raise ForgeError("the server is busy", status=503)
        push(self, ref, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(HttpRepository, "push", busy)
    with pytest.raises(WaitingError):
        rehearsal.apply()

    last = rehearsal.lock.entries[-1]
    assert (last.step, last.phase) == ("unlock", "failed")
    assert rehearsal.lock.state == "waiting"


def test_a_lock_that_was_lost_at_the_question_is_noticed_before_the_press(
    rehearsal: Rehearsal,
) -> None:
    def press(_: object) -> Yes:
        refs = rehearsal.sandbox.world.project(CORE).repository.refs
        del refs["refs/hotfix/lock/release"]
        return Yes("typed")

    rehearsal.person.approve_press = press  # type: ignore[assignment,method-assign]
    with pytest.raises(LockedError):
        rehearsal.apply()

    assert rehearsal.effects()["press"] == 0


def test_production_that_moved_while_the_plan_was_read_is_seen_before_any_push(
    rehearsal: Rehearsal,
) -> None:
    def approve(_: object) -> Yes:
        deployments = rehearsal.sandbox.world.project(CORE).deployments
        deployments[-1].status = "running"
        return Yes("typed")

    rehearsal.person.approve_plan = approve  # type: ignore[assignment,method-assign]
    with pytest.raises(StaleError) as caught:
        rehearsal.apply()

    assert caught.value.code == "production-moved"
    assert rehearsal.effects()["push"] == 0


def test_a_production_job_that_starts_by_itself_is_refused_before_any_push(
    rehearsal: Rehearsal,
) -> None:
    for job in rehearsal.sandbox.world.project(CORE).jobs():
        job.definition = replace(job.definition, manual=False)

    with pytest.raises(BlockedError) as caught:
        rehearsal.apply()

    assert caught.value.code == "deploy-job-automatic"
    assert rehearsal.effects()["push"] == 0


def test_a_production_job_that_nobody_confirmed_is_no_proof_of_a_press(
    rehearsal: Rehearsal, ci: Callable[[str, Callable[[str], str]], None]
) -> None:
    rehearsal.apply(until="branch")
    ci(CORE, _without_gate)

    with pytest.raises(FailedError) as caught:
        rehearsal.apply()

    assert caught.value.code == "evidence-missing"
    assert "started by itself; nobody confirmed it" in caught.value.message
    assert rehearsal.effects()["press"] == 0


def test_a_production_job_pressed_in_gitlab_is_proven_by_who_pressed_it(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.apply(until="staging")
    jobs.play(rehearsal.sandbox.world, _production_job(rehearsal), _colleague(rehearsal))

    rehearsal.apply()

    assert set(rehearsal.checks().values()) == {"passed"}
    (done,) = [e for e in rehearsal.lock.entries if (e.step, e.phase) == ("promote", "done")]
    assert {key: done.facts[key] for key in ("how", "user", "manual")} == {
        "how": "observed",
        "user": "reviewer",
        "manual": True,
    }


def test_a_second_press_says_that_it_is_one(rehearsal: Rehearsal) -> None:
    world = rehearsal.sandbox.world
    world.script(CORE, "deploy-production", outcome="failed", times=1)
    with pytest.raises(FailedError, match="is failed"):
        rehearsal.apply()
    failed = _production_job(rehearsal)
    again = jobs.retry(world, failed, world.user("operator"))
    again.status, again.due = "manual", None
    world.moving.remove(again)

    rehearsal.apply()

    first, second = rehearsal.person.pressed
    assert first.earlier == ()
    (told,) = second.earlier
    assert told.endswith(f"/jobs/{failed.id} is failed")
    assert rehearsal.lock.state == "complete"


def test_a_job_retried_in_gitlab_while_it_is_waited_for_is_followed(rehearsal: Rehearsal) -> None:
    world = rehearsal.sandbox.world
    world.script(CORE, "deploy-production", outcome="failed", times=1)
    with pytest.raises(FailedError, match="is failed"):
        rehearsal.apply()
    again = jobs.retry(world, _production_job(rehearsal), _colleague(rehearsal))

    rehearsal.apply()

    assert rehearsal.lock.state == "complete"
    assert rehearsal.effects()["press"] == 1
    last = [e for e in rehearsal.lock.entries if (e.step, e.phase) == ("promote", "done")][-1]
    assert (last.facts["job"], last.facts["user"]) == (again.id, "reviewer")


def test_a_failure_in_production_stands_in_the_incident_at_once(rehearsal: Rehearsal) -> None:
    rehearsal.sandbox.world.project(CORE).service_status = "down"

    with pytest.raises(FailedError, match="smoke checks"):
        rehearsal.apply()

    issues = rehearsal.sandbox.world.project(seed.ORCHESTRATOR).issues.values()
    (written,) = [each for each in issues if "hotfix-record:" in each.description]
    assert "a smoke check of evenergi/bf-manage-core failed" in written.description
    assert rehearsal.lock.state == "failed"
    rehearsal.sandbox.world.project(CORE).service_status = "ok"
    rehearsal.apply()
    assert rehearsal.effects()["incident"] == 1


def _colleague(rehearsal: Rehearsal) -> User:
    """Let somebody else deploy as well."""
    world = rehearsal.sandbox.world
    colleague = world.user("reviewer")
    world.project(CORE).group.members[colleague.id] = MAINTAINER
    return colleague


def _production_job(rehearsal: Rehearsal) -> Job:
    pipeline = rehearsal.sandbox.world.project(CORE).pipelines[-1]
    return next(job for job in pipeline.latest_jobs() if job.name == "deploy-production")


def _without_gate(text: str) -> str:
    """Take ``when: manual`` from the production job, as whoever edits the CI file could."""
    edited = text.replace("when: manual", "when: on_success")
    assert edited != text
    return edited
