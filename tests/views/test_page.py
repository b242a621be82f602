from __future__ import annotations

import pytest

from hotfix.views.page import Page


def _page(width: int, *parts: str, indent: int = 0, hang: int = 0) -> list[str]:
    page = Page(width)
    page.line(*parts, indent=indent, hang=hang)
    return page.text(colour=False).splitlines()


def test_prose_is_wrapped_between_words_with_a_hanging_indent() -> None:
    assert _page(40, "a " * 30, indent=2, hang=4) == [
        "  " + "a " * 18 + "a",
        "      " + "a " * 10 + "a",
    ]


@pytest.mark.parametrize(
    "word", ["sha256:" + "0" * 64, "5f2c0d0c" * 5, "https://x.test/" + "y" * 80]
)
def test_a_word_is_never_cut(word: str) -> None:
    assert _page(40, f"long before {word} after") == ["long before", word, "after"]


def test_wide_characters_count_as_two_cells() -> None:
    assert len(_page(40, "\u6f22\u5b57 " * 10)) == 2


def test_markup_is_only_text() -> None:
    assert _page(80, "[bold]x[/bold] :smile:") == ["[bold]x[/bold] :smile:"]


def test_a_line_that_shall_not_be_wrapped_is_whole() -> None:
    page = Page(40)
    page.line("word " * 30, wrap=False)

    assert len(page.text(colour=False).splitlines()) == 1


def test_columns_begin_below_each_other() -> None:
    page = Page(80)
    page.table([("a", "bbb", "one"), ("cccc", "d", "two")], indent=1)

    assert page.text(colour=False) == " a     bbb  one\n cccc  d    two\n"


def test_a_last_column_without_room_stands_below() -> None:
    page = Page(60)
    page.table([("a" * 20, "two words")])

    assert page.text(colour=False) == "a" * 20 + "\n    two words\n"


def test_there_is_never_more_than_one_gap() -> None:
    page = Page(80)
    page.gap()
    page.line("one")
    page.gap()
    page.gap()
    page.line("two")

    assert page.text(colour=False) == "one\n\ntwo\n"
