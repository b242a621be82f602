from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hotfix.spec import tree
from hotfix.spec.load import load_spec
from hotfix.spec.problem import Mark, Source, SpecError
from hotfix.spec.reading import read
from hotfix.spec.scalar import Ambiguous, resolve_plain
from hotfix.spec.secrets import is_secret, mask, mask_line
from hotfix.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = (Path(__file__).parent / "good" / "single.yaml").read_text("utf-8")


def first_problem(path: Path) -> str:
    with pytest.raises(SpecError) as refused:
        read(path)
    return str(refused.value.problems[0]).replace(f"{path}:", "")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\xef\xbb\xbfversion: 1", "1:1: the file begins with a byte order mark"),
        (b"version: 1\ntitle: caf\xe9\n", "2:11: the file is not UTF-8"),
        ("version: 1".encode("utf-16"), "1:1: the file is not UTF-8"),
        (b"version: 1\r\ntitle: \x07", "2:8: the character U+0007 stands here"),
        ("title: a\u2028b".encode(), "1:9: the character U+2028 stands here"),
        ("title: a\u202eb".encode(), "1:9: the character U+202E stands here"),
        (b"#" * (1024 * 1024 + 1), "1:1: the file is larger than 1 MiB"),
    ],
)
def test_a_file_that_is_no_plain_text_is_refused_with_its_place(
    data: bytes, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "hotfix.yaml"
    path.write_bytes(data)

    assert first_problem(path).startswith(expected)


def test_a_file_without_end_is_not_read_to_its_end() -> None:
    assert first_problem(Path("/dev/zero")).startswith("1:1: the file is larger than 1 MiB")


def test_windows_line_ends_do_not_move_a_place(plans: Path) -> None:
    path = plans / "hotfix.yaml"
    path.write_bytes(GOOD.replace("\n", "\r\n").replace("[812, 815]", "[]").encode())

    with pytest.raises(SpecError) as refused:
        load_spec(path, gitlab=None)

    (problem,) = refused.value.problems
    assert (problem.line, problem.column, problem.excerpt) == (6, 17, "merge_requests: []")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("812", 812),
        ("-1", -1),
        ("0", 0),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("release", "release"),
        ("2026-11-22", "2026-11-22"),
        ("2026-11-22T03:00:00Z", "2026-11-22T03:00:00Z"),
        ("10.0.0.1", "10.0.0.1"),
        ("1.2.3", "1.2.3"),
        ("5f2c", "5f2c"),
        ("-", "-"),
        (".", "."),
        ("nan", "nan"),
    ],
)
def test_a_plain_scalar_means_what_yaml_1_2_says(text: str, value: object) -> None:
    found = resolve_plain(text)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("yes", "true"),
        ("Off", "false"),
        ("010", "10"),
        ("1_000", "1000"),
        ("0x10", None),
        ("0b1", None),
        ("12:30:45", None),
        (".inf", None),
        ("-.NaN", None),
        ("9007199254740993", None),
        ("1e400", None),
        ("9" * 5000, None),
    ],
)
def test_a_scalar_that_readers_of_yaml_disagree_on_has_no_value(
    text: str, instead: str | None
) -> None:
    found = resolve_plain(text)

    assert isinstance(found, Ambiguous)
    assert found.instead == instead


@pytest.mark.parametrize(
    "text",
    [
        "glpat-canary",
        "PRIVATE-TOKEN: canary",
        "curl -H 'Authorization: Bearer canary'",
        "https://jane:canary@example.com/",
        "https://example.com/?a=b&access_token=canary",
        "Cookie: session=canary",
        "-----BEGIN RSA PRIVATE KEY-----canary",
        "Bearer canary0123456789",
    ],
)
def test_a_secret_is_seen_and_covered_without_moving_columns(text: str) -> None:
    assert is_secret(text)
    assert "canary" not in mask(text)
    assert len(mask(text)) == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization header is dropped after 30 s",
        "Cookie: consent banner is broken",
        "fix the PRIVATE-TOKEN header",
        "https://example.com/a:b@c",
        "ssh://git@example.com/group/project",
        "basic authentication-timeouts",
        "rotate glpat- tokens",
        "jane@example.com",
    ],
)
def test_a_text_that_only_speaks_of_secrets_is_none(text: str) -> None:
    assert not is_secret(text)
    assert mask(text) == text


