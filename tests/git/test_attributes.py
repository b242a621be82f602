"""Attributes are looked up as `git check-attr` does it, and lines of no use are refused."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hotfix.attributes import read_lines
from hotfix.git.attributes import Attributes
from hotfix.git.rules import Effort, TooMuchWorkError

if TYPE_CHECKING:
    from .cgit import CGit

EXAMPLES = int(os.environ.get("HOTFIX_ORACLE_EXAMPLES") or 200)


def agree(git: CGit, text: str, paths: list[bytes]) -> None:
    attributes, effort = Attributes(read_lines(text)[0]), Effort()
    git.attributes(text)
    given = b"".join(path + b"\0" for path in paths)
    answer = git.run("check-attr", "--stdin", "-z", "merge", "diff", given=given).split(b"\0")
    for path, merge, diff in zip(paths, answer[2::6], answer[5::6], strict=True):
        assert _driver(merge) == attributes.driver(path, effort), path
        assert {b"unset": True, b"set": False}.get(diff) == attributes.is_binary(path, effort), path


def _driver(value: bytes) -> str:
    """Return the driver that Git takes for what it says of `merge` (`find_ll_merge_driver`)."""
    plain = {b"unspecified": "text", b"set": "text", b"unset": "binary"}
    return plain.get(value) or value.decode()


CASES = {
    "nothing is said": "",
    "by the last name anywhere": "*.lock -merge",
    "by an exact name": "b.lock merge=union",
    "anchored at the root": "/b.lock merge=union",
    "a path with a folder": "a/b.lock merge=union",
    "the last line wins": "*.lock merge=union\n*.lock -merge\nb.lock merge",
    "unspecified again": "*.lock merge=union\nb.lock !merge",
    "the last word of a line wins": "* merge=union -merge merge=text",
    "the macro that Git has": "*.lock binary",
    "a word behind the macro": "*.lock binary merge=union",
    "a word before the macro": "*.lock merge=union binary",
    "a macro that is unset expands to nothing": "* merge=union\n*.lock -binary",
    "a macro of one's own": "[attr]generated -diff merge=union\n*.lock generated",
    "a macro in a macro": "[attr]one merge=union\n[attr]two one diff\n*.lock two",
    "a macro in itself": "[attr]one two\n[attr]two one merge=union\n*.lock one",
    "the later definition of a macro counts": "*.lock m\n[attr]m -merge\n[attr]m merge=union",
    "Git's macro defined anew": "[attr]binary merge=union\n*.lock binary",
    "two stars in the middle": "a/**/b.lock -merge",
    "two stars at the start": "**/b.lock -merge",
    "two stars at the end": "a/** -merge",
    "two stars alone": "** -merge",
    "two stars inside a name": "a/c**.lock -merge\nc**d/** merge=union",
    "two stars behind plain text begin the pattern": "a/c** -merge",
    "a star stays in its folder": "a/*.lock -merge",
    "a question mark": "?.lock -merge\na?b.lock merge=union",
    "brackets": "[a-c].lock -merge\n[!a-c]*.lock merge=union",
    "brackets with classes": "[[:alpha:]]1.lock -merge\n[^[:digit:]x]*.lock merge=union",
    "a bracket with a bracket": "[]a].lock -merge",
    "quoted, with blanks": '"a b.lock" -merge',
    "quoted, with octal bytes": '"\\303\\251.lock" -merge',
    "quoted, with a tab and quotes": '"t\\tq\\"\\\\\\\\.lock" -merge',
    "letters that are no ASCII": "\u00e9.lock -merge",
    "an escaped star": "\\*.lock -merge",
    "comments, blanks and carriage returns": "# *.lock -merge\n\n \t *.lock\t merge=union \r\n",
    "a named driver": "*.lock merge=ours",
    "diff by itself": "*.lock diff\nb.lock -diff\na/* diff=ruby",
    "a byte order mark": "\ufeff*.lock -merge",
}
PATHS = [
    *("b.lock", "a/b.lock", "a/x/b.lock", "a/x/y/b.lock", "ab.lock", "aab.lock", "c.lock"),
    *("a/c.lock", "a/cd.lock", "a/cx/d.lock", "cxd/e", "cx/d/e", "].lock", "q1.lock", "1.lock"),
    *("x.lock", "*.lock", "f", "a/f", "\u00e9.lock", "\udcff.lock"),
]
ODD = ["a b.lock", 't\tq"\\.lock', "line\nbreak.lock", "a\nb.lock"]
NAMES = [path.encode("utf-8", "surrogateescape") for path in [*PATHS, *ODD]]


@pytest.mark.oracle
@pytest.mark.parametrize("name", CASES)
def test_a_named_case_is_looked_up_as_git_does_it(name: str, git: CGit) -> None:
    assert not read_lines(CASES[name])[1]
    agree(git, CASES[name], NAMES)


pieces = st.sampled_from(
    [
        *"aab/.*?[]!^-\\",
        "**",
        "/**",
        "**/",
        "[a-b]",
        "[!a]",
        "[[:alnum:]]",
        "[]-a]",
        "[^\\]]",
        "***",
    ]
)
states = st.sampled_from(
    ["merge", "-merge", "!merge", "merge=union", "binary", "-binary", "m", "!m", "text", "diff"]
)
rows = st.builds(
    lambda first, rest: f"{first} {' '.join(rest)}",
    st.one_of(st.lists(pieces, min_size=1, max_size=6).map("".join), st.just("[attr]m")),
    st.lists(states, min_size=1, max_size=3),
)
paths = st.lists(
    st.text("aab.[]-\\*", min_size=1, max_size=4).filter(lambda name: name not in {".", ".."}),
    min_size=1,
    max_size=4,
).map(lambda names: "/".join(names).encode())


@pytest.mark.oracle
@settings(max_examples=EXAMPLES)
@given(
    text=st.lists(rows, max_size=4).map("\n".join), found=st.lists(paths, min_size=1, max_size=20)
)
def test_made_up_patterns_match_as_in_git(git: CGit, text: str, found: list[bytes]) -> None:
    rows = [row for row in text.split("\n") if not read_lines(row)[1]]
    agree(git, "\n".join(rows), found)


@pytest.mark.parametrize(
    ("row", "column", "length", "sentence"),
    [
        ("*.lock", 1, 6, "the line gives no attribute"),
        ("  !a -merge", 3, 2, "attributes have no negative patterns"),
        ("docs/ -merge", 1, 5, "the pattern is of a folder and matches no file"),
        ("/ -merge", 1, 1, "the pattern is empty"),
        ("a[b -merge", 1, 3, "the pattern matches nothing, as Git reads it"),
        ("[[:foo:]] -merge", 1, 9, "the pattern matches nothing, as Git reads it"),
        ("a\\ -merge", 1, 2, "the pattern matches nothing, as Git reads it"),
        ('"a b -merge', 1, 2, "the quoted pattern cannot be read"),
        ('"a\\x" -merge', 1, 5, "the quoted pattern cannot be read"),
        ('"a"-merge', 1, 9, "the quoted pattern cannot be read"),
        ('"[attr]a" -merge', 1, 9, "a macro stands without quotes"),
        ("[attr]-a -merge", 1, 8, "this cannot be the name of a macro"),
        ("a merge = union", 9, 1, "this is no attribute"),
        ("a merge=", 3, 6, "this gives the attribute no clear value"),
        ("a -merge=union", 3, 12, "this gives the attribute no clear value"),
        ("a --merge", 3, 7, "this is no attribute"),
        ("a m\u00e9rge", 3, 5, "this is no attribute"),
        ("a builtin_mode", 3, 12, "this is no attribute"),
        ("a" * 2001 + " -merge", 1, 2001, "the line has more than 2000 bytes"),
    ],
)
def test_a_line_that_git_would_not_use_is_a_fault(
    row: str, column: int, length: int, sentence: str
) -> None:
    lines, (fault,) = read_lines(f"a merge\n# fine\n{row}\nb merge")

    assert [line.pattern for line in lines] == ["a", "b"]
    assert (fault.line, fault.column, fault.length) == (3, column, length)
    assert fault.sentence == sentence
    assert fault.hint.endswith(".")


def test_a_hostile_name_costs_its_length_and_no_more() -> None:
    attributes = Attributes(read_lines("*a*a*a*a*a*a*a*a*b merge=union\n**/a/**/a/**/b -merge")[0])
    effort = Effort()

    assert attributes.driver(b"a" * 50_000, effort) == "text"
    assert attributes.driver(b"a/" * 25_000 + b"c", effort) == "text"
    assert Effort().left - effort.left < 200_000
    with pytest.raises(TooMuchWorkError):
        attributes.driver(b"a" * 1000, Effort(500))


def test_hostile_lines_cannot_make_the_reading_of_them_slow() -> None:
    rows = [
        "[!]]" * 400 + "\\",
        "[" * 1999,
        '"' + "\\" * 1900,
        *("[attr]m m n" for _ in range(999)),
    ]
    rows += [f"[attr]n{number} n{number + 1}" for number in range(5000)]

    attributes = Attributes(read_lines("\n".join([*rows, "* n0", "[attr]n5000 -merge"]))[0])

    assert attributes.driver(b"a", Effort()) == "binary"
