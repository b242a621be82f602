from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hotfix.evidence.checks import complete, nine_checks
from hotfix.evidence.model import CHECKS
from hotfix.plan.document import to_json

if TYPE_CHECKING:
    from conftest import Story

CORE, WEB = "evenergi/bf-manage-core", "evenergi/bf-manage-web"
OTHER = "0123456789abcdef0123456789abcdef01234567"


def outcome(story: Story, check: str) -> str:
    """Tell a check's outcome, having made sure that its sentence is one."""
    judged = story.check(check)
    assert judged.detail.endswith(".")
    assert "\n" not in judged.detail
    return judged.outcome


def target_of(story: Story) -> Any:  # noqa: ANN401  (a TargetPlan, not importable from a test)
    """Find the first repository in the plan."""
    return next(each for each in story.plan.targets if each.project == CORE)


# ---- all of them ----


def test_a_whole_hotfix_passes_all_nine_for_each_target(hotfix: Story) -> None:
    checks = nine_checks(hotfix.plan, hotfix.entries())

    assert [(check.target, check.id) for check in checks] == [
        (target, check) for target in (CORE, WEB) for check in CHECKS
    ]
    assert {check.outcome for check in checks} == {"passed"}
    assert all(check.evidence for check in checks)
    assert complete(checks)


def test_a_whole_rollback_passes_all_nine_in_its_own_order(rollback: Story) -> None:
    checks = nine_checks(rollback.plan, rollback.entries())

    assert list(dict.fromkeys(check.target for check in checks)) == [WEB, CORE]
    assert {check.outcome for check in checks} == {"passed"}


def test_before_the_first_entry_everything_is_missing(hotfix: Story) -> None:
    hotfix.told = []
    checks = nine_checks(hotfix.plan, hotfix.entries())

    assert len(checks) == 18
    assert {(check.outcome, check.evidence) for check in checks} == {("missing", ())}
    assert not complete(checks)


def test_a_plan_that_names_no_head_proves_nothing_by_entries_that_name_none(hotfix: Story) -> None:
    document = to_json(hotfix.plan)
    document["targets"][0]["after"] = None
    hotfix.planned(targets=document["targets"])
    hotfix.change("verify-production", CORE, "observed", environment_sha=None, deployment_sha=None)

    assert outcome(hotfix, "production-reflects-hotfix") == "missing"
    assert outcome(hotfix, "production-deployed") == "failed"
    assert outcome(hotfix, "branch-only-hotfix") == "failed"


def test_eight_of_nine_are_not_complete(hotfix: Story) -> None:
    checks = nine_checks(hotfix.plan, hotfix.entries())

    assert not complete(checks[1:])
    assert not complete(())


def test_a_resumed_run_that_sees_everything_again_is_still_complete(hotfix: Story) -> None:
    after = target_of(hotfix).after
    hotfix.repeat("preflight", production_sha=after, sources=[], release_head=after)
    hotfix.repeat("restore", how="already-there", head=after)
    hotfix.repeat("pick", how="already-there")
    hotfix.repeat("verify-branch")
    hotfix.repeat("orchestrate", how="observed", inputs=None)
    hotfix.repeat("staging")
    hotfix.repeat("promote", how="observed")
    hotfix.repeat("verify-production")
    hotfix.repeat("incident", None)

    assert complete(nine_checks(hotfix.plan, hotfix.entries()))


