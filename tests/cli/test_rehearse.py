"""``hotfix rehearse``: what it writes where, and what ``show`` says of it then."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.cli import rehearse
from hotfix.cli.documents import transcript_of
from hotfix.sandbox import seed
from tests.cli.conftest import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hotfix.sandbox import Sandbox
    from tests.cli.conftest import Result

    Run = Callable[..., Result]


@pytest.fixture
def plan(spec: Path, hotfix: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Save a plan, with a token that only reads."""
    monkeypatch.setenv("HOTFIX_TOKEN", seed.TOKENS["operator-readonly"])
    saved = spec.with_name("hotfix.plan.json")
    assert hotfix("plan", spec, "--out", saved).code == 0
    return saved


def load(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def test_the_transcript_lies_beside_the_plan_which_names_it_and_stays_the_same_plan(
    plan: Path, hotfix: Run, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load(plan)

    done = hotfix("rehearse", plan, "--faults", "pipeline-reset-after")

    assert done.code == 0, done.err
    assert done.out.startswith(
        "Converged: 2 of 2 rehearsals of hotfix inc-1042, 1 fault survived; each effect exactly "
        "once, nine of nine checks.\n"
    )
    assert "pipeline-reset-after  1 run (complete), 1 fault struck" in done.out
    assert "No smoke check was sent" in done.out
    assert sandbox.requests.writes() == []
    transcript, after = load(plan.with_name("hotfix.rehearsal.json")), load(plan)
    assert transcript["plan_digest"] == before["digest"] == after["digest"]
    named = after["observed"].pop("rehearsal")
    assert after == before
    assert named["verdict"] == "converged"
    assert named["digest"] in done.out

    shown = hotfix("show", plan)
    assert shown.code == 0
    assert f"transcript {named['digest']}" in " ".join(shown.out.split())
    assert "as the plan names it" in shown.err
    assert hotfix("show", plan.with_name("hotfix.rehearsal.json")).out == done.out
    monkeypatch.setenv("HOTFIX_TOKEN", seed.TOKENS["operator"])
    assert hotfix("apply", plan, "--auto-approve", "--promote").code == 0
    assert hotfix("audit", plan.with_name("hotfix.lock.json")).code == 0


def test_show_tells_a_transcript_that_is_not_the_one_that_the_plan_names(
    plan: Path, hotfix: Run
) -> None:
    assert hotfix("rehearse", plan, "--faults", "none").code == 0
    place = plan.with_name("hotfix.rehearsal.json")
    document = load(place)

    place.write_text(json.dumps(document | {"by": "somebody"}))
    assert "is not the transcript that the plan names" in hotfix("show", plan).err

    place.write_text(json.dumps(document | {"plan_digest": f"sha256:{'0' * 64}"}))
    assert "is of another plan" in hotfix("show", plan).err

    place.unlink()
    assert "is not at" in hotfix("show", plan).err


def test_as_json_and_markdown_and_quietly(plan: Path, hotfix: Run, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere.json"

    done = hotfix("rehearse", plan, "--faults", "none", "--format", "json", "--out", out)

    document = json.loads(done.out)
    assert (done.code, document["exit_code"], document["code"]) == (0, 0, "converged")
    assert document["rehearsal"] == load(out)
    assert document["transcript"] == str(out)
    assert not plan.with_name("hotfix.rehearsal.json").exists()
    shown = hotfix("show", out, "--format", "markdown").out
    assert shown.startswith("**Converged.** `Converged: 1 of 1 rehearsal of hotfix inc-1042")
    assert hotfix("show", out, "--quiet").out.count("\n") == 1


def test_what_fails_without_faults_ends_with_1_and_is_written_down_all_the_same(
    spec: Path, hotfix: Run
) -> None:
    spec.write_text(spec.read_text() + "deploy: {job: deploy-prod}\n")
    plan = spec.with_name("hotfix.plan.json")
    assert hotfix("plan", spec, "--out", plan).code == 0

    done = hotfix("rehearse", plan, "--faults", "all")

    assert done.code == 1
    assert done.out.startswith("Failed: 0 of 1 rehearsal of hotfix inc-1042; it fails where")
    assert "deploy-job-missing" in done.out
    assert load(plan)["observed"]["rehearsal"]["verdict"] == "failed"


def test_seeds_and_runs_are_random_rehearsals(
    plan: Path, hotfix: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def note(*given: object, no_cache: bool) -> None:  # noqa: ARG001  (as it is called)
        asked.append(given[2])
        raise KeyboardInterrupt

    monkeypatch.setattr(rehearse, "_rehearsed", note)
    for words in ((), ("--seed", 4), ("--runs", 3), ("--faults", "none", "--seed", 4, "--runs", 2)):
        hotfix("rehearse", plan, *words)

    assert [(each.words, list(each.seeds)) for each in asked] == [
        (("lost",), []),
        ((), [4]),
        ((), [1, 2, 3]),
        (("none",), [4, 5]),
    ]


def test_a_plan_that_was_made_anew_meanwhile_is_left_as_it_is(
    plan: Path, hotfix: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    rehearsed = rehearse._rehearsed

    def meanwhile(*arguments: Any, **more: Any) -> object:  # noqa: ANN401
        plan.write_text("{}")
        return rehearsed(*arguments, **more)

    monkeypatch.setattr(rehearse, "_rehearsed", meanwhile)

    done = hotfix("rehearse", plan, "--faults", "none")

    assert done.code == 5
    assert "error[plan-changed]" in done.err
    assert plan.read_text() == "{}"
    assert plan.with_name("hotfix.rehearsal.json").exists()


def test_what_cannot_be_rehearsed_is_refused_before_anything_is_asked(
    spec: Path, plan: Path, hotfix: Run, sandbox: Sandbox
) -> None:
    before = len(sandbox.requests)

    fault = hotfix("rehearse", plan, "--faults", "everything")
    file = hotfix("rehearse", spec)

    assert (fault.code, file.code) == (64, 64)
    assert "error[invalid-fault]: there is no fault 'everything'" in fault.err
    assert "error[not-rehearsable]" in file.err
    assert len(sandbox.requests) == before


def test_a_transcript_that_was_edited_past_its_schema_is_refused(plan: Path, hotfix: Run) -> None:
    assert hotfix("rehearse", plan, "--faults", "none").code == 0
    place = transcript_of(plan)
    place.write_text(json.dumps(load(place) | {"verdict": "splendid"}))

    assert hotfix("show", place).code == 64


def test_no_token_is_written_even_where_gitlab_repeats_it(
    plan: Path, hotfix: Run, sandbox: Sandbox, tmp_path: Path
) -> None:
    token = seed.TOKENS["operator-readonly"]
    world = sandbox.world
    who = next(each for each in world.users.values() if each.username == "operator")
    who.name = who.username = token
    world.project(PROJECT).merge_requests[812].title = f"fix: {token}"
    done = hotfix("rehearse", plan, "--faults", "incident-reset-before", "--no-cache")

    assert done.code == 0, done.err
    for text in (done.out, done.err, *(f.read_text() for f in tmp_path.rglob("*.json"))):
        assert token not in text
