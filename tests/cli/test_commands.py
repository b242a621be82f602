"""Each command in this process, against a sandbox or the files of a hotfix that was carried out."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hotfix import schema
from hotfix.cli.app import COMMANDS
from hotfix.cli.plan import _with_nothing_to_do
from hotfix.plan.document import parse, serialize
from hotfix.views.words import nothing_to_do

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.sandbox import Sandbox
    from tests.cli.conftest import Result

    Run = Callable[..., Result]

COUNTED = (
    "Plan: 1 restore, 2 picks, 1 branch, 1 pipeline, 1 manual job, 1 check. "
    "4 unreleased merge requests will leave release."
)


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "copy")


def _changed(path: Path, old: str, new: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_help_lists_the_commands_and_the_exit_codes(hotfix: Run) -> None:
    result = hotfix("--help")

    assert result.code == 0
    assert all(name in result.out for name in COMMANDS)
    assert "130  interrupted" in result.out


def test_without_a_command_the_help_is_shown(hotfix: Run) -> None:
    assert hotfix().out == hotfix("--help").out


# validate, schema


def test_a_valid_spec_says_what_it_asks_for(finished: Path, hotfix: Run) -> None:
    file = finished / "hotfix.yaml"
    result = hotfix("validate", file)

    assert result.code == 0
    assert result.out == (
        f"{file}: valid. Hotfix inc-1042: 1 repository, 2 merge requests, 1 smoke check.\n"
    )
    assert hotfix("validate", file, "--quiet").out == ""


def test_a_valid_spec_as_json(finished: Path, hotfix: Run) -> None:
    document = json.loads(hotfix("validate", finished / "hotfix.yaml", "--format", "json").out)

    assert document["specs"][0]["hotfix"] == "inc-1042"


def test_a_broken_spec_is_64_with_its_place(copy: Path, hotfix: Run) -> None:
    file = _changed(copy / "hotfix.yaml", "merge_requests", "merge_request")
    result = hotfix("validate", file)

    assert result.code == 64
    assert result.err.startswith("error[invalid-spec]: ")
    assert f"{file}:6:1: " in result.err


@pytest.mark.parametrize("name", schema.NAMES)
def test_a_schema_is_printed_as_it_is_shipped(name: str, hotfix: Run) -> None:
    assert hotfix("schema", name).out == schema.schema_text(name)


# plan


def test_a_plan_counts_first_and_ends_in_the_command(spec: Path, hotfix: Run) -> None:
    result = hotfix("plan", spec)

    assert result.code == 0
    assert result.out.splitlines()[0] == COUNTED
    assert result.out.splitlines()[-1].strip() == f"hotfix apply {spec}"
    assert result.err == ""


def test_a_saved_plan_is_the_json_that_is_printed(spec: Path, hotfix: Run) -> None:
    out = spec.with_name("hotfix.plan.json")
    result = hotfix("plan", spec, "--out", out, "--format", "json", "--detailed-exitcode")

    assert result.code == 2
    saved, printed = json.loads(out.read_text()), json.loads(result.out)
    assert saved["digest"] == printed["digest"]
    assert saved == printed
    assert result.err == f"Saved the plan to {out}.\n"


def test_a_plan_in_markdown(spec: Path, hotfix: Run) -> None:
    assert hotfix("plan", spec, "--format", "markdown").out.startswith("**Plan: 1 restore")


def test_quiet_says_the_verdict_alone(spec: Path, hotfix: Run) -> None:
    assert hotfix("plan", spec, "--quiet").out == COUNTED + "\n"


def test_a_blocked_plan_is_4_and_saved_all_the_same(
    spec: Path, sandbox: Sandbox, hotfix: Run
) -> None:
    assert sandbox.url
    out = spec.with_name("blocked.plan.json")
    _changed(spec, "[812, 815]", "[812, 821]")
    result = hotfix("plan", spec, "--out", out)

    assert result.code == 4
    assert result.out.startswith("Blocked: 1 reason. Nothing can be applied.\nerror[mr-not-merged]")
    assert "error[mr-not-merged]: !821" in result.err
    assert "it has blockers" in result.err
    assert json.loads(out.read_text())["blockers"][0]["code"] == "mr-not-merged"
    assert hotfix("show", out).out.startswith("Blocked: 1 reason.")
    assert hotfix("apply", out, "--auto-approve").code == 4


def test_a_blocked_plan_as_json_is_a_refusal_and_a_plan(spec: Path, hotfix: Run) -> None:
    _changed(spec, "[812, 815]", "[812, 821]")
    result = hotfix("plan", spec, "--format", "json", "--detailed-exitcode")
    document = json.loads(result.out)

    assert result.code == document["exit_code"] == 4
    assert document["code"] == "mr-not-merged"
    assert document["format"] == "plan/1"


def test_a_gitlab_that_was_given_stands_in_the_next_command(
    spec: Path, sandbox: Sandbox, hotfix: Run
) -> None:
    out = hotfix("plan", spec, "--gitlab", sandbox.url).out

    assert out.splitlines()[-1].strip() == f"hotfix apply {spec} --gitlab {sandbox.url}"


def test_a_refused_token_is_1_and_is_not_shown(
    spec: Path, hotfix: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTFIX_TOKEN", "glpat-wrong-canary-0001")
    result = hotfix("plan", spec)

    assert result.code == 1
    assert "401" in result.err
    assert "canary" not in result.out + result.err


def test_without_a_token_it_is_64(spec: Path, hotfix: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOTFIX_TOKEN")

    assert hotfix("plan", spec).err.startswith("error[no-token]")
    assert hotfix("plan", spec).code == 64


def test_a_complete_hotfix_has_nothing_to_do_wherever_production_went(finished: Path) -> None:
    saved = parse((finished / "saved.plan.json").read_bytes(), "saved")
    now = saved.model_copy(update={"before": "elsewhere", "digest": "sha256:" + "0" * 64})

    done = _with_nothing_to_do(saved, now)
    assert nothing_to_do(done)
    assert parse(serialize(done), "done") == done, "its digest is its own"
    other = now.model_copy(update={"spec_digest": "sha256:" + "1" * 64})
    assert _with_nothing_to_do(saved, other) is other


# apply


def test_without_a_terminal_apply_stops_at_each_gate(spec: Path, hotfix: Run) -> None:
    first = hotfix("apply", spec)
    assert (first.code, first.out.splitlines()[0]) == (3, COUNTED)
    assert first.err.startswith("error[plan-not-approved]")
    assert hotfix("status", spec).code == 3

    second = hotfix("apply", spec, "--auto-approve")
    assert second.code == 3
    assert "error[production-gate]" in second.err
    assert f"hotfix apply {spec}" in second.err
    assert hotfix("status", spec).code == 3

    last = hotfix("apply", spec, "--auto-approve", "--promote", "--format", "json")
    document = json.loads(last.out)
    assert (last.code, document["state"]) == (0, "complete")
    assert {check["outcome"] for check in document["checks"]} == {"passed"}
    assert hotfix("status", spec).code == 0

    assert hotfix("plan", spec).out.startswith("No changes.")
    assert hotfix("plan", spec, "--detailed-exitcode").code == 0
    assert hotfix("apply", spec).code == 0


def test_a_saved_plan_is_applied_with_its_lockfile_beside_it(spec: Path, hotfix: Run) -> None:
    out = spec.with_name("x.plan.json")
    hotfix("plan", spec, "--out", out)
    result = hotfix("apply", out, "--auto-approve", "--until", "branch", "--quiet")

    assert (result.code, result.err) == (0, "")
    assert spec.with_name("x.lock.json").exists()
    assert not spec.with_name("hotfix.lock.json").exists()


def test_the_events_go_to_a_file_as_they_happen(spec: Path, hotfix: Run) -> None:
    events = spec.with_name("events.ndjson")
    hotfix("apply", spec, "--auto-approve", "--until", "restore", "--events", events, "-q")
    lines = [json.loads(line) for line in events.read_text().splitlines()]

    assert lines[0]["format"] == "events/1"
    assert {"preflight", "restore"} <= {line["step"] for line in lines[1:]}


def test_another_place_for_the_lockfile(spec: Path, hotfix: Run, tmp_path: Path) -> None:
    lock = tmp_path / "elsewhere.lock.json"
    hotfix("apply", spec, "--auto-approve", "--until", "restore", "--lock", lock)

    assert lock.exists()
    assert hotfix("status", lock).code == 3


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "nan", "inf"])
def test_a_poll_that_is_no_pace_is_refused(
    seconds: str, spec: Path, hotfix: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTFIX_POLL_SECONDS", seconds)
    result = hotfix("apply", spec, "--auto-approve")

    assert (result.code, result.err.partition("]")[0]) == (64, "error[invalid-poll-seconds")


def test_a_lockfile_is_not_applied(finished: Path, hotfix: Run) -> None:
    result = hotfix("apply", finished / "hotfix.lock.json")

    assert (result.code, result.err.partition("]")[0]) == (64, "error[not-applicable")


def test_an_edited_plan_is_64(copy: Path, hotfix: Run) -> None:
    edited = _changed(copy / "saved.plan.json", '"job": "deploy-production"', '"job": "other"')

    for command in ("show", "apply"):
        result = hotfix(command, edited)
        assert (result.code, result.err.partition("]")[0]) == (64, "error[plan-edited")


# show, status, audit


def test_show_tells_plan_and_lockfile_apart_by_content(finished: Path, hotfix: Run) -> None:
    assert hotfix("show", finished / "saved.plan.json").out.splitlines()[0] == COUNTED
    assert hotfix("show", finished / "hotfix.lock.json").out.splitlines()[0] == (
        "Hotfix inc-1042: complete, 9 of 9 checks passed."
    )
    assert "?" not in hotfix("show", finished / "hotfix.lock.json").out, "a fact that is lacking"
    refused = hotfix("show", finished / "hotfix.yaml")
    assert (refused.code, refused.err.partition("]")[0]) == (64, "error[nothing-to-show")


@pytest.mark.parametrize("name", ["saved.plan.json", "hotfix.lock.json"])
def test_show_as_json_is_the_file_itself(finished: Path, name: str, hotfix: Run) -> None:
    file = finished / name

    assert hotfix("show", file, "--format", "json").out == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["saved.plan.json", "hotfix.lock.json"])
def test_show_in_markdown_begins_with_the_verdict(finished: Path, name: str, hotfix: Run) -> None:
    assert hotfix("show", finished / name, "--format", "markdown").out.startswith("**")


def test_show_reports_the_checks_of_a_lockfile_to_ci(finished: Path, hotfix: Run) -> None:
    report = hotfix("show", finished / "hotfix.lock.json", "--format", "junit")

    assert report.out.startswith('<testsuites name="hotfix inc-1042')
    assert report.out.count("<testcase ") == 10, "nine checks, and one of the service"
    refused = hotfix("show", finished / "saved.plan.json", "--format", "junit")
    assert (refused.code, refused.out) == (64, "")
    assert refused.err.startswith("error[nothing-to-report]: ")


def test_status_before_the_first_apply_is_3(copy: Path, hotfix: Run) -> None:
    (copy / "hotfix.lock.json").unlink()
    result = hotfix("status", copy / "hotfix.yaml", "--offline")

    assert result.code == 3
    assert result.out.splitlines()[-1] == f"Begin with: hotfix apply {copy / 'hotfix.yaml'}"
    document = json.loads(
        hotfix("status", copy / "hotfix.yaml", "--offline", "--format", "json").out
    )
    assert (document["exit_code"], document["state"]) == (3, "planned")


@pytest.mark.parametrize("name", ["hotfix.yaml", "hotfix.lock.json"])
def test_status_of_a_complete_hotfix_is_0(finished: Path, name: str, hotfix: Run) -> None:
    result = hotfix("status", finished / name, "--offline")

    assert result.code == 0
    assert result.out.startswith("Hotfix inc-1042 is complete.")
    assert f"hotfix audit {finished / 'hotfix.lock.json'}" in result.out


def test_an_audit_of_what_is_genuine_is_0(finished: Path, hotfix: Run) -> None:
    lock = finished / "hotfix.lock.json"
    result = hotfix("audit", lock)

    assert result.code == 0
    assert result.out.startswith(f"Passed: {lock} is intact")
    assert result.out.count("passed  ") >= 9


def test_an_audit_of_several_ends_as_the_worst(finished: Path, copy: Path, hotfix: Run) -> None:
    forged = _changed(copy / "hotfix.lock.json", '"applied_by": "operator"', '"applied_by": "eve"')
    result = hotfix("audit", finished / "hotfix.lock.json", forged)

    assert result.code == 1
    assert f"Failed: {forged} has 1 fault" in result.out
    document = json.loads(
        hotfix("audit", finished / "hotfix.lock.json", forged, "--format", "json").out
    )
    assert document["exit_code"] == 1
    assert [report["verdict"] for report in document["reports"]] == ["passed", "failed"]


def test_an_audit_of_what_is_no_lockfile_is_64(finished: Path, hotfix: Run) -> None:
    assert hotfix("audit", finished / "saved.plan.json").code == 64


# demo


@pytest.mark.end_to_end
def test_the_demo_goes_the_whole_way_and_answers_visibly(tmp_path: Path, hotfix: Run) -> None:
    folder = tmp_path / "demo"
    result = hotfix("demo", "--folder", folder)

    assert result.code == 0
    assert "Apply exactly these changes? Type yes: yes" in result.err
    assert "Type the project's name, bf-manage-core: bf-manage-core" in result.err
    assert "9 of 9 checks passed" in result.out
    assert {path.name for path in folder.iterdir()} == {
        "defaults.yaml",
        "hotfix.yaml",
        "hotfix.plan.json",
        "hotfix.lock.json",
    }
    assert hotfix("audit", folder / "hotfix.lock.json").code == 0


@pytest.mark.end_to_end
def test_the_demo_leaves_the_cache_of_its_user_alone(tmp_path: Path, hotfix: Run) -> None:
    hotfix("demo", "--folder", tmp_path / "demo", "--quiet")

    assert not Path(os.environ["XDG_CACHE_HOME"], "hotfix").exists()


@pytest.mark.end_to_end
def test_a_quiet_demo_says_the_verdicts_alone(tmp_path: Path, hotfix: Run) -> None:
    result = hotfix("demo", "--folder", tmp_path / "demo", "--quiet")
    lines = result.out.splitlines()

    assert result.code == 0
    assert lines[0].startswith("Plan: 1 restore, 2 picks")
    assert lines[1].endswith("is complete: 9 of 9 checks passed.")
    assert lines[2].startswith("Passed: ")


def test_the_demo_touches_no_folder_that_holds_something(copy: Path, hotfix: Run) -> None:
    result = hotfix("demo", "--folder", copy)

    assert (result.code, result.err.partition("]")[0]) == (64, "error[folder-not-empty")