Change = tuple[str, str | None, str, dict[str, object]]
FAILING: dict[str, list[Change]] = {
    "production-sha-recorded": [
        ("preflight", CORE, "observed", {"production_sha": OTHER}),
        ("preflight", CORE, "observed", {"sources": [{"source": "deployments", "sha": OTHER}]}),
    ],
    "restore-diff-empty": [
        ("verify-restore", CORE, "observed", {"production_tree": OTHER}),
        ("verify-restore", CORE, "observed", {"tree": OTHER}),
        ("verify-restore", CORE, "observed", {"tree": OTHER, "production_tree": OTHER}),
        ("verify-restore", CORE, "observed", {"commit": OTHER}),
        ("verify-restore", CORE, "observed", {"equal": False}),
    ],
    "branch-only-hotfix": [
        ("verify-branch", CORE, "observed", {"commits": [OTHER]}),
        ("verify-branch", CORE, "observed", {"commits": []}),
        ("verify-branch", CORE, "observed", {"expected": [OTHER]}),
        ("verify-branch", CORE, "observed", {"head": OTHER}),
        ("verify-branch", CORE, "observed", {"base": OTHER}),
    ],
    "orchestration-inputs": [
        ("orchestrate", CORE, "done", {"inputs": {"action": "other"}}),
        ("orchestrate", CORE, "intent", {"inputs": {"action": "other"}}),
        ("orchestrate", CORE, "done", {"inputs": "text"}),
        ("orchestrate", CORE, "done", {"project": "evenergi/other"}),
        ("orchestrate", CORE, "done", {"ref": "other"}),
        ("staging", CORE, "done", {"sha": OTHER}),
        ("staging", CORE, "done", {"project": WEB}),
        ("staging", CORE, "done", {"ref": "main"}),
    ],
    "cut-off-not-selected": [
        ("verify-production", CORE, "observed", {"release_head": OTHER}),
    ],
    "production-deployed": [
        ("verify-production", CORE, "observed", {"deployment_status": "failed"}),
        ("verify-production", CORE, "observed", {"deployment_status": None}),
        ("verify-production", CORE, "observed", {"deployment_sha": OTHER}),
        ("verify-production", CORE, "observed", {"job": 5}),
    ],
    "production-reflects-hotfix": [
        ("verify-production", CORE, "observed", {"environment_sha": OTHER}),
    ],
    "incident-recorded": [
        ("incident", None, "done", {"project": "evenergi/other"}),
        ("incident", None, "done", {"has": {"timeline": True}}),
        ("incident", None, "done", {"has": []}),
        (
            "incident",
            None,
            "done",
            {"has": {"timeline": True, "fix": 1, "validation": True, "follow_ups": True}},
        ),
    ],
}
MISSING: dict[str, list[Change]] = {
    "production-sha-recorded": [
        ("preflight", CORE, "observed", {"production_sha": None}),
        ("preflight", CORE, "observed", {"sources": []}),
        ("preflight", CORE, "observed", {"sources": [{"source": "environment", "sha": None}]}),
    ],
    "restore-diff-empty": [
        ("verify-restore", CORE, "observed", {"production_tree": None}),
    ],
    "branch-only-hotfix": [("verify-branch", CORE, "observed", {"commits": None})],
    "cut-off-not-selected": [("verify-production", CORE, "observed", {"release_head": None})],
    "production-deployed": [
        ("promote", CORE, "done", {"job": None}),
        ("verify-production", CORE, "observed", {"job_status": None}),
    ],
    "production-reflects-hotfix": [
        ("verify-production", CORE, "observed", {"environment_sha": None})
    ],
    "incident-recorded": [("incident", None, "done", {"has": None})],
}
STEPS: dict[str, tuple[str, str | None]] = {
    "production-sha-recorded": ("preflight", CORE),
    "restore-diff-empty": ("verify-restore", CORE),
    "branch-only-hotfix": ("verify-branch", CORE),
    "orchestration-inputs": ("staging", CORE),
    "cut-off-not-selected": ("verify-production", CORE),
    "production-deployed": ("promote", CORE),
    "production-reflects-hotfix": ("verify-production", CORE),
    "smoke-checks-passed": ("smoke", CORE),
    "incident-recorded": ("incident", None),
}


def table(changes: dict[str, list[Change]]) -> list[tuple[str, Change]]:
    """List check and change in pairs."""
    return [(check, change) for check, listed in changes.items() for change in listed]


