from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hotfix.errors import InputError
from hotfix.git.commits import read_commit
from hotfix.identifiers import Sha
from hotfix.plan.document import plan_digest, serialize, to_json
from hotfix.spec.model import Resolution
from hotfix.views.plan_text import plan_text

from .conftest import AUTHOR, BASE, FIXED, NOON, PROJECT, STAGED

if TYPE_CHECKING:
    from hotfix.plan.build import Built

    from .conftest import Case


def codes(built: Built) -> list[str]:
    return [finding.code for finding in built.plan.blockers]


def message_of(built: Built, sha: str) -> str:
    return next(commit.message for commit in built.plan.targets[0].commits if commit.sha == sha)


def push(case: Case, built: Built, *indexes: int) -> None:
    """Put planned commits on the release branch, as apply would."""
    for index in indexes:
        commit = built.plan.targets[0].commits[index]
        assert commit.sha
        for made in built.objects[commit.sha]:
            case.history.add(made)
        case.heads["release"] = Sha(commit.sha)


def test_a_hotfix_is_a_restore_and_a_pick_whose_ids_are_known(case: Case) -> None:
    built = case.plan()

    restore, pick = built.plan.targets[0].commits
    assert codes(built) == []
    assert (restore.action, restore.outcome) == ("restore", "new")
    assert restore.parent == built.plan.targets[0].before == case.heads["release"]
    assert restore.tree == read_commit(case.history, case.production).tree
    assert (pick.action, pick.parent) == ("pick", restore.sha)
    assert built.plan.targets[0].after == pick.sha
    assert [(file.path, file.change) for file in pick.files] == [("timeout.py", "modified")]
    assert set(built.objects) == {restore.sha, pick.sha}


def test_the_bytes_of_both_commits_are_those_of_the_contract(case: Case) -> None:
    built = case.plan()

    restore, pick = built.plan.targets[0].commits
    assert restore.message == (
        "fix: restore release to last production state\n\n"
        f"Hotfix: inc-1042-ocpp-timeout\nRestores: {case.production}\n"
    )
    assert pick.message == (
        "Merge branch 'fix'\n\nfix: wait longer\n\nSee merge request ...!812\n\n"
        f"(cherry picked from commit {case.heads['main']})\n"
        "Hotfix: inc-1042-ocpp-timeout\n"
        f"Merge-request: {PROJECT}!812\n"
    )
    assert pick.author == "An Author <author@example.com>"
    assert pick.committer == "hotfix <hotfix@noreply.gitlab.example.com>"
    raw = built.objects[restore.sha or ""][-1].as_raw_string().decode()
    newest = read_commit(case.history, case.heads["release"]).committer_time
    seconds = int(newest.timestamp()) + 1
    assert f"committer hotfix <hotfix@noreply.gitlab.example.com> {seconds} +0000" in raw
    raw = built.objects[pick.sha or ""][-1].as_raw_string().decode()
    assert f"{seconds + 1} +0000" in raw


def test_requested_at_dates_the_first_commit(case: Case) -> None:
    case.requested_at = "2026-11-22T03:00:00Z"

    built = case.plan()

    raw = built.objects[built.plan.targets[0].commits[0].sha or ""][-1].as_raw_string().decode()
    assert "1795316400 +0000" in raw


def test_the_same_facts_give_the_same_bytes_whoever_plans_and_when(case: Case) -> None:
    first = case.plan().plan
    case.at = NOON.replace(hour=23)

    second = case.plan().plan

    assert first.digest == second.digest == plan_digest(to_json(second))
    assert serialize(first) != serialize(second)


