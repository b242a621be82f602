from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.git import explain as explain_module
from hotfix.git.attributes import NO_ATTRIBUTES
from hotfix.git.commits import AlreadyThere, Conflicted, Identity, NewCommit
from hotfix.git.explain import Explanation, explain, picks_clean
from hotfix.git.missing import missing_commits
from hotfix.git.pick import pick

from .conftest import NOON, History

if TYPE_CHECKING:
    from hotfix.identifiers import Sha

LINES = [f"line {number}\n" for number in range(40)]


class Line:
    """A main line of small commits above production, and a fix at its end."""

    def __init__(self) -> None:
        self.history = History()
        self.files = {"a.txt": "".join(LINES), "b.txt": "".join(LINES)}
        self.production = self.head = self.history.commit(self.files)
        self.groups: dict[Sha, object] = {}

    def change(self, number: int, text: str, path: str = "a.txt", group: object = None) -> Sha:
        lines = self.files.get(path, "").splitlines(keepends=True)
        lines[number : number + 1] = [f"{text}\n"]
        return self.put(path, "".join(lines), group)

    def put(self, path: str, text: str | None, group: object = None) -> Sha:
        return self.put_all({path: text}, group)

    def put_all(self, texts: dict[str, str | None], group: object = None) -> Sha:
        """Commit files at once; ``None`` removes one."""
        kept = {**self.files, **texts}
        self.files = {path: text for path, text in kept.items() if text is not None}
        self.head = self.history.commit(self.files, self.head)
        self.groups[self.head] = group or self.head
        return self.head

    def pick(self, commit: Sha, onto: Sha) -> Sha:
        """Pick onto a branch of production's, as an earlier hotfix did."""
        made = self.picked(commit, onto)
        assert isinstance(made, NewCommit)
        for each in made.objects:
            self.history.add(each)
        return made.sha

    def picked(self, commit: Sha, onto: Sha) -> NewCommit | AlreadyThere | Conflicted:
        return pick(
            self.history,
            onto=onto,
            commit=commit,
            trailers=(),
            committer=Identity("x", "x@example.com"),
            when=NOON,
        )

    def explain(self, fix: Sha, onto: Sha | None = None) -> Explanation:
        onto = onto or self.production
        conflicted = self.picked(fix, onto)
        assert isinstance(conflicted, Conflicted)
        found = explain(
            self.history,
            onto=onto,
            commit=fix,
            conflicted=conflicted,
            missing=missing_commits(
                self.history, commit=fix, onto=onto, production=self.production
            ),
            group=lambda sha: self.groups[sha],
        )
        if found.needed:
            commits = (*found.needed, fix)
            assert picks_clean(self.history, onto=onto, commits=commits, attributes=NO_ATTRIBUTES)
        return found


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


def test_a_commit_that_only_took_lines_away_beside_the_fix_is_named(line: Line) -> None:
    line.change(30, "unrelated")
    took = line.put("a.txt", line.files["a.txt"].replace("line 10\nline 11\n", ""))
    line.change(2, "unrelated too")
    fix = line.change(9, "line 9, fixed")

    assert line.explain(fix) == Explanation((took,), (took,))


def test_the_smallest_of_several_sets_is_named(line: Line) -> None:
    """The first two undo each other; a search that only adds what lines go back to takes all."""
    line.change(10, "first")
    line.change(10, "line 10")
    third = line.change(10, "third")
    fix = line.change(10, "third, fixed")

    assert line.explain(fix).needed == (third,)


def test_lines_are_followed_to_the_name_that_the_file_had(line: Line) -> None:
    brought = line.change(10, "brought")
    line.put_all({"moved/a.txt": line.files["a.txt"], "a.txt": None})
    line.change(30, "unrelated", path="moved/a.txt")
    fix = line.change(10, "brought and fixed", path="moved/a.txt")

    assert line.explain(fix) == Explanation((brought,), (brought,))


def test_a_file_that_was_moved_and_changed_at_once_is_followed_too(line: Line) -> None:
    brought = line.change(10, "brought")
    moved = line.put_all({"c.txt": line.files["a.txt"].replace("line 3\n", "3\n"), "a.txt": None})
    fix = line.change(10, "brought and fixed", path="c.txt")

    found = line.explain(fix)

    assert found.stands_on == (brought,)
    assert moved not in found.needed


def test_a_file_that_the_fix_removes_names_all_that_changed_it(line: Line) -> None:
    one = line.change(5, "one")
    line.change(5, "unrelated", path="b.txt")
    other = line.change(30, "other")
    fix = line.put("a.txt", None)

    assert line.explain(fix).needed == (one, other)


