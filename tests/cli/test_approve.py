"""``hotfix approve``, and what ``apply``, ``status``, ``show`` and ``plan`` say of approvals."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click import BadParameter, UsageError

from hotfix.cli import operator, places
from hotfix.cli.commands import approve_back_commands
from hotfix.forge.types import Noteable
from hotfix.sandbox.seed import TOKENS
from tests.cli.conftest import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hotfix.sandbox import Sandbox
    from hotfix.sandbox.notes import Note
    from tests.cli.conftest import Result

    Run = Callable[..., Result]

POLICY = "policy: {plan_approvals: {minimum: 1}}\n"


@pytest.fixture
def plan(spec: Path, hotfix: Run) -> Path:
    """Save a plan that wants one approval."""
    defaults = spec.with_name("defaults.yaml")
    defaults.write_text(defaults.read_text() + POLICY)
    saved = spec.with_name("hotfix.plan.json")
    assert hotfix("plan", spec, "--out", saved).code == 0
    return saved


@pytest.fixture
def reviewer(plan: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be the second person, with the plan on the desk."""
    monkeypatch.setenv("HOTFIX_TOKEN", TOKENS["reviewer"])
    return plan


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Be at a terminal and type this."""

    def make(line: str | None) -> list[str]:
        questions: list[str] = []

        def read(_: object, question: str, *__: object) -> str | None:
            questions.append(question)
            return line

        monkeypatch.setattr(operator.TerminalAnswers, "read", read)
        return questions

    return make


def digest_of(plan: Path) -> str:
    return str(json.loads(plan.read_bytes())["digest"])


def notes(sandbox: Sandbox, iid: int = 812) -> list[Note]:
    return sandbox.world.project(PROJECT).merge_requests[iid].notes


def said(result: Result) -> dict[str, Any]:
    return dict(json.loads(result.out))


def test_a_yes_at_the_terminal_becomes_one_comment_in_ones_own_name(
    hotfix: Run, reviewer: Path, sandbox: Sandbox, typed: Callable[..., list[str]]
) -> None:
    questions = typed("yes")

    done = hotfix("approve", reviewer)

    assert done.code == 0, done.err
    assert done.out.startswith("Plan: 1 restore, 2 picks")
    (question,) = questions
    assert f"a comment on {PROJECT}!812" in question
    (note,) = notes(sandbox)
    assert note.author.username == "reviewer"
    assert note.body == f"Approved: plan `{digest_of(reviewer)}` of hotfix `inc-1042`."
    assert f"/-/merge_requests/812#note_{note.id}" in done.out
    assert "1 of 1 approvals wanted." in done.out


@pytest.mark.parametrize("answer", [None, "", "y", "YES", "no"])
def test_anything_but_a_full_yes_approves_nothing(
    hotfix: Run,
    reviewer: Path,
    sandbox: Sandbox,
    typed: Callable[..., list[str]],
    answer: str | None,
) -> None:
    typed(answer)

    done = hotfix("approve", reviewer)

    assert done.code == 3
    assert "error[approval-not-confirmed]" in done.err
    assert f"hotfix approve {reviewer} --digest {digest_of(reviewer)}" in done.err
    assert not sandbox.requests.writes()


def test_a_script_answers_by_the_whole_digest_and_by_no_other(
    hotfix: Run, reviewer: Path, sandbox: Sandbox
) -> None:
    digest = digest_of(reviewer)
    for wrong in (digest[:20], "sha256:" + "0" * 64, "yes"):
        refused = hotfix("approve", reviewer, "--digest", wrong)
        assert (refused.code, "error[digest-differs]" in refused.err) == (64, True)
    assert not sandbox.requests.writes()

    done = hotfix("approve", reviewer, "--digest", digest, "--format", "json")

    document = said(done)
    assert (done.code, document["code"], document["digest"]) == (0, "approved", digest)
    assert [each["by"] for each in document["approvals"]["counted"]] == ["reviewer"]
    assert document["approvals"]["missing"] == 0


def test_the_same_person_approves_once_however_often_it_is_typed(
    hotfix: Run, reviewer: Path, sandbox: Sandbox
) -> None:
    words = ("approve", reviewer, "--digest", digest_of(reviewer))
    assert hotfix(*words).code == 0

    again = hotfix(*words, "--merge-request", f"{PROJECT}!815", "--format", "json")

    assert (again.code, said(again)["code"]) == (0, "already-approved")
    assert (len(notes(sandbox)), notes(sandbox, 815)) == (1, [])


def test_who_would_not_count_is_told_before_the_question(
    hotfix: Run,
    plan: Path,
    sandbox: Sandbox,
    typed: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    questions = typed("yes")
    monkeypatch.setenv("HOTFIX_TOKEN", TOKENS["author"])

    refused = hotfix("approve", plan)

    assert refused.code == 4
    assert "error[not-permitted]: An approval by author would not count: an author of" in (
        refused.err
    )
    assert (questions, sandbox.requests.writes()) == ([], [])


def test_a_plan_with_blockers_is_not_approved(hotfix: Run, spec: Path, sandbox: Sandbox) -> None:
    spec.write_text(spec.read_text().replace("[812, 815]", "[812, 817]"))
    blocked = spec.with_name("blocked.plan.json")
    assert hotfix("plan", spec, "--out", blocked).code == 4

    refused = hotfix("approve", blocked, "--digest", digest_of(blocked))

    assert refused.code == 4
    assert not sandbox.requests.writes()


def test_what_is_no_whole_plan_is_not_approved(hotfix: Run, spec: Path, plan: Path) -> None:
    edited = spec.with_name("edited.plan.json")
    edited.write_text(plan.read_text().replace("Heartbeats are dropped", "Heartbeats are fine"))

    for file, code in ((spec, "not-a-plan"), (edited, "plan-edited")):
        refused = hotfix("approve", file)
        assert (refused.code, f"error[{code}]" in refused.err) == (64, True)


def test_apply_says_who_has_to_type_what_and_then_goes_on(
    hotfix: Run, spec: Path, plan: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = hotfix("apply", spec, "--auto-approve", "--until", "branch", "--format", "json")
    assert (waiting.code, said(waiting)["code"]) == (3, "approvals-missing")
    lines = said(waiting)["hint"].splitlines()
    assert f"hotfix plan {spec} --out {plan}" in lines
    assert f"hotfix approve {plan}" in lines

    monkeypatch.setenv("HOTFIX_TOKEN", TOKENS["reviewer"])
    assert hotfix("approve", plan, "--digest", digest_of(plan)).code == 0
    monkeypatch.setenv("HOTFIX_TOKEN", TOKENS["operator"])
    done = hotfix("apply", plan, "--auto-approve", "--until", "branch")

    assert done.code == 0, done.err
    assert "[preflight] 1 of 1 approvals of this plan: reviewer" in done.err
    assert (
        f"approve plan {digest_of(plan)}" in hotfix("show", spec.with_name("hotfix.lock.json")).out
    )


def test_check_asks_gitlab_and_writes_nothing(
    hotfix: Run, plan: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTFIX_TOKEN", TOKENS["operator-readonly"])
    before = hotfix("approve", plan, "--check")
    assert (before.code, "0 of 1 approvals wanted." in before.out) == (3, True)
    assert not sandbox.requests.writes()

    monkeypatch.setenv("HOTFIX_TOKEN", TOKENS["reviewer"])
    hotfix("approve", plan, "--digest", digest_of(plan))

    assert hotfix("approve", plan, "--check").code == 0


def test_status_show_and_plan_say_what_is_wanted(hotfix: Run, spec: Path, plan: Path) -> None:
    wanted = "1 approval of exactly this digest"
    for words in (("show", plan), ("show", plan, "--format", "markdown"), ("plan", spec)):
        assert wanted in " ".join(hotfix(*words).out.split())
    for file in (spec, plan):
        offline, now = hotfix("status", file, "--offline"), hotfix("status", file)
        assert (offline.code, now.code) == (3, 3)
        assert wanted in offline.out
        assert "has 0 of 1 approvals" in " ".join(now.out.split())
        for status in (offline, now):
            assert f"hotfix approve {plan}" in status.out


def test_a_saved_plan_that_asks_for_less_than_the_team_is_refused(
    hotfix: Run, spec: Path, sandbox: Sandbox
) -> None:
    saved = spec.with_name("hotfix.plan.json")
    assert hotfix("plan", spec, "--out", saved).code == 0
    defaults = spec.with_name("defaults.yaml")
    defaults.write_text(defaults.read_text() + POLICY)

    for words in (("apply", saved, "--auto-approve"), ("approve", saved)):
        refused = hotfix(*words)
        assert (refused.code, "error[policy-weakened]" in refused.err) == (64, True)
    assert not sandbox.requests.writes()


def test_another_place_is_kept_beside_the_plan_and_found_by_apply(
    hotfix: Run, reviewer: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--digest", digest_of(reviewer), "--incident", "evenergi/develop#1041")
    done = hotfix("approve", reviewer, *words)

    beside = reviewer.with_name("hotfix.approvals.json")
    assert done.code == 0, done.err
    assert json.loads(beside.read_bytes()) == {
        "format": "approvals/1",
        "hotfix": "inc-1042",
        "places": ["evenergi/develop#1041"],
    }
    (note,) = sandbox.world.project("evenergi/develop").issues[1041].notes
    assert note.author.username == "reviewer"
    monkeypatch.setenv("HOTFIX_TOKEN", TOKENS["operator"])
    spec = reviewer.with_name("hotfix.yaml")
    assert hotfix("apply", spec, "--auto-approve", "--until", "branch").code == 0


def test_a_pointer_that_was_changed_by_hand_approves_nothing(
    hotfix: Run, plan: Path, sandbox: Sandbox
) -> None:
    beside = plan.with_name("hotfix.approvals.json")
    for text in ("{}", '{"format": "approvals/1", "hotfix": "other", "places": []}', "x"):
        beside.write_text(text)
        refused = hotfix("apply", plan, "--auto-approve")
        assert (refused.code, "error[approvals-invalid]" in refused.err) == (64, True)
    beside.write_text(
        json.dumps({"format": "approvals/1", "hotfix": "inc-1042", "places": [f"{PROJECT}!809"]})
    )
    assert hotfix("apply", plan, "--auto-approve").code == 3
    assert not sandbox.requests.writes()


def test_in_the_pipeline_of_a_merge_request_it_is_that_one(
    hotfix: Run, reviewer: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI_SERVER_URL", sandbox.url)
    monkeypatch.setenv("CI_MERGE_REQUEST_PROJECT_PATH", PROJECT)
    monkeypatch.setenv("CI_MERGE_REQUEST_IID", "817")

    assert hotfix("approve", reviewer, "--digest", digest_of(reviewer)).code == 0

    assert len(notes(sandbox, 817)) == 1
    monkeypatch.setenv("CI_SERVER_URL", "https://gitlab.example.com")
    assert places.of_this_job(sandbox.url) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("g/p!7", Noteable("merge_requests", "g/p", 7)),
        ("g/h/p#12", Noteable("issues", "g/h/p", 12)),
        ("g/p!0", None),
        ("p!7", None),
        ("!7", None),
        ("g/p!7\n", None),
        ("https://gitlab.example.com/g/p/-/merge_requests/7", None),
    ],
)
def test_a_place_is_written_as_gitlab_does(text: str, found: Noteable | None) -> None:
    assert places.place(text) == found
    if found is not None:
        assert str(found) == text


def test_one_place_of_the_right_kind_is_given() -> None:
    assert places.given(None, None) is None
    assert places.given(None, "g/p#7") == Noteable("issues", "g/p", 7)
    with pytest.raises(BadParameter):
        places.given("g/p#7", None)
    with pytest.raises(UsageError):
        places.given("g/p!7", "g/p#7")


def test_a_rollback_says_what_whoever_approves_it_types(tmp_path: Path) -> None:
    lockfile, saved = tmp_path / "hotfix.lock.json", tmp_path / "back.plan.json"
    made = tmp_path / "hotfix.rollback.plan.json"

    assert approve_back_commands(lockfile, None, None) == (
        f"hotfix rollback {lockfile} --out {made}",
        f"hotfix approve {made}",
    )
    assert approve_back_commands(lockfile, saved, None) == (f"hotfix approve {saved}",)
    assert places.pointer_of(made) == tmp_path / "hotfix.rollback.approvals.json"
    assert places.pointer_of(lockfile) == tmp_path / "hotfix.approvals.json"
