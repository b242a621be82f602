from __future__ import annotations

import pytest

from hotfix.markdown import code
from hotfix.views.escape import cell, link


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "`plain`"),
        ("@all /close", "`@all /close`"),
        ("a `b` c", "``a `b` c``"),
        ("`", "`` ` ``"),
        ("```", "```` ``` ````"),
        ("two\nlines\r\n/close", "`two lines /close`"),
        ("", "`(empty)`"),
        ("\x1b[31m", "`\\x1b[31m`"),
    ],
)
def test_text_from_outside_becomes_inline_code_on_one_line(text: str, expected: str) -> None:
    assert code(text) == expected


def test_a_bar_does_not_end_a_cell() -> None:
    assert cell("a | b") == "`a \\| b`"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://example.com/a b",
        "https://example.com/)[x](https://evil.example",
        'https://example.com/"onclick=',
        "https://user:secret@example.com/",
        "",
        None,
    ],
)
def test_only_a_plain_url_becomes_a_link(url: str | None) -> None:
    assert link("text", url) == "`text`"


def test_a_url_of_gitlab_becomes_a_link() -> None:
    url = "https://gitlab.example.com:8443/g/p/-/merge_requests/812#note_1"

    assert link("!812", url) == f"[`!812`]({url})"
