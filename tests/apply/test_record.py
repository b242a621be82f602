from __future__ import annotations

import pytest

from hotfix.apply import record


def part(text: str) -> str:
    return record._wrap("inc-1", "section", text)


def test_a_part_is_replaced_and_all_else_stays() -> None:
    before = f"ours\n\n{part('old')}\n\ntheirs\n"

    assert record.replace(before, "inc-1", "section", part("new")) == (
        f"ours\n\n{part('new')}\n\ntheirs\n"
    )


def test_a_begin_mark_without_its_end_swallows_nobodys_text() -> None:
    begin = part("").splitlines()[0]
    before = f"{begin}\nwritten by somebody\n{part('old')}\n"

    after = record.replace(before, "inc-1", "section", part("new"))

    assert "written by somebody" in after
    assert part("new") in after
    assert "old" not in after


@pytest.mark.parametrize("hotfix", ["inc-10", "inc"])
def test_the_record_of_another_hotfix_is_not_taken_for_ours(hotfix: str) -> None:
    assert record.stored(part("theirs"), hotfix, "section") is None