@pytest.mark.parametrize("status", ["failed", "canceled", "running", "skipped"])
def test_a_merge_commit_whose_pipeline_did_not_pass_is_a_warning(case: Case, status: str) -> None:
    fix = case.heads["main"]
    case.merge_requests = []
    case.merge_request(812, merge_commit_sha=fix, pipeline=status)

    plan = case.plan().plan

    assert plan.blockers == ()
    (warning,) = plan.warnings
    assert warning.code == "mr-pipeline-not-passed"
    assert f"the commit that merged !812 is {status}, not passed" in warning.message
    assert plan.targets[0].observed.merge_requests[0].pipeline == status
    shown = plan_text(plan, width=100, colour=False, next_command=None)
    assert f"; pipeline of its commit: {status}" in " ".join(shown.split())


@pytest.mark.parametrize("status", ["success", None])
def test_a_pipeline_that_passed_or_never_was_is_no_warning(case: Case, status: str | None) -> None:
    fix = case.heads["main"]
    case.merge_requests = []
    case.merge_request(812, merge_commit_sha=fix, pipeline=status)

    assert case.plan().plan.warnings == ()


def test_a_release_that_equals_production_needs_no_restore(case: Case) -> None:
    case.heads["release"] = case.production

    built = case.plan()

    assert [commit.action for commit in built.plan.targets[0].commits] == ["pick"]
    assert built.plan.targets[0].leaving == ()
    assert built.plan.summary.pushes == 1


def test_what_leaves_release_is_told_with_its_merge_request(case: Case) -> None:
    merged = read_commit(case.history, case.heads["release"]).parents[1]
    case.brought_by = {merged: 799}

    built = case.plan()

    leaving = {commit.sha: commit for commit in built.plan.targets[0].leaving}
    assert leaving[merged].merge_request == 799
    assert leaving[merged].author == "An Author"
    assert case.production not in leaving
    assert leaving[case.heads["release"]].is_merge
    assert built.plan.summary.leaving_release == 2, "!799, and the one commit named by none"


def test_what_a_pick_brings_back_does_not_leave(case: Case) -> None:
    unreleased = read_commit(case.history, case.heads["release"]).parents[1]
    case.brought_by = {unreleased: 812}

    built = case.plan()

    assert unreleased not in {commit.sha for commit in built.plan.targets[0].leaving}


def test_a_change_that_production_has_is_already_there_and_makes_no_commit(case: Case) -> None:
    case.production = case.history.commit(FIXED, case.production, message="fixed by hand\n")

    built = case.plan()

    restore, pick = built.plan.targets[0].commits
    assert (pick.action, pick.outcome, pick.sha) == ("pick", "already-there", None)
    assert pick.picked_from == case.heads["main"]
    assert built.plan.targets[0].after == restore.sha


def test_a_conflict_blocks_and_hides_the_planned_head(case: Case) -> None:
    case.production = case.history.commit({**BASE, "timeout.py": "TIMEOUT = 45\n"}, case.production)

    built = case.plan()

    assert codes(built) == ["pick-conflict"]
    assert "timeout.py" in built.plan.blockers[0].message
    assert built.plan.targets[0].after is None
    assert built.plan.rollback is not None
    assert built.plan.rollback.targets == ()


def test_a_resolution_is_picked_in_place_of_the_conflicting_commit(case: Case) -> None:
    old = {**BASE, "timeout.py": "TIMEOUT = 45\n"}
    case.production = case.history.commit(old, case.production)
    by_hand = case.history.commit(
        {**old, "timeout.py": "TIMEOUT = 450\n"}, case.production, message="by hand\n"
    )
    case.resolutions = (Resolution(merge_request=812, commit=by_hand),)

    built = case.plan()

    pick = built.plan.targets[0].commits[-1]
    assert codes(built) == []
    assert (pick.picked_from, pick.resolution) == (case.heads["main"], by_hand)
    assert pick.message.startswith(f"by hand\n\n(cherry picked from commit {by_hand})\n")


def conflicting(case: Case, **more: str) -> dict[str, str]:
    """Let production have another timeout, so that !812 conflicts there."""
    old = {**BASE, "timeout.py": "TIMEOUT = 45\n", **more}
    case.production = case.history.commit(old, case.production)
    return old


