"""The bytes of commits: what a plan promises, and what git says of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from dulwich.objects import Commit, ShaFile

from hotfix.errors import InputError
from hotfix.git.commits import (
    AlreadyThere,
    Conflicted,
    FileChange,
    Identity,
    NewCommit,
    read_commit,
)
from hotfix.git.messages import find_picked_from, find_trailers
from hotfix.git.objects import EMPTY_TREE, CorruptObjectError, Overlay
from hotfix.git.pick import pick
from hotfix.git.restore import restore

from .making import START, Store, lines

if TYPE_CHECKING:
    from hotfix.identifiers import Sha

    from .cgit import CGit

WHEN = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
SECONDS = 1795348800
ROBOT = Identity("hotfix", "hotfix@noreply.gitlab.example.com")
TRAILERS = ("Hotfix: inc-1", "Merge-request: group/project!7")
TEN = lines(*range(10))


def raw(store: Store, data: bytes) -> Sha:
    return store.add(ShaFile.from_raw_string(Commit.type_num, data))


def picked(store: Store, commit: Sha, onto: Sha) -> NewCommit:
    outcome = pick(store, onto=onto, commit=commit, trailers=TRAILERS, committer=ROBOT, when=WHEN)
    assert isinstance(outcome, NewCommit), outcome
    return outcome


@pytest.fixture
def onto(store: Store) -> Sha:
    return store.commit(store.tree({"f": TEN, "production": b"only here\n"}))


def test_a_commit_is_read_with_what_the_plan_needs(store: Store) -> None:
    parent = store.commit(EMPTY_TREE)
    sha = raw(
        store,
        b"tree %s\nparent %s\n"
        % (EMPTY_TREE.encode(), parent.encode())
        + b"author Zo\xc3\xab <zoe@example.com> 1700000000 +0530\n"
        b"committer Bob <bob@example.com> 1700000100 -0100\n"
        b"gpgsig -----BEGIN PGP SIGNATURE-----\n parent " + b"2" * 40 + b"\n -----END-----\n\n"
        b"Fix it\n\nWhy.\n\nHotfix: inc-1\nHotfix: inc-2\n"
        b"(cherry picked from commit " + b"a" * 40 + b")\n",
    )

    commit = read_commit(store, sha)

    assert (commit.sha, commit.tree, commit.parents) == (sha, EMPTY_TREE, (parent,))
    assert commit.title == "Fix it"
    assert commit.author == "Zoë <zoe@example.com>"
    assert commit.author_time == datetime(
        2023, 11, 15, 3, 43, 20, tzinfo=timezone(timedelta(hours=5, minutes=30))
    )
    assert commit.committer_time.utcoffset() == timedelta(hours=-1)
    assert commit.trailers == {"Hotfix": ("inc-1", "inc-2")}
    assert commit.picked_from == ("a" * 40,)


def test_a_message_is_read_in_its_own_encoding(store: Store) -> None:
    sha = store.commit(EMPTY_TREE, encoding=b"ISO-8859-1", message=b"caf\xe9\n")

    assert read_commit(store, sha).message == "café\n"


@pytest.mark.parametrize("encoding", [b"no-such-charset", b"rot13", b"\xff\0"])
def test_an_encoding_that_is_none_does_not_stop_the_reading(store: Store, encoding: bytes) -> None:
    sha = store.commit(EMPTY_TREE, encoding=encoding, message=b"caf\xe9\n")

    assert read_commit(store, sha).message == "caf\\xe9\n"


@pytest.mark.parametrize("line", [b"Ada <a@b> 99999999999999999 +0000", b"Ada <a@b>"])
def test_a_commit_without_a_usable_date_is_refused(store: Store, line: bytes) -> None:
    sha = raw(store, b"tree %s\nauthor %s\ncommitter %s\n\nx\n" % (EMPTY_TREE.encode(), line, line))

    with pytest.raises(CorruptObjectError, match=sha):
        read_commit(store, sha)


def test_a_strange_zone_does_not_move_the_moment(store: Store) -> None:
    who = b"Ada <a@b> 1700000000 +51800"
    sha = raw(store, b"tree %s\nauthor %s\ncommitter %s\n\nx\n" % (EMPTY_TREE.encode(), who, who))

    assert read_commit(store, sha).author_time.timestamp() == START


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Title\n", {}),
        ("Title: looks like one\n", {}),
        ("Title\n\nKey: value\n", {"Key": ("value",)}),
        ("Title\n\nKey: one\n two\n", {"Key": ("one two",)}),
        ("Title\n\nProse about Key: value\nthat goes on\n", {}),
        (
            "Title\n\nprose\nSigned-off-by: Ada\nKey: value\n",
            {"Signed-off-by": ("Ada",), "Key": ("value",)},
        ),
        ("Title\n\nKey: value\n\nMore prose.\n", {}),
    ],
)
def test_trailers_are_those_of_the_last_paragraph(
    message: str, expected: dict[str, tuple[str, ...]]
) -> None:
    assert find_trailers(message) == expected


def test_picks_are_recognised_as_git_and_as_gitlab_write_them() -> None:
    one, two = "a" * 40, "b" * 40
    message = f"x\n\n(cherry picked from commit {one})\n(cherry-picked from commit {two})\n"

    assert find_picked_from(message) == (one, two)
    assert find_picked_from(f"see (cherry picked from commit {one}) above") == ()
    assert find_picked_from("(cherry picked from commit abc123)") == ()


@pytest.mark.parametrize("name", ["", " x", "a<b", "a>b", "a\nb", "a\0b"])
def test_an_identity_that_would_break_a_commit_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot stand in a commit"):
        Identity(name, "a@example.com").line()


def test_a_restore_has_the_tree_of_production_and_stands_on_the_release_head(store: Store) -> None:
    production = store.commit(store.tree({"f": TEN}))
    head = store.commit(store.tree({"f": TEN + b"unreleased\n", "g": b""}), production)

    made = restore(
        store,
        production=production,
        head=head,
        message="fix: restore release to last production state",
        trailers=["Hotfix: inc-1", f"Restores: {production}"],
        committer=ROBOT,
        when=WHEN,
    )

    assert isinstance(made, NewCommit)
    assert [each.id.decode() for each in made.objects] == [made.sha]
    assert made.objects[-1].as_raw_string().decode() == (
        f"tree {read_commit(store, production).tree}\n"
        f"parent {head}\n"
        f"author hotfix <hotfix@noreply.gitlab.example.com> {SECONDS} +0000\n"
        f"committer hotfix <hotfix@noreply.gitlab.example.com> {SECONDS} +0000\n"
        "\n"
        "fix: restore release to last production state\n"
        "\n"
        "Hotfix: inc-1\n"
        f"Restores: {production}\n"
    )
    assert made.files == (FileChange("f", "modified"), FileChange("g", "deleted"))
    assert made.author == made.committer == "hotfix <hotfix@noreply.gitlab.example.com>"


def test_release_that_equals_production_is_not_restored(store: Store) -> None:
    tree = store.tree({"f": TEN})
    production = store.commit(tree)
    head = store.commit(tree, production)

    made = restore(
        store,
        production=production,
        head=head,
        message="x",
        trailers=[],
        committer=ROBOT,
        when=WHEN,
    )

    assert isinstance(made, AlreadyThere)


def test_a_pick_keeps_the_authors_line_and_message_byte_by_byte(store: Store, onto: Sha) -> None:
    parent = store.commit(store.tree({"f": TEN, "later": b""}))
    tree = store.tree({"f": TEN + b"fix\n", "later": b""})
    commit = raw(
        store,
        b"tree %s\nparent %s\n"
        % (tree.encode(), parent.encode())
        + b"author Jos\xe9 <jose@example.com> 1600000000 -0730\n"
        b"committer Other <o@example.com> 1600000001 +0200\n"
        b"encoding ISO-8859-1\n"
        b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n signed\n -----END PGP SIGNATURE-----\n"
        b"\n"
        b"Caf\xe9\n\nWhy.  \n\n\n",
    )

    made = picked(store, commit, onto)

    assert made.objects[-1].as_raw_string() == (
        f"tree {made.tree}\nparent {onto}\n".encode()
        + b"author Jos\xe9 <jose@example.com> 1600000000 -0730\n"
        + f"committer hotfix <hotfix@noreply.gitlab.example.com> {SECONDS} +0000\n".encode()
        + b"encoding ISO-8859-1\n\n"
        + b"Caf\xe9\n\nWhy.  \n\n"
        + f"(cherry picked from commit {commit})\n".encode()
        + b"Hotfix: inc-1\nMerge-request: group/project!7\n"
    )
    assert made.author == "José <jose@example.com>"
    assert made.message.startswith("Café\n\nWhy.")
    assert made.files == (FileChange("f", "modified"),)


def test_a_pick_brings_every_new_object_and_itself_last(store: Store, onto: Sha) -> None:
    parent = store.commit(store.tree({"f": TEN}))
    commit = store.commit(store.tree({"f": TEN + b"fix\n", "d/new": b"x\n"}), parent)

    made = picked(store, commit, onto)

    assert made.objects[-1].id.decode() == made.sha
    assert not any(each.id in store for each in made.objects)
    overlay = Overlay(store)
    overlay.add(made.objects)
    assert read_commit(overlay, made.sha).parents == (onto,)
    for each in made.objects:
        store.add(each)
    assert store.files(made.tree) == {
        "d/new": b"x\n",
        "f": TEN + b"fix\n",
        "production": b"only here\n",
    }


def test_a_merge_commit_is_picked_with_mainline_one(store: Store, onto: Sha) -> None:
    mainline = store.commit(store.tree({"f": TEN, "main": b"m\n"}))
    branch = store.commit(store.tree({"f": TEN + b"fix\n"}))
    merge = store.commit(store.tree({"f": TEN + b"fix\n", "main": b"m\n"}), mainline, branch)

    assert picked(store, merge, onto).files == (FileChange("f", "modified"),)


def test_a_root_commit_is_picked_against_the_empty_tree(store: Store, onto: Sha) -> None:
    root = store.commit(store.tree({"new": b"x\n"}))

    assert picked(store, root, onto).files == (FileChange("new", "added"),)


def test_a_pick_that_changes_nothing_is_already_there(store: Store) -> None:
    parent = store.commit(store.tree({"f": TEN}))
    commit = store.commit(store.tree({"f": TEN + b"fix\n"}), parent)
    onto = store.commit(store.tree({"f": TEN + b"fix\n", "more": b""}))

    outcome = pick(store, onto=onto, commit=commit, trailers=(), committer=ROBOT, when=WHEN)

    assert isinstance(outcome, AlreadyThere)
    assert commit[:8] in outcome.reason


def test_a_conflict_shows_the_lines_of_all_three_with_their_numbers(store: Store) -> None:
    parent = store.commit(store.tree({"f": TEN}))
    commit = store.commit(store.tree({"f": lines(0, 1, 2, 3, "theirs", 5, 6, 7, 8, 9)}), parent)
    onto = store.commit(store.tree({"f": lines("first", 0, 1, 2, 3, "ours", 5, 6, 7, 8, 9)}))

    outcome = pick(store, onto=onto, commit=commit, trailers=(), committer=ROBOT, when=WHEN)

    assert isinstance(outcome, Conflicted)
    (conflict,) = outcome.conflicts
    assert (conflict.kind, conflict.paths) == ("content", ("f",))
    (hunk,) = conflict.hunks
    assert (hunk.base.start, hunk.base.lines) == (5, ("4\n",))
    assert (hunk.ours.start, hunk.ours.lines) == (6, ("ours\n",))
    assert (hunk.theirs.start, hunk.theirs.lines) == (5, ("theirs\n",))
    assert [side.mode for side in (conflict.base, conflict.ours, conflict.theirs) if side] == [
        0o100644
    ] * 3


@pytest.mark.oracle
def test_git_reads_the_new_commits_without_complaint(store: Store, onto: Sha, git: CGit) -> None:
    parent = store.commit(store.tree({"f": TEN}))
    commit = store.commit(store.tree({"f": TEN + b"fix\n"}), parent)
    made = picked(store, commit, onto)
    git.take([*store.objects.values(), *made.objects])

    assert git.run("rev-parse", f"{made.sha}^{{tree}}").strip().decode() == made.tree
    assert git.run("fsck", "--strict", "--no-dangling", made.sha) == b""
