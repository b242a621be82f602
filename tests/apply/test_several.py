"""Several repositories as one plan: order, turns, and what a failure in one means for others."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from hotfix.errors import FailedError, HotfixError, StaleError, WaitingError
from hotfix.evidence.target_results import target_results
from hotfix.sandbox import jobs, seed

from .conftest import CORE, ONCE, Rehearsal, somebody_pushes

if TYPE_CHECKING:
    from hotfix.results import TargetResult

LEDGER = "evenergi/bf-ledger"
PORTAL = "evenergi/bf-portal"
MERGED = {CORE: (812, 815), LEDGER: (54,), PORTAL: (233, 236)}
ALL = {LEDGER: "done", CORE: "done", PORTAL: "done"}


def write(rehearsal: Rehearsal, **after: list[str]) -> None:
    """Ask for all three, in the order ledger, core, portal; each after those that are named."""
    names = {"ledger": LEDGER, "core": CORE, "portal": PORTAL}
    rehearsal.write(
        *(
            rehearsal.target(
                path,
                *MERGED[path],
                **({"after": [names[each] for each in after[name]]} if name in after else {}),
            )
            for name, path in names.items()
        )
    )


def refused(rehearsal: Rehearsal, **more: Any) -> HotfixError:  # noqa: ANN401
    with pytest.raises(HotfixError) as caught:
        rehearsal.apply(**more)
    return caught.value


def told(results: tuple[TargetResult, ...]) -> dict[str, str]:
    return {each.project: each.result for each in results}


def touched(rehearsal: Rehearsal, path: str) -> set[str]:
    """Name what GitLab took for a project beside its lock: pushes to release, presses."""
    found = set()
    for request in rehearsal.sandbox.requests.writes():
        if f"{path}.git/git-receive-pack" in request.path and b"refs/heads/release" in request.body:
            found.add("push")
        if re.search(rf"/projects/{re.escape(path)}/jobs/\d+/play$", unquote(request.path)):
            found.add("press")
    return found


def pipelines_of(rehearsal: Rehearsal) -> int:
    return rehearsal.effects()["pipeline"]


def test_three_in_a_row_go_out_one_after_the_other(rehearsal: Rehearsal) -> None:
    write(rehearsal, core=["ledger"], portal=["core"])

    rehearsal.apply()

    assert [press.project for press in rehearsal.person.pressed] == [LEDGER, CORE, PORTAL]
    steps = [(entry.target, entry.step) for entry in rehearsal.lock.entries]
    assert steps.index((CORE, "restore")) > steps.index((LEDGER, "smoke"))
    assert steps.index((PORTAL, "restore")) > steps.index((CORE, "smoke"))
    assert rehearsal.lock.state == "complete"
    assert len(rehearsal.lock.checks) == 27
    assert rehearsal.effects() == {**ONCE, "push": 5, "pipeline": 3, "press": 3, "event": 14}
    assert told(target_results(rehearsal.lock)) == ALL


def test_a_failure_in_the_second_keeps_the_third_from_beginning(rehearsal: Rehearsal) -> None:
    write(rehearsal, core=["ledger"], portal=["core"])
    rehearsal.sandbox.world.script(CORE, "deploy-staging", outcome="failed")

    error = refused(rehearsal)

    assert (type(error), error.code) == (FailedError, "staging-failed")
    assert [(each.project, each.result, each.reason, each.cause) for each in error.results] == [
        (LEDGER, "done", "", ""),
        (CORE, "failed", "staging-failed", ""),
        (PORTAL, "not-begun", "after-not-done", CORE),
    ]
    assert touched(rehearsal, PORTAL) == set()
    assert touched(rehearsal, LEDGER) == {"push", "press"}
    back = f"of {LEDGER}: hotfix rollback hotfix.lock.json --apply"
    assert error.hint.endswith(back)
    assert told(target_results(rehearsal.lock)) == told(error.results)


def test_one_incident_says_which_targets_changed_and_which_did_not(rehearsal: Rehearsal) -> None:
    write(rehearsal, core=["ledger"], portal=["core"])
    rehearsal.sandbox.world.script(CORE, "deploy-staging", outcome="failed")

    refused(rehearsal)

    assert rehearsal.effects()["incident"] == 1
    issue = list(rehearsal.sandbox.world.project(seed.ORCHESTRATOR).issues.values())[-1]
    assert "production changed: `done`" in issue.description
    assert "production not changed: `failed, staging-failed`" in issue.description
    assert f"production not changed: `not begun, after-not-done, {CORE}`" in issue.description


def test_a_press_whose_deployment_was_not_seen_may_have_changed_production(
    rehearsal: Rehearsal,
) -> None:
    write(rehearsal, core=["ledger"], portal=["core"])
    rehearsal.sandbox.world.script(CORE, "deploy-production", outcome="failed")

    refused(rehearsal)

    issue = list(rehearsal.sandbox.world.project(seed.ORCHESTRATOR).issues.values())[-1]
    assert "production changed: `done`" in issue.description
    assert "production may have changed: `failed, production-failed`" in issue.description


def test_what_does_not_stand_on_the_failed_one_goes_on_to_its_end(rehearsal: Rehearsal) -> None:
    write(rehearsal, portal=["ledger"])
    rehearsal.sandbox.world.script(LEDGER, "build", outcome="failed")

    error = refused(rehearsal)

    assert told(error.results) == {LEDGER: "failed", CORE: "done", PORTAL: "not-begun"}
    assert touched(rehearsal, CORE) == {"push", "press"}


def test_the_same_command_goes_on_with_what_is_left_and_repeats_nothing(
    rehearsal: Rehearsal,
) -> None:
    write(rehearsal, core=["ledger"], portal=["core"])
    world = rehearsal.sandbox.world
    world.script(CORE, "deploy-staging", outcome="failed")
    refused(rehearsal)
    world.script(CORE, "deploy-staging", outcome="success")
    pipeline = world.project(CORE).pipelines[-1]
    failed = next(job for job in pipeline.latest_jobs() if job.name == "deploy-staging")
    jobs.retry(world, failed, world.user("operator"))

    rehearsal.apply()

    assert rehearsal.lock.state == "complete"
    effects = rehearsal.effects()
    assert (effects["push"], effects["pipeline"], effects["incident"]) == (5, 3, 1)
    assert [press.project for press in rehearsal.person.pressed] == [LEDGER, CORE, PORTAL]


def test_those_that_are_free_wait_together(rehearsal: Rehearsal) -> None:
    write(rehearsal)
    begin = rehearsal.clock.monotonic()
    rehearsal.apply()
    together = rehearsal.clock.monotonic() - begin

    steps = [(each.target, each.step) for each in rehearsal.screen.events]
    first_gate = steps.index((LEDGER, "promote"))
    assert (CORE, "orchestrate") in steps[:first_gate]
    assert (PORTAL, "orchestrate") in steps[:first_gate]
    apart = {(LEDGER, "staging"), (CORE, "staging"), (PORTAL, "staging")}
    assert apart <= set(steps[:first_gate])
    assert together < 2 * _alone(rehearsal)


def _alone(rehearsal: Rehearsal) -> float:
    """Return how long the slowest target had to wait, by the record's own times."""
    spans = []
    for path in MERGED:
        own = [entry.at for entry in rehearsal.lock.entries if entry.target == path]
        started = next(
            entry.at
            for entry in rehearsal.lock.entries
            if (entry.target, entry.step) == (path, "orchestrate")
        )
        spans.append((started, max(own)))
    return max(
        (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
        for start, end in spans
    )


def test_a_gate_that_nobody_answers_holds_its_own_target_alone(rehearsal: Rehearsal) -> None:
    write(rehearsal, portal=["ledger"])
    person = rehearsal.person
    real = person.approve_press
    person.approve_press = (  # type: ignore[method-assign]
        lambda press: None if press.project == CORE else real(press)
    )

    error = refused(rehearsal)

    assert (type(error), error.code) == (WaitingError, "production-gate")
    assert told(error.results) == {LEDGER: "done", CORE: "waiting", PORTAL: "done"}
    assert rehearsal.lock.state == "waiting"


def test_the_gravest_end_gives_the_exit_code(rehearsal: Rehearsal) -> None:
    write(rehearsal)
    rehearsal.person.press = None
    rehearsal.sandbox.world.script(PORTAL, "build", outcome="failed")

    error = refused(rehearsal)

    assert (type(error), error.code) == (FailedError, "staging-failed")
    assert told(error.results) == {LEDGER: "waiting", CORE: "waiting", PORTAL: "failed"}
    assert rehearsal.lock.state == "failed"


def test_a_branch_that_moved_before_its_turn_is_stale_and_what_went_out_is_offered_back(
    rehearsal: Rehearsal,
) -> None:
    write(rehearsal, core=["ledger"], portal=["core"])
    person = rehearsal.person
    real = person.approve_press

    def press(asked: Any) -> Any:  # noqa: ANN401
        if asked.project == LEDGER:
            somebody_pushes(rehearsal, CORE)
        return real(asked)

    person.approve_press = press  # type: ignore[method-assign]

    error = refused(rehearsal)

    assert (isinstance(error, StaleError), error.code) == (True, "branch-moved")
    assert told(error.results) == {LEDGER: "done", CORE: "stale", PORTAL: "not-begun"}
    assert f"of {LEDGER}: hotfix rollback" in error.hint


def test_until_the_branch_every_target_is_prepared_and_none_is_deployed(
    rehearsal: Rehearsal,
) -> None:
    write(rehearsal, core=["ledger"], portal=["core"])

    rehearsal.apply(until="branch")

    assert {path: touched(rehearsal, path) for path in MERGED} == {
        path: {"push"} for path in MERGED
    }
    assert pipelines_of(rehearsal) == 0


def test_they_go_back_in_reverse_order_and_only_those_that_went_out(rehearsal: Rehearsal) -> None:
    write(rehearsal, core=["ledger"], portal=["core"])
    rehearsal.sandbox.world.script(PORTAL, "build", outcome="failed")
    error = refused(rehearsal)
    assert f"of {CORE}, then {LEDGER}: hotfix rollback" in error.hint
    rehearsal.person.pressed.clear()

    rehearsal.roll_back()

    assert [press.project for press in rehearsal.person.pressed] == [CORE, LEDGER]
    assert rehearsal.lock.state == "rolled-back"


def test_an_incident_that_gitlab_refuses_is_not_tried_twice_in_one_run(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.sandbox.faults.add("POST", r"/issues$", status=400)

    refused(rehearsal)

    tried = list(rehearsal.sandbox.requests.matching("POST", r"/issues$"))
    assert len(tried) == 1