@pytest.mark.parametrize("kind", ["hotfix", "rollback"])
@pytest.mark.parametrize(("check", "change"), table(FAILING))
def test_evidence_against_a_check_fails_it(
    request: pytest.FixtureRequest, kind: str, check: str, change: Change
) -> None:
    story: Story = request.getfixturevalue(kind)
    step, target, phase, facts = change
    story.change(step, target, phase, **facts)
    sources_may_disagree = kind == "rollback" and "sources" in facts

    assert outcome(story, check) == ("missing" if sources_may_disagree else "failed")
    assert story.check(check).evidence


@pytest.mark.parametrize("kind", ["hotfix", "rollback"])
@pytest.mark.parametrize(("check", "change"), table(MISSING))
def test_a_check_without_its_fact_is_missing_and_no_failure(
    request: pytest.FixtureRequest, kind: str, check: str, change: Change
) -> None:
    story: Story = request.getfixturevalue(kind)
    step, target, phase, facts = change
    story.change(step, target, phase, **facts)

    assert outcome(story, check) == "missing"


@pytest.mark.parametrize("kind", ["hotfix", "rollback"])
@pytest.mark.parametrize("check", CHECKS)
def test_a_check_without_its_step_is_missing(
    request: pytest.FixtureRequest, kind: str, check: str
) -> None:
    story: Story = request.getfixturevalue(kind)
    story.drop(*STEPS[check])

    assert outcome(story, check) == "missing"


@pytest.mark.parametrize(("check", "change"), table(FAILING))
def test_one_target_says_nothing_about_the_other(hotfix: Story, check: str, change: Change) -> None:
    step, target, phase, facts = change
    hotfix.change(step, target, phase, **facts)
    expected = "failed" if target is None else "passed"

    assert hotfix.check(check, WEB).outcome == expected


def test_an_entry_of_no_target_proves_nothing_but_the_incident(hotfix: Story) -> None:
    for told in hotfix.told:
        if told.target == CORE:
            told.target = None
    outcomes = {
        check.id: check.outcome
        for check in nine_checks(hotfix.plan, hotfix.entries())
        if check.target == CORE
    }

    assert {check for check, said in outcomes.items() if said == "passed"} == {"incident-recorded"}


WEIRD: list[object] = [None, 7, "x", {"sha": []}, [{"iid": [1], "sha": {}}]]


@pytest.mark.parametrize("value", WEIRD, ids=repr)
def test_no_fact_of_whatever_shape_makes_a_check_stumble(hotfix: Story, value: object) -> None:
    entries = list(hotfix.entries())
    for index, entry in enumerate(entries):
        for key in entry.facts if entry.target != WEB else ():
            changed = entry.model_copy(update={"facts": {**entry.facts, key: value}})

            told = [*entries[:index], changed, *entries[index + 1 :]]
            assert len(nine_checks(hotfix.plan, told)) == 18


# ---- 1 ----


def test_a_production_sha_recorded_only_after_the_restore_is_missing(hotfix: Story) -> None:
    hotfix.move("preflight", CORE, "observed", to=8)

    judged = hotfix.check("production-sha-recorded")
    assert judged.outcome == "missing"
    assert "only after the restore" in judged.detail


def test_what_a_resumed_run_sees_in_production_is_not_the_last_known_good(hotfix: Story) -> None:
    hotfix.repeat("preflight", production_sha=target_of(hotfix).after)

    assert outcome(hotfix, "production-sha-recorded") == "passed"
    assert hotfix.check("production-sha-recorded").evidence == (1,)


def test_of_several_records_before_the_restore_the_last_counts(hotfix: Story) -> None:
    first = hotfix.find("preflight", CORE, "observed")
    hotfix.repeat("preflight", production_sha=OTHER)
    hotfix.told.insert(1, hotfix.told.pop())

    assert first.facts["production_sha"] != OTHER
    assert outcome(hotfix, "production-sha-recorded") == "failed"