def test_what_stands_behind_a_telling_key_is_covered() -> None:
    assert mask_line('  db_password: "canary" # x') == "  db_password: ************"


def test_a_caret_stands_below_its_place_whatever_the_characters() -> None:
    source = Source("hotfix.yaml", "标题: [a, \x1b, b]")

    problem = source.problem(Mark(1, 12), Mark(1, 13), "wrong", "Write it right.")

    assert problem.excerpt == r"标题: [a, \x1b, b]"
    assert problem.pointer == " " * 16 + "^"


def test_a_long_line_is_cut_around_its_place() -> None:
    source = Source("hotfix.yaml", "x" * 5000 + "HERE" + "y" * 5000)

    problem = source.problem(Mark(1, 5001), Mark(1, 5005), "wrong", "Write it right.")

    start = problem.pointer.index("^")
    assert problem.excerpt[start : start + 4] == "HERE"
    assert len(problem.excerpt) <= 102


DAMAGED = st.builds(
    lambda place, length, text: GOOD[:place] + text + GOOD[place + length :],
    st.integers(0, len(GOOD)),
    st.integers(0, 30),
    st.text(st.sampled_from("\t\n -:[]{},&*!|>'\"#%@`?~0123456789.eE_xoyn\u00e9"), max_size=12),
)
KEYS = ("version", "targets", "project", "orchestration", "inputs", "smoke_checks", "http", "json")
MARKS = (": ", "\n", "\n  ", "- ", "{", "}", "[", "]", ", ", "&a ", "*a", "!!x ", "<<", '"', "'")
WORDS = st.lists(
    st.sampled_from((*KEYS, *MARKS, "1", "yes", "null", "after", "resolutions", "incident")),
    max_size=60,
).map("".join)


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=st.one_of(DAMAGED, WORDS, st.text()))
@example(text="")
@example(text="&a [*a]")
@example(text="? ? ?")
@example(text='"\\ud800": 1')
@example(text='title: "\\ud800"')
@example(text="[" * 10_000)
@example(text="- " * 10_000)
@example(text="{a: " * 2_000)
@example(text="%YAML 9.9\n---\na: 1")
@example(text="%TAG ! tag:example.com,2000:\n---\n!x a")
@example(text="version: 1\ntargets: {a: 1}\nafter: 1\nresolutions: [[]]")
def test_any_text_loads_or_is_refused_as_a_spec(
    text: str, loader: str, plans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "_Loader", getattr(yaml, loader, yaml.SafeLoader))
    path = plans / "hotfix.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    try:
        load_spec(path, gitlab=None)
    except SpecError as error:
        refused = error
    else:
        return

    lines = text.count("\n") + text.count("\r") + 2
    assert refused.problems
    for problem in refused.problems:
        assert 1 <= problem.line <= lines
        assert problem.column >= 1
        assert problem.hint
        assert printable(str(problem), keep_newlines=True) == str(problem)


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_both_of_pyyamls_loaders_give_the_same_tree(
    loader: str, monkeypatch: pytest.MonkeyPatch, good: Callable[[str], str]
) -> None:
    source = Source("hotfix.yaml", good("everything"))
    expected = tree.parse(source)

    monkeypatch.setattr(tree, "_Loader", getattr(yaml, loader, yaml.SafeLoader))

    found, problems = tree.parse(source)
    assert found is not None
    assert expected[0] is not None
    assert problems == expected[1] == []
    assert tree.plain(found) == tree.plain(expected[0])
    assert [key.start for key, _ in found.pairs.values()] == [
        key.start for key, _ in expected[0].pairs.values()
    ]