def test_what_a_person_did_beyond_the_merge_is_shown(case: Case) -> None:
    old = conflicting(case)
    by_hand = case.history.commit({**old, "timeout.py": "TIMEOUT = 450\n"}, case.production)
    case.resolutions = (Resolution(merge_request=812, commit=by_hand),)

    (resolved,) = case.plan().plan.targets[0].commits[-1].resolved

    assert (resolved.path, resolved.conflicted) == ("timeout.py", True)
    assert "-TIMEOUT = 45\n+TIMEOUT = 450" in resolved.diff


def test_a_resolution_that_pulls_in_other_files_blocks_and_names_them(case: Case) -> None:
    old = conflicting(case)
    by_hand = case.history.commit(
        {**old, "timeout.py": "TIMEOUT = 450\n", "extra.py": "1\n"}, case.production
    )
    case.resolutions = (Resolution(merge_request=812, commit=by_hand),)

    built = case.plan()

    assert codes(built) == ["resolution-strays"]
    assert "extra.py" in built.plan.blockers[0].message


def test_a_resolution_that_does_not_apply_any_more_says_what_changed(case: Case) -> None:
    old = conflicting(case)
    by_hand = case.history.commit({**old, "timeout.py": "TIMEOUT = 450\n"}, case.production)
    case.production = case.history.commit({**old, "timeout.py": "TIMEOUT = 50\n"}, case.production)
    case.resolutions = (Resolution(merge_request=812, commit=by_hand),)

    built = case.plan()

    assert codes(built) == ["pick-conflict"]
    assert "Changed since it was made: timeout.py" in built.plan.blockers[0].message
    assert "TIMEOUT = 50" in built.plan.blockers[0].detail


def test_one_resolution_for_several_commits_blocks_and_drops_none(case: Case) -> None:
    first = case.history.commit({**STAGED, "new.py": "1\n"}, case.heads["main"])
    second = case.history.commit({**STAGED, "new.py": "1\n2\n"}, first)
    case.heads["main"] = second
    case.merge_requests.clear()
    case.merge_request(815, sha=second, commits=(first, second))
    case.resolutions = (Resolution(merge_request=815, commit=second),)

    built = case.plan()

    assert codes(built) == ["resolution-incomplete"]
    assert built.plan.targets[0].after is None


def test_a_resolution_that_the_server_lacks_blocks(case: Case) -> None:
    case.resolutions = (Resolution(merge_request=812, commit="a" * 40),)

    assert codes(case.plan()) == ["resolution-not-found"]


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"state": "opened"}, "mr-not-merged", "is opened, not merged"),
        ({"state": "closed"}, "mr-not-merged", "is closed, not merged"),
        ({"project": "evenergi/bf-billing"}, "mr-wrong-project", "another project"),
        ({"merge_commit_sha": "b" * 40}, "mr-commits-unclear", "is not on main"),
        ({"merge_commit_sha": None}, "mr-commits-unclear", "neither a merge commit"),
        ({"target_branch": "gone"}, "mr-commits-unclear", "gone"),
    ],
)
def test_a_merge_request_that_cannot_be_released_blocks(
    case: Case, change: dict[str, str], code: str, said: str
) -> None:
    main = case.heads["main"]
    case.merge_requests.clear()
    case.merge_request(812, **{"merge_commit_sha": main, **change})

    built = case.plan()

    assert codes(built)[0] == code
    assert said in built.plan.blockers[0].message
    assert built.plan.targets[0].after is None


def test_a_merge_request_that_gitlab_does_not_show_blocks(case: Case) -> None:
    case.merge_requests[0] = replace(case.merge_requests[0], merge_request=None)

    assert codes(case.plan()) == ["mr-not-found"]


def test_the_authors_own_approval_does_not_count(case: Case) -> None:
    seen = case.merge_requests[0]
    assert seen.approvals
    own = replace(seen.approvals.approved_by[0], user=AUTHOR)
    case.merge_requests[0] = replace(seen, approvals=replace(seen.approvals, approved_by=(own,)))

    built = case.plan()

    assert codes(built) == ["mr-not-approved"]
    assert "approved by nobody; the policy asks for 1 other than its author" in (
        built.plan.blockers[0].message
    )
    assert built.plan.targets[0].after is not None


