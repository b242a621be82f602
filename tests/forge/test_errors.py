from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfix.forge.errors import LIMIT, page_title, sentence

SHAPES = [
    ({"message": "404 Project Not Found"}, "404 Project Not Found"),
    ({"message": {"base": ["Reference not found"]}}, "Reference not found"),
    ({"message": {"title": ["can't be blank", "is odd"]}}, "title can't be blank, is odd"),
    ({"message": ["one", "two"]}, "one, two"),
    ({"error": "invalid_token"}, "invalid_token"),
    (
        {"error": "insufficient_scope", "error_description": "Not enough.", "scope": "api"},
        "insufficient_scope: Not enough.: needs the scope api",
    ),
    ({"errors": [{"message": "no such field"}]}, "no such field"),
    ({"errors": ["Note can't be blank"]}, "Note can't be blank"),
    ({"message": None, "error": "boom"}, "boom"),
    ({"message": {}}, "message"),
    ({}, ""),
    ([], ""),
    (None, ""),
    ("just text", "just text"),
]


@pytest.mark.parametrize(("body", "expected"), SHAPES)
def test_every_shape_of_an_error_body_becomes_one_sentence(body: object, expected: str) -> None:
    assert expected == sentence(json.dumps(body).encode()).strip()


def test_plain_text_is_taken_as_it_is() -> None:
    assert sentence(b"Retry later\n") == "Retry later"


def test_of_a_web_page_only_its_title_is_shown() -> None:
    page = b"<!DOCTYPE html><html><head><title>Sign in &middot; GitLab</title></head>..."

    assert sentence(page) == "a web page titled 'Sign in · GitLab'"


def test_text_that_acts_on_a_terminal_is_made_visible() -> None:
    hostile = json.dumps({"message": "\x1b]0;owned\x07\u202e evil\nsecond line"}).encode()

    said = sentence(hostile)

    assert said.isprintable()
    assert "\\x1b" in said


def test_a_long_text_is_cut() -> None:
    assert len(sentence(b"x" * 100_000)) == LIMIT


def test_json_that_nests_without_end_is_no_danger() -> None:
    assert sentence(b"[" * 100_000)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("message"), inner),
        max_leaves=8,
    )
)
def test_any_json_becomes_a_bounded_printable_line(value: object) -> None:
    said = sentence(json.dumps(value).encode())

    assert len(said) <= LIMIT
    assert said.isprintable()


@given(st.binary())
def test_any_bytes_become_a_bounded_printable_line(body: bytes) -> None:
    assert len(sentence(body)) <= LIMIT
    assert sentence(body).isprintable()


def test_json_is_no_web_page() -> None:
    assert page_title(b'{"title": "<title>x</title>"}') is None
