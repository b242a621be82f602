"""Git attributes of the spec reach every pick; those of the tree are told where they matter."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from hotfix.cli.second_opinion import second_opinion
from hotfix.git.commits import read_commit
from hotfix.git.objects import read_blob
from hotfix.git.trees import read_tree
from hotfix.identifiers import Sha
from hotfix.plan.document import to_json
from hotfix.plan.why import missing_below, why
from hotfix.spec.model import Resolution, Target
from hotfix.views.plan_markdown import plan_markdown
from hotfix.views.plan_text import plan_text

from .conftest import BASE, PROJECT

if TYPE_CHECKING:
    from hotfix.plan.build import Built

    from .conftest import Case

TEN = "".join(f"{number}\n" for number in range(10))


def both_change(case: Case, ours: str, theirs: str, *, rules: str = "") -> None:
    """Let production and the fix each add a line to the log, at places of their own."""
    history = case.history
    more = {".gitattributes": rules} if rules else {}
    start = history.commit({**BASE, **more, "log": TEN})
    case.production = history.commit({**BASE, **more, "log": ours}, start)
    fix = history.commit({**BASE, **more, "log": theirs}, start)
    case.heads = {"main": fix, "release": case.production}
    case.merge_requests = []
    case.merge_request(812, merge_commit_sha=fix)


def log_of(case: Case, built: Built) -> bytes:
    commit = built.plan.targets[0].commits[-1]
    for made in built.objects[commit.sha or ""]:
        case.history.add(made)
    entry = read_tree(case.history, Sha(commit.tree))[b"log"]
    return read_blob(case.history, entry.oid)


def codes(built: Built) -> list[str]:
    return [each.code for each in (*built.plan.blockers, *built.plan.warnings)]


def test_a_union_of_the_spec_makes_the_pick_that_git_would_make(case: Case) -> None:
    both_change(case, TEN + "ours\n", TEN + "theirs\n")
    assert codes(case.plan()) == ["pick-conflict"]

    case.merge_attributes = "# the log\nlog merge=union\n"
    built = case.plan()

    assert codes(built) == []
    assert log_of(case, built) == (TEN + "ours\ntheirs\n").encode()
    assert second_opinion(built).disagreements == ()


def test_a_binary_of_the_spec_is_a_conflict_even_where_lines_would_merge(case: Case) -> None:
    both_change(case, "ours\n" + TEN, TEN + "theirs\n")
    assert codes(case.plan()) == []

    case.merge_attributes = "log binary\n"
    built = case.plan()

    assert codes(built) == ["pick-conflict"]
    assert "log (binary)" in built.plan.blockers[0].message
    assert second_opinion(built).disagreements == ()


def test_a_driver_of_the_spec_is_never_run_and_never_clean(case: Case) -> None:
    both_change(case, "ours\n" + TEN, TEN + "theirs\n")
    case.merge_attributes = "log merge=npm\n"

    built = case.plan()

    assert codes(built) == ["pick-conflict"]
    assert "log (unsupported)" in built.plan.blockers[0].message
    assert "merge driver npm, never run here" in built.plan.blockers[0].detail
    assert second_opinion(built).disagreements == (), "git would have to run it to tell"


def test_a_pick_that_stands_there_already_is_known_by_the_same_attributes(case: Case) -> None:
    both_change(case, TEN + "ours\n", TEN + "theirs\n")
    case.merge_attributes = "log merge=union\n"
    built = case.plan()
    head = built.plan.targets[0].after
    assert head
    log_of(case, built)
    case.heads["release"] = Sha(head)

    (commit,) = case.plan().plan.targets[0].commits

    assert (commit.action, commit.outcome, commit.sha) == ("keep", "already-there", head)


def test_what_a_person_changed_is_held_against_a_merge_by_the_same_attributes(case: Case) -> None:
    history = case.history
    both_change(case, TEN + "ours\n", TEN + "theirs\n")
    base = read_commit(history, case.heads["main"]).parents[0]
    other = history.commit({**BASE, "log": TEN + "theirs\n", "timeout.py": "theirs\n"}, base)
    case.production = history.commit(
        {**BASE, "log": TEN + "ours\n", "timeout.py": "ours\n"}, case.production
    )
    case.heads = {"main": other, "release": case.production}
    case.merge_requests = []
    case.merge_request(812, merge_commit_sha=other)
    united = {**BASE, "log": TEN + "ours\ntheirs\n", "timeout.py": "both\n"}
    by_hand = history.commit(united, case.production)
    case.resolutions = (Resolution(merge_request=812, commit=by_hand),)
    case.merge_attributes = "log merge=union\n"

    (pick,) = case.plan().plan.targets[0].commits

    assert [(each.path, each.conflicted) for each in pick.resolved] == [("timeout.py", True)]


def test_without_the_key_nothing_of_it_is_in_the_spec_or_its_digest(case: Case) -> None:
    without = case.plan().plan
    case.merge_attributes = "log merge=union\n"
    named = case.plan().plan

    assert "merge_attributes" not in to_json(without.spec)["targets"][0]
    assert to_json(named.spec)["targets"][0]["merge_attributes"] == "log merge=union\n"
    assert without.spec_digest != named.spec_digest
    assert without.digest != named.digest


def test_a_plan_that_is_read_back_is_held_to_the_same_rule(case: Case) -> None:
    target = to_json(case.plan().plan.spec)["targets"][0]

    with pytest.raises(ValidationError, match="line 2: the line gives no attribute"):
        Target.model_validate_json(json.dumps({**target, "merge_attributes": "a merge\nb\n"}))


def test_what_a_conflict_stands_on_is_found_by_the_same_attributes(case: Case) -> None:
    history = case.history
    both_change(case, TEN + "ours\n", TEN + "theirs\n")
    start = read_commit(history, case.heads["main"]).parents[0]
    needed = history.commit({**BASE, "log": TEN, "timeout.py": "new\n"}, start)
    fix = history.commit({**BASE, "log": TEN + "theirs\n", "timeout.py": "newer\n"}, needed)
    case.heads = {"main": fix, "release": case.production}
    case.merge_requests = []
    case.merge_request(812, merge_commit_sha=fix)
    case.merge_attributes = "log merge=union\n"
    target = case.spec().targets[0]

    conflict = case.plan().conflicts[PROJECT]
    found = why(conflict, target, missing_below(conflict, target), {needed: 799})

    assert (found.needed, found.order) == (("!799",), (799, 812))


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (None, "none; .gitattributes is not read, as by git merge-tree in a bare repository"),
        (
            "# ours\nlog  merge=union\n\n*.lock -merge",
            "log merge=union; *.lock -merge (of the spec; .gitattributes is not read)",
        ),
    ],
)
def test_every_medium_tells_which_attributes_hold(case: Case, lines: str | None, told: str) -> None:
    case.merge_attributes = lines

    plan = case.plan().plan

    text = plan_text(plan, width=200, colour=False, next_command=None)
    assert f"Merge attributes: {told}" in text
    assert f"Merge attributes: `{told}`" in plan_markdown(plan, next_command=None)
    assert to_json(plan)["targets"][0]["observed"]["merge_attributes"] == told


@pytest.mark.parametrize(
    ("rules", "shown"),
    [
        ("log -merge", "log of !812 is merge=binary"),
        ("*.bin binary\nlo[g] binary", "log of !812 is merge=binary"),
        ("[attr]mine merge=npm\n* mine", "log of !812 is merge=npm"),
        ("log merge=npm\x1b[31m", r"log of !812 is merge=npm\x1b[31m"),
    ],
)
def test_a_tree_that_asks_for_another_merge_is_told(case: Case, rules: str, shown: str) -> None:
    both_change(case, "ours\n" + TEN, TEN + "theirs\n", rules=rules)

    built = case.plan()

    (warning,) = built.plan.warnings
    assert (warning.code, codes(built)) == ("attributes-not-read", ["attributes-not-read"])
    assert shown in warning.message
    assert built.plan.digest == built.plan.model_copy(update={"warnings": ()}).digest


@pytest.mark.parametrize(
    "rules", ["log merge=union", "log merge", "other -merge", "log text eol=lf", "log/ -merge"]
)
def test_a_tree_whose_attributes_change_nothing_is_not_told(case: Case, rules: str) -> None:
    both_change(case, "ours\n" + TEN, TEN + "theirs\n", rules=rules)

    assert codes(case.plan()) == []


def test_a_union_of_the_tree_is_told_where_its_lines_conflict(case: Case) -> None:
    both_change(case, TEN + "ours\n", TEN + "theirs\n", rules="log merge=union")

    assert codes(case.plan()) == ["pick-conflict", "attributes-not-read"]


def test_what_the_spec_says_of_a_file_silences_the_tree(case: Case) -> None:
    both_change(case, "ours\n" + TEN, TEN + "theirs\n", rules="* -merge")
    case.merge_attributes = "log merge\n"

    assert codes(case.plan()) == []


def test_a_hostile_file_of_attributes_is_told_and_costs_little(case: Case) -> None:
    both_change(case, "ours\n" + TEN, TEN + "theirs\n", rules="* -merge\n" * 10_000)

    (warning,) = case.plan().plan.warnings

    assert "(90000 bytes) is more than is looked at" in warning.message