def test_one_source_that_disagrees_fails_the_record(hotfix: Story) -> None:
    sources = hotfix.find("preflight", CORE, "observed").facts["sources"]
    sources.append({"source": "jobs", "sha": OTHER})

    judged = hotfix.check("production-sha-recorded")
    assert judged.outcome == "failed"
    assert judged.detail.startswith("jobs says that production ran commit 01234567, not")


def test_on_the_way_back_production_may_run_what_is_taken_back(rollback: Story) -> None:
    sources = rollback.find("preflight", CORE, "observed").facts["sources"]
    sources.append({"source": "environment", "sha": OTHER})

    assert outcome(rollback, "production-sha-recorded") == "passed"


# ---- 2 ----


def without_restore(story: Story) -> str:
    """Plan and tell a hotfix of a release branch that equals production already."""
    document = to_json(story.plan)
    target = document["targets"][0]
    base = target["before"]
    target["commits"] = target["commits"][1:]
    target["commits"][0]["parent"] = base
    story.planned(targets=document["targets"])
    story.told = [
        each
        for each in story.told
        if (each.step, each.target, each.phase) != ("restore", CORE, "intent")
    ]
    story.change("restore", CORE, "done", new=base, head=base, how="not-needed")
    ids = [commit["sha"] for commit in target["commits"]]
    story.change("verify-restore", CORE, "observed", commit=base)
    story.change("verify-branch", CORE, "observed", commits=ids, expected=ids)
    return str(base)


def test_where_no_restore_was_needed_the_branch_itself_is_compared(hotfix: Story) -> None:
    base = without_restore(hotfix)

    judged = hotfix.check("restore-diff-empty")
    assert judged.outcome == "passed"
    assert judged.detail.startswith(f"Release head {base[:8]} has tree")
    assert outcome(hotfix, "branch-only-hotfix") == "passed"


def test_where_no_restore_was_needed_another_head_fails(hotfix: Story) -> None:
    without_restore(hotfix)
    hotfix.change("verify-restore", CORE, "observed", commit=OTHER)

    assert outcome(hotfix, "restore-diff-empty") == "failed"


def keep_restore(story: Story) -> None:
    """Plan a restore that somebody pushed by hand before."""
    document = to_json(story.plan)
    target = document["targets"][0]
    target["commits"][0] |= {"action": "keep", "outcome": "already-there"}
    target["before"] = target["commits"][0]["sha"]
    story.planned(targets=document["targets"])
    story.change("restore", CORE, "done", how="adopted")


def test_a_restore_pushed_by_hand_is_compared_as_one_of_ours(hotfix: Story) -> None:
    keep_restore(hotfix)

    assert outcome(hotfix, "restore-diff-empty") == "passed"
    assert outcome(hotfix, "branch-only-hotfix") == "passed"


def test_a_comparison_before_the_push_proves_nothing(hotfix: Story) -> None:
    hotfix.move("verify-restore", CORE, "observed", to=3)

    assert outcome(hotfix, "restore-diff-empty") == "missing"


@pytest.mark.parametrize("how", ["pushed", "found-after-lost-answer"])
def test_a_second_push_asks_for_a_second_comparison(hotfix: Story, how: str) -> None:
    hotfix.repeat("restore", how=how)
    assert outcome(hotfix, "restore-diff-empty") == "missing"

    hotfix.repeat("verify-restore")
    assert outcome(hotfix, "restore-diff-empty") == "passed"


def test_a_restore_that_was_only_intended_is_missing(hotfix: Story) -> None:
    hotfix.told.remove(hotfix.find("restore", CORE, "done"))

    assert outcome(hotfix, "restore-diff-empty") == "missing"


def test_the_last_comparison_counts(hotfix: Story) -> None:
    hotfix.repeat("verify-restore", tree=OTHER, equal=False)
    assert outcome(hotfix, "restore-diff-empty") == "failed"

    hotfix.repeat("verify-restore", tree=target_of(hotfix).commits[0].tree, equal=True)
    assert outcome(hotfix, "restore-diff-empty") == "passed"


