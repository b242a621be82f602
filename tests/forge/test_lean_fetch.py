"""What a plan asks a Git server for: C git's own, over one connection, in protocol 2 and 0."""

from __future__ import annotations

import gzip
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from hotfix.forge.protocol import ForgeError
from hotfix.forge.transport import HttpRepository
from hotfix.git.commits import Conflicted, Identity, NewCommit, read_commit
from hotfix.git.explain import explain
from hotfix.git.history import History, commits_between, first_parents, is_ancestor
from hotfix.git.lazy import bring, bring_between
from hotfix.git.missing import missing_commits
from hotfix.git.needed import Line, bring_for, change_of
from hotfix.git.objects import MissingObjectError, Overlay, read_blob
from hotfix.git.pick import pick
from hotfix.identifiers import Sha
from tests.forge.git_server import GitServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from hotfix.git.objects import ObjectReader
    from tests.forge.conftest import StillClock

pytestmark = pytest.mark.oracle

ME = Identity("T", "t@example.com")
WHEN = datetime(2024, 1, 1, tzinfo=UTC)
DEEP = "one/two/three/file.txt"
"""A changed path of four parts: so deep is what the picks change."""


class Story:
    """A main line on which release and production stand, with fixes to pick after them."""

    def __init__(self, server: GitServer) -> None:
        self.server = server
        self.files = {f"{folder}/other-{n}.txt": f"{n}\n" for folder in "abc" for n in range(9)}
        self.files[DEEP] = "".join(f"line {n}\n" for n in range(30))
        self.files["one/two/side.txt"] = "side\n"
        self.main: Sha | None = None
        self.before = [self.grow(f"before {n}", {f"b/old-{n}.txt": "x\n"}) for n in range(40)]
        self.release = self.before[-10]
        self.production = self.before[-1]
        text = self.files[DEEP]
        self.work = self.grow("unreleased work", {DEEP: text.replace("line 29\n", "at work\n")})
        self.picks = (
            self.grow("one", {DEEP: self.files[DEEP].replace("line 2\n", "one\n")}),
            self.grow("two", {"one/two/side.txt": "fixed\n"}),
            self.grow("three", {"one/two/three/new.txt": "new\n"}),
        )
        self.after = [self.grow(f"after {n}", {f"c/new-{n}.txt": "x\n"}) for n in range(5)]
        server.ref("refs/heads/main", self.head)
        server.ref("refs/heads/release", self.release)

    @property
    def head(self) -> Sha:
        assert self.main is not None
        return self.main

    def grow(self, message: str, files: dict[str, str | None]) -> Sha:
        for path, text in files.items():
            if text is None:
                del self.files[path]
            else:
                self.files[path] = text
        self.main = self.server.snapshot(message, self.files, *filter(None, [self.main]))
        return self.main


