from __future__ import annotations

import pytest

from hotfix.apply.ports import Yes
from hotfix.errors import (
    BlockedError,
    FailedError,
    InputError,
    InterruptedRunError,
    LockedError,
    StaleError,
    WaitingError,
)
from hotfix.evidence.audit import audit
from hotfix.evidence.lockfile import parse
from hotfix.plan.document import plan_digest, to_json
from hotfix.sandbox import seed
from hotfix.sandbox.faults import Fault

from .conftest import CORE, ONCE, Rehearsal, somebody_pushes


def test_a_hotfix_goes_the_whole_way_and_every_check_is_proven(rehearsal: Rehearsal) -> None:
    plan = rehearsal.plan()

    outcome = rehearsal.apply()

    world = rehearsal.sandbox.world
    assert outcome.message == "Hotfix inc-1042-ocpp-timeout is complete: 9 of 9 checks passed."
    assert set(rehearsal.checks().values()) == {"passed"}
    assert world.release_sha(CORE) == plan.targets[0].after == world.production_sha(CORE)
    assert rehearsal.effects() == ONCE
    assert rehearsal.lock.seal
    assert rehearsal.lock.seal.head == rehearsal.lock.head
    report = audit(parse(rehearsal.lockfile.read_bytes(), "hotfix.lock.json"))
    assert report.verdict == "passed"


def test_a_complete_hotfix_applied_again_does_nothing(rehearsal: Rehearsal) -> None:
    rehearsal.apply()
    before = rehearsal.lockfile.read_bytes()
    writes = len(rehearsal.sandbox.requests.writes())

    outcome = rehearsal.apply()

    assert outcome.message.startswith("Nothing to do.")
    assert rehearsal.lockfile.read_bytes() == before
    assert len(rehearsal.sandbox.requests.writes()) == writes


@pytest.mark.parametrize(
    ("project", "merge_requests", "commits"),
    [
        ("evenergi/bf-manage-core", (812, 815), ["restore", "pick", "pick"]),
        ("evenergi/bf-billing", (412,), ["restore", "pick"]),
        ("evenergi/bf-portal", (233, 236), ["restore", "pick", "pick", "pick", "pick"]),
        ("evenergi/bf-gateway", (97,), ["restore", "pick"]),
        ("evenergi/bf-ledger", (54,), ["pick"]),
    ],
)
def test_every_merge_method_of_gitlab_goes_the_whole_way(
    rehearsal: Rehearsal, project: str, merge_requests: tuple[int, ...], commits: list[str]
) -> None:
    rehearsal.write(rehearsal.target(project, *merge_requests))

    rehearsal.apply()

    target = rehearsal.lock.plan.targets[0]
    assert [commit.action for commit in target.commits] == commits
    assert set(rehearsal.checks().values()) == {"passed"}
    assert rehearsal.sandbox.world.production_sha(project) == target.after


def test_two_targets_go_in_the_order_that_after_demands(rehearsal: Rehearsal) -> None:
    rehearsal.write(
        rehearsal.target(CORE, 812, after=["evenergi/bf-ledger"]),
        rehearsal.target("evenergi/bf-ledger", 54),
    )

    rehearsal.apply()

    pressed = [press.project for press in rehearsal.person.pressed]
    assert pressed == ["evenergi/bf-ledger", CORE]
    assert set(rehearsal.checks().values()) == {"passed"}
    assert len(rehearsal.checks()) == 18
    assert rehearsal.effects()["incident"] == 1


def test_an_orchestrator_that_uses_the_api_leaves_no_bridge_and_is_followed(
    rehearsal: Rehearsal,
) -> None:
    orchestrator = rehearsal.sandbox.world.project(seed.ORCHESTRATOR)
    orchestrator.settings.downstream = "api"

    rehearsal.apply()

    found = [entry for entry in rehearsal.lock.entries if entry.step == "staging"]
    assert {entry.facts["via"] for entry in found} == {"search"}
    assert set(rehearsal.checks().values()) == {"passed"}


