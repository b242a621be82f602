"""The way back on the embedded GitLab: after a hotfix that failed, or that did harm."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.errors import BlockedError, FailedError, InputError, StaleError, WaitingError
from hotfix.evidence.audit import audit
from hotfix.evidence.lockfile import parse
from hotfix.plan.document import serialize
from hotfix.plan.model import TargetChange

from .conftest import CORE, ONCE, Rehearsal, somebody_pushes
from .fate import Fate, Killed, run

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.sandbox.issues import Issue

LEDGER = "evenergi/bf-ledger"
KILLED = range(0, 44, 1 if os.environ.get("HOTFIX_EVERY_FAULT") else 11)
"""After which of its effects and writes a rollback is killed."""
ONCE_EACH = {"push": 3, "pipeline": 2, "press": 2, "incident": 1}
"""What a hotfix and its rollback do to GitLab together, however often they were interrupted."""


def _fail(rehearsal: Rehearsal) -> None:
    """Apply the hotfix, whose smoke check is red, and let the service be well without it."""
    rehearsal.sandbox.world.project(CORE).service_status = "down"
    with pytest.raises(FailedError) as caught:
        rehearsal.apply()
    assert caught.value.code == "smoke-failed"
    rehearsal.sandbox.world.project(CORE).service_status = "ok"


def _done(rehearsal: Rehearsal) -> dict[str, int]:
    effects = rehearsal.effects()
    del effects["event"]
    return effects


def _incident(rehearsal: Rehearsal) -> Issue:
    project = rehearsal.sandbox.world.project("evenergi/develop")
    (found,) = (issue for issue in project.issues.values() if "hotfix-record:" in issue.description)
    return found


def _verdict(path: Path) -> str:
    return audit(parse(path.read_bytes(), path.name)).verdict


def test_after_a_red_check_production_goes_back_exactly_as_was_approved(
    rehearsal: Rehearsal,
) -> None:
    _fail(rehearsal)
    approved = rehearsal.lock.plan.rollback
    assert approved
    plan = rehearsal.plan_back()
    assert plan.observed.approved == approved.digest
    assert plan.warnings == plan.blockers == ()
    fields = TargetChange.model_fields
    assert [
        TargetChange(**{key: getattr(each, key) for key in fields}) for each in plan.targets
    ] == [*approved.targets]

    outcome = rehearsal.roll_back()

    world = rehearsal.sandbox.world
    assert outcome.message == "Hotfix inc-1042-ocpp-timeout is rolled back: 9 of 9 checks passed."
    assert world.release_sha(CORE) == approved.targets[0].after == world.production_sha(CORE)
    repository = world.project(CORE).repository
    good = rehearsal.lock.plan.targets[0].production.sha
    assert repository.tree(world.production_sha(CORE)) == repository.tree(good)
    assert {check.outcome for check in rehearsal.rollback_lock.checks} == {"passed"}
    assert _done(rehearsal) == ONCE_EACH


def test_the_rollback_has_its_own_record_and_ends_the_hotfixs(rehearsal: Rehearsal) -> None:
    _fail(rehearsal)

    rehearsal.roll_back()

    back, lock = rehearsal.rollback_lock, rehearsal.lock
    assert (back.kind, back.state) == ("rollback", "complete")
    assert "pick" not in {entry.step for entry in back.entries}
    assert back.entries[0].facts["reason"] == "heartbeats are still lost"
    assert [approval.source for approval in back.approvals] == ["typed", "typed"]
    assert lock.state == "rolled-back"
    facts = lock.entries[-1].facts
    assert (facts["head"], facts["reason"]) == (back.head, "heartbeats are still lost")
    for each in (back, lock):
        assert each.seal
        assert each.seal.head == each.head
        assert each.head in _incident(rehearsal).description
    assert _verdict(rehearsal.rollback_lockfile) == "passed"
    assert _verdict(rehearsal.lockfile) == "incomplete"


def test_the_incident_tells_why_when_and_what_came_of_it(rehearsal: Rehearsal) -> None:
    _fail(rehearsal)

    rehearsal.roll_back()

    text = _incident(rehearsal).description
    assert text.count("## Hotfix `inc-1042-ocpp-timeout`") == 1
    assert text.count("## Rollback of hotfix `inc-1042-ocpp-timeout`") == 1
    assert "- Because: `heartbeats are still lost`" in text
    assert f"- Outcome of `{CORE}`: `recovered: production runs it since 2026-11-22T12:" in text
    assert f"- [ ] `!812, !815` of `{CORE}` was taken back but is still merged" in text
    notes = [event.note for event in _incident(rehearsal).timeline]
    name = "Rollback of hotfix inc-1042-ocpp-timeout: "
    assert f"{name}begun by operator: heartbeats are still lost" in notes
    assert f"{name}{CORE} recovered, its checks passed" in notes


def test_a_complete_hotfix_can_be_taken_back_too_and_its_record_still_passes(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.apply()

    rehearsal.roll_back()

    assert rehearsal.lock.state == "rolled-back"
    assert _verdict(rehearsal.lockfile) == _verdict(rehearsal.rollback_lockfile) == "passed"
    assert rehearsal.effects()["incident"] == 1


def test_a_red_check_and_a_failed_production_job_offer_the_exact_command(
    rehearsal: Rehearsal,
) -> None:
    world = rehearsal.sandbox.world
    world.script(CORE, "deploy-production", outcome="failed", times=1)
    with pytest.raises(FailedError) as failed:
        rehearsal.apply()
    assert failed.value.code == "production-failed"
    world.project(CORE).service_status = "down"
    rehearsal.write(rehearsal.target(LEDGER, 54), id="other")
    world.project(LEDGER).service_status = "down"
    rehearsal.lockfile = rehearsal.lockfile.with_name("other.lock.json")
    with pytest.raises(FailedError) as red:
        rehearsal.apply()

    assert failed.value.hint.endswith("hotfix rollback hotfix.lock.json --apply")
    assert red.value.hint.endswith("hotfix rollback other.lock.json --apply")


def test_after_a_production_job_that_failed_there_is_a_way_back_though_gitlab_shows_the_old_sha(
    rehearsal: Rehearsal,
) -> None:
    world = rehearsal.sandbox.world
    world.script(CORE, "deploy-production", outcome="failed", times=1)
    with pytest.raises(FailedError):
        rehearsal.apply()
    assert world.production_sha(CORE) == rehearsal.lock.plan.targets[0].production.sha

    rehearsal.roll_back()

    assert world.production_sha(CORE) == rehearsal.rollback_lock.plan.targets[0].after
    assert {check.outcome for check in rehearsal.rollback_lock.checks} == {"passed"}


def test_where_release_moved_the_way_back_is_another_and_says_so(rehearsal: Rehearsal) -> None:
    _fail(rehearsal)
    approved = rehearsal.lock.plan.rollback
    assert approved
    somebody_pushes(rehearsal)

    plan = rehearsal.plan_back()

    (warning,) = plan.warnings
    (target,) = plan.targets
    assert plan.observed.approved is None
    assert warning.code == "way-back-differs"
    assert (approved.targets[0].after or "")[:8] in warning.message
    assert (target.after or "")[:8] in warning.message
    assert [commit.title for commit in target.leaving] == ["something else"]
    assert plan.summary.leaving_release == 1
    rehearsal.roll_back()
    assert rehearsal.sandbox.world.production_sha(CORE) == target.after
    assert {check.outcome for check in rehearsal.rollback_lock.checks} == {"passed"}


def test_a_hotfix_that_never_came_to_production_leaves_nothing_to_go_back_from(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.apply(until="staging")
    writes = len(rehearsal.sandbox.requests.writes())

    assert not any(rehearsal.plan_back().summary.model_dump().values())
    outcome = rehearsal.roll_back()

    assert outcome.message.startswith("Nothing to go back from.")
    assert not rehearsal.rollback_lockfile.exists()
    assert len(rehearsal.sandbox.requests.writes()) == writes
    assert rehearsal.lock.state == "waiting"


def test_what_somebody_else_deployed_since_is_not_taken_back(rehearsal: Rehearsal) -> None:
    rehearsal.apply()
    _deployed_since(rehearsal, somebody_pushes(rehearsal))

    (blocker,) = rehearsal.plan_back().blockers
    with pytest.raises(BlockedError) as caught:
        rehearsal.roll_back()

    assert caught.value.code == blocker.code == "production-mismatch"
    assert "environment: " in blocker.detail
    assert "deployments by finish time: " in blocker.detail
    assert not rehearsal.rollback_lockfile.exists()


def test_a_deployment_that_is_under_way_is_waited_for_by_a_person(rehearsal: Rehearsal) -> None:
    rehearsal.apply()
    _deployed_since(rehearsal, somebody_pushes(rehearsal), status="running")

    with pytest.raises(BlockedError) as caught:
        rehearsal.roll_back()

    assert caught.value.code == "production-unknown"


def test_production_that_moved_while_the_gate_was_open_is_not_pressed(
    rehearsal: Rehearsal,
) -> None:
    _fail(rehearsal)
    rehearsal.roll_back(until="staging")
    _deployed_since(rehearsal, rehearsal.lock.plan.targets[0].commits[0].sha or "")

    with pytest.raises(StaleError) as caught:
        rehearsal.roll_back()

    assert caught.value.code == "production-moved"
    assert rehearsal.effects()["press"] == 1


def test_nothing_is_changed_without_a_yes_or_without_a_reason(rehearsal: Rehearsal) -> None:
    _fail(rehearsal)
    writes = len(rehearsal.sandbox.requests.writes())

    with pytest.raises(WaitingError) as no_reason:
        rehearsal.roll_back(reason=None)
    rehearsal.person.plan = None
    with pytest.raises(WaitingError) as no_yes:
        rehearsal.roll_back()

    assert (no_reason.value.code, no_yes.value.code) == ("reason-missing", "plan-not-approved")
    assert not rehearsal.rollback_lockfile.exists()
    assert len(rehearsal.sandbox.requests.writes()) == writes


def test_production_is_not_pressed_without_a_yes_and_the_reason_is_asked_once(
    rehearsal: Rehearsal,
) -> None:
    _fail(rehearsal)
    yes, rehearsal.person.press = rehearsal.person.press, None
    with pytest.raises(WaitingError) as caught:
        rehearsal.roll_back()
    assert caught.value.code == "production-gate"
    assert caught.value.hint.endswith("hotfix rollback hotfix.lock.json --apply")

    rehearsal.person.press = yes
    rehearsal.roll_back(reason=None)

    assert rehearsal.rollback_lock.entries[0].facts["reason"] == "heartbeats are still lost"
    assert _done(rehearsal) == ONCE_EACH


@pytest.mark.parametrize("until", ["restore", "branch", "staging", "production"])
def test_a_rollback_stops_where_it_is_told_and_goes_on_later(
    rehearsal: Rehearsal, until: str
) -> None:
    _fail(rehearsal)

    rehearsal.roll_back(until=until)

    assert rehearsal.rollback_lock.state == "waiting"
    assert rehearsal.lock.state == "failed"
    rehearsal.roll_back()
    assert rehearsal.lock.state == "rolled-back"
    assert _done(rehearsal) == ONCE_EACH


def test_a_service_that_does_not_recover_is_beyond_this_tool_and_the_incident_says_so(
    rehearsal: Rehearsal,
) -> None:
    _fail(rehearsal)
    rehearsal.sandbox.world.project(CORE).service_status = "down"

    with pytest.raises(FailedError) as caught:
        rehearsal.roll_back()

    assert caught.value.code == "not-recovered"
    assert "Stop using this tool now" in caught.value.hint
    assert "incident, infrastructure or data recovery documents" in caught.value.hint
    assert f"- Outcome of `{CORE}`: `not recovered: " in _incident(rehearsal).description
    assert (rehearsal.rollback_lock.state, rehearsal.lock.state) == ("failed", "failed")

    rehearsal.sandbox.world.project(CORE).service_status = "ok"
    rehearsal.roll_back()
    assert rehearsal.lock.state == "rolled-back"
    assert f"- Outcome of `{CORE}`: `recovered: " in _incident(rehearsal).description
    assert _done(rehearsal) == ONCE_EACH


def test_that_a_service_did_not_recover_is_not_hidden_by_an_incident_that_fails(
    rehearsal: Rehearsal,
) -> None:
    _fail(rehearsal)
    rehearsal.sandbox.world.project(CORE).service_status = "down"
    rehearsal.sandbox.faults.add("PUT", r"/issues/\d+$", times=9, status=403)

    with pytest.raises(FailedError) as caught:
        rehearsal.roll_back()

    assert caught.value.code == "not-recovered"
    assert any("incident does not say so yet" in note for note in caught.value.__notes__)


def test_several_targets_go_back_in_reverse_order(rehearsal: Rehearsal) -> None:
    rehearsal.write(rehearsal.target(CORE, 812, after=[LEDGER]), rehearsal.target(LEDGER, 54))
    rehearsal.apply()
    approved = rehearsal.lock.plan.rollback
    assert approved
    assert [target.project for target in approved.targets] == [CORE, LEDGER]

    rehearsal.roll_back()

    pressed = [press.project for press in rehearsal.person.pressed]
    assert pressed == [LEDGER, CORE, CORE, LEDGER]
    assert len(rehearsal.rollback_lock.checks) == 18
    assert rehearsal.rollback_lock.plan.observed.approved == approved.digest


def test_a_target_that_the_hotfix_never_reached_is_left_alone(rehearsal: Rehearsal) -> None:
    world = rehearsal.sandbox.world
    rehearsal.write(rehearsal.target(LEDGER, 54), rehearsal.target(CORE, 812, after=[LEDGER]))
    world.script(CORE, "deploy-staging", outcome="failed")
    with pytest.raises(FailedError):
        rehearsal.apply()
    before = world.production_sha(CORE)

    plan = rehearsal.plan_back()
    assert [warning.code for warning in plan.warnings] == ["already-back"]
    rehearsal.roll_back()

    assert [target.project for target in rehearsal.rollback_lock.plan.targets] == [LEDGER]
    assert world.production_sha(LEDGER) == rehearsal.rollback_lock.plan.targets[0].after
    assert world.production_sha(CORE) == before
    assert rehearsal.lock.state == "rolled-back"


@pytest.mark.parametrize(("number", "after"), [(n, True) for n in KILLED] + [(5, False)])
def test_a_killed_rollback_is_finished_by_the_same_command_and_nothing_happens_twice(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, number: int, *, after: bool
) -> None:
    _fail(rehearsal)
    fate = Fate(number, after=after)
    try:
        run(rehearsal, fate, monkeypatch, Rehearsal.roll_back)
    except Killed:
        run(rehearsal, Fate(None, after=False), monkeypatch, Rehearsal.roll_back)

    assert rehearsal.rollback_lock.state == "complete"
    assert rehearsal.lock.state == "rolled-back"
    for lock in (rehearsal.rollback_lock, rehearsal.lock):
        assert lock.seal
        assert lock.head in _incident(rehearsal).description
    assert {check.outcome for check in rehearsal.rollback_lock.checks} == {"passed"}
    assert _done(rehearsal) == ONCE_EACH
    notes = [event.note for event in _incident(rehearsal).timeline]
    assert len(notes) == len(set(notes))


@pytest.mark.parametrize("path", [r"git-receive-pack", r"/pipeline$", r"/play$", r"/issues$"])
def test_a_lost_answer_on_the_way_back_is_looked_after_and_never_repeated(
    rehearsal: Rehearsal, path: str
) -> None:
    _fail(rehearsal)
    rehearsal.sandbox.faults.add("POST", path, when="after", reset=True)

    rehearsal.roll_back()

    assert _done(rehearsal) == ONCE_EACH
    assert rehearsal.lock.state == "rolled-back"


def test_a_finished_rollback_run_again_does_nothing(rehearsal: Rehearsal) -> None:
    _fail(rehearsal)
    rehearsal.roll_back()
    files = (rehearsal.lockfile, rehearsal.rollback_lockfile)
    before = [file.read_bytes() for file in files]

    outcome = rehearsal.roll_back()

    assert outcome.message.startswith("Nothing to do. Rollback of hotfix inc-1042-ocpp-timeout")
    assert [file.read_bytes() for file in files] == before
    assert not any(rehearsal.plan_back().summary.model_dump().values())


def test_a_lost_record_of_a_rollback_leaves_a_gap_but_the_hotfix_counts_as_taken_back(
    rehearsal: Rehearsal,
) -> None:
    _fail(rehearsal)
    rehearsal.roll_back(until="staging")
    rehearsal.rollback_lockfile.unlink()

    with pytest.raises(FailedError) as caught:
        rehearsal.roll_back()

    assert caught.value.code == "evidence-missing"
    assert rehearsal.rollback_lock.state == "failed"
    assert rehearsal.lock.state == "rolled-back"
    assert _done(rehearsal) == ONCE_EACH


def test_a_hotfix_is_not_applied_while_or_after_it_is_taken_back(rehearsal: Rehearsal) -> None:
    _fail(rehearsal)
    rehearsal.roll_back(until="branch")
    with pytest.raises(StaleError) as begun:
        rehearsal.apply()
    rehearsal.roll_back()
    with pytest.raises(StaleError) as ended:
        rehearsal.apply()

    assert begun.value.code == "rollback-begun"
    assert begun.value.hint.endswith("hotfix rollback hotfix.lock.json --apply")
    assert ended.value.code == "rolled-back"


def test_a_restore_pushed_by_hand_is_adopted(rehearsal: Rehearsal) -> None:
    _fail(rehearsal)
    repository = rehearsal.sandbox.world.project(CORE).repository
    head = repository.branch("release")
    assert head
    good = rehearsal.lock.plan.targets[0].production.sha
    sha = repository.write_commit(
        repository.tree(good),
        [head],
        "fix: restore release to last production state\n",
        _somebody(rehearsal),
    )
    repository.update_ref("refs/heads/release", head, sha)

    rehearsal.roll_back()

    (target,) = rehearsal.rollback_lock.plan.targets
    assert [(commit.action, commit.sha) for commit in target.commits] == [("keep", sha)]
    assert rehearsal.sandbox.world.production_sha(CORE) == sha
    assert _done(rehearsal) == {**ONCE_EACH, "push": ONCE["push"]}


@pytest.mark.parametrize("which", ["hotfix", "rollback"])
def test_an_edited_record_is_not_gone_back_from(rehearsal: Rehearsal, which: str) -> None:
    _fail(rehearsal)
    rehearsal.roll_back(until="branch")
    file = rehearsal.lockfile if which == "hotfix" else rehearsal.rollback_lockfile
    file.write_text(file.read_text(encoding="utf-8").replace('"pushed"', '"adopted"'))
    writes = len(rehearsal.sandbox.requests.writes())

    with pytest.raises(InputError) as caught:
        rehearsal.roll_back()

    assert caught.value.code == "lock-edited"
    assert len(rehearsal.sandbox.requests.writes()) == writes


def test_there_is_no_way_back_from_a_rollback(rehearsal: Rehearsal) -> None:
    _fail(rehearsal)
    rehearsal.roll_back(until="branch")
    rehearsal.lockfile = rehearsal.rollback_lockfile
    rehearsal.rollback_lockfile = rehearsal.lockfile.with_name("third.json")

    with pytest.raises(InputError) as caught:
        rehearsal.roll_back()

    assert caught.value.code == "not-a-hotfix"


def test_a_saved_way_back_is_carried_out_exactly_or_not_at_all(rehearsal: Rehearsal) -> None:
    _fail(rehearsal)
    saved = rehearsal.plan_back()
    somebody_pushes(rehearsal)
    with pytest.raises(StaleError) as caught:
        rehearsal.roll_back(saved=saved)
    assert caught.value.code == "branch-moved"

    rehearsal.roll_back(saved=rehearsal.plan_back())

    assert rehearsal.lock.state == "rolled-back"


def test_two_people_who_plan_the_way_back_get_the_same_digest(rehearsal: Rehearsal) -> None:
    _fail(rehearsal)
    one = rehearsal.plan_back()
    rehearsal.clock.sleep(60)
    two = rehearsal.plan_back()

    assert one.digest == two.digest
    assert serialize(one) != serialize(two), "only what was observed differs"


def _somebody(rehearsal: Rehearsal) -> Any:  # noqa: ANN401
    from hotfix.sandbox.repositories import Signature  # noqa: PLC0415

    return Signature("Somebody", "somebody@example.com", rehearsal.clock.now())


def _deployed_since(rehearsal: Rehearsal, sha: str, *, status: str = "success") -> None:
    """Let production be deployed by another job than ours."""
    world = rehearsal.sandbox.world
    deployments = world.project(CORE).deployments
    last = next(each for each in reversed(deployments) if each.environment.name == "production")
    later = rehearsal.clock.now() + timedelta(seconds=1)
    deployments.append(
        replace(
            last,
            id=world.next_id("deployment"),
            iid=len(deployments) + 1,
            sha=sha,
            status=status,
            created_at=later,
            finished_at=later if status == "success" else None,
        )
    )
