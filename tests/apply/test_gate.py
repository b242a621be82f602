"""What is said at a gate before anybody opens it: by whom, what is missing, what is in the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.apply.look import Remembering, look
from hotfix.apply.ports import Yes
from hotfix.errors import FailedError, WaitingError
from hotfix.sandbox import jobs, pipelines
from hotfix.sandbox.deployments import Approval
from hotfix.sandbox.pipelines import Order, create
from hotfix.sandbox.projects import ApprovalRule, FreezePeriod, ProtectedEnvironment
from hotfix.sandbox.users import DEVELOPER

from .conftest import CORE, ONCE, Rehearsal

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.apply.ports import Press
    from hotfix.sandbox.pipelines import Job, Pipeline

ALWAYS = ("0 0 * * *", "59 23 * * *")
KEPT = "  artifacts:\n    expire_in: 1 hour\n    paths: [dist]\n"


@pytest.fixture
def ci(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], str]], None]:
    """Change the CI file of the target, as its pipelines are made of it."""

    def change(edit: Callable[[str], str]) -> None:
        real = pipelines._ci_file

        def edited(project: pipelines.Project, sha: str) -> str:
            text = real(project, sha)
            return edit(text) if project.path == CORE else text

        monkeypatch.setattr(pipelines, "_ci_file", edited)

    return change


def protect(rehearsal: Rehearsal, **rule: Any) -> None:  # noqa: ANN401  (of the rule)
    world = rehearsal.sandbox.world
    world.tier = "premium"
    world.project(CORE).protected_environments.append(ProtectedEnvironment("production", **rule))


def asked(rehearsal: Rehearsal) -> Press:
    """Go to the question, and leave it unanswered."""
    rehearsal.person.press = None
    with pytest.raises(WaitingError) as caught:
        rehearsal.apply()
    assert caught.value.code == "production-gate"
    assert caught.value.hint.endswith("hotfix apply hotfix.yaml")
    press = rehearsal.person.pressed[-1]
    assert all(each in caught.value.message for each in (*press.told, *press.cautions))
    return press


def gate(rehearsal: Rehearsal) -> dict[str, Any]:
    """Return what the lockfile has of the gate."""
    entries = rehearsal.lock.entries
    found = [each for each in entries if (each.step, each.phase) == ("staging", "done")]
    return dict(found[-1].facts["gate"])  # type: ignore[arg-type]


def stopped(rehearsal: Rehearsal, code: str) -> WaitingError:
    with pytest.raises(WaitingError) as caught:
        rehearsal.apply()
    assert caught.value.code == code
    assert caught.value.hint.endswith("hotfix apply hotfix.yaml")
    assert rehearsal.person.pressed == []
    assert rehearsal.effects()["press"] == 0
    assert rehearsal.lock.state == "waiting"
    return caught.value


# who
def test_what_a_free_gitlab_does_not_show_is_said_to_be_unknown(rehearsal: Rehearsal) -> None:
    press = asked(rehearsal)

    assert press.told[0].startswith("Who may deploy to production is unknown: GitLab shows")
    assert press.cautions == ()
    assert gate(rehearsal)["may_press"] is None


def test_a_protected_environment_says_who_may_press_by_name(rehearsal: Rehearsal) -> None:
    reviewer = rehearsal.sandbox.world.user("reviewer")
    protect(rehearsal, deployers=(reviewer,))

    press = asked(rehearsal)

    may = ["Maintainers (operator)", "Rita Reviewer (reviewer)"]
    assert press.told[0] == f"production is protected; may press: {'; '.join(may)}"
    assert gate(rehearsal)["may_press"] == may


def test_an_environment_that_no_rule_protects_says_so(rehearsal: Rehearsal) -> None:
    rehearsal.sandbox.world.tier = "premium"

    assert "No rule of the project itself protects production" in asked(rehearsal).told[0]


def test_whoever_is_not_among_them_is_told_before_the_press(rehearsal: Rehearsal) -> None:
    protect(rehearsal, deploy_level=50, deployers=(rehearsal.sandbox.world.user("reviewer"),))

    (caution,) = asked(rehearsal).cautions

    assert "operator is not among those who may deploy to production" in caution


def test_a_rule_that_is_refused_to_be_shown_is_unknown(rehearsal: Rehearsal) -> None:
    protect(rehearsal)
    for route in ("/protected_environments", "/freeze_periods", r"/resource_groups\?"):
        rehearsal.sandbox.faults.add(
            "GET", route, times=5, status=403, body=b'{"message":"403 Forbidden"}'
        )

    told = asked(rehearsal).told

    assert sum("unknown" in each for each in told) == 3
    facts = gate(rehearsal)
    assert [facts[key] for key in ("may_press", "freeze", "ahead")] == [None, None, None]


# approvals
def test_missing_approvals_stop_with_the_names_of_who_can_give_them(rehearsal: Rehearsal) -> None:
    world = rehearsal.sandbox.world
    reviewer, author = world.user("reviewer"), world.user("author")
    rules = (ApprovalRule(1, reviewer), ApprovalRule(1, author), ApprovalRule(1, DEVELOPER))
    protect(rehearsal, approval_rules=rules)
    stopped(rehearsal, "deployment-approval")
    _approve(rehearsal, "reviewer")

    error = stopped(rehearsal, "deployment-approval")

    assert "waits for 1 more approval in GitLab: http" in error.message
    assert "It is approved by reviewer." in error.message
    assert "May approve: 1 of Arthur Author (author)." in error.message
    assert gate(rehearsal)["approvals"] == {
        "pending": 1,
        "given": ["reviewer"],
        "rejected": [],
        "may_give": ["1 of Arthur Author (author)"],
    }
    _approve(rehearsal, "author")
    rehearsal.apply()
    assert rehearsal.effects() == ONCE
    assert "The deployment is approved by reviewer, author" in rehearsal.person.pressed[0].told


def test_approvals_by_number_alone_name_those_who_may_deploy(rehearsal: Rehearsal) -> None:
    protect(rehearsal, required_approvals=2, deploy_level=DEVELOPER)

    error = stopped(rehearsal, "deployment-approval")

    assert "waits for 2 more approvals" in error.message
    assert "May approve: Developers + Maintainers (operator, author, reviewer)." in error.message


def test_a_rejection_is_named(rehearsal: Rehearsal) -> None:
    protect(rehearsal, approval_rules=(ApprovalRule(1, DEVELOPER),))
    stopped(rehearsal, "deployment-approval")
    _approve(rehearsal, "reviewer", "rejected")

    assert "It is rejected by reviewer." in stopped(rehearsal, "deployment-approval").message


def test_a_look_names_them_as_well_and_writes_nothing(rehearsal: Rehearsal) -> None:
    protect(rehearsal, required_approvals=1)
    stopped(rehearsal, "deployment-approval")
    before = rehearsal.lockfile.read_bytes()

    with pytest.raises(WaitingError, match="May approve: Maintainers"):
        look(
            rehearsal.request(),
            forge=rehearsal.forge(),
            clock=rehearsal.clock,
            progress=Remembering(),
        )

    assert rehearsal.lockfile.read_bytes() == before


# freeze
def test_a_freeze_in_force_is_named_and_a_person_may_go_past_it(rehearsal: Rehearsal) -> None:
    _freeze(rehearsal, *ALWAYS)

    rehearsal.apply()

    (press,) = rehearsal.person.pressed
    (caution,) = press.cautions
    assert "A deploy freeze is in force until 2026-11-22T23:59:00Z" in caution
    intent = next(
        each for each in rehearsal.lock.entries if (each.step, each.phase) == ("promote", "intent")
    )
    assert intent.facts["went_past"] == [caution]
    assert rehearsal.lock.state == "complete"


def test_a_freeze_that_is_over_is_not_mentioned(rehearsal: Rehearsal) -> None:
    _freeze(rehearsal, "0 1 * * *", "0 2 * * *")

    press = asked(rehearsal)

    assert press.cautions == ()
    assert not [each for each in press.told if "freeze" in each]
    assert gate(rehearsal)["freeze"] == []


def test_a_freeze_that_cannot_be_read_is_said_to_be_unknown(rehearsal: Rehearsal) -> None:
    _freeze(rehearsal, "whenever", "0 2 * * *")

    assert any("freeze whenever to" in each for each in asked(rehearsal).told)


def test_a_freeze_that_begins_while_the_question_is_open_is_asked_about_anew(
    rehearsal: Rehearsal,
) -> None:
    def press(_: Press) -> Yes:
        _freeze(rehearsal, *ALWAYS)
        return Yes("typed")

    rehearsal.person.approve_press = press  # type: ignore[method-assign]
    with pytest.raises(WaitingError) as caught:
        rehearsal.apply()

    assert caught.value.code == "gate-changed"
    assert "A deploy freeze is in force" in caught.value.message
    assert rehearsal.effects()["press"] == 0


# what came later
def test_an_outdated_deployment_is_noticed_before_gitlab_refuses_the_press(
    rehearsal: Rehearsal,
) -> None:
    settings = rehearsal.sandbox.world.project(CORE).settings
    settings.ci_forward_deployment_enabled = True
    rehearsal.apply(until="staging")
    _deploy_again(rehearsal)

    error = stopped(rehearsal, "deployment-outdated")

    assert "the project prevents outdated deployment jobs" in error.message
    assert gate(rehearsal)["outdated"] is True
    settings.ci_forward_deployment_enabled = False
    rehearsal.apply()
    assert any("lets outdated deployments run" in e for e in rehearsal.person.pressed[0].told)
    assert rehearsal.effects() == ONCE


def test_a_setting_that_the_token_may_not_see_is_a_caution(rehearsal: Rehearsal) -> None:
    world = rehearsal.sandbox.world
    world.project(CORE).protected_branches.clear()
    rehearsal.apply(until="staging")
    _deploy_again(rehearsal)
    world.project(CORE).group.members[world.user("operator").id] = DEVELOPER

    assert "whether GitLab refuses outdated ones is unknown" in asked(rehearsal).cautions[0]


# the queue
def test_the_job_that_is_ahead_in_the_resource_group_is_named_while_ours_waits(
    rehearsal: Rehearsal, ci: Callable[[Callable[[str], str]], None]
) -> None:
    migrate = "\nmigrate:\n  stage: build\n  resource_group: production\n  script: [./migrate]\n"
    world = rehearsal.sandbox.world
    made: list[Pipeline] = []

    def press(_: Press) -> Yes:
        ci(lambda text: text + migrate)
        world.script(CORE, "migrate", seconds=60.0)
        order = Order("main", "web")
        made.append(create(world, world.project(CORE), _user(rehearsal, "author"), order, now()))
        rehearsal.clock.sleep(20)
        return Yes("typed")

    now = rehearsal.clock.now
    rehearsal.person.approve_press = press  # type: ignore[method-assign]
    rehearsal.apply()

    ahead = next(job for job in made[0].jobs if job.name == "migrate")
    said = (
        f"is waiting_for_resource: migrate ({ahead.id} of pipeline {made[0].id}, started by author"
    )
    told = [each.message for each in rehearsal.screen.events if each.step == "verify-production"]
    assert any(said in each and "has resource group production" in each for each in told)
    assert rehearsal.lock.state == "complete"


def test_a_job_of_the_same_name_that_is_about_to_run_is_named_before_the_press(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.apply(until="staging")
    world = rehearsal.sandbox.world
    last = next(
        each
        for each in world.project(CORE).deployments
        if each.status == "success" and each.environment.name == "production"
    )
    assert last.job
    last.job.retried = False
    world.script(CORE, "deploy-production", seconds=1000.0, times=1)
    again = jobs.retry(world, last.job, _user(rehearsal, "operator"))

    (told,) = [each for each in asked(rehearsal).told if each.startswith("Pressed, it will wait")]

    assert f"deploy-production ({again.id} of pipeline {again.pipeline.id}" in told
    assert gate(rehearsal)["ahead"]


# artifacts
def test_expired_artifacts_are_noticed_before_the_press(
    rehearsal: Rehearsal, ci: Callable[[Callable[[str], str]], None]
) -> None:
    ci(lambda text: text.replace("    - make build\n", f"    - make build\n{KEPT}"))
    rehearsal.apply(until="staging")
    rehearsal.clock.sleep(timedelta(hours=2).total_seconds())

    (caution,) = asked(rehearsal).cautions

    assert caution.startswith("The artifacts of build expired at 2026-11-22T13:")
    assert "Retry it in GitLab first: http" in caution
    assert gate(rehearsal)["expired_artifacts"] == ["build"]
    build = _job(rehearsal, "build")
    jobs.retry(rehearsal.sandbox.world, build, build.user)
    rehearsal.clock.sleep(30)
    rehearsal.person.press = Yes("typed")
    rehearsal.apply()
    assert rehearsal.person.pressed[-1].cautions == ()
    assert rehearsal.lock.state == "complete"


def test_whoever_goes_past_it_learns_what_became_of_it(
    rehearsal: Rehearsal, ci: Callable[[Callable[[str], str]], None]
) -> None:
    ci(lambda text: text.replace("    - make build\n", f"    - make build\n{KEPT}"))
    rehearsal.apply(until="staging")
    rehearsal.clock.sleep(timedelta(hours=2).total_seconds())

    with pytest.raises(FailedError) as caught:
        rehearsal.apply()

    assert caught.value.code == "production-failed"
    assert "missing_dependency_failure" in caught.value.message


# the staging gate
def test_a_manual_job_before_production_is_named_with_who_may_press_it(
    rehearsal: Rehearsal, ci: Callable[[Callable[[str], str]], None]
) -> None:
    stage = "deploy-staging:\n  stage: staging\n"
    ci(lambda text: text.replace(stage, f"{stage}  when: manual\n  allow_failure: false\n"))
    rehearsal.sandbox.world.tier = "premium"
    rehearsal.sandbox.world.project(CORE).protected_environments.append(
        ProtectedEnvironment("staging", deploy_level=DEVELOPER)
    )

    with pytest.raises(WaitingError) as caught:
        rehearsal.apply(longest=30.0)

    assert caught.value.code == "wait-expired"
    assert "somebody has to press deploy-staging in GitLab, http" in caught.value.message
    told = [each.message for each in rehearsal.screen.events if each.phase == "note"]
    assert any(each.startswith("staging is protected; may press: Developers +") for each in told)
    (entry,) = [each for each in rehearsal.lock.entries if "waits_for" in each.facts]
    assert entry.facts["gate"]["environment"] == "staging"  # type: ignore[index,call-overload]
    jobs.play(
        rehearsal.sandbox.world, _job(rehearsal, "deploy-staging"), _user(rehearsal, "operator")
    )
    rehearsal.apply()
    assert rehearsal.lock.state == "complete"
    assert rehearsal.effects() == ONCE


# how long
@pytest.mark.parametrize("step", ["staging", "verify-production"])
def test_a_step_has_a_timeout_of_its_own_and_running_out_repeats_nothing(
    rehearsal: Rehearsal, step: str
) -> None:
    job = {"staging": "deploy-staging", "verify-production": "deploy-production"}[step]
    rehearsal.sandbox.world.script(CORE, job, seconds=120.0)
    begun = rehearsal.clock.monotonic()

    with pytest.raises(WaitingError, match="after 20 s") as caught:
        rehearsal.apply(longest=None, longest_of={step: 20.0})

    assert caught.value.code == "wait-expired"
    assert caught.value.hint == "Nothing is lost. Go on with: hotfix apply hotfix.yaml"
    assert rehearsal.lock.state == "waiting"
    assert rehearsal.clock.monotonic() - begun < 110
    rehearsal.apply()
    assert rehearsal.effects() == ONCE


def test_what_takes_long_is_looked_at_less_often(rehearsal: Rehearsal) -> None:
    rehearsal.sandbox.world.script(CORE, "deploy-staging", seconds=3600.0)

    rehearsal.apply(until="staging", longest=None)

    looks = rehearsal.sandbox.requests.matching("GET", r"/pipelines/\d+$")
    assert 600 < len(looks) < 1400, "an hour by the second would be 3600"


def _approve(rehearsal: Rehearsal, who: str, status: str = "approved") -> None:
    world = rehearsal.sandbox.world
    deployment = _job(rehearsal, "deploy-production").deployment
    assert deployment
    deployment.approvals.append(Approval(world.user(who), status, world.clock.now(), ""))


def _deploy_again(rehearsal: Rehearsal) -> None:
    """Let what production runs be deployed once more, after our pipeline was made."""
    project = rehearsal.sandbox.world.project(CORE)
    runs = rehearsal.sandbox.world.production_sha(CORE)
    last = [each for each in project.deployments if (each.sha, each.status) == (runs, "success")]
    number = rehearsal.sandbox.world.next_id("deployment")
    project.deployments.append(
        replace(
            last[-1], id=number, iid=len(project.deployments) + 1, finished_at=rehearsal.clock.now()
        )
    )


def _freeze(rehearsal: Rehearsal, start: str, end: str) -> None:
    project = rehearsal.sandbox.world.project(CORE)
    project.freeze_periods.append(FreezePeriod(1, start, end, "UTC", rehearsal.clock.now()))


def _user(rehearsal: Rehearsal, name: str) -> Any:  # noqa: ANN401  (the sandbox's)
    return rehearsal.sandbox.world.user(name)


def _pipeline(rehearsal: Rehearsal) -> Pipeline:
    after = rehearsal.lock.plan.targets[0].after
    return next(
        each for each in rehearsal.sandbox.world.project(CORE).pipelines if each.sha == after
    )


def _job(rehearsal: Rehearsal, name: str) -> Job:
    return next(each for each in _pipeline(rehearsal).latest_jobs() if each.name == name)
