from __future__ import annotations

import pytest

from hotfix.plan.inputs import declared_inputs, typed_inputs, variable_guard

CONFIG = b"""spec:
  inputs:
    action: {options: [deploy-release-branch-to-staging, bring-all-code-to-release-branch]}
    project: {type: string}
    confirm: {type: boolean, default: false}
    level: {type: number, default: 1}
    regions: {type: array, default: []}
---
job: {script: !reference [.a, script]}
"""
GUIDED = {"action": "deploy-release-branch-to-staging", "project": "a/b", "confirm": True}


def typed(config: bytes | None = CONFIG, **inputs: object) -> tuple[dict[str, object], list[str]]:
    made = typed_inputs(config, {**GUIDED, **inputs}, target="a/b", where="CI file")  # type: ignore[dict-item]
    return dict(made.values), [f"{each.code}: {each.message}" for each in made.blockers]


def test_each_input_takes_the_type_that_is_declared() -> None:
    values, blockers = typed(confirm="true", level=2, regions=("eu", "us"))

    assert blockers == []
    assert values == {**GUIDED, "confirm": True, "level": 2, "regions": ("eu", "us")}


def test_a_boolean_becomes_text_where_a_string_is_declared() -> None:
    config = CONFIG.replace(b"type: boolean", b"type: string")

    assert typed(config)[0]["confirm"] == "true"


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"confirm": "perhaps"}, "wants a boolean as input `confirm`, the plan has `perhaps`"),
        ({"action": "deploy"}, "wants a string out of deploy-release-branch-to-staging"),
        ({"level": "two"}, "wants a number as input `level`"),
        ({"level": True}, "wants a number as input `level`"),
        ({"regions": "eu"}, "wants a array as input `regions`"),
        ({"projekt": "a/b"}, "declares no input `projekt`"),
    ],
)
def test_what_gitlab_would_refuse_is_refused_by_the_plan(
    inputs: dict[str, object], said: str
) -> None:
    _, blockers = typed(**inputs)

    assert len(blockers) == 1
    assert said in blockers[0]
    assert blockers[0].startswith("orchestration-inputs")


def test_a_required_input_that_is_not_sent_is_refused() -> None:
    config = CONFIG.replace(b"    level: {type: number, default: 1}", b"    level: {type: number}")

    assert "requires the input `level`" in typed(config)[1][0]


def test_a_default_that_is_the_cut_off_action_is_forbidden() -> None:
    config = CONFIG.replace(
        b"    level:", b"    mode: {default: Bring_all_code_to_release_branch}\n    level:"
    )

    assert typed(config)[1][0].startswith("forbidden-action")


@pytest.mark.parametrize(
    "config",
    [
        None,
        b"job: {script: x}\n",
        b"---\njob: {script: x}\n",
        b"spec: [\n---\n",
        b"spec: {inputs: 3}\n---\nx: 1\n",
        b"spec: " + b"[" * 5000 + b"\n---\n",
        b"\xff\xfe\n---\n",
    ],
)
def test_a_ci_file_without_a_readable_header_is_told(config: bytes | None) -> None:
    assert "declares no pipeline inputs" in typed(config)[1][0]


def test_a_header_after_a_document_mark_is_read() -> None:
    assert set(declared_inputs(b"---\n" + CONFIG) or ()) == {
        "action",
        "project",
        "confirm",
        "level",
        "regions",
    }


@pytest.mark.parametrize(
    "config", [b"# ours\n---\n" + CONFIG, CONFIG.replace(b"\n", b"\r\n"), b"---\r\n" + CONFIG]
)
def test_a_header_is_read_behind_a_comment_and_with_any_line_end(config: bytes) -> None:
    assert "action" in (declared_inputs(config) or ())


def test_a_rule_whose_default_is_the_cut_off_action_is_forbidden() -> None:
    rule = b"    mode: {rules: [{default: bring-all-code-to-release-branch}]}\n    level:"

    assert typed(CONFIG.replace(b"    level:", rule))[1][0].startswith("forbidden-action")


def variables(config: bytes | None, **sent: str) -> list[str]:
    found = variable_guard(config, dict(sent), target="a/b", where="CI file")
    return [finding.code for finding in found]


def test_a_variable_left_at_the_cut_off_action_is_forbidden() -> None:
    config = b"variables: {ACTION: {value: bring-all-code-to-release-branch}}\n"
    config += b"job: {script: !reference [.a, script]}\n"

    assert variables(config, action="deploy") == ["forbidden-action"]
    assert variables(config, ACTION="deploy") == []


def test_a_ci_file_that_cannot_be_read_blocks_variables() -> None:
    assert variables(None) == ["orchestration-inputs"]
    assert variables(b"variables: [\n") == ["orchestration-inputs"]
