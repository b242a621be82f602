"""What is kept between runs: never wrong, never in the way, never for others to read."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from hotfix.forge.cache import Cache
from hotfix.forge.transport import HttpRepository
from hotfix.git.history import commits_between
from hotfix.git.lazy import bring_between
from hotfix.git.needed import Change, Line, bring_for
from tests.forge.git_server import GitServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hotfix.git.objects import ObjectReader
    from hotfix.identifiers import Sha
    from tests.forge.conftest import StillClock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "hotfix"


def test_what_was_put_in_comes_out(folder: Path) -> None:
    Cache(folder).put({"a": b"one", "b": b"two"})

    assert Cache(folder).get(["a", "b", "c"]) == {"a": b"one", "b": b"two"}


def test_only_its_owner_may_read_it(folder: Path) -> None:
    Cache(folder).put({"a": b"one"})

    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in folder.iterdir()] == [0o600]


@pytest.mark.parametrize(
    "value", [b"", b"junk", b"\0" * 20 + zlib.compress(b"one"), b"\0" * 20 + b"junk"]
)
def test_a_damaged_entry_is_dropped(folder: Path, value: bytes) -> None:
    Cache(folder).put({"a": b"one", "b": b"two"})
    with closing(sqlite3.connect(folder / "objects.sqlite3")) as database, database:
        database.execute("UPDATE entries SET value = ? WHERE key = 'a'", (value,))

    assert Cache(folder).get(["a", "b"]) == {"b": b"two"}

    with closing(sqlite3.connect(folder / "objects.sqlite3")) as database:
        assert database.execute("SELECT key FROM entries").fetchall() == [("b",)]


def test_an_entry_under_another_key_is_not_believed(folder: Path) -> None:
    Cache(folder).put({"a": b"one"})
    with closing(sqlite3.connect(folder / "objects.sqlite3")) as database, database:
        database.execute("UPDATE entries SET key = 'b'")

    assert Cache(folder).get(["b"]) == {}


def test_a_file_that_is_no_database_is_replaced_in_the_next_run(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "objects.sqlite3").write_bytes(b"not a database, but long enough to be one" * 100)
    cache = Cache(folder)

    assert cache.get(["a"]) == {}
    cache.put({"a": b"one"})
    Cache(folder).put({"a": b"one"})

    assert Cache(folder).get(["a"]) == {"a": b"one"}


def test_a_place_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / "hotfix")

    cache.put({"a": b"one"})

    assert cache.get(["a"]) == {}


def test_the_oldest_go_where_there_are_too_many(folder: Path) -> None:
    noise = {str(n): zlib.compress(str(n).encode() * 7, 0) + bytes(range(256)) for n in range(2000)}
    cache = Cache(folder, most_bytes=200_000)
    cache.put({"old": b"old"})
    with closing(sqlite3.connect(folder / "objects.sqlite3")) as database, database:
        database.execute("UPDATE entries SET used = 1")
    cache.put(dict(list(noise.items())[:1000]))
    cache.put(dict(list(noise.items())[1000:]))

    assert (folder / "objects.sqlite3").stat().st_size <= 200_000
    assert cache.get(["old"]) == {}
    assert cache.get(noise)


@pytest.mark.parametrize("age", ["key % 2", "key % 4", "(key * 7919) % 1000"])
def test_the_bound_holds_where_the_oldest_lie_scattered(folder: Path, age: str) -> None:
    chance = random.Random(1)  # noqa: S311 - bytes that do not shrink, no secret
    Cache(folder).put({str(n): chance.randbytes(256) for n in range(2000)})
    with closing(sqlite3.connect(folder / "objects.sqlite3")) as database, database:
        database.execute(f"UPDATE entries SET used = {age}")  # noqa: S608 - from the list above
    cache = Cache(folder, most_bytes=200_000)

    cache.put({"newest": b"newest"})

    assert (folder / "objects.sqlite3").stat().st_size <= 200_000
    assert cache.get(["newest"]) == {"newest": b"newest"}


def test_what_is_used_counts_as_young(folder: Path) -> None:
    cache = Cache(folder)
    cache.put({"a": b"one"})
    with closing(sqlite3.connect(folder / "objects.sqlite3")) as database:
        with database:
            database.execute("UPDATE entries SET used = 1")
        cache.get(["a"])
        assert database.execute("SELECT used > 1 FROM entries").fetchall() == [(1,)]


def test_several_processes_write_at_once(folder: Path) -> None:
    script = (
        "import sys, pathlib; from hotfix.forge.cache import Cache\n"
        "cache = Cache(pathlib.Path(sys.argv[1]))\n"
        "for n in range(40): cache.put({f'{sys.argv[2]}-{n}': b'x' * 100})\n"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", script, str(folder), str(name)])
        for name in range(3)
    ]

    assert [run.wait(60) for run in runs] == [0, 0, 0]
    keys = [f"{name}-{n}" for name in range(3) for n in range(40)]
    assert len(Cache(folder).get(keys)) == 120


# a repository with a cache


@pytest.fixture
def server(tmp_path: Path, token: str) -> Iterator[GitServer]:
    server = GitServer(tmp_path, token)
    server.set_up(exact=True)
    yield server
    server.close()


@pytest.fixture
def commits(server: GitServer) -> list[Sha]:
    made: list[Sha] = []
    for n in range(4):
        files = {"a/b/file": f"{n}\n", "same": "same\n"}
        made.append(server.snapshot(str(n), files, *made[-1:]))
    server.ref("refs/heads/main", made[-1])
    return made


def opened(server: GitServer, token: str, clock: StillClock, folder: Path) -> HttpRepository:
    return HttpRepository(
        server.url,
        token,
        gitlab=server.gitlab,
        timeout=5.0,
        sleep=clock.sleep,
        cache=Cache(folder),
    )


def read(repository: HttpRepository, commits: list[Sha]) -> ObjectReader:
    reader = repository.fetch([commits[0], commits[-1]])
    bring_between(reader, exclude=commits[0], include=[commits[-1]])
    assert len(commits_between(reader, exclude=commits[0], include=commits[-1])) == 3
    first, last = (reader[sha.encode()].tree.decode() for sha in (commits[0], commits[-1]))  # type: ignore[attr-defined]
    bring_for(reader, [Line(None, (Change(first, last),))])
    return reader


@pytest.mark.oracle
def test_a_plan_made_again_asks_for_no_object(
    server: GitServer, commits: list[Sha], token: str, clock: StillClock, folder: Path
) -> None:
    read(opened(server, token, clock, folder), commits)
    server.requests.clear()

    reader = read(opened(server, token, clock, folder), commits)

    assert [seen for seen in server.requests if seen.startswith("POST")] == []
    assert server.at(f"{commits[0]}:a/b").encode() in reader


@pytest.mark.oracle
def test_what_is_damaged_is_fetched_anew(
    server: GitServer, commits: list[Sha], token: str, clock: StillClock, folder: Path
) -> None:
    read(opened(server, token, clock, folder), commits)
    with closing(sqlite3.connect(folder / "objects.sqlite3")) as database, database:
        database.execute("UPDATE entries SET value = substr(value, 1, length(value) - 3)")

    assert commits[0].encode() in read(opened(server, token, clock, folder), commits)


@pytest.mark.oracle
def test_a_cached_object_of_another_id_is_dropped_and_fetched(
    server: GitServer, commits: list[Sha], token: str, clock: StillClock, folder: Path
) -> None:
    cache = Cache(folder)
    repository = opened(server, token, clock, folder)
    repository.fetch([commits[0]])
    scope = repository._objects._scope  # type: ignore[union-attr]
    cache.put({f"{scope} {commits[0]}": b"\x01tree of lies"})

    reader = opened(server, token, clock, folder).fetch([commits[0]])

    assert reader[commits[0].encode()].id.decode() == commits[0]


@pytest.mark.oracle
def test_repositories_do_not_share_what_they_have(
    server: GitServer, commits: list[Sha], token: str, clock: StillClock, folder: Path
) -> None:
    opened(server, token, clock, folder).fetch([commits[0]])
    other = GitServer(server.root / "other", token)
    try:
        other.set_up(exact=True)
        with pytest.raises(Exception, match=commits[0]):
            opened(other, token, clock, folder).fetch([commits[0]])
    finally:
        other.close()


@pytest.mark.oracle
def test_the_token_is_not_in_it(
    server: GitServer, commits: list[Sha], token: str, clock: StillClock, folder: Path
) -> None:
    read(opened(server, token, clock, folder), commits)

    content = (folder / "objects.sqlite3").read_bytes()
    assert token.encode() not in content
    assert server.url.encode() not in content
