from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, cast

import pytest

from hotfix.errors import BlockedError, InputError, StaleError
from hotfix.evidence.rehearsal import digest_of, parse, serialize
from hotfix.forge.gitlab import GitLabForge
from hotfix.identifiers import ZERO, Sha
from hotfix.rehearsal.actors import VersionStandIn
from hotfix.rehearsal.recording import Recorder
from hotfix.sandbox import seed
from hotfix.sandbox.repositories import RefMove
from tests.apply.conftest import CORE

from .conftest import LEDGER

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.evidence.model import Lock
    from hotfix.evidence.rehearsal import Rehearsal, Transcript
    from hotfix.sandbox.merge_requests import MergeRequest
    from hotfix.sandbox.pipelines import Pipeline
    from hotfix.sandbox.world import World
    from hotfix.smoke.version import Reported

    from .conftest import Real

    AtTheEnd = Callable[[Callable[[World, Lock], None]], None]


def failed(rehearsal: Rehearsal) -> list[str]:
    return [proof.what for proof in rehearsal.proofs if proof.outcome == "failed"]


def assert_converged(transcript: Transcript) -> None:
    for each in transcript.rehearsals:
        runs = [(run.code, run.message) for run in each.runs]
        assert each.verdict == "converged", (each.name, runs, failed(each))
    assert transcript.verdict == "converged"


# what goes out
def test_the_real_gitlab_is_read_and_nothing_else_and_its_token_goes_nowhere_else(
    real: Real, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, str]] = []
    begin = GitLabForge.__init__

    def noted(forge: GitLabForge, url: str, token: str, **more: Any) -> None:  # noqa: ANN401
        opened.append((url, token))
        begin(forge, url, token, **more)

    monkeypatch.setattr(GitLabForge, "__init__", noted)
    before = real.world.release_sha(CORE)

    transcript = real.rehearse("push-reset-after", "press-502-after")

    assert_converged(transcript)
    requests = list(real.sandbox.requests)
    assert requests
    assert real.sandbox.requests.writes() == []
    assert {request.method for request in requests if "/api/" in request.path} == {"GET"}
    assert real.world.release_sha(CORE) == before
    by_token = {token: {url for url, its in opened if its == token} for _, token in opened}
    assert by_token.pop(real.desk.token) == {real.sandbox.url}
    assert by_token
    assert real.sandbox.url not in set().union(*by_token.values())
    assert real.desk.token not in serialize(transcript).decode()


def test_no_smoke_check_is_sent_and_the_record_says_so(real: Real, at_the_end: AtTheEnd) -> None:
    said: list[str] = []
    at_the_end(
        lambda _, lock: said.extend(
            str(entry.facts["detail"]) for entry in lock.entries if "attempts" in entry.facts
        )
    )

    assert_converged(real.rehearse("none"))

    assert real.sandbox.requests.matching("GET", "/-/services/") == []
    assert said == ["not sent: answered by the embedded GitLab, its services are well"]


def test_what_is_no_read_cannot_even_be_named(real: Real) -> None:
    recorder = Recorder(real.desk.forge())
    forge = recorder.as_forge()
    for name in ("create_pipeline", "play", "create_incident", "add_note", "lock_state"):
        with pytest.raises(AttributeError, match=f"only reads the real GitLab; `{name}`"):
            getattr(forge, name)

    repository = forge.repository(forge.project(CORE))

    with pytest.raises(AssertionError, match="pushes nothing"):
        repository.push("refs/heads/release", old=ZERO, new=Sha("1" * 40), objects=())


# what is rehearsed
def test_the_planned_commits_are_pushed_and_each_effect_is_counted_once(
    real: Real, at_the_end: AtTheEnd
) -> None:
    heads: list[str | None] = []
    at_the_end(lambda world, _: heads.append(world.release_sha(CORE)))
    plan = real.plan()

    transcript = real.rehearse("none", plan=plan)

    assert heads == [plan.targets[0].after]
    assert transcript.plan_digest == plan.digest
    (only,) = transcript.rehearsals
    assert (only.name, only.faults, len(only.runs)) == ("no faults", (), 1)
    assert {proof.what: proof.outcome for proof in only.proofs} == dict.fromkeys(
        (
            "release-head",
            "pushes-once",
            "pipeline-once",
            "downstream-once",
            "press-once",
            "production-once",
            "lock-released",
            "nine-checks",
            "incident-once",
            "timeline-once",
            "record-intact",
            "again-nothing",
        ),
        "passed",
    )
    assert parse(serialize(transcript), "x") == transcript


@pytest.mark.parametrize(
    ("fault", "runs"),
    [
        ("POST /projects/:id/pipeline before reset", 2),
        ("POST /projects/:id/pipeline after reset", 1),
        ("POST /projects/:id/jobs/:job_id/play after 502", 1),
        ("git push refs/heads/* #2 after reset", 1),
        ("git push refs/hotfix/* after reset", 1),
        ("graphql timelineEventCreate #3 after truncated", 1),
        ("POST /projects/:id/issues after token-expired", 2),
        ("GET /projects/:id/pipelines/:pipeline_id vanished", 2),
    ],
)
def test_a_fault_is_survived_by_the_same_command(real: Real, fault: str, runs: int) -> None:
    transcript = real.rehearse(fault)

    assert_converged(transcript)
    tried = transcript.rehearsals[1]
    assert sum(len(run.struck) for run in tried.runs) == 1
    assert len(tried.runs) == runs
    assert tried.runs[-1].code == "complete"


