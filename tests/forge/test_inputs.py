from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from hotfix.errors import BlockedError, InputError
from hotfix.forge.inputs import pipeline_body

FORBIDDEN = "bring-all-code-to-release-branch"


def test_inputs_keep_their_types() -> None:
    inputs = {"action": "deploy", "confirm": True, "retries": 3, "ratio": 0.5, "tags": ["a", "b"]}

    assert pipeline_body("main", inputs, None) == {"ref": "main", "inputs": inputs}


def test_variables_go_as_a_list_of_pairs() -> None:
    assert pipeline_body("main", None, {"ACTION": "deploy"}) == {
        "ref": "main",
        "variables": [{"key": "ACTION", "value": "deploy"}],
    }


@pytest.mark.parametrize(
    "inputs",
    [
        {"action": FORBIDDEN},
        {"action": "Bring_All_Code_To_Release_Branch"},
        {"action": "\uff42ring-all-code-to-release-branch"},
        {FORBIDDEN: "x"},
        {"actions": ["deploy", FORBIDDEN]},
        {"actions": ("deploy", (FORBIDDEN,))},
        {"script": f"run {FORBIDDEN} now"},
    ],
)
def test_the_forbidden_action_is_never_made_a_body(inputs: dict[str, Any]) -> None:
    with pytest.raises(BlockedError) as caught:
        pipeline_body("main", inputs, None)

    assert caught.value.code == "forbidden-action"


@pytest.mark.parametrize("variables", [{"A": FORBIDDEN}, {FORBIDDEN: "x"}])
def test_the_forbidden_action_is_no_variable_either(variables: dict[str, str]) -> None:
    with pytest.raises(BlockedError, match="never runs"):
        pipeline_body("main", None, variables)


@pytest.mark.parametrize(
    "value",
    [
        None,
        dt.date(2026, 3, 1),
        b"bytes",
        float("nan"),
        float("inf"),
        {"a": "map"},
        [None],
        {1, 2},
        object(),
    ],
)
def test_a_value_that_json_inputs_cannot_be_is_refused_by_name(value: object) -> None:
    with pytest.raises(InputError, match="'action'"):
        pipeline_body("main", {"action": value}, None)


def test_a_variable_that_is_no_string_is_refused() -> None:
    with pytest.raises(InputError, match="must be a string"):
        pipeline_body("main", None, {"A": True})  # type: ignore[dict-item]
