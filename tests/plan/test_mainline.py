"""Fixes are held against the main line as it is now, and what leaves release too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.identifiers import Sha, short

from .conftest import BASE, FIXED, PROJECT, STAGED, Case

if TYPE_CHECKING:
    from hotfix.plan.model import Plan

BOTH = {**STAGED, "timeout.py": FIXED["timeout.py"]}


def codes(plan: Plan) -> list[str]:
    return [finding.code for finding in (*plan.blockers, *plan.warnings)]


def on_main(case: Case, files: dict[str, str], message: str = "work\n", *merged: Sha) -> Sha:
    case.heads["main"] = case.history.commit(files, case.heads["main"], *merged, message=message)
    return case.heads["main"]


def taken_back(case: Case, what: str, iid: int | None = None) -> Sha:
    """Revert the fix on main, by a merge request where one is named."""
    message = f"Revert \"Merge branch 'fix'\"\n\nThis reverts {what}\n"
    if iid is None:
        return on_main(case, STAGED, message)
    revert = case.history.commit(STAGED, case.heads["main"], message=message)
    see = f"Merge branch 'revert' into 'main'\n\nSee merge request {PROJECT}!{iid}"
    on_main(case, STAGED, see, revert)
    return revert


def test_a_fix_that_main_holds_is_not_objected_to(case: Case) -> None:
    on_main(case, {**BOTH, "more.py": "1\n"})

    assert codes(case.plan().plan) == []


@pytest.mark.parametrize(
    "what", ["commit {sha}", "merge request !812", "merge request {project}!812", "commit {inner}"]
)
@pytest.mark.parametrize("iid", [None, 820])
def test_a_fix_that_was_taken_back_is_refused_with_the_commit_that_did(
    case: Case, what: str, iid: int | None
) -> None:
    fix = case.heads["main"]
    merged = case.history[fix.encode()]
    inner = merged.parents[1].decode()
    renamed = f"Merge branch 'fix'\n\nSee merge request {PROJECT}!812"
    case.heads["main"] = fix = case.history.commit(BOTH, *_parents(case, fix), message=renamed)
    case.merge_requests = []
    case.merge_request(812, merge_commit_sha=fix)
    revert = taken_back(case, what.format(sha=fix, inner=inner, project=PROJECT), iid)

    (blocker,) = case.plan().plan.blockers

    assert blocker.code == "mr-reverted"
    assert "!812 was taken back on main by" in blocker.message
    assert iid is not None or short(revert) in blocker.message
    assert "Ask An Author why." in blocker.hint


def _parents(case: Case, sha: Sha) -> list[str]:
    return [parent.decode() for parent in case.history[sha.encode()].parents]


def test_what_was_taken_back_and_brought_again_is_not_objected_to(case: Case) -> None:
    fix = case.heads["main"]
    revert = taken_back(case, f"commit {fix}")
    on_main(case, BOTH, f'Revert "Revert"\n\nThis reverts commit {revert}\n')

    assert codes(case.plan().plan) == []


def test_what_was_brought_again_and_taken_back_once_more_is_refused(case: Case) -> None:
    first = taken_back(case, f"commit {case.heads['main']}")
    again = on_main(case, BOTH, f"This reverts commit {first}\n")
    last = taken_back(case, f"commit {again}")
    taken_back(case, f"commit {case.merge_requests[0].merge_request.merge_commit_sha}")

    assert last
    assert codes(case.plan().plan)[0] == "mr-reverted"


def test_a_revert_of_something_else_is_not_objected_to(case: Case) -> None:
    on_main(case, {**BOTH, "app.py": BASE["app.py"]}, "This reverts merge request !799\n")

    assert "mr-reverted" not in codes(case.plan().plan)


def test_a_fix_that_main_lost_without_a_word_is_a_warning(case: Case) -> None:
    on_main(case, STAGED)

    plan = case.plan().plan

    assert plan.blockers == ()
    (warning,) = plan.warnings
    assert warning.code == "fix-not-on-default"
    assert "main does not hold all that !812 changed any more" in warning.message


def test_a_fix_that_main_went_on_from_is_not_objected_to(case: Case) -> None:
    on_main(case, {**BOTH, "timeout.py": "TIMEOUT = 600\n"})

    assert codes(case.plan().plan) == []


def test_of_another_branch_it_is_not_said_twice_that_main_lacks_it(case: Case) -> None:
    case.heads["stable"] = case.heads["main"]
    case.heads["main"] = case.history.commit(STAGED, case.production)
    case.merge_requests = []
    case.merge_request(812, merge_commit_sha=case.heads["stable"], target_branch="stable")

    assert codes(case.plan().plan) == ["mr-other-branch"]


def release_with(case: Case, files: dict[str, str], message: str) -> Sha:
    case.heads["release"] = case.history.commit(
        {**STAGED, **files}, case.heads["release"], message=message
    )
    return case.heads["release"]


def test_work_that_only_release_has_is_a_warning_with_its_author(case: Case) -> None:
    alone = release_with(case, {"only.py": "here\n"}, "a quick one\n")

    (warning,) = case.plan().plan.warnings

    assert warning.code == "only-on-release"
    assert f"{short(alone)} a quick one (An Author)." in warning.message
    assert "is not on main either" in warning.message


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"timeout.py": FIXED["timeout.py"]}, "the same change by another commit\n"),
        ({"x.py": "1\n"}, "picked\n\n(cherry picked from commit {main})\n"),
        ({"app.py": BASE["app.py"]}, "back\n\nHotfix: inc-1\nRestores: " + "a" * 40 + "\n"),
    ],
    ids=["by content", "by its original", "another restore"],
)
def test_what_main_has_in_another_way_leaves_without_a_warning(
    case: Case, files: dict[str, str], message: str
) -> None:
    release_with(case, files, message.format(main=case.heads["main"]))

    assert codes(case.plan().plan) == []


def test_the_next_cut_off_is_told_to_revert_the_restore(case: Case) -> None:
    merged = Sha(_parents(case, case.heads["release"])[1])
    case.brought_by = {merged: 799}

    plan = case.plan().plan

    restore = plan.targets[0].commits[0].sha or ""
    (follow_up,) = plan.incident.follow_ups
    assert follow_up == (
        f"Before the next cut-off of {PROJECT}: revert the restore {short(restore)} on release. "
        "A merge of main alone does not bring back !799: Git takes it for merged."
    )


def test_where_release_equals_production_the_next_cut_off_is_told_nothing(case: Case) -> None:
    case.heads["release"] = case.production

    assert case.plan().plan.incident.follow_ups == ()


def test_where_release_has_nothing_of_main_the_next_cut_off_is_told_nothing(case: Case) -> None:
    case.heads["release"] = case.history.commit({**BASE, "only.py": "1\n"}, case.production)

    assert case.plan().plan.incident.follow_ups == ()


def test_a_restore_that_is_kept_still_tells_the_next_cut_off(case: Case) -> None:
    built = case.plan()
    restore = built.plan.targets[0].commits[0]
    for made in built.objects[restore.sha or ""]:
        case.history.add(made)
    case.heads["release"] = Sha(restore.sha or "")

    again = case.plan().plan

    assert again.targets[0].commits[0].action == "keep"
    assert again.incident.follow_ups == built.plan.incident.follow_ups != ()