def test_a_timeline_that_gitlab_refuses_is_no_effect_lost(real: Real) -> None:
    transcript = real.rehearse("timeline-403")

    assert_converged(transcript)
    told = {proof.what: proof.detail for proof in transcript.rehearsals[1].proofs}
    assert told["timeline-once"].endswith("the record says that GitLab refused it")


def test_several_targets_a_state_lock_and_approvals_of_the_plan_are_rehearsed_too(
    real: Real,
) -> None:
    real.desk.spec.with_name("defaults.yaml").write_text(
        "version: 1\npolicy: {plan_approvals: {minimum: 2, groups: [evenergi/security]}}\n"
    )
    real.write(
        real.target(CORE, 812, 815, lock="terraform-state"),
        real.target(LEDGER, 54, after=[CORE]),
    )
    faults = (
        "POST /projects/:id/pipeline #2 after reset",
        "POST /projects/:id/terraform/state/:name/lock after reset",
        "DELETE /projects/:id/terraform/state/:name/lock before reset",
        "git push refs/hotfix/* before reset",
    )

    transcript = real.rehearse(*faults)

    assert_converged(transcript)
    assert len(transcript.rehearsals) == 5
    for each in transcript.rehearsals[1:]:
        assert sum(len(run.struck) for run in each.runs) == 1, each.name


def test_the_embedded_pipeline_has_the_jobs_that_were_seen(
    real: Real, at_the_end: AtTheEnd
) -> None:
    found: list[tuple[str, str]] = []

    def look(world: World, _: Lock) -> None:
        found.extend((job.name, job.definition.stage) for job in last(world, CORE).jobs)

    at_the_end(look)

    assert_converged(real.rehearse("none"))

    deployment = real.world.project(CORE).deployments[-1]
    assert deployment.job
    seen = [(job.name, job.definition.stage) for job in deployment.job.pipeline.jobs]
    assert found == seen
    assert len(seen) > 2


def test_jobs_that_the_token_may_not_see_have_one_stand_in(
    real: Real, at_the_end: AtTheEnd
) -> None:
    names: list[str] = []
    at_the_end(lambda world, _: names.extend(job.name for job in last(world, CORE).jobs))
    real.sandbox.faults.add("GET", r"/pipelines/\d+/jobs", status=403, times=9)

    assert_converged(real.rehearse("none"))

    assert names == ["rehearsed-staging", "deploy-production"]


