"""Lines that come and go, held against ``git diff --numstat``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.git.numstat import Numbers, numstat
from hotfix.git.rules import Effort

from .making import executable, lines, link, submodule

if TYPE_CHECKING:
    from .cgit import CGit
    from .making import Files, Store

CASES: dict[str, tuple[Files, Files]] = {
    "added, changed and removed": (
        {"gone": lines(1, 2), "kept": lines(1), "new": lines(1, 2, 3)},
        {"kept": lines(1), "new": lines(1, "two", "more", 3), "come": lines(1)},
    ),
    "renamed is removed and added": ({"a": lines(1, 2, 3)}, {"b": lines(1, 2, 3)}),
    "without a final newline": ({"a": b"1\n2"}, {"a": b"1\n2\n3"}),
    "binary": ({"a": b"\0\1", "b": lines(1)}, {"a": b"\0\2", "b": b"\0"}),
    "modes, links and submodules": (
        {"a": lines(1), "l": link(b"a"), "s": submodule(1)},
        {"a": executable(lines(1)), "l": link(b"b"), "s": submodule(2)},
    ),
    "repeated lines": (
        {"a": lines(*"abcabcabc")},
        {"a": lines(*"xabcabcyabc")},
    ),
    "empty files": ({"a": b""}, {"b": b"", "a": lines(1)}),
}


@pytest.mark.oracle
@pytest.mark.parametrize("name", CASES)
def test_the_numbers_are_those_of_git(name: str, store: Store, git: CGit) -> None:
    old, new = (store.tree(files) for files in CASES[name])
    git.take(store.objects.values())

    said = git.run("diff", "--numstat", "--no-renames", old, new).decode()

    ours = [
        "\t".join(("-" if each.added is None else str(each.added),
                   "-" if each.removed is None else str(each.removed), each.path))
        for each in numstat(store, old, new)
    ]  # fmt: skip
    assert ours == said.splitlines()


def test_what_takes_too_long_to_count_is_said_to_be_uncounted(store: Store) -> None:
    old, new = store.tree({"a": lines(*range(99))}), store.tree({"a": lines(*range(9, 120))})

    assert list(numstat(store, old, new, Effort(10))) == [Numbers("a", None, None)]
