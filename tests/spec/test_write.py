from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfix.files import write_new
from hotfix.spec.load import load_spec
from hotfix.spec.write import (
    NewMergeRequest,
    NewTarget,
    proposed_id,
    proposed_title,
    spec_text,
)

if TYPE_CHECKING:
    from pathlib import Path

SHA = "5f2c0d0c8f0b5f8a3a2e6f9f0c1d2e3f4a5b6c7d"
AT = "2026-11-22T12:00:00Z"
HOSTILE = [
    'x"\nversion: 2',
    "fix: # not a comment",
    "a: {b: [c]} &anchor *alias !!python/object:os.system",
    "--- \n...",
    "\x1b[2Jcleared",
    "\u202eright to left\u2028next",
    "token glpat-canary-0001-abcdef",
    "emoji \U0001f525 and ümläut",
    "yes",
    "   ",
    "%TAG ! tag:",
    "x" * 1000,
]


def _merge_request(title: str, iid: int = 812, state: str = "merged") -> NewMergeRequest:
    return NewMergeRequest(iid, title, state)


def _text(*titles: str, projects: int = 1) -> str:
    requests = tuple(_merge_request(title, place + 1) for place, title in enumerate(titles))
    targets = [NewTarget(f"a/p{n}", SHA, AT, requests) for n in range(projects)]
    first = requests[0]
    return spec_text(
        proposed_id(first), proposed_title(first), targets, gitlab=None, orchestration="a/develop"
    )


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.parametrize("projects", [1, 2])
def test_a_spec_of_any_title_is_valid_and_says_what_was_asked(
    tmp_path: Path, title: str, projects: int
) -> None:
    path = tmp_path / "hotfix.yaml"
    text = _text(title, "fix: another", projects=projects)
    path.write_text(text, encoding="utf-8")

    spec = load_spec(path, gitlab=None).spec

    assert [target.project for target in spec.targets] == [f"a/p{n}" for n in range(projects)]
    for target in spec.targets:
        assert (target.production_sha, [each.iid for each in target.merge_requests]) == (
            SHA,
            [1, 2],
        )
        assert [check.kind for check in target.smoke_checks] == ["manual"]
    assert "canary" not in text


@given(st.text())
def test_no_title_breaks_the_file(tmp_path_factory: pytest.TempPathFactory, title: str) -> None:
    path = tmp_path_factory.mktemp("spec") / "hotfix.yaml"
    path.write_text(_text(title), encoding="utf-8")

    assert load_spec(path, gitlab=None).spec.targets[0].production_sha == SHA


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("fix: keep OCPP connections", "mr-812-keep-ocpp-connections"),
        ("fix(api)!: Größe", "mr-812-groe"),
        ("Überlänge", "mr-812-uberlange"),
        ("修正", "mr-812"),
        ("word " * 40, "mr-812" + "-word" * 11),
        ("../../etc", "mr-812-etc"),
    ],
)
def test_the_id_is_proposed_from_the_title(title: str, expected: str) -> None:
    assert proposed_id(_merge_request(title)) == expected


def test_what_is_not_merged_yet_is_said_beside_it() -> None:
    opened = NewTarget("a/p", SHA, AT, (_merge_request("fix", state="opened"),))

    text = spec_text("x", "x", [opened], gitlab="https://g.example.com", orchestration=None)

    assert "  - 812  # fix (opened, NOT MERGED YET)" in text
    assert 'gitlab: "https://g.example.com"' in text
    assert "\norchestration" not in text


def test_a_new_file_takes_the_place_of_none(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "new"
    write_new(path, b"one")

    with pytest.raises(FileExistsError):
        write_new(path, b"two")

    assert path.read_bytes() == b"one"
    assert list(path.parent.iterdir()) == [path]