def test_the_sentence_names_commit_and_tree(hotfix: Story) -> None:
    restore, production = target_of(hotfix).commits[0], target_of(hotfix).production.sha

    assert hotfix.check("restore-diff-empty").detail == (
        f"Restore commit {restore.sha[:8]} has tree {restore.tree[:8]}, "
        f"production's commit {production[:8]} has the same."
    )
    assert hotfix.evidence("restore-diff-empty") == [
        ("restore", "done"),
        ("verify-restore", "observed"),
    ]


# ---- 3 ----


def test_a_commit_that_nobody_planned_is_named(hotfix: Story) -> None:
    ids = [*hotfix.find("verify-branch", CORE, "observed").facts["commits"], OTHER]
    hotfix.change("verify-branch", CORE, "observed", commits=ids)

    assert hotfix.check("branch-only-hotfix").detail == (
        "Release holds commits that nobody planned: 01234567."
    )


def test_a_planned_commit_that_is_not_there_is_named(hotfix: Story) -> None:
    ids = hotfix.find("verify-branch", CORE, "observed").facts["commits"]
    hotfix.change("verify-branch", CORE, "observed", commits=ids[1:])

    assert hotfix.check("branch-only-hotfix").detail == (
        f"Release lacks planned commits: {ids[0][:8]}."
    )


def test_the_order_of_the_commits_counts(hotfix: Story) -> None:
    ids = hotfix.find("verify-branch", CORE, "observed").facts["commits"]
    hotfix.change("verify-branch", CORE, "observed", commits=ids[::-1])

    assert "another order" in hotfix.check("branch-only-hotfix").detail


def test_a_pick_that_was_there_already_is_not_asked_for(hotfix: Story) -> None:
    document = to_json(hotfix.plan)
    commits = document["targets"][0]["commits"]
    commits[1] |= {"sha": None, "outcome": "already-there"}
    commits[2]["parent"] = commits[0]["sha"]
    hotfix.planned(targets=document["targets"])
    ids = [commits[0]["sha"], commits[2]["sha"]]
    hotfix.change("verify-branch", CORE, "observed", commits=ids, expected=ids)

    assert outcome(hotfix, "branch-only-hotfix") == "passed"


def test_a_rollback_that_picks_something_fails(rollback: Story) -> None:
    document = to_json(rollback.plan)
    commits = document["targets"][1]["commits"]
    pick = {**commits[0], "action": "pick", "sha": OTHER, "picked_from": OTHER, "merge_request": 1}
    commits.append(pick)
    document["targets"][1]["after"] = OTHER
    rollback.planned(targets=document["targets"])
    ids = [commit["sha"] for commit in commits]
    rollback.change("verify-branch", CORE, "observed", commits=ids, expected=ids, head=OTHER)

    judged = rollback.check("branch-only-hotfix")
    assert judged.outcome == "failed"
    assert "more than the restore commit" in judged.detail


# ---- 4 and 5 ----


def sent(story: Story) -> dict[str, Any]:
    """Copy what the first repository's pipeline was sent."""
    return dict(story.find("orchestrate", CORE, "done").facts["inputs"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"confirm": "true"},
        {"confirm": 1},
        {"confirm": False},
        {"action": "deploy-release-branch-to-production"},
        {"project": WEB},
        {"extra": "x"},
        {"regions": ["eu"]},
        {"operation": ""},
        {"operation": 5},
    ],
    ids=repr,
)
def test_an_input_other_than_planned_fails_by_its_type_too(
    hotfix: Story, wrong: dict[str, object]
) -> None:
    hotfix.change("orchestrate", CORE, "done", inputs=sent(hotfix) | wrong)

    assert outcome(hotfix, "orchestration-inputs") == "failed"


@pytest.mark.parametrize("key", ["action", "project", "confirm", "operation"])
def test_an_input_that_was_not_sent_fails(hotfix: Story, key: str) -> None:
    inputs = sent(hotfix)
    del inputs[key]
    hotfix.change("orchestrate", CORE, "done", inputs=inputs)

    assert outcome(hotfix, "orchestration-inputs") == "failed"


