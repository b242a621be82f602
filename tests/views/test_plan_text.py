from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from hotfix.plan.model import Finding, Plan, PlannedCommit, Summary
from hotfix.views.plan_text import plan_text

if TYPE_CHECKING:
    from collections.abc import Callable

COMMAND = "hotfix apply plans/inc-1042/hotfix.yaml"
NOTHING = Summary(
    commits=0,
    pushes=0,
    pipelines=0,
    manual_jobs=0,
    smoke_checks=0,
    incidents=0,
    leaving_release=0,
)


def _text(plan: Plan, *, width: int = 80, colour: bool = False) -> str:
    return plan_text(plan, width=width, colour=colour, next_command=COMMAND)


def _blocked(plan: Plan) -> Plan:
    reasons = (
        Finding(
            code="mr-not-approved",
            target="evenergi/bf-manage-core",
            message="!815 (Log why a heartbeat was dropped) is approved by nobody; the policy asks "
            "for 1 other than its author.",
            hint="Have it approved, then plan again.",
        ),
        Finding(code="production-unknown", target=None, message="Not clear.", hint=""),
    )
    return plan.model_copy(update={"blockers": reasons})


@pytest.mark.parametrize("width", [80, 120])
def test_a_plan_reads_as_in_the_golden_file(
    plan: Plan, width: int, golden: Callable[[str, str], None]
) -> None:
    golden(f"plan-{width}.txt", _text(plan, width=width))


def test_a_blocked_plan_begins_with_the_refusal(
    plan: Plan, golden: Callable[[str, str], None]
) -> None:
    golden("plan-blocked.txt", _text(_blocked(plan)))


def test_a_blocked_plan_offers_no_command(plan: Plan) -> None:
    assert COMMAND not in _text(_blocked(plan))


def test_the_counted_line_comes_first_and_the_command_last(plan: Plan) -> None:
    four = tuple(commit for commit in plan.targets[0].leaving if commit.merge_request is not None)
    target = plan.targets[0].model_copy(update={"leaving": four})
    lines = _text(plan.model_copy(update={"targets": (target,)})).splitlines()

    assert lines[0] == (
        "Plan: 1 restore, 2 picks, 1 branch, 1 pipeline, 1 manual job, 3 checks. "
        "4 unreleased merge requests will leave release."
    )
    assert lines[-1].strip() == COMMAND


def test_a_commit_that_no_merge_request_brought_is_counted_apart(plan: Plan) -> None:
    assert (
        _text(plan)
        .splitlines()[0]
        .endswith(
            "4 unreleased merge requests and 1 commit that no merge request brought "
            "will leave release."
        )
    )


def test_what_there_is_none_of_is_not_in_the_counted_line(plan: Plan) -> None:
    target = plan.targets[0].model_copy(
        update={"commits": plan.targets[0].commits[1:2], "leaving": ()}
    )
    summary = plan.summary.model_copy(update={"smoke_checks": 1, "manual_jobs": 0})
    few = plan.model_copy(update={"targets": (target,), "summary": summary})

    assert _text(few).splitlines()[0] == "Plan: 1 pick, 1 branch, 1 pipeline, 1 check."


def test_with_nothing_to_do_it_says_so_and_offers_no_command(plan: Plan) -> None:
    text = _text(plan.model_copy(update={"summary": NOTHING}))

    assert text.startswith("No changes. Production and release already match the request.\n")
    assert COMMAND not in text


def test_prose_keeps_to_the_width_and_no_id_is_cut(plan: Plan) -> None:
    lines = _text(plan).splitlines()[1:]

    assert max(map(len, lines)) <= 80 + len("sha256:")
    for commit in plan.targets[0].commits:
        assert sum(str(commit.sha) in line for line in lines) >= 1
    assert f"Digest {plan.digest}" in lines


def test_colour_adds_nothing_but_colour(plan: Plan) -> None:
    coloured = _text(_blocked(plan), colour=True)

    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == _text(_blocked(plan))


def test_only_so_many_files_are_listed(plan: Plan) -> None:
    target = plan.targets[0]
    restore = target.commits[0]
    many = restore.model_copy(update={"files": restore.files * 25})
    text = _text(
        plan.model_copy(update={"targets": (target.model_copy(update={"commits": (many,)}),)})
    )

    assert text.count("D core/tariffs.py") == 20
    assert "and 5 more files" in text


def test_a_pick_that_is_already_there_says_so(plan: Plan) -> None:
    target = plan.targets[0]
    there: PlannedCommit = target.commits[2].model_copy(
        update={"outcome": "already-there", "sha": None, "reason": "Nothing to do for !815: empty"}
    )
    text = _text(
        plan.model_copy(update={"targets": (target.model_copy(update={"commits": (there,)}),)})
    )

    assert "= pick !815, already there" in text


def test_several_targets_are_counted_together_and_shown_one_by_one(plan: Plan) -> None:
    first = plan.targets[0]
    second = first.model_copy(update={"project": "evenergi/bf-billing", "release_branch": "stable"})
    summary = plan.summary.model_copy(update={"pipelines": 2, "manual_jobs": 2, "smoke_checks": 6})
    text = _text(plan.model_copy(update={"targets": (first, second), "summary": summary}))

    assert text.splitlines()[0] == (
        "Plan: 2 restores, 4 picks, 2 branches, 2 pipelines, 2 manual jobs, 6 checks. "
        "8 unreleased merge requests and 2 commits that no merge request brought "
        "will leave release and stable."
    )
    assert text.index("\nevenergi/bf-manage-core\n") < text.index("\nevenergi/bf-billing\n")


def test_a_rollback_reads_as_in_the_golden_file(
    back: Plan, golden: Callable[[str, str], None]
) -> None:
    golden("rollback.txt", _text(back, width=100))


def test_a_rollback_says_what_it_is_and_whether_it_is_the_approved_one(back: Plan) -> None:
    text = _text(back)

    assert "Rollback of hotfix inc-1042-ocpp-timeout" in text
    assert "Way back" not in text
    assert f"that was approved with the hotfix, by its digest\n    {back.observed.approved}" in text
    other = back.model_copy(
        update={"observed": back.observed.model_copy(update={"approved": None})}
    )
    assert "approved with the hotfix" not in _text(other)


def test_a_rollback_with_nothing_to_do_says_so(back: Plan) -> None:
    text = _text(back.model_copy(update={"summary": NOTHING}))

    assert text.startswith("Nothing to go back from.")
    assert COMMAND not in text


def test_a_warning_is_told_and_blocks_nothing(plan: Plan) -> None:
    warning = Finding(
        code="mr-other-branch", target=None, message="!812 went elsewhere.", hint="Merge it."
    )
    text = _text(plan.model_copy(update={"warnings": (warning,)}))

    assert text.startswith("Plan: ")
    assert "warning[mr-other-branch]: !812 went elsewhere.\n  Merge it.\n" in text
