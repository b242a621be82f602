"""The team's policy on the embedded GitLab: what is asked or denied, and what broken glass does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.apply.ports import Yes
from hotfix.apply.run import apply
from hotfix.errors import BlockedError, HotfixError, StaleError, WaitingError
from hotfix.evidence.audit import audit
from hotfix.evidence.lockfile import parse
from hotfix.evidence.passed import behind_glass, glass, reason_of
from hotfix.plan.policy import to_answer_for, warnings_hash
from hotfix.sandbox.projects import FreezePeriod

from .conftest import CORE, ONCE, Rehearsal

if TYPE_CHECKING:
    from hotfix.apply.run import Outcome

REASON = "chargers are offline in three countries"
ALL_DAY = ("0 0 * * *", "59 23 * * *")
DENIED = {"decisions": {"deploy-freeze": "deny"}}


def freeze(rehearsal: Rehearsal, path: str = CORE) -> None:
    periods = rehearsal.sandbox.world.project(path).freeze_periods
    periods.append(FreezePeriod(len(periods) + 1, *ALL_DAY, "UTC", rehearsal.clock.now()))


def thaw(rehearsal: Rehearsal) -> None:
    rehearsal.sandbox.world.project(CORE).freeze_periods.clear()


def decide(rehearsal: Rehearsal, **policy: Any) -> None:  # noqa: ANN401
    """Be the team: what it decides is in the spec that both files come to."""
    rehearsal.write(rehearsal.target(CORE, 812, 815), policy=policy)


def break_glass(rehearsal: Rehearsal, reason: str | None = REASON, **more: Any) -> Outcome:  # noqa: ANN401
    return apply(
        replace(rehearsal.request(**more), break_glass=reason),
        forge=rehearsal.forge(),
        clock=rehearsal.clock,
        operator=rehearsal.person,
        progress=rehearsal.screen,
        stop=rehearsal.stop,
    )


def refused(rehearsal: Rehearsal, kind: type[HotfixError], **more: Any) -> HotfixError:  # noqa: ANN401
    with pytest.raises(kind) as caught:
        rehearsal.apply(**more)
    return caught.value


def verdict(rehearsal: Rehearsal) -> dict[str, tuple[str, str]]:
    report = audit(parse(rehearsal.lockfile.read_bytes(), "hotfix.lock.json"))
    return {finding.what: (finding.outcome, finding.detail) for finding in report.findings}


# asked
def test_what_asks_is_answered_by_a_person_once_and_stands_in_the_record(
    rehearsal: Rehearsal,
) -> None:
    freeze(rehearsal)
    digest = warnings_hash(to_answer_for(rehearsal.plan().warnings))
    rehearsal.apply(until="branch")
    thaw(rehearsal)
    freeze(rehearsal)

    rehearsal.apply()

    (asked,) = rehearsal.person.warned
    assert [each.code for each in asked] == ["deploy-freeze"]
    answers = [each for each in rehearsal.lock.approvals if each.what.startswith("go past")]
    assert [(each.by, each.what, each.source) for each in answers] == [
        ("operator", f"go past warnings {digest}", "typed")
    ]
    assert verdict(rehearsal)["warnings"][0] == "passed"
    assert rehearsal.lock.state == "complete"


def test_without_an_answer_nothing_is_changed_and_the_hash_is_named(rehearsal: Rehearsal) -> None:
    freeze(rehearsal)
    rehearsal.person.past = None
    digest = warnings_hash(to_answer_for(rehearsal.plan().warnings))

    error = refused(rehearsal, WaitingError)

    assert error.code == "warnings-not-answered"
    assert "deploy-freeze: A deploy freeze is in force until" in error.message
    assert error.hint.endswith(f"hotfix apply hotfix.yaml --acknowledge {digest}")
    assert not rehearsal.lockfile.exists()
    assert not rehearsal.sandbox.requests.writes()


def test_a_changed_list_is_asked_again_before_anything_further_is_done(
    rehearsal: Rehearsal,
) -> None:
    freeze(rehearsal)
    rehearsal.apply(until="branch")
    freeze(rehearsal)
    rehearsal.sandbox.world.project(CORE).freeze_periods[-1].freeze_end = "58 23 * * *"
    before = rehearsal.effects()
    rehearsal.person.past = None

    error = refused(rehearsal, WaitingError)

    assert error.code == "warnings-not-answered"
    assert rehearsal.effects() == before


def test_a_warning_that_only_warns_is_asked_by_nobody(rehearsal: Rehearsal) -> None:
    rehearsal.person.past = None

    rehearsal.apply()

    assert rehearsal.person.warned == []


def test_what_was_pressed_is_carried_to_its_end_whatever_speaks_against_it(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.apply(until="production")
    freeze(rehearsal)
    rehearsal.person.past = None

    rehearsal.apply()

    assert rehearsal.lock.state == "complete"


def test_freezes_that_gitlab_fails_to_show_are_a_warning_and_refuse_no_plan(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.sandbox.faults.add("GET", f"{CORE}/freeze_periods", status=400)

    (found,) = rehearsal.plan().warnings

    assert (found.code, found.decision) == ("freeze-unknown", "warn")
    assert "400" in found.message


# denied
def test_what_the_policy_denies_blocks_before_anything_is_changed(rehearsal: Rehearsal) -> None:
    decide(rehearsal, **DENIED)
    freeze(rehearsal)

    error = refused(rehearsal, BlockedError)

    assert error.code == "deploy-freeze"
    assert "The team's policy denies it: Nothing is deployed in a deploy freeze." in error.hint
    assert "hotfix apply hotfix.yaml --break-glass REASON" in error.hint
    assert not rehearsal.sandbox.requests.writes()


def test_a_saved_plan_that_was_denied_is_not_applied(rehearsal: Rehearsal) -> None:
    decide(rehearsal, **DENIED)
    freeze(rehearsal)
    saved = rehearsal.plan()
    thaw(rehearsal)

    assert refused(rehearsal, BlockedError, saved=saved).code == "deploy-freeze"


def test_a_freeze_that_begins_at_the_gate_holds_the_press(rehearsal: Rehearsal) -> None:
    decide(rehearsal, **DENIED)
    rehearsal.apply(until="staging")
    approve, person = rehearsal.person.approve_plan, rehearsal.person
    del approve
    freeze(rehearsal)

    error = refused(rehearsal, BlockedError)

    assert error.code == "deploy-freeze"
    assert person.pressed == []
    assert rehearsal.effects()["press"] == 0


def test_a_freeze_that_begins_while_staging_is_deployed_stops_at_the_gate(
    rehearsal: Rehearsal,
) -> None:
    decide(rehearsal, **DENIED)
    rehearsal.screen.emit = lambda event: (  # type: ignore[method-assign]
        freeze(rehearsal) if (event.step, event.phase) == ("orchestrate", "done") else None
    )

    error = refused(rehearsal, WaitingError)

    assert error.code == "deploy-freeze"
    assert "the team's policy denies a deployment in one" in error.message
    assert "--break-glass REASON" in error.hint
    assert (rehearsal.person.pressed, rehearsal.effects()["press"]) == ([], 0)


def test_a_required_check_that_is_missing_blocks(rehearsal: Rehearsal) -> None:
    decide(rehearsal, required_smoke_checks=["login"])

    assert refused(rehearsal, BlockedError).code == "smoke-check-required"


def test_an_old_plan_is_refused_with_its_age_and_what_to_type(rehearsal: Rehearsal) -> None:
    decide(rehearsal, max_plan_age_hours=4)
    saved = rehearsal.plan()
    rehearsal.clock.sleep(4 * 3600 + 1800)

    error = refused(rehearsal, StaleError, saved=saved)

    assert error.code == "plan-expired"
    assert "4.5 hours ago; the policy allows 4 hours" in error.message
    assert error.hint.endswith("hotfix plan hotfix.yaml")


def test_a_run_that_began_in_time_is_finished_whatever_its_plans_age(rehearsal: Rehearsal) -> None:
    decide(rehearsal, max_plan_age_hours=4)
    saved = rehearsal.plan()
    rehearsal.apply(saved=saved, until="branch")
    rehearsal.clock.sleep(5 * 3600)

    rehearsal.apply(saved=saved)

    assert rehearsal.lock.state == "complete"


# broken glass
def test_broken_glass_goes_past_what_is_denied_and_says_so_everywhere(
    rehearsal: Rehearsal,
) -> None:
    decide(rehearsal, **DENIED)
    freeze(rehearsal)

    break_glass(rehearsal)

    lock = rehearsal.lock
    broken = glass(lock)
    assert broken is not None
    assert (broken.by, reason_of(broken), broken.source) == ("operator", REASON, "--break-glass")
    assert behind_glass(lock) == ("deploy-freeze",)
    assert (lock.state, rehearsal.effects()) == ("complete", {**ONCE, "event": ONCE["event"] + 1})
    outcome, said = verdict(rehearsal)["broken-glass"]
    assert (outcome, REASON in said, "deploy-freeze" in said) == ("note", True, True)
    assert verdict(rehearsal)["blockers"][0] == "passed"
    issue = list(rehearsal.sandbox.world.project("evenergi/develop").issues.values())[-1]
    assert "**Glass broken** by `operator`" in issue.description
    assert "- [ ] review that `operator` broke the glass past `deploy-freeze`" in issue.description
    assert any("glass broken" in event.note for event in issue.timeline)


def test_behind_broken_glass_a_person_still_answers_for_the_freeze_at_the_gate(
    rehearsal: Rehearsal,
) -> None:
    decide(rehearsal, **DENIED)
    freeze(rehearsal)
    rehearsal.person.press = None

    with pytest.raises(WaitingError) as caught:
        break_glass(rehearsal)

    assert caught.value.code == "production-gate"
    (press,) = rehearsal.person.pressed
    assert "A deploy freeze is in force" in press.cautions[0]


def test_glass_that_was_broken_stays_so_for_the_run_that_goes_on(rehearsal: Rehearsal) -> None:
    decide(rehearsal, **DENIED)
    freeze(rehearsal)
    break_glass(rehearsal, until="branch")

    rehearsal.apply()

    assert rehearsal.lock.state == "complete"
    assert sum("break_glass" in each.facts for each in rehearsal.lock.entries) == 1


def test_glass_broken_at_the_gate_is_recorded_before_the_press(rehearsal: Rehearsal) -> None:
    decide(rehearsal, **DENIED)
    rehearsal.screen.emit = lambda event: (  # type: ignore[method-assign]
        freeze(rehearsal) if (event.step, event.phase) == ("orchestrate", "done") else None
    )

    break_glass(rehearsal)

    entries = rehearsal.lock.entries
    broken = next(each.seq for each in entries if "break_glass" in each.facts)
    pressed = next(each.seq for each in entries if (each.step, each.phase) == ("promote", "intent"))
    assert broken < pressed
    assert behind_glass(rehearsal.lock) == ("deploy-freeze",)


def test_broken_glass_goes_past_missing_approvals_and_an_old_plan(rehearsal: Rehearsal) -> None:
    decide(rehearsal, plan_approvals={"minimum": 2}, max_plan_age_hours=4)
    saved = rehearsal.plan()
    rehearsal.clock.sleep(5 * 3600)

    break_glass(rehearsal, saved=saved)

    assert behind_glass(rehearsal.lock) == ("plan-approvals", "max-plan-age")
    assert verdict(rehearsal)["plan-approvals"][0] == "passed"


def test_glass_broken_for_a_saved_plan_is_recorded_though_the_freeze_is_over(
    rehearsal: Rehearsal,
) -> None:
    decide(rehearsal, **DENIED)
    freeze(rehearsal)
    saved = rehearsal.plan()
    thaw(rehearsal)

    break_glass(rehearsal, saved=saved)

    assert behind_glass(rehearsal.lock) == ("deploy-freeze",)
    assert verdict(rehearsal)["blockers"][0] == "passed"


def test_glass_that_nothing_stands_behind_is_not_broken(rehearsal: Rehearsal) -> None:
    break_glass(rehearsal)

    assert glass(rehearsal.lock) is None
    assert "broken-glass" not in verdict(rehearsal)


def test_no_glass_breaks_for_what_the_runbook_forbids(rehearsal: Rehearsal) -> None:
    rehearsal.sandbox.world.project(CORE).merge_requests[812].approvals.clear()

    with pytest.raises(BlockedError) as caught:
        break_glass(rehearsal)

    assert caught.value.code == "mr-not-approved"


def test_a_team_may_forbid_that_glass_is_broken(rehearsal: Rehearsal) -> None:
    decide(rehearsal, break_glass=False, **DENIED)
    freeze(rehearsal)

    with pytest.raises(BlockedError) as caught:
        break_glass(rehearsal)

    assert caught.value.code == "break-glass-denied"
    assert "--break-glass" not in refused(rehearsal, BlockedError).hint


# the way back
def test_no_rule_keeps_anybody_from_going_back(rehearsal: Rehearsal) -> None:
    decide(rehearsal, required_smoke_checks=["health"], max_plan_age_hours=4, **DENIED)
    rehearsal.apply()
    freeze(rehearsal)
    rehearsal.person.past = None

    rehearsal.roll_back()

    assert rehearsal.lock.state == "rolled-back"
    assert "A deploy freeze is in force" in rehearsal.person.pressed[-1].cautions[0]


# what a file cannot feign
def test_an_answer_to_another_list_is_found_by_the_audit(rehearsal: Rehearsal) -> None:
    freeze(rehearsal)
    rehearsal.person.past = Yes("--acknowledge")
    rehearsal.apply(until="branch")
    data = rehearsal.lockfile.read_bytes().replace(b"A deploy freeze is in force", b"No freeze is")
    report = audit(parse(data, "hotfix.lock.json"))

    found = {each.what: each.outcome for each in report.findings}

    assert found["warnings"] == "failed"
