from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfix.smoke.subset import difference

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1}),
        ({"a": {"b": [1, {"c": 2, "d": 3}]}}, {"a": {"b": [1, {"c": 2}]}}),
        ({"a": 1.0}, {"a": 1}),
        ({"a": 1}, {}),
        ({"a": None}, {"a": None}),
    ],
)
def test_further_members_do_not_matter(found: object, expected: object) -> None:
    assert difference(found, expected) == ""


@pytest.mark.parametrize(
    ("found", "expected", "sentence"),
    [
        ({"a": True}, {"a": 1}, "at `a` the JSON is `true`, expected `1`"),
        ({"a": "1"}, {"a": 1}, 'at `a` the JSON is `"1"`, expected `1`'),
        ({"a": None}, {"a": False}, "at `a` the JSON is `null`, expected `false`"),
        ({"a": [1, 2]}, {"a": [1]}, "at `a` the JSON is `[1, 2]`, expected `[1]`"),
        ({"a": [2, 1]}, {"a": [1, 2]}, "at `a[0]` the JSON is `2`, expected `1`"),
        ({"a": {}}, {"a": {"b": 1}}, "the JSON has no `a.b`, expected `1`"),
        ({"a": []}, {"a": {}}, "at `a` the JSON is `[]`, expected `{}`"),
    ],
)
def test_the_first_difference_is_named(found: object, expected: object, sentence: str) -> None:
    assert difference(found, expected) == sentence


@given(JSON)
def test_every_value_holds_itself(value: object) -> None:
    assert difference(json.loads(json.dumps(value)), value) == ""


@given(st.dictionaries(st.text(), JSON, min_size=1, max_size=4), st.data())
def test_a_missing_member_is_always_seen(value: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(value)))
    less = {name: inner for name, inner in value.items() if name != key}

    assert difference(value, less) == ""
    assert difference(less, value).startswith("the JSON has no ")


@given(JSON, JSON)
def test_a_difference_is_one_printable_line(found: object, expected: object) -> None:
    assert (difference(found, expected) or "none").isprintable()