def test_a_file_made_where_production_has_another_names_what_removed_that(line: Line) -> None:
    removed = line.put("a.txt", None)
    line.change(5, "unrelated", path="b.txt")
    fix = line.put("a.txt", "something\nelse\n")

    assert line.explain(fix) == Explanation((removed,), (removed,))


def test_a_binary_file_names_all_that_changed_it(line: Line) -> None:
    line.put("logo", "\0one")
    line.production = line.head
    second = line.put("logo", "\0two")
    third = line.put("logo", "\0three")
    fix = line.put("logo", "\0fixed")

    assert line.explain(fix).needed == (second, third)


def test_a_file_added_to_a_folder_that_moved_names_the_move(line: Line) -> None:
    line.put_all({"old/1.txt": "one\n" * 20, "old/2.txt": "two\n" * 20})
    line.production = line.head
    line.change(5, "unrelated")
    texts = {f"new/{path[4:]}": line.files[path] for path in ("old/1.txt", "old/2.txt")}
    moved = line.put_all({**texts, "old/1.txt": None, "old/2.txt": None})
    fix = line.put("new/3.txt", "three\n")

    assert line.explain(fix) == Explanation((moved,), (moved,))


def test_a_file_renamed_twice_names_the_rename_that_is_missing(line: Line) -> None:
    renamed = line.put_all({"c.txt": line.files["a.txt"], "a.txt": None})
    line.production = line.history.commit(
        {"b.txt": line.files["b.txt"], "e.txt": line.files["c.txt"]}, line.production
    )
    fix = line.put_all({"d.txt": line.files["c.txt"], "c.txt": None})

    found = line.explain(fix)

    assert found == Explanation((renamed,), ())


def test_a_change_that_an_earlier_hotfix_brought_is_not_missing(line: Line) -> None:
    there = line.change(10, "brought by an earlier hotfix")
    missing = line.change(11, "missing")
    text = line.files["a.txt"].replace("hotfix\n", "hotfix, fixed\n")
    fix = line.put("a.txt", text.replace("missing\n", "missing, fixed\n"))
    line.production = line.pick(there, line.production)

    assert line.explain(fix) == Explanation((missing,), (missing,))


def test_what_a_hotfix_picks_before_the_conflict_is_not_missing(line: Line) -> None:
    picked = line.change(10, "picked before")
    missing = line.change(11, "missing")
    text = line.files["a.txt"].replace("before\n", "before, fixed\n")
    fix = line.put("a.txt", text.replace("missing\n", "missing, fixed\n"))

    found = line.explain(fix, onto=line.pick(picked, line.production))

    assert found == Explanation((missing,), (missing,))


def test_what_a_restore_took_out_of_production_is_missing_again(line: Line) -> None:
    """Its history has the commit, its files do not: so it is after each hotfix by the runbook."""
    before = dict(line.files)
    brought = line.change(10, "brought")
    merged = line.history.commit(line.files, line.production, line.head)
    restored = line.history.commit(before, merged)
    earlier = line.history.commit({**before, "b.txt": "an earlier hotfix\n"}, restored)
    fix = line.change(10, "brought and fixed")
    line.production = earlier

    assert line.explain(fix) == Explanation((brought,), (brought,))


def test_a_restore_of_commits_that_went_straight_onto_release_counts_too(line: Line) -> None:
    before = dict(line.files)
    brought = line.change(10, "brought")
    line.production = line.history.commit(before, line.head)
    fix = line.change(10, "brought and fixed")

    assert line.explain(fix) == Explanation((brought,), (brought,))


def test_where_trying_takes_too_long_no_set_is_named(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought = line.change(10, "brought")
    fix = line.change(10, "brought and fixed")
    monkeypatch.setattr(explain_module, "_STEPS", 5_000)

    assert line.explain(fix) == Explanation((brought,), ())


def test_many_are_named_where_all_are_needed_and_not_every_set_can_be_tried(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain_module, "_STEPS", 1_000_000)
    changed = tuple(line.change(3 * number, f"change {number}") for number in range(13))
    line.change(3, "unrelated", path="b.txt")
    fix = line.put("a.txt", None)

    assert line.explain(fix).needed == changed


def test_what_is_not_needed_among_many_is_left_out(line: Line) -> None:
    """Half of the changes were undone; neither such a change nor its undoing is needed."""
    changed = [line.change(2 * number, f"change {number}") for number in range(7)]
    for number in range(0, 7, 2):
        line.change(2 * number, f"line {2 * number}")
    fix = line.put("a.txt", None)

    assert line.explain(fix).needed == tuple(changed[1::2])