def send_as_variables(story: Story) -> None:
    """Plan variables, and send the texts that they are."""
    document = to_json(story.plan)
    document["targets"][0]["pipeline"]["send_as"] = "variables"
    story.planned(targets=document["targets"])
    texts = sent(story) | {"confirm": "true", "regions": '["eu", "au"]'}
    story.change("orchestrate", CORE, "intent", inputs=texts, send_as="variables")
    story.change("orchestrate", CORE, "done", inputs=texts)


def test_variables_are_compared_as_the_texts_that_they_are(hotfix: Story) -> None:
    send_as_variables(hotfix)
    assert outcome(hotfix, "orchestration-inputs") == "passed"

    hotfix.change("orchestrate", CORE, "done", inputs=sent(hotfix) | {"confirm": "false"})
    assert outcome(hotfix, "orchestration-inputs") == "failed"


@pytest.mark.parametrize("check", ["orchestration-inputs", "cut-off-not-selected"])
def test_a_pipeline_that_was_only_found_proves_no_inputs(hotfix: Story, check: str) -> None:
    hotfix.told.remove(hotfix.find("orchestrate", CORE, "intent"))
    hotfix.change("orchestrate", CORE, "done", inputs=None, how="observed")

    judged = hotfix.check(check)
    assert judged.outcome == "missing"
    assert (
        judged.detail
        == "The pipeline was found, not started by this run: nothing proves its inputs."
    )


@pytest.mark.parametrize("check", ["orchestration-inputs", "cut-off-not-selected"])
def test_the_inputs_of_one_pipeline_prove_nothing_of_another(hotfix: Story, check: str) -> None:
    hotfix.repeat("orchestrate", inputs=None, how="observed", pipeline=555)

    assert outcome(hotfix, check) == "missing"


def test_a_pipeline_found_again_keeps_the_proof_of_its_request(hotfix: Story) -> None:
    hotfix.repeat("orchestrate", inputs=None, how="observed")

    assert outcome(hotfix, "orchestration-inputs") == "passed"
    assert hotfix.evidence("orchestration-inputs") == [
        ("orchestrate", "intent"),
        ("orchestrate", "done"),
        ("staging", "done"),
    ]


def test_a_downstream_pipeline_from_before_the_request_proves_nothing(hotfix: Story) -> None:
    hotfix.told.remove(hotfix.find("staging", CORE, "done"))
    hotfix.move("staging", CORE, "observed", to=10)

    assert outcome(hotfix, "orchestration-inputs") == "missing"


def test_a_request_that_was_never_answered_is_missing(hotfix: Story) -> None:
    hotfix.told.remove(hotfix.find("orchestrate", CORE, "done"))

    judged = hotfix.check("orchestration-inputs")
    assert judged.outcome == "missing"
    assert judged.detail == "No entry shows an orchestration pipeline."


@pytest.mark.parametrize("phase", ["intent", "done"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "bring-all-code-to-release-branch"},
        {"note": "Bring_All_Code to RELEASE branch"},
        {"nested": ["x", "bring-all-code-to-release-branch"]},
    ],
    ids=repr,
)
def test_the_cut_off_action_fails_wherever_it_was_sent(
    hotfix: Story, phase: str, wrong: dict[str, object]
) -> None:
    hotfix.change("orchestrate", CORE, phase, inputs=sent(hotfix) | wrong)

    assert outcome(hotfix, "cut-off-not-selected") == "failed"


def test_the_cut_off_action_fails_in_a_request_that_was_repeated_too(hotfix: Story) -> None:
    hotfix.add("orchestrate", CORE, "intent", inputs={"action": "bring-all-code-to-release-branch"})

    assert outcome(hotfix, "cut-off-not-selected") == "failed"


# ---- 6 and 7 ----