def test_all_that_tell_what_production_runs_tell_the_embedded_hotfix_in_the_end(
    real: Real, at_the_end: AtTheEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    core, live = real.world.project(CORE), real.world.production_sha(CORE)
    core.repository.update_ref("refs/tags/v41", ZERO, live)
    core.releases["v41"] = core.created_at
    url = f"{real.sandbox.url}/-/services/{CORE}/health"
    version = {"url": url, "json": "version"}
    real.write(real.target(CORE, 812, 815, production_version=version))
    plan = real.plan()
    told: list[tuple[str, str | None]] = []
    tags: list[str] = []
    asked = VersionStandIn.__call__

    def noted(stand_in: VersionStandIn, *given: Any) -> Reported:  # noqa: ANN401
        said = asked(stand_in, *given)
        told.append((said.url, said.commit))
        return said

    monkeypatch.setattr(VersionStandIn, "__call__", noted)
    at_the_end(lambda world, _: tags.extend(world.project(CORE).releases))
    before = len(real.sandbox.requests.matching("GET", "/-/services/"))

    assert_converged(real.rehearse("POST /projects/:id/issues after token-expired", plan=plan))

    assert len(real.sandbox.requests.matching("GET", "/-/services/")) == before + 1
    assert [said for _, said in told] == [live] * 3 + [plan.targets[0].after]
    assert tags == ["v41"] * 2


def test_a_job_that_the_last_pipeline_lacks_is_found_before_the_day(real: Real) -> None:
    real.write(real.target(CORE, 812, 815, deploy={"job": "deploy-prod"}))

    transcript = real.rehearse("lost")

    (only,) = transcript.rehearsals
    assert transcript.verdict == "failed"
    assert "deploy-prod" in only.runs[-1].message
    assert only.runs[-1].code == "deploy-job-missing"


def test_a_seed_gives_the_same_transcript_again(real: Real) -> None:
    real.write(real.target(CORE, 812, 815), real.target(LEDGER, 54))
    plan = real.plan()

    first, second = (real.rehearse("lock-reset-before", plan=plan, seeds=range(3, 6)) for _ in "12")

    assert_converged(first)
    assert second == first
    assert digest_of(second) == digest_of(first)


# what is found
def last(world: World, path: str) -> Pipeline:
    return world.project(path).pipelines[-1]


def orchestrate_again(world: World, _: Lock) -> None:
    world.project(seed.ORCHESTRATOR).pipelines.append(copy(last(world, seed.ORCHESTRATOR)))


def run_on_release_again(world: World, _: Lock) -> None:
    again = copy(last(world, CORE))
    again.jobs = []
    world.project(CORE).pipelines.append(again)


def press_again(world: World, _: Lock) -> None:
    jobs = last(world, CORE).jobs
    jobs.append(copy(next(job for job in jobs if job.name == "deploy-production")))


def deploy_something_else(world: World, _: Lock) -> None:
    world.project(CORE).deployments[-1].sha = Sha("1" * 40)


def push_once_more(world: World, lock: Lock) -> None:
    after = Sha(str(lock.plan.targets[0].after))
    world.project(CORE).repository.moves.append(RefMove("refs/heads/release", after, after))


def move_the_branch(world: World, lock: Lock) -> None:
    refs = world.project(CORE).repository.refs
    refs["refs/heads/release"] = Sha(lock.plan.targets[0].production.sha)


def leave_the_lock(world: World, lock: Lock) -> None:
    after = Sha(str(lock.plan.targets[0].after))
    world.project(CORE).repository.refs["refs/hotfix/lock/release"] = after


def leave_the_state_locked(world: World, _: Lock) -> None:
    project = world.project(CORE)
    project.terraform_states["hotfix-release"] = cast("Any", "held")


def open_another_incident(world: World, _: Lock) -> None:
    issues = world.project(seed.ORCHESTRATOR).issues
    issues[99] = copy(next(iter(issues.values())))


def say_it_twice(world: World, _: Lock) -> None:
    (issue,) = world.project(seed.ORCHESTRATOR).issues.values()
    issue.timeline.append(copy(issue.timeline[0]))


def lose_an_event(world: World, _: Lock) -> None:
    (issue,) = world.project(seed.ORCHESTRATOR).issues.values()
    del issue.timeline[0]


@pytest.mark.parametrize(
    ("what", "act"),
    [
        ("pipeline-once", orchestrate_again),
        ("downstream-once", run_on_release_again),
        ("press-once", press_again),
        ("production-once", deploy_something_else),
        ("pushes-once", push_once_more),
        ("release-head", move_the_branch),
        ("lock-released", leave_the_lock),
        ("lock-released", leave_the_state_locked),
        ("incident-once", open_another_incident),
        ("timeline-once", say_it_twice),
        ("timeline-once", lose_an_event),
    ],
)
def test_what_is_not_as_planned_in_the_end_fails_and_no_fault_is_tried(
    real: Real, at_the_end: AtTheEnd, what: str, act: Callable[[World, Lock], None]
) -> None:
    at_the_end(act)

    transcript = real.rehearse("lost")

    (only,) = transcript.rehearsals
    assert (transcript.verdict, only.verdict) == ("failed", "failed")
    assert only.runs[-1].ended == "complete"
    assert what in failed(only)


def test_a_crash_is_told_as_a_defect(real: Real, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise KeyError("stage")

    monkeypatch.setattr("hotfix.apply.steps.incident._create", crash)

    (only,) = real.rehearse("none").rehearsals

    assert (only.verdict, only.runs[-1].ended) == ("failed", "defect")
    assert only.runs[-1].message == "KeyError: 'stage'"


# what is not rehearsed
def test_a_plan_that_could_not_be_begun_now_is_refused_as_apply_does(real: Real) -> None:
    plan = real.plan()
    repository = real.world.project(CORE).repository
    repository.refs["refs/heads/release"] = Sha(plan.targets[0].production.sha)

    with pytest.raises(StaleError) as caught:
        real.rehearse("none", plan=plan)

    assert caught.value.code == "branch-moved"


def test_a_hotfix_that_has_begun_is_not_rehearsed(real: Real) -> None:
    plan = real.plan()
    real.desk.token = seed.TOKENS["operator"]
    real.desk.apply(until="restore")

    with pytest.raises(StaleError, match="has begun") as caught:
        real.rehearse("none", plan=plan)

    assert caught.value.hint.endswith("hotfix status SPEC")


def test_a_blocked_plan_and_one_of_a_rollback_are_refused(real: Real) -> None:
    plan = real.plan()
    with pytest.raises(InputError, match="Only the plan of a hotfix"):
        real.rehearse("none", plan=plan.model_copy(update={"kind": "rollback"}))

    real.world.project(CORE).merge_requests[815].state = "opened"
    with pytest.raises(BlockedError):
        real.rehearse("none", plan=real.plan())


def test_an_embedded_merge_request_counts_only_what_was_seen(
    real: Real, at_the_end: AtTheEnd
) -> None:
    found: dict[int, MergeRequest] = {}
    at_the_end(lambda world, _: found.update(world.project(CORE).merge_requests))

    assert_converged(real.rehearse("none"))

    approved = {iid: [who.username for who, _ in each.approvals] for iid, each in found.items()}
    assert approved[812] == approved[815] == ["reviewer"]
    titles = real.world.project(CORE).merge_requests
    assert all(each.title == titles[iid].title for iid, each in found.items())