def test_approvals_that_gitlab_still_asks_for_block(case: Case) -> None:
    seen = case.merge_requests[0]
    assert seen.approvals
    case.merge_requests[0] = replace(seen, approvals=replace(seen.approvals, approvals_left=2))

    assert codes(case.plan()) == ["mr-not-approved"]


def test_production_that_runs_something_else_blocks(case: Case) -> None:
    case.deployed = case.heads["main"]

    built = case.plan()

    assert codes(built) == ["production-mismatch"]
    assert case.heads["main"] in built.plan.blockers[0].message


def test_a_production_sha_that_the_project_lacks_blocks(case: Case) -> None:
    case.production = Sha("c" * 40)

    assert codes(case.plan()) == ["production-unknown"]


def test_a_deployment_without_a_job_needs_the_jobs_name(case: Case) -> None:
    case.last_job = None
    assert codes(case.plan()) == ["deploy-job-unknown"]

    case.deploy_job = "to-production"
    built = case.plan()

    assert codes(built) == []
    assert built.plan.targets[0].deploy
    assert built.plan.targets[0].deploy.job == "to-production"


@pytest.mark.parametrize(
    "job", ["bring-all-code-to-release-branch", "Bring_All Code to RELEASE-branch"]
)
def test_the_forbidden_action_as_the_last_job_blocks(case: Case, job: str) -> None:
    case.last_job = job

    assert codes(case.plan()) == ["forbidden-action"]


def test_a_missing_release_branch_blocks(case: Case) -> None:
    del case.heads["release"]

    built = case.plan()

    assert codes(built) == ["release-branch-missing"]
    assert built.plan.targets[0].before is None


def test_the_way_back_stands_on_the_hotfix_and_has_productions_tree(case: Case) -> None:
    plan = case.plan().plan

    assert plan.rollback
    (back,) = plan.rollback.targets
    (restore,) = back.commits
    assert back.before == restore.parent == plan.targets[0].after
    assert restore.tree == read_commit(case.history, case.production).tree
    assert back.after == restore.sha
    assert back.pipeline == plan.targets[0].pipeline


def test_a_fast_forward_of_several_commits_is_picked_one_by_one_oldest_first(case: Case) -> None:
    first = case.history.commit({**STAGED, "new.py": "1\n"}, case.heads["main"], message="a\n")
    second = case.history.commit(
        {**STAGED, "new.py": "1\n2\n", "timeout.py": "TIMEOUT = 300\n"}, first, message="b\n"
    )
    case.heads["main"] = second
    case.merge_requests.clear()
    case.merge_request(815, sha=second, commits=(first, second))

    picks = case.plan().plan.targets[0].commits[1:]

    assert [pick.picked_from for pick in picks] == [first, second]
    assert [pick.merge_request for pick in picks] == [815, 815]


def test_commits_of_a_fast_forward_that_do_not_follow_one_another_block(case: Case) -> None:
    first = case.history.commit({**STAGED, "new.py": "1\n"}, case.heads["main"])
    second = case.history.commit({**STAGED, "new.py": "2\n"}, case.heads["main"], first)
    case.heads["main"] = second
    case.merge_requests.clear()
    case.merge_request(815, sha=second, commits=(first, second))

    assert codes(case.plan()) == ["mr-commits-unclear"]


def test_a_half_done_hotfix_plans_the_same_ids_again(case: Case) -> None:
    fresh = case.plan()
    ids = [commit.sha for commit in fresh.plan.targets[0].commits]
    push(case, fresh, 0)

    again = case.plan()

    assert [commit.sha for commit in again.plan.targets[0].commits] == ids
    assert [commit.action for commit in again.plan.targets[0].commits] == ["keep", "pick"]
    assert list(again.objects) == ids[1:]
    assert again.plan.targets[0].leaving == ()


