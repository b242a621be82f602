from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.git.commits import Conflicted, Identity
from hotfix.git.explain import Explanation, explain, missing_commits
from hotfix.git.pick import pick

from .conftest import NOON, History

if TYPE_CHECKING:
    from hotfix.identifiers import Sha

LINES = [f"line {number}\n" for number in range(40)]


class Line:
    """A main line of one-file commits above production, and a fix at its end."""

    def __init__(self) -> None:
        self.history = History()
        self.files = {"a.txt": "".join(LINES), "b.txt": "".join(LINES)}
        self.production = self.head = self.history.commit(self.files)
        self.groups: dict[Sha, object] = {}

    def change(self, number: int, text: str, path: str = "a.txt", group: object = None) -> Sha:
        lines = self.files.get(path, "").splitlines(keepends=True)
        lines[number : number + 1] = [f"{text}\n"]
        return self.put(path, "".join(lines), group)

    def put(self, path: str, text: str, group: object = None) -> Sha:
        self.files[path] = text
        self.head = self.history.commit(self.files, self.head)
        self.groups[self.head] = group or self.head
        return self.head

    def explain(self, fix: Sha) -> Explanation:
        conflicted = pick(
            self.history,
            onto=self.production,
            commit=fix,
            trailers=(),
            committer=Identity("x", "x@example.com"),
            when=NOON,
        )
        assert isinstance(conflicted, Conflicted)
        return explain(
            self.history,
            onto=self.production,
            commit=fix,
            conflicted=conflicted,
            missing=missing_commits(self.history, commit=fix, production=self.production),
            group=lambda sha: self.groups[sha],
        )


@pytest.fixture
def line() -> Line:
    return Line()


def test_the_commit_that_brought_the_changed_line_is_named_and_is_enough(line: Line) -> None:
    line.change(30, "unrelated")
    brought = line.change(10, "brought")
    line.change(20, "unrelated too", path="b.txt")
    fix = line.change(10, "brought and fixed")

    assert line.explain(fix) == Explanation((brought,), (brought,))


def test_what_the_named_commit_stands_on_itself_is_named_too(line: Line) -> None:
    first = line.change(10, "first")
    second = line.change(10, "first and second")
    line.change(30, "unrelated")
    fix = line.change(10, "first and second, fixed")

    found = line.explain(fix)

    assert found.stands_on == (second,)
    assert found.needed == (first, second)


def test_two_places_name_two_commits(line: Line) -> None:
    one = line.change(5, "one")
    other = line.change(35, "other")
    text = line.files["a.txt"].replace("one\n", "one fixed\n").replace("other\n", "other fixed\n")
    fix = line.put("a.txt", text)

    assert line.explain(fix).needed == (one, other)


def test_a_file_that_production_lacks_names_the_commit_that_added_it(line: Line) -> None:
    added = line.put("new.txt", "one\ntwo\nthree\n")
    line.change(30, "unrelated")
    fix = line.change(1, "two fixed", path="new.txt")

    assert line.explain(fix).needed == (added,)


def test_commits_of_one_merge_request_are_taken_together(line: Line) -> None:
    first = line.change(10, "brought", group="!799")
    second = line.change(25, "of the same merge request", group="!799")
    fix = line.change(10, "brought and fixed")

    assert line.explain(fix).needed == (first, second)


def test_a_commit_that_only_stands_near_is_left_out(line: Line) -> None:
    line.change(30, "far away in the same file")
    brought = line.change(10, "brought")
    line.change(32, "far away again")
    fix = line.change(10, "brought and fixed")

    assert line.explain(fix).needed == (brought,)


def test_lines_that_moved_since_are_followed_to_where_they_came_from(line: Line) -> None:
    brought = line.change(20, "brought")
    line.put("a.txt", "a new head\n" * 7 + line.files["a.txt"])
    fix = line.change(27, "brought and fixed")

    assert line.explain(fix).needed == (brought,)


def test_production_that_went_another_way_has_no_set(line: Line) -> None:
    fix = line.change(10, "fixed")
    line.production = line.history.commit(
        {
            **line.files,
            "a.txt": "".join(["other\n", *LINES[1:10], "fixed otherwise\n", *LINES[11:]]),
        },
        line.production,
    )

    assert line.explain(fix) == Explanation((), ())