def test_a_production_job_that_failed_fails(hotfix: Story) -> None:
    hotfix.add("verify-production", CORE, "failed", job=103, job_status="failed", trace="boom")

    judged = hotfix.check("production-deployed")
    assert judged.outcome == "failed"
    assert judged.detail == "Job 103 ended as failed."


def test_a_job_that_was_pressed_again_and_succeeded_passes(hotfix: Story) -> None:
    good = hotfix.find("verify-production", CORE, "observed")
    place = hotfix.told.index(good)
    hotfix.add("verify-production", CORE, "failed", job=103, job_status="failed", trace="boom")
    hotfix.told.insert(place, hotfix.told.pop())

    assert outcome(hotfix, "production-deployed") == "passed"


def test_an_error_on_the_way_to_look_is_no_evidence_against(hotfix: Story) -> None:
    hotfix.add("verify-production", CORE, "failed", error="gitlab-refused", message="502")

    assert outcome(hotfix, "production-deployed") == "passed"


def test_a_deployment_seen_before_the_press_proves_nothing(hotfix: Story) -> None:
    hotfix.move("verify-production", CORE, "observed", to=3)

    assert outcome(hotfix, "production-deployed") == "missing"


def test_a_job_without_a_deployment_is_missing(hotfix: Story) -> None:
    hotfix.change("verify-production", CORE, "observed", deployment=None)

    assert outcome(hotfix, "production-deployed") == "missing"


def test_a_deployment_of_another_job_than_the_last_pressed_is_missing(hotfix: Story) -> None:
    hotfix.repeat("promote", job=999)

    assert outcome(hotfix, "production-deployed") == "missing"


def test_the_last_look_at_the_environment_counts(hotfix: Story) -> None:
    hotfix.repeat("verify-production", environment_sha=OTHER)

    assert outcome(hotfix, "production-reflects-hotfix") == "failed"


# ---- 8 ----


def smoke(story: Story, name: str, **facts: object) -> None:
    """Tell a smoke check of the first repository differently."""
    story.find("smoke", CORE, "observed", name=name).facts.update(facts)


@pytest.mark.parametrize(
    ("kind", "names"), [("hotfix", ("health", "ask")), ("rollback", ("health", "certificate"))]
)
def test_the_smoke_checks_of_this_way_are_asked_for(
    request: pytest.FixtureRequest, kind: str, names: tuple[str, str]
) -> None:
    story: Story = request.getfixturevalue(kind)
    for name in names:
        told = story.find("smoke", CORE, "observed", name=name)
        place = story.told.index(told)
        story.told.remove(told)
        judged = story.check("smoke-checks-passed")
        story.told.insert(place, told)

        assert (judged.outcome, judged.detail) == (
            "missing",
            f"No result after the deployment: {name}.",
        )


def test_a_smoke_check_that_failed_fails_and_is_named(hotfix: Story) -> None:
    smoke(hotfix, "ask", outcome="failed")

    judged = hotfix.check("smoke-checks-passed")
    assert (judged.outcome, judged.detail) == ("failed", "Not passed: ask.")


def test_a_failed_phase_is_never_a_passed_check(hotfix: Story) -> None:
    hotfix.find("smoke", CORE, "observed", name="ask").phase = "failed"

    assert outcome(hotfix, "smoke-checks-passed") == "failed"


def test_the_last_result_of_a_smoke_check_counts(hotfix: Story) -> None:
    again = hotfix.find("smoke", CORE, "observed", name="health").facts
    hotfix.add("smoke", CORE, "failed", **{**again, "outcome": "failed"})
    assert outcome(hotfix, "smoke-checks-passed") == "failed"

    hotfix.add("smoke", CORE, "observed", **again)
    assert outcome(hotfix, "smoke-checks-passed") == "passed"


def test_a_smoke_check_from_before_the_deployment_proves_nothing(hotfix: Story) -> None:
    told = hotfix.find("smoke", CORE, "observed", name="health")
    hotfix.told.remove(told)
    hotfix.told.insert(3, told)

    assert outcome(hotfix, "smoke-checks-passed") == "missing"