def test_a_deployed_hotfix_has_nothing_left_to_do(case: Case) -> None:
    fresh = case.plan()
    push(case, fresh, 0, 1)
    case.deployed = case.heads["release"]

    again = case.plan()

    assert codes(again) == []
    assert set(to_json(again.plan.summary).values()) == {0}


def test_a_restore_by_hand_and_a_pick_with_gitlabs_button_are_adopted(case: Case) -> None:
    restore = case.history.commit(
        BASE, case.heads["release"], message="fix: restore release to last production state\n"
    )
    button = case.history.commit(
        FIXED,
        restore,
        message=f"Merge branch 'fix'\n\n(cherry-picked from commit {case.heads['main']})",
    )
    case.heads["release"] = button

    built = case.plan()

    assert codes(built) == []
    assert [commit.action for commit in built.plan.targets[0].commits] == ["keep", "keep"]
    assert built.plan.targets[0].after == button
    assert built.plan.summary.commits == 0
    assert built.plan.summary.pipelines == 1


def test_a_strange_commit_on_a_begun_hotfix_blocks_with_its_title(case: Case) -> None:
    fresh = case.plan()
    push(case, fresh, 0)
    case.heads["release"] = case.history.commit(
        {**BASE, "other.py": "1\n"}, case.heads["release"], message="somebody else's\n"
    )

    built = case.plan()

    assert codes(built) == ["unknown-commits"]
    assert "somebody else's" in built.plan.blockers[0].message


def test_work_merged_after_an_earlier_rollback_is_unreleased_work_and_leaves(case: Case) -> None:
    rolled_back = case.history.commit(
        BASE,
        case.heads["release"],
        message=f"fix: restore\n\nHotfix: inc-900\nRestores: {case.production}\n",
    )
    case.heads["release"] = case.history.commit(STAGED, rolled_back, message="new feature\n")

    built = case.plan()

    assert codes(built) == []
    assert built.plan.targets[0].commits[0].action == "restore"
    assert next(each.title for each in built.plan.targets[0].leaving) == "new feature"


def test_a_fast_forwarded_main_on_release_is_not_taken_for_a_begun_hotfix(case: Case) -> None:
    feature = case.history.commit(STAGED, case.production, message="feature\n")
    fix = case.history.commit({**STAGED, "timeout.py": "TIMEOUT = 300\n"}, feature, message="fix\n")
    more = case.history.commit(
        {**STAGED, "timeout.py": "TIMEOUT = 300\n", "more.py": "\n"}, fix, message="more\n"
    )
    case.heads = {"main": more, "release": more}
    case.merge_requests.clear()
    case.merge_request(812, sha=fix, commits=(fix,))

    built = case.plan()

    assert codes(built) == []
    assert [commit.action for commit in built.plan.targets[0].commits] == ["restore", "pick"]
    assert len(built.plan.targets[0].leaving) == 3


def test_a_merge_into_another_branch_is_a_warning(case: Case) -> None:
    main = case.heads["main"]
    case.heads["develop"] = main
    case.merge_requests.clear()
    case.merge_request(812, merge_commit_sha=main, target_branch="develop")

    built = case.plan()

    assert codes(built) == []
    assert [finding.code for finding in built.plan.warnings] == ["mr-other-branch"]
    assert built.plan.targets[0].after is not None


def test_a_plan_that_was_edited_is_refused(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    from hotfix.plan import document  # noqa: PLC0415

    monkeypatch.setattr(document, "_document", lambda data, _source: json.loads(data))
    data = serialize(case.plan().plan)
    assert document.parse(data, "x.plan.json").hotfix == "inc-1042-ocpp-timeout"

    edited = data.replace(b"Fix 812", b"Fix 813").replace(b'"confirm": true', b'"confirm": false')
    with pytest.raises(InputError, match="was changed after it was made"):
        document.parse(edited, "x.plan.json")