class Heard:
    """A ``Telling`` that remembers."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def notice(self, text: str) -> None:
        self.told.append(text)

    def waiting(self, what: str) -> AbstractContextManager[None]:
        del what
        return nullcontext()


@pytest.fixture(params=[2, 0], ids=["protocol-2", "protocol-0"])
def server(request: pytest.FixtureRequest, tmp_path: Path, token: str) -> Iterator[GitServer]:
    server = GitServer(tmp_path, token)
    server.set_up(exact=True, version=request.param)
    yield server
    server.close()


@pytest.fixture
def story(server: GitServer) -> Story:
    return Story(server)


@pytest.fixture
def repository(server: GitServer, token: str, clock: StillClock) -> HttpRepository:
    return opened(server, token, clock)


def opened(server: GitServer, token: str, clock: StillClock) -> HttpRepository:
    return HttpRepository(server.url, token, gitlab=server.gitlab, timeout=5.0, sleep=clock.sleep)


def fetches(server: GitServer) -> list[str]:
    return [seen for seen in server.requests if seen.startswith("POST")]


def plan(reader: ObjectReader, story: Story) -> Sha:
    """Pick as a plan does, onto the commit of production."""
    production = read_commit(reader, story.production).tree
    bring_for(reader, [Line(production, tuple(change_of(reader, sha) for sha in story.picks))])
    overlay, head = Overlay(reader), story.production
    for sha in story.picks:
        made = pick(overlay, onto=head, commit=sha, trailers=(), committer=ME, when=WHEN)
        assert isinstance(made, NewCommit)
        overlay.add(made.objects)
        head = made.sha
    return read_commit(overlay, head).tree


def test_three_picks_take_as_many_requests_as_their_paths_are_deep_and_two(
    server: GitServer, story: Story, repository: HttpRepository
) -> None:
    reader = repository.fetch([story.release, story.production, story.head, *story.picks])
    bring_between(reader, exclude=story.production, include=[story.release, story.head])
    main = History(reader, story.head)
    assert all(sha in main for sha in story.picks)
    made = plan(reader, story)

    assert len(fetches(server)) == len(DEEP.split("/")) + 2
    assert server.connections == 1
    files = dict(story.files)
    for n in range(5):
        del files[f"c/new-{n}.txt"]
    files[DEEP] = files[DEEP].replace("at work\n", "line 29\n")
    assert made == server.tree(files)


def test_files_that_no_pick_touches_are_left_where_they_are(
    server: GitServer, story: Story, repository: HttpRepository
) -> None:
    reader = repository.fetch([story.production, *story.picks])
    plan(reader, story)

    at = f"{story.production}:"
    for untouched in ("a", "b", "a/other-1.txt", "one/two/side.txt"):
        assert server.at(at + untouched).encode() not in reader
    for read in ("one", "one/two", "one/two/three", DEEP):
        assert server.at(at + read).encode() in reader


def test_what_one_commit_has_and_another_has_not_is_what_git_says(
    server: GitServer, story: Story, repository: HttpRepository
) -> None:
    side = server.snapshot("side", story.files, story.before[3])
    merge = server.snapshot("merge", story.files, story.head, side)
    reader = repository.fetch([merge, story.production])

    found = commits_between(reader, exclude=story.production, include=merge)

    listed = server.git("-C", str(server.bare), "rev-list", merge, f"^{story.production}")
    assert set(found) == set(listed.split())
    assert side in found
    asked = len(server.requests)
    assert commits_between(reader, exclude=story.production, include=story.head) != ()
    assert commits_between(reader, exclude=story.production, include=story.before[3]) == ()
    assert len(server.requests) == asked


def test_an_ancestor_is_told_from_a_stranger(
    server: GitServer, story: Story, repository: HttpRepository
) -> None:
    stranger = server.snapshot("stranger", story.files, story.before[3])
    server.ref("refs/heads/other", stranger)
    reader = repository.fetch([story.head, stranger, story.before[0], story.production])

    assert is_ancestor(reader, story.before[0], story.head)
    assert is_ancestor(reader, story.head, story.head)
    assert not is_ancestor(reader, stranger, story.head)
    assert not is_ancestor(reader, story.head, story.production)
    branch = History(reader, story.head)
    asked = [story.head, *story.picks, stranger, story.before[0]]
    assert [sha for sha in asked if sha not in branch] == [stranger]


def test_a_long_history_comes_in_growing_pieces(
    server: GitServer, story: Story, repository: HttpRepository
) -> None:
    reader = repository.fetch([story.head])

    line = [commit.sha for commit in first_parents(reader, story.head)]

    assert len(line) == 40 + 1 + 3 + 5
    assert len(fetches(server)) == 2


def test_an_object_that_the_server_lacks_is_named(
    server: GitServer, story: Story, repository: HttpRepository
) -> None:
    reader = repository.fetch([story.head])
    absent = Sha("1" * 40)

    with pytest.raises(MissingObjectError, match=absent):
        read_blob(reader, absent)
    with pytest.raises(MissingObjectError):
        read_blob(reader, absent)

    assert absent.encode() not in reader
    assert len(fetches(server)) == 2
    blob = Sha(server.at(f"{story.head}:{DEEP}"))
    assert read_blob(reader, blob).decode() == story.files[DEEP]


def test_what_was_missing_is_looked_for_again_after_the_next_fetch(
    server: GitServer, story: Story, repository: HttpRepository
) -> None:
    reader = repository.fetch([story.head])
    later = Sha("3b18e512dba79e4c8300dd08aeb37f8e728b8dad")
    with pytest.raises(MissingObjectError):
        read_blob(reader, later)
    commit = server.snapshot("later", {"file": "hello world\n"}, story.head)
    server.ref("refs/heads/main", commit)

    repository.fetch([commit])

    assert read_blob(reader, later) == b"hello world\n"


def test_a_file_that_lies_in_a_folder_of_the_same_request_comes_all_the_same(
    server: GitServer, story: Story, repository: HttpRepository
) -> None:
    """Git leaves such a file out of its first answer, as its filter wants it."""
    reader = repository.fetch([story.head])
    at = f"{story.head}:"
    wanted = [Sha(server.at(at + path)) for path in ("one/two/three", DEEP, "one/two", "one")]

    bring(reader, wanted)

    assert all(oid.encode() in reader for oid in wanted)


def test_a_moved_file_is_followed_with_few_requests(
    server: GitServer, story: Story, repository: HttpRepository
) -> None:
    text = story.files[DEEP]
    moved = {DEEP: None, "moved/far/away.txt": text} | {
        f"more/{n}/{n}.txt": f"{n} is new\n" for n in range(20)
    }
    story.grow("move", moved)
    fix = story.grow("fix", {"moved/far/away.txt": text.replace("line 20\n", "fixed\n")})
    server.ref("refs/heads/main", fix)
    reader = repository.fetch([fix, story.production])

    made = pick(reader, onto=story.production, commit=fix, trailers=(), committer=ME, when=WHEN)

    assert isinstance(made, NewCommit)
    assert [file.path for file in made.files] == [DEEP]
    assert len(fetches(server)) < 20


def test_a_conflict_is_found_over_the_wire_as_well(
    server: GitServer, story: Story, repository: HttpRepository
) -> None:
    text = story.files[DEEP]
    fix = story.grow("fix", {DEEP: text.replace("at work\n", "fixed\n")})
    server.ref("refs/heads/main", fix)
    reader = repository.fetch([fix, story.production])

    made = pick(reader, onto=story.production, commit=fix, trailers=(), committer=ME, when=WHEN)

    assert isinstance(made, Conflicted)
    assert [conflict.paths for conflict in made.conflicts] == [(DEEP,)]


def test_why_a_pick_conflicts_is_told_without_a_request_for_each_commit(
    server: GitServer, story: Story, repository: HttpRepository
) -> None:
    for n in range(20):
        story.grow(f"more {n}", {f"more/{n}.txt": "x\n"})
    text = story.files[DEEP]
    fix = story.grow("fix", {DEEP: text.replace("at work\n", "fixed\n")})
    server.ref("refs/heads/main", fix)
    reader = repository.fetch([fix, story.production])
    made = pick(reader, onto=story.production, commit=fix, trailers=(), committer=ME, when=WHEN)
    assert isinstance(made, Conflicted)

    found = explain(
        reader,
        onto=story.production,
        commit=fix,
        conflicted=made,
        missing=missing_commits(
            reader, commit=fix, onto=story.production, production=story.production
        ),
        group=lambda sha: sha,
    )

    assert found.stands_on == found.needed == (story.work,)
    assert len(fetches(server)) < 20


@pytest.mark.parametrize("version", [2, 0])
def test_a_server_without_single_objects_gives_the_same_plan_and_the_operator_is_told(
    server: GitServer, story: Story, token: str, clock: StillClock, version: int
) -> None:
    lean = plan(opened(server, token, clock).fetch([story.production, *story.picks]), story)
    server.set_up(exact=False, version=version)
    telling = Heard()
    plain = HttpRepository(
        server.url,
        token,
        gitlab=server.gitlab,
        timeout=5.0,
        sleep=clock.sleep,
        telling=telling,
    )
    reader = plain.fetch([story.production, story.head, *story.picks])

    assert plan(reader, story) == lean
    assert "uploadpack.allowFilter" in telling.told[0]
    assert len(telling.told) == 2
    assert len(commits_between(reader, exclude=story.before[0], include=story.head)) == 39 + 9


def test_a_connection_that_the_server_closes_is_opened_anew(
    server: GitServer, story: Story, repository: HttpRepository
) -> None:
    server.more_headers = [("Connection", "close")]

    plan(repository.fetch([story.production, *story.picks]), story)

    assert server.connections == len(server.requests)


def test_answers_may_come_compressed(
    server: GitServer, story: Story, repository: HttpRepository
) -> None:
    server.more_headers = [("Content-Encoding", "gzip")]
    server.transform = gzip.compress

    plan(repository.fetch([story.production, *story.picks]), story)

    assert server.connections == 1


def test_a_compressed_answer_that_is_cut_off_is_lost(
    server: GitServer, story: Story, repository: HttpRepository, clock: StillClock
) -> None:
    server.more_headers = [("Content-Encoding", "gzip")]
    server.transform = lambda body: gzip.compress(body)[:-20]

    with pytest.raises(ForgeError, match="did not answer"):
        repository.fetch([story.production])

    assert len(clock.slept) == 3


def test_a_project_that_moved_within_gitlab_is_followed(
    server: GitServer, story: Story, token: str, clock: StillClock
) -> None:
    server.moved = ("/old/app.git", "/app.git")
    repository = HttpRepository(
        f"{server.gitlab}/old/app.git",
        token,
        gitlab=server.gitlab,
        timeout=5.0,
        sleep=clock.sleep,
    )

    assert story.head.encode() in repository.fetch([story.head])
    assert server.connections == 1


@pytest.mark.parametrize(("status", "wait"), [(429, 7.0), (503, 0.5)])
def test_a_fetch_is_tried_again_when_the_server_is_busy(
    server: GitServer,
    story: Story,
    repository: HttpRepository,
    clock: StillClock,
    status: int,
    wait: float,
) -> None:
    repository.refs()
    server.busy = [(status, [("Retry-After", "7")] if status == 429 else [])]

    assert story.head.encode() in repository.fetch([story.head])
    assert clock.slept == [wait]