def test_another_deployment_asks_for_the_smoke_checks_again(hotfix: Story) -> None:
    hotfix.repeat("verify-production", deployment=4711)

    assert outcome(hotfix, "smoke-checks-passed") == "missing"


def test_looking_at_the_same_deployment_again_keeps_its_smoke_checks(hotfix: Story) -> None:
    hotfix.repeat("verify-production")

    assert outcome(hotfix, "smoke-checks-passed") == "passed"


def test_a_check_that_the_plan_does_not_know_proves_nothing(hotfix: Story) -> None:
    hotfix.find("smoke", CORE, "observed", name="health").facts["name"] = "healthy"

    assert outcome(hotfix, "smoke-checks-passed") == "missing"


def test_a_plan_without_smoke_checks_for_this_way_says_so(rollback: Story) -> None:
    document = to_json(rollback.plan)
    for target in document["targets"]:
        target["smoke_checks"] = [
            check for check in target["smoke_checks"] if check["only_for"] == "hotfix"
        ]
    rollback.planned(targets=document["targets"])

    judged = rollback.check("smoke-checks-passed")
    assert (judged.outcome, judged.detail) == (
        "passed",
        "The plan has no smoke check for a rollback.",
    )


# ---- 9 ----


@pytest.mark.parametrize(
    ("key", "word"),
    [
        ("timeline", "the timeline"),
        ("fix", "the fix"),
        ("validation", "the validation"),
        ("follow_ups", "the follow-ups"),
    ],
)
def test_an_incident_that_lacks_a_part_fails_and_names_it(
    hotfix: Story, key: str, word: str
) -> None:
    hotfix.find("incident", None, "done").facts["has"][key] = False

    judged = hotfix.check("incident-recorded")
    assert (judged.outcome, judged.detail) == (
        "failed",
        f"Incident evenergi/develop#77 lacks {word}.",
    )


def test_an_incident_other_than_the_planned_one_fails(hotfix: Story) -> None:
    hotfix.planned(incident={**to_json(hotfix.plan)["incident"], "iid": 76})

    judged = hotfix.check("incident-recorded")
    assert judged.outcome == "failed"
    assert judged.detail.endswith("is not the planned one, evenergi/develop#76.")


def test_an_incident_written_before_the_smoke_checks_cannot_tell_of_them(hotfix: Story) -> None:
    hotfix.repeat("smoke")
    assert outcome(hotfix, "incident-recorded") == "missing"

    hotfix.repeat("incident", None)
    assert outcome(hotfix, "incident-recorded") == "passed"


def test_an_intent_to_write_the_incident_proves_nothing(hotfix: Story) -> None:
    hotfix.told.remove(hotfix.find("incident", None, "done"))

    assert outcome(hotfix, "incident-recorded") == "missing"


def test_hostile_text_in_a_fact_stays_on_its_line(hotfix: Story) -> None:
    hotfix.change("verify-production", CORE, "observed", environment_sha="x\n\x1b[2Jy" * 90)

    detail = hotfix.check("production-reflects-hotfix").detail
    assert detail.isprintable()
    assert len(detail) < 200


@pytest.mark.parametrize(("manual", "expected"), [(True, "passed"), (False, "failed")])
def test_a_job_that_was_only_seen_to_run_is_proven_by_being_manual(
    hotfix: Story, *, manual: bool, expected: str
) -> None:
    _nobody_asked(hotfix)
    hotfix.change("promote", CORE, "done", how="observed", manual=manual)

    assert outcome(hotfix, "production-deployed") == expected


def test_a_job_of_which_nothing_tells_who_pressed_it_is_a_gap(hotfix: Story) -> None:
    _nobody_asked(hotfix)

    assert outcome(hotfix, "production-deployed") == "missing"


def _nobody_asked(story: Story) -> None:
    story.told.remove(story.find("promote", CORE, "intent"))