@pytest.mark.parametrize("until", ["restore", "branch", "staging", "production"])
def test_a_run_stops_where_it_is_told_and_goes_on_later(rehearsal: Rehearsal, until: str) -> None:
    rehearsal.apply(until=until)

    assert rehearsal.lock.state == "waiting"
    assert rehearsal.effects()["press"] == (until == "production")
    rehearsal.apply()
    assert rehearsal.effects() == ONCE
    assert rehearsal.lock.state == "complete"


def test_nothing_is_changed_without_a_yes_to_the_plan(rehearsal: Rehearsal) -> None:
    rehearsal.person.plan = None

    with pytest.raises(WaitingError, match="waits for your yes; nothing was changed"):
        rehearsal.apply()

    assert not rehearsal.lockfile.exists()
    assert rehearsal.sandbox.requests.writes() == []


def test_production_is_not_pressed_without_a_yes_and_the_gate_is_kept(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.person.press = None

    with pytest.raises(WaitingError, match="deploy-production of evenergi/bf-manage-core waits"):
        rehearsal.apply()

    assert rehearsal.effects() == {**ONCE, "press": 0, "incident": 0, "event": 0}
    assert rehearsal.lock.state == "waiting"
    rehearsal.person.press = rehearsal.person.plan
    rehearsal.apply()
    assert rehearsal.effects() == ONCE
    assert rehearsal.person.asked == 1, "the plan was approved once and for all"


def test_the_question_names_project_job_and_commit(rehearsal: Rehearsal) -> None:
    rehearsal.apply()

    (press,) = rehearsal.person.pressed
    assert (press.project, press.job) == (CORE, "deploy-production")
    assert press.commit == rehearsal.lock.plan.targets[0].after


def test_whose_yes_it_was_is_recorded(rehearsal: Rehearsal) -> None:
    rehearsal.apply()

    plan, press = rehearsal.lock.approvals
    assert (plan.by, plan.source) == ("operator", "typed")
    assert rehearsal.lock.plan_digest in plan.what
    assert (press.by, press.source) == ("operator", "typed")
    assert "deploy-production" in press.what


def test_a_red_smoke_check_fails_the_run_and_is_checked_again(rehearsal: Rehearsal) -> None:
    rehearsal.sandbox.world.project(CORE).service_status = "down"

    with pytest.raises(FailedError, match=r"1 of 1 smoke checks .* failed"):
        rehearsal.apply()

    assert rehearsal.lock.state == "failed"
    assert rehearsal.checks()[f"{CORE} smoke-checks-passed"] == "failed"
    rehearsal.sandbox.world.project(CORE).service_status = "ok"
    rehearsal.apply()
    assert rehearsal.lock.state == "complete"
    assert rehearsal.effects() == {**ONCE, "event": ONCE["event"] + 1}, "the failure is told too"


def test_a_job_that_fails_before_the_gate_ends_the_run_with_its_log(rehearsal: Rehearsal) -> None:
    rehearsal.sandbox.world.script(CORE, "deploy-staging", outcome="failed")

    with pytest.raises(FailedError, match="deploy-staging before the production gate is failed"):
        rehearsal.apply()

    assert rehearsal.effects()["press"] == 0


def test_a_production_job_that_fails_is_not_pressed_again(rehearsal: Rehearsal) -> None:
    rehearsal.sandbox.world.script(CORE, "deploy-production", outcome="failed")

    for _ in range(2):
        with pytest.raises(FailedError, match="production job deploy-production is failed"):
            rehearsal.apply()

    assert rehearsal.effects()["press"] == 1
    assert rehearsal.checks()[f"{CORE} production-deployed"] == "failed"


def test_release_moved_by_somebody_before_the_push_is_stale(rehearsal: Rehearsal) -> None:
    plan = rehearsal.plan()
    somebody_pushes(rehearsal)

    with pytest.raises(StaleError, match="release of evenergi/bf-manage-core stands at") as caught:
        rehearsal.apply(saved=plan)

    assert rehearsal.sandbox.requests.writes() == []
    assert "There is 'something else', committed by Somebody" in caught.value.message
    assert "at 2026-" in caught.value.message
    assert caught.value.hint.endswith("Plan again with: hotfix plan hotfix.yaml")


def test_release_moved_between_restore_and_picks_is_stale(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="restore")
    somebody_pushes(rehearsal)

    with pytest.raises(StaleError) as caught:
        rehearsal.apply()

    assert caught.value.code == "branch-moved"
    assert rehearsal.effects()["push"] == 1


def test_release_moved_between_picks_and_pipeline_stops_before_the_pipeline(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.apply(until="branch")
    somebody_pushes(rehearsal)

    with pytest.raises(StaleError) as caught:
        rehearsal.apply()

    assert caught.value.code == "branch-moved"
    assert rehearsal.effects()["pipeline"] == 0


def test_release_moved_while_the_gate_was_open_is_not_promoted(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="staging")
    somebody_pushes(rehearsal)

    with pytest.raises(StaleError):
        rehearsal.apply()

    assert rehearsal.effects()["press"] == 0


def test_an_approval_that_is_missing_blocks(rehearsal: Rehearsal) -> None:
    rehearsal.write(rehearsal.target(CORE, 817))

    with pytest.raises(BlockedError) as caught:
        rehearsal.apply()

    assert caught.value.code == "mr-not-approved"
    assert rehearsal.sandbox.requests.writes() == []


def test_a_pick_that_stands_on_unreleased_work_blocks(rehearsal: Rehearsal) -> None:
    rehearsal.write(rehearsal.target(CORE, 819))

    with pytest.raises(BlockedError) as caught:
        rehearsal.apply()

    assert caught.value.code == "depends-on-unreleased"
    assert "`merge_requests: [806, 819]` plans clean" in caught.value.hint


def test_a_changed_spec_does_not_take_up_another_hotfixs_lockfile(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="branch")
    rehearsal.write(rehearsal.target(CORE, 812))

    with pytest.raises(StaleError) as caught:
        rehearsal.apply()

    assert caught.value.code == "spec-changed"


def test_a_run_that_is_asked_to_stop_stops_between_effects_and_resumes(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.stop.requested = True

    with pytest.raises(InterruptedRunError):
        rehearsal.apply()

    rehearsal.stop.requested = False
    rehearsal.apply()
    assert rehearsal.effects() == ONCE


def test_a_wait_that_is_too_long_ends_and_the_same_command_goes_on(rehearsal: Rehearsal) -> None:
    with pytest.raises(WaitingError) as caught:
        rehearsal.apply(longest=0.5, poll=0.1)

    assert caught.value.code == "wait-expired"
    rehearsal.apply()
    assert rehearsal.effects() == ONCE


def test_a_lost_lockfile_is_written_anew_and_its_gap_is_told(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="staging")
    rehearsal.lockfile.unlink()

    with pytest.raises(FailedError) as caught:
        rehearsal.apply()

    assert caught.value.code == "evidence-missing"
    missing = [check.id for check in rehearsal.lock.checks if check.outcome == "missing"]
    assert missing == ["orchestration-inputs", "cut-off-not-selected"]
    assert rehearsal.effects() == ONCE


def test_a_lost_lockfile_before_the_pipeline_leaves_no_gap(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="restore")
    rehearsal.lockfile.unlink()

    rehearsal.apply()

    assert set(rehearsal.checks().values()) == {"passed"}
    assert rehearsal.effects() == ONCE


def test_a_token_that_may_not_push_is_refused_with_gitlabs_words(rehearsal: Rehearsal) -> None:
    rehearsal.token = seed.TOKENS["author"]

    with pytest.raises(FailedError, match="not allowed to push code to protected branches"):
        rehearsal.apply()

    rehearsal.token = seed.TOKENS["operator"]
    rehearsal.apply()
    assert rehearsal.effects()["pipeline"] == 1


def test_a_role_that_could_not_finish_is_refused_before_it_begins(rehearsal: Rehearsal) -> None:
    rehearsal.token = seed.TOKENS["reader"]
    assert [warning.code for warning in rehearsal.plan().warnings] == ["apply-not-permitted"]

    with pytest.raises(BlockedError) as caught:
        rehearsal.apply()

    assert caught.value.code == "not-permitted"
    assert rehearsal.sandbox.requests.writes() == []


def test_another_live_run_holds_the_lock(rehearsal: Rehearsal) -> None:
    caught: list[LockedError] = []
    first, second = rehearsal.person, type(rehearsal.person)()

    def press(_: object) -> None:
        rehearsal.person = second
        own, rehearsal.lockfile = rehearsal.lockfile, rehearsal.lockfile.with_name("other.json")
        try:
            rehearsal.apply()
        except LockedError as error:
            caught.append(error)
        rehearsal.lockfile, rehearsal.person = own, first

    first.approve_press = press  # type: ignore[assignment,method-assign]
    with pytest.raises(WaitingError):
        rehearsal.apply()

    assert len(caught) == 1
    assert "is held by operator on" in caught[0].message
    assert not rehearsal.lockfile.with_name("other.json").exists()


def test_an_edited_lockfile_is_not_taken_up(rehearsal: Rehearsal) -> None:
    rehearsal.apply(until="branch")
    edited = rehearsal.lockfile.read_text(encoding="utf-8").replace('"pushed"', '"adopted"')
    rehearsal.lockfile.write_text(edited, encoding="utf-8")

    with pytest.raises(InputError) as caught:
        rehearsal.apply()

    assert caught.value.code == "lock-edited"
    assert rehearsal.lockfile.read_text(encoding="utf-8") == edited


def test_a_lockfile_changed_during_the_run_is_not_overwritten(rehearsal: Rehearsal) -> None:
    def press(_: object) -> Yes:
        rehearsal.lockfile.write_text("somebody else's", encoding="utf-8")
        return Yes("typed")

    rehearsal.person.approve_press = press  # type: ignore[assignment,method-assign]
    with pytest.raises(FailedError) as caught:
        rehearsal.apply()

    assert caught.value.code == "lock-changed"
    assert rehearsal.lockfile.read_text(encoding="utf-8") == "somebody else's"
    assert rehearsal.effects()["press"] == 0


def test_a_saved_plan_that_was_edited_to_cut_off_is_forbidden(rehearsal: Rehearsal) -> None:
    plan = rehearsal.plan()
    target = plan.targets[0]
    assert target.pipeline
    inputs = {**target.pipeline.inputs, "action": "bring-all-code-to-release-branch"}
    pipeline = target.pipeline.model_copy(update={"inputs": inputs})
    edited = plan.model_copy(
        update={"targets": (target.model_copy(update={"pipeline": pipeline}),)}
    )

    with pytest.raises(BlockedError) as caught:
        rehearsal.apply(saved=edited)

    assert caught.value.code == "forbidden-action"
    assert rehearsal.sandbox.requests.writes() == []


def test_a_saved_plan_is_stale_once_its_pipeline_would_be_another(rehearsal: Rehearsal) -> None:
    plan = rehearsal.plan()
    target = plan.targets[0]
    assert target.pipeline
    pipeline = target.pipeline.model_copy(update={"ref": "other"})
    edited = plan.model_copy(
        update={"targets": (target.model_copy(update={"pipeline": pipeline}),), "digest": "x"}
    )

    with pytest.raises(StaleError, match=r"pipeline\.ref was other, is main"):
        rehearsal.apply(saved=edited)


def test_a_saved_plan_without_its_smoke_checks_is_refused(rehearsal: Rehearsal) -> None:
    plan = rehearsal.plan()
    target = plan.targets[0].model_copy(update={"smoke_checks": ()})
    edited = plan.model_copy(update={"targets": (target,)})
    edited = edited.model_copy(update={"digest": plan_digest(to_json(edited))})

    with pytest.raises(StaleError, match="smoke_checks"):
        rehearsal.apply(saved=edited)

    assert rehearsal.sandbox.requests.writes() == []


def test_a_hotfix_that_is_in_production_already_is_not_done_again(rehearsal: Rehearsal) -> None:
    rehearsal.apply()
    writes = len(rehearsal.sandbox.requests.writes())
    rehearsal.write(rehearsal.target(CORE, 812, 815), id="another-id")
    rehearsal.lockfile = rehearsal.lockfile.with_name("another.lock.json")

    outcome = rehearsal.apply()

    assert outcome.message.startswith("Nothing to do.")
    assert not rehearsal.lockfile.exists()
    assert len(rehearsal.sandbox.requests.writes()) == writes


def test_a_deployed_hotfix_without_its_lockfile_starts_and_presses_nothing(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.apply(until="production")
    rehearsal.lockfile.unlink()
    for pipeline in rehearsal.sandbox.world.project(CORE).pipelines:
        pipeline.source = "push"  # such a pipeline is never taken for a downstream one

    with pytest.raises(FailedError) as caught:
        rehearsal.apply()

    assert caught.value.code == "evidence-missing"
    assert (rehearsal.effects()["pipeline"], rehearsal.effects()["press"]) == (1, 1)


def test_release_moved_while_an_earlier_target_was_deployed_starts_no_pipeline(
    rehearsal: Rehearsal,
) -> None:
    ledger = "evenergi/bf-ledger"
    rehearsal.write(rehearsal.target(ledger, 54), rehearsal.target(CORE, 812, 815, after=[ledger]))

    def press(_: object) -> Yes:
        somebody_pushes(rehearsal)
        return Yes("typed")

    rehearsal.person.approve_press = press  # type: ignore[assignment,method-assign]
    with pytest.raises(StaleError) as caught:
        rehearsal.apply()

    assert caught.value.code == "branch-moved"
    assert rehearsal.effects()["pipeline"] == 1


def test_a_push_that_never_arrived_is_not_blamed_on_somebody(rehearsal: Rehearsal) -> None:
    rehearsal.sandbox.faults.add("POST", "git-receive-pack", occurrence=2, reset=True)

    with pytest.raises(FailedError) as caught:
        rehearsal.apply()

    assert caught.value.code == "push-lost"
    rehearsal.apply()
    assert rehearsal.lock.state == "complete"


def test_two_runs_on_one_lockfile_are_kept_apart(rehearsal: Rehearsal) -> None:
    caught: list[LockedError] = []

    def approve(_: object) -> None:
        with pytest.raises(LockedError) as error:
            rehearsal.apply()
        caught.append(error.value)

    rehearsal.person.approve_plan = approve  # type: ignore[assignment,method-assign]
    with pytest.raises(WaitingError):
        rehearsal.apply()

    assert "Another run on this machine" in caught[0].message


def test_plans_from_two_servers_are_the_same_to_the_digest(
    rehearsal: Rehearsal, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from hotfix.sandbox import Sandbox  # noqa: PLC0415

    with Sandbox(seed.example(rehearsal.clock, pace=2.0)) as sandbox:
        other = Rehearsal(sandbox, rehearsal.clock, tmp_path_factory.mktemp("other"))
        check = {"name": "health", "http": {"url": "https://core.example.com/health"}}
        for each in (rehearsal, other):
            each.write(each.target(CORE, 812, 815, smoke_checks=[check]))

        one, two = rehearsal.plan(), other.plan()

    assert one.gitlab != two.gitlab
    assert one.targets[0].after == two.targets[0].after
    assert one.digest == two.digest


def test_a_failure_is_recorded_under_the_step_that_it_ended(rehearsal: Rehearsal) -> None:
    rehearsal.write(rehearsal.target(CORE, 812), rehearsal.target("evenergi/bf-ledger", 54))
    # The first is the plan's, for the commit that merged !54.
    fault = Fault(r"GET ~bf-ledger/pipelines\?", "garbage", nth=2, when="after")
    rehearsal.sandbox.faults.plan([fault])

    with pytest.raises(FailedError):
        rehearsal.apply()

    (failed,) = (entry for entry in rehearsal.lock.entries if "error" in entry.facts)
    assert (failed.step, failed.target) == ("orchestrate", "evenergi/bf-ledger")
    assert failed.facts["error"] == "gitlab-answer"
    rehearsal.apply()
    incidents = rehearsal.sandbox.world.project(seed.ORCHESTRATOR).issues.values()
    told = [event.note for incident in incidents for event in incident.timeline]
    assert not [note for note in told if "failed" in note]
