"""A clean pick that uses what production lacks is planned with a warning that names its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.git.gap.model import Gaps
from hotfix.views.plan_markdown import plan_markdown
from hotfix.views.plan_text import plan_text

from .conftest import BASE, PROJECT

if TYPE_CHECKING:
    import pytest

    from hotfix.plan.model import Finding, Plan

    from .conftest import Case

LIMITS = {"limits.py": "def backoff():\n    return 3\n"}
USES = {"timeout.py": "from limits import backoff\nTIMEOUT = backoff().in_seconds\n"}


def tell(case: Case, *, brought: str = "limits\n", more: dict[str, str] | None = None) -> None:
    """Have the main line bring a module, and !812 use it in another file."""
    history = case.history
    case.merge_requests = []
    files = {**BASE, **(more or {}), **LIMITS}
    aside = history.commit(files, case.production)
    merged = history.commit(files, case.production, aside, message=brought)
    later = history.commit({**files, "app.py": BASE["app.py"] + "six\n"}, merged)
    fix = history.commit({**files, "app.py": BASE["app.py"] + "six\n", **USES}, later)
    case.heads = {"main": fix, "release": case.production}
    case.merge_request(812, merge_commit_sha=fix)


def gap(plan: Plan) -> Finding:
    (found,) = (each for each in plan.warnings if each.code == "semantic-gap")
    return found


def pages(plan: Plan) -> tuple[str, str]:
    return plan_text(plan, width=100, colour=False, next_command=None), plan_markdown(
        plan, next_command=None
    )


def test_the_warning_names_the_merge_request_that_the_merge_commit_names(case: Case) -> None:
    tell(case, brought=f"Merge branch 'limits'\n\nSee merge request {PROJECT}!799")

    plan = case.plan().plan

    assert not plan.blockers
    assert plan.targets[0].after is not None, "a warning is no conflict"
    found = gap(plan)
    assert found.message == (
        "!812 uses what !799 brought to main and the planned branch lacks: module `limits`."
    )
    assert found.hint.endswith("if both may ship, add 799 to `merge_requests`.")
    assert found.detail == "timeout.py, line 1: module `limits`; main has it in limits.py"
    assert found.decision == "warn"
    assert found.rule == "What the fix uses is in production, or comes with the hotfix."


def test_a_commit_that_no_merge_commit_names_is_left_to_be_asked_for(case: Case) -> None:
    tell(case)

    built = case.plan()

    (commit,) = built.nameless[PROJECT]
    assert commit.message == "limits\n"
    assert f"uses what {commit.sha[:8]} brought to main" in gap(built.plan).message

    case.brought_by = {commit.sha: 801}
    built = case.plan()

    assert not built.nameless
    assert "uses what !801 brought to main" in gap(built.plan).message


def test_a_hotfix_that_brings_both_has_no_gap(case: Case) -> None:
    tell(case, brought=f"Merge branch 'limits'\n\nSee merge request {PROJECT}!799")
    (fix,) = case.merge_requests
    case.merge_requests = []
    bringer = next(
        oid for oid, each in case.history.objects.items() if b"!799" in each.as_raw_string()
    )
    case.merge_request(799, merge_commit_sha=bringer.decode())
    case.merge_requests.append(fix)

    assert not [each for each in case.plan().plan.warnings if each.code == "semantic-gap"]


def test_the_digest_stays_whatever_is_warned_of(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(case)
    warned = case.plan().plan
    monkeypatch.setattr("hotfix.plan.gap.find_gaps", lambda *_, **__: Gaps(()))

    plan = case.plan().plan

    assert not plan.warnings
    assert plan.digest == warned.digest


def test_what_was_not_searched_is_said_and_what_was_is_not(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(case, more={f"far/{number}.py": "a = 1\n" for number in range(3)})
    assert case.plan().plan.targets[0].observed.searched == ""
    assert b'"searched"' not in case.plan().plan.model_dump_json().encode()

    monkeypatch.setattr("hotfix.git.gap.sides.MOST_FILES", 2)
    plan = case.plan().plan

    said = "2 of 5 sources in which main and the planned branch differ, those nearest to the picks"
    assert plan.targets[0].observed.searched == said
    screen, page = pages(plan)
    assert f"Searched for what the picks use: {said}" in " ".join(screen.split())
    assert said in page


def test_the_team_may_deny_a_gap(case: Case) -> None:
    tell(case)
    policy = case.spec().policy
    case.policy = policy.model_copy(update={"decisions": {"semantic-gap": "deny"}})

    assert [each.code for each in case.plan().plan.blockers] == ["semantic-gap"]


def test_words_and_paths_of_the_repository_cannot_act_on_the_screen(case: Case) -> None:
    history = case.history
    case.merge_requests = []
    name = "a\x1b[31m`\u202e.py"
    base = {**BASE, name: "x = 1\n"}
    case.production = history.commit(base)
    main = history.commit({**base, **LIMITS}, case.production, message="\x1b[2J\n")
    fix = history.commit({**base, **LIMITS, name: "import limits\n"}, main)
    case.heads = {"main": fix, "release": case.production}
    case.merge_request(812, merge_commit_sha=fix)

    plan = case.plan().plan

    assert gap(plan)
    for page in pages(plan):
        assert "\x1b[31m" not in page
        assert "\u202e" not in page
