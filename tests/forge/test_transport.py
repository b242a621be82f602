"""The transport against C git's own server, and against servers that misbehave."""

from __future__ import annotations

import base64
import gc
import hashlib
import ssl
import tempfile
import traceback
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import certifi
import pytest
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree
from dulwich.protocol import pkt_line

from hotfix.errors import InputError
from hotfix.forge.bulk import WholeBranches
from hotfix.forge.network import trusted
from hotfix.forge.protocol import (
    ForgeError,
    NotFoundError,
    StaleRefError,
    UnknownOutcomeError,
)
from hotfix.forge.transport import HttpRepository
from hotfix.forge.wire import Wire
from hotfix.identifiers import ZERO, Sha
from tests.forge.git_server import GitServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.forge.conftest import StillClock, Stub

RELEASE = "refs/heads/release"


@pytest.fixture(params=["exact", "exact-0", "no-filter", "plain-0"])
def server(request: pytest.FixtureRequest, tmp_path: Path, token: str) -> Iterator[GitServer]:
    """Give a server as GitLab's, one of protocol 0, and two without single objects."""
    server = GitServer(tmp_path, token)
    server.set_up(
        exact=request.param.startswith("exact"), version=0 if "-0" in request.param else 2
    )
    yield server
    server.close()


@pytest.fixture
def repository(server: GitServer, token: str, clock: StillClock) -> HttpRepository:
    return open_repository(server.url, token, server.gitlab, clock)


def open_repository(url: str, token: str, gitlab: str, clock: StillClock) -> HttpRepository:
    return HttpRepository(url, token, gitlab=gitlab, timeout=5.0, sleep=clock.sleep)


def new_commit(parent: Sha | None, content: bytes = b"fixed\n") -> tuple[Sha, list[ShaFile]]:
    blob = Blob.from_string(content)
    tree = Tree()
    tree.add(b"file", 0o100644, blob.id)
    commit = Commit()
    commit.tree = tree.id
    commit.parents = [ObjectID(parent.encode())] if parent else []
    commit.author = commit.committer = b"T <t@example.com>"
    commit.author_time = commit.commit_time = 1700000000
    commit.author_timezone = commit.commit_timezone = 0
    commit.message = b"fix\n"
    return Sha(commit.id.decode()), [blob, tree, commit]


@pytest.mark.oracle
def test_refs_are_listed_below_a_prefix(server: GitServer, repository: HttpRepository) -> None:
    first = server.commit("one")
    for name in ("refs/heads/main", RELEASE, "refs/tags/v1", "refs/keep/x"):
        server.ref(name, first)
    server.git("-C", str(server.bare), "tag", "-a", "-m", "t", "v2", first)

    assert repository.refs() == {"refs/heads/main": first, RELEASE: first}
    assert repository.refs(RELEASE) == {RELEASE: first}
    assert set(repository.refs("refs/tags/")) == {"refs/tags/v1", "refs/tags/v2"}
    assert repository.refs("refs/none/") == {}


@pytest.mark.oracle
def test_an_empty_repository_has_no_refs(repository: HttpRepository) -> None:
    assert repository.refs() == {}


@pytest.mark.oracle
def test_the_token_goes_with_the_first_request(
    server: GitServer, repository: HttpRepository
) -> None:
    repository.refs()

    asked = ["GET /app.git/info/refs?service=git-upload-pack", "POST /app.git/git-upload-pack"]
    assert server.requests == (asked if server.version else asked[:1])


@pytest.mark.oracle
def test_a_refused_token_is_gitlabs_word_and_not_shown(
    server: GitServer, clock: StillClock
) -> None:
    repository = open_repository(server.url, "glpat-wrong-canary", server.gitlab, clock)

    with pytest.raises(ForgeError, match=r"401 to GET /app\.git/info/refs: HTTP Basic") as caught:
        repository.refs()

    assert caught.value.status == 401
    assert len(server.requests) == 1
    assert "canary" not in "".join(traceback.format_exception(caught.value)) + repr(repository)


@pytest.mark.oracle
def test_a_commit_comes_with_its_history_and_its_files(
    server: GitServer, repository: HttpRepository
) -> None:
    first = server.commit("one")
    second = server.commit("two", first)
    server.ref(RELEASE, second)

    reader = repository.fetch([second])

    commit = reader[second.encode()]
    assert isinstance(commit, Commit)
    tree = reader[commit.tree]
    assert isinstance(tree, Tree)
    assert reader[tree[b"file"][1]].as_raw_string() == b"two"
    assert first.encode() in reader
    with pytest.raises(KeyError):
        reader[ZERO.encode()]


@pytest.mark.oracle
def test_a_commit_that_no_branch_holds_is_fetched_by_its_id(
    server: GitServer, repository: HttpRepository
) -> None:
    server.git("-C", str(server.bare), "config", "uploadpack.allowAnySHA1InWant", "true")
    server.ref(RELEASE, server.commit("one"))
    kept = server.commit("deployed once")

    assert kept.encode() in repository.fetch([kept])


@pytest.mark.oracle
def test_readers_see_what_is_fetched_later_and_nothing_is_fetched_twice(
    server: GitServer, repository: HttpRepository
) -> None:
    first = server.commit("one")
    server.ref(RELEASE, first)
    early = repository.fetch([first])
    second = server.commit("two", first)
    server.ref(RELEASE, second)

    repository.fetch([first, second])

    assert second.encode() in early
    seen = len(server.requests)
    assert repository.fetch([second, first])[first.encode()].id == first.encode()
    assert len(server.requests) == seen


@pytest.mark.oracle
def test_missing_commits_are_named_and_the_others_are_there(
    server: GitServer, repository: HttpRepository
) -> None:
    first = server.commit("one")
    server.ref(RELEASE, first)
    absent = [Sha("1" * 40), Sha("2" * 40)]

    with pytest.raises(NotFoundError, match=f"{absent[0]}, {absent[1]}") as caught:
        repository.fetch([first, *absent])

    assert first not in caught.value.message
    assert first.encode() in repository.fetch([first])


@pytest.mark.oracle
def test_a_push_moves_the_ref_with_exactly_the_given_objects(
    server: GitServer, repository: HttpRepository, capfd: pytest.CaptureFixture[str]
) -> None:
    first = server.commit("one")
    server.ref(RELEASE, first)
    new, objects = new_commit(first)

    repository.push(RELEASE, old=first, new=new, objects=objects)

    assert server.at(RELEASE) == new
    assert server.git("-C", str(server.bare), "show", f"{new}:file") == "fixed"
    server.git("-C", str(server.bare), "fsck", "--strict")
    assert capfd.readouterr() == ("", "")


@pytest.mark.oracle
def test_a_ref_is_created_moved_back_and_deleted(
    server: GitServer, repository: HttpRepository
) -> None:
    first = server.commit("one")
    second = server.commit("two", first)
    server.ref(RELEASE, second)
    lock = "refs/hotfix/lock"

    repository.push(lock, old=ZERO, new=second, objects=[])
    assert server.at(lock) == second
    repository.push(lock, old=second, new=first, objects=[])
    assert server.at(lock) == first
    repository.push(lock, old=first, new=ZERO, objects=[])
    assert repository.refs("refs/hotfix/") == {}


@pytest.mark.oracle
def test_a_push_to_where_the_ref_stands_already_is_no_write(
    server: GitServer, repository: HttpRepository
) -> None:
    first = server.commit("one")
    server.ref(RELEASE, first)

    repository.push(RELEASE, old=first, new=first, objects=[])

    assert not [seen for seen in server.requests if seen.startswith("POST")]


@pytest.mark.oracle
@pytest.mark.parametrize("old", [ZERO, Sha("1" * 40)])
def test_a_ref_that_stands_elsewhere_is_left_alone(
    server: GitServer, repository: HttpRepository, old: Sha
) -> None:
    first = server.commit("one")
    server.ref(RELEASE, first)
    new, objects = new_commit(first)

    with pytest.raises(StaleRefError, match=f"stands at {first[:8]}") as caught:
        repository.push(RELEASE, old=old, new=new, objects=objects)

    assert server.at(RELEASE) == first
    assert caught.value.code == "branch-moved"
    assert not [seen for seen in server.requests if seen.startswith("POST")]


@pytest.mark.oracle
def test_a_ref_that_is_not_there_any_more_is_stale(
    server: GitServer, repository: HttpRepository
) -> None:
    first = server.commit("one")
    new, objects = new_commit(first)

    with pytest.raises(StaleRefError, match="does not exist, but was expected at"):
        repository.push(RELEASE, old=first, new=new, objects=objects)


@pytest.mark.oracle
def test_a_ref_that_moves_between_the_look_and_the_push_is_stale_by_the_servers_word(
    server: GitServer, repository: HttpRepository
) -> None:
    first = server.commit("one")
    others = server.commit("somebody else's", first)
    server.ref(RELEASE, first)
    server.hook("pre-receive", f"unset GIT_QUARANTINE_PATH; git update-ref {RELEASE} {others}")
    new, objects = new_commit(first)

    with pytest.raises(StaleRefError, match=f"stands at {others[:8]}"):
        repository.push(RELEASE, old=first, new=new, objects=objects)

    assert server.at(RELEASE) == others


@pytest.mark.oracle
def test_gitlabs_refusal_is_shown_in_its_own_words(
    server: GitServer, repository: HttpRepository
) -> None:
    first = server.commit("one")
    server.ref(RELEASE, first)
    words = "You are not allowed to push code to protected branches on this project."
    server.hook("pre-receive", f"printf 'noise\\nGitLab: {words}\\n\\033[2Jevil' >&2; exit 1")
    new, objects = new_commit(first)

    with pytest.raises(ForgeError) as caught:
        repository.push(RELEASE, old=first, new=new, objects=objects)

    assert caught.value.message == (
        f"GitLab refused the push to {RELEASE}: {words} (pre-receive hook declined)"
    )
    assert server.at(RELEASE) == first


@pytest.mark.oracle
def test_a_hooks_text_is_made_harmless(server: GitServer, repository: HttpRepository) -> None:
    first = server.commit("one")
    server.ref(RELEASE, first)
    server.hook("pre-receive", "printf '\\033]0;owned\\007 no\\n' >&2; exit 1")
    new, objects = new_commit(first)

    with pytest.raises(ForgeError) as caught:
        repository.push(RELEASE, old=first, new=new, objects=objects)

    assert caught.value.message.isprintable()
    assert "no" in caught.value.message


@pytest.mark.oracle
def test_a_pack_that_lacks_an_object_changes_nothing(
    server: GitServer, repository: HttpRepository
) -> None:
    first = server.commit("one")
    server.ref(RELEASE, first)
    new, objects = new_commit(first)

    with pytest.raises(ForgeError, match="missing necessary objects") as caught:
        repository.push(RELEASE, old=first, new=new, objects=objects[2:])

    assert not isinstance(caught.value, StaleRefError | UnknownOutcomeError)
    assert server.at(RELEASE) == first


# servers that misbehave


ADVERTISEMENT = "application/x-git-receive-pack-advertisement"
RESULT = "application/x-git-receive-pack-result"
INFO = ("GET", "/app.git/info/refs")
PUSH = ("POST", "/app.git/git-receive-pack")
OLD = Sha("1" * 40)
CAPABILITIES = b"report-status delete-refs side-band-64k ofs-delta"


@pytest.fixture
def stubbed(stub: Stub, token: str, clock: StillClock) -> HttpRepository:
    return HttpRepository(
        f"{stub.url}/app.git", token, gitlab=stub.url, timeout=0.3, sleep=clock.sleep
    )


def advertise(stub: Stub, capabilities: bytes = CAPABILITIES) -> None:
    refs = pkt_line(f"{OLD} {RELEASE}".encode() + b"\0" + capabilities + b"\n") + b"0000"
    head = pkt_line(b"# service=git-receive-pack\n") + b"0000"
    stub.on(*INFO, head + refs, kind=ADVERTISEMENT)


def report(*lines: bytes, channel: bytes = b"\x01") -> bytes:
    inner = b"".join(map(pkt_line, lines)) + b"0000"
    return pkt_line(channel + inner) + b"0000"


def push(repository: HttpRepository) -> None:
    new, objects = new_commit(OLD)
    repository.push(RELEASE, old=OLD, new=new, objects=objects)


@pytest.mark.parametrize(
    "reply",
    [
        {"drop": True},
        {"delay": 0.6},
        {"status": 500, "body": b"oops"},
        {"status": 502, "body": b"<html><title>Bad Gateway</title>"},
        {"status": 200, "body": b"<html><title>Sign in</title>", "kind": "text/html"},
        {"status": 200, "body": b"", "kind": RESULT},
        {"status": 200, "body": b"0000", "kind": RESULT},
        {"status": 200, "body": b"garbage", "kind": RESULT},
        {"status": 200, "body": b"zzzz", "kind": RESULT},
        {"status": 200, "body": b"0005\x09", "kind": RESULT},
        {"status": 200, "body": b"\xff" * 64, "kind": RESULT},
        {"status": 200, "body": report(b"unpack ok\n"), "kind": RESULT},
        {"status": 200, "body": report(b"unpack ok\n", b"ok refs/heads/x\n"), "kind": RESULT},
        {"status": 200, "body": report(b"unpack ok\n", b"ng\n"), "kind": RESULT},
        {"status": 200, "body": report(b"unpack ok\n", b"ng refs\n"), "kind": RESULT},
        {"status": 200, "body": report(b"unpack ok\n", b"what refs\n"), "kind": RESULT},
        {"status": 200, "body": report(b"died", channel=b"\x03"), "kind": RESULT},
        {"status": 200, "body": report(b"x"), "kind": RESULT, "headers": {"Content-Length": "99"}},
    ],
)
def test_a_push_whose_answer_is_lost_is_sent_once_and_its_outcome_unknown(
    stub: Stub, stubbed: HttpRepository, reply: dict[str, Any]
) -> None:
    advertise(stub)
    stub.on(*PUSH, **reply)

    with pytest.raises(UnknownOutcomeError, match=f"whether the push to {RELEASE} happened"):
        push(stubbed)

    assert len(stub.asked(*PUSH)) == 1


def test_a_server_that_reports_nothing_leaves_the_outcome_unknown(
    stub: Stub, stubbed: HttpRepository
) -> None:
    advertise(stub, b"delete-refs")
    stub.on(*PUSH, b"", kind=RESULT)

    with pytest.raises(UnknownOutcomeError, match="did not report"):
        push(stubbed)


def test_a_push_that_is_refused_by_its_status_did_not_happen(
    stub: Stub, stubbed: HttpRepository
) -> None:
    advertise(stub)
    stub.on(*PUSH, b"You are not allowed to push code to this project.", status=403)

    with pytest.raises(ForgeError, match="not allowed to push code to this") as caught:
        push(stubbed)

    assert not isinstance(caught.value, UnknownOutcomeError)


def test_a_pack_that_cannot_be_unpacked_did_not_move_the_ref(
    stub: Stub, stubbed: HttpRepository
) -> None:
    advertise(stub)
    stub.on(*PUSH, report(b"unpack index-pack abnormal exit\n"), kind=RESULT)

    with pytest.raises(ForgeError, match=r"could not unpack .*index-pack abnormal exit") as caught:
        push(stubbed)

    assert not isinstance(caught.value, UnknownOutcomeError)


def test_looking_before_a_push_is_a_read_and_tried_again(
    stub: Stub, stubbed: HttpRepository, clock: StillClock
) -> None:
    stub.on(*INFO, status=502)
    stub.on(*INFO, drop=True)
    advertise(stub)
    stub.on(*PUSH, report(b"unpack ok\n", f"ok {RELEASE}\n".encode()), kind=RESULT)

    push(stubbed)

    assert clock.slept == [0.5, 1.0]
    assert len(stub.asked(*PUSH)) == 1


def test_no_answer_to_the_look_means_that_nothing_was_pushed(
    stub: Stub, stubbed: HttpRepository
) -> None:
    stub.on(*INFO, status=503)

    with pytest.raises(ForgeError) as caught:
        push(stubbed)

    assert not isinstance(caught.value, UnknownOutcomeError)
    assert stub.asked(*PUSH) == []


@pytest.mark.parametrize(
    "reply",
    [
        {"body": b"", "kind": "text/plain"},
        {"body": b"<html><title>Sign in</title>", "kind": "text/html"},
        {"body": b"garbage", "kind": "application/x-git-upload-pack-advertisement"},
        {"body": b"", "kind": "application/x-git-upload-pack-advertisement"},
    ],
)
def test_what_is_no_git_server_is_not_read_as_a_list_of_refs(
    stub: Stub, stubbed: HttpRepository, reply: dict[str, Any]
) -> None:
    stub.on(*INFO, **reply)

    with pytest.raises(ForgeError, match="Git's") as caught:
        stubbed.refs()

    assert caught.value.code == "gitlab-answer"


FETCH = ("POST", "/app.git/git-upload-pack")
PACK = b"PACK\0\0\0\2\0\0\0\1"


SERVERS = pytest.mark.parametrize("offer", [b"fetch=shallow filter\n", b"fetch=shallow\n"])


def offer_fetch(stub: Stub, answer: bytes, offer: bytes) -> None:
    """Script the requests of a fetch, as often as it may be tried."""
    kind = "application/x-git-upload-pack"
    lines = [b"version 2\n", b"ls-refs\n", offer, b"object-format=sha1\n"]
    stub.on(*INFO, b"".join(map(pkt_line, lines)) + b"0000", kind=f"{kind}-advertisement")
    stub.on(*FETCH, answer, kind=f"{kind}-result")


def packfile(content: bytes, *, whole: bool = False) -> bytes:
    content += hashlib.sha1(content).digest() if whole else b""  # noqa: S324  (the pack's own)
    return pkt_line(b"packfile\n") + pkt_line(b"\x01" + content) + b"0000"


@SERVERS
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"0000",
        b"garbage",
        pkt_line(b"packfile\n"),
        packfile(b""),
        packfile(b"PACK"),
        packfile(PACK),
        packfile(PACK + b"\x95\0garbage" + b"x" * 40),
        packfile(PACK + b"\x91\x0a" + b"\xff" * 40),
        packfile(PACK + b"\x70" + b"\1" * 20 + b"x\x9c\3\0\0\0\0\1" + b"y" * 20),
        pkt_line(b"packfile\n") + pkt_line(b"\x03fatal: out of memory") + b"0000",
        pkt_line(b"packfile\n") + pkt_line(b"\x09what") + b"0000",
    ],
)
def test_a_broken_pack_is_an_error_of_ours_and_leaves_nothing(
    stub: Stub,
    stubbed: HttpRepository,
    answer: bytes,
    offer: bytes,
    capfd: pytest.CaptureFixture[str],
) -> None:
    offer_fetch(stub, answer, offer)

    with pytest.raises(ForgeError) as caught:
        stubbed.fetch([OLD])

    objects = stubbed._objects
    assert caught.value.message.isprintable()
    assert objects is not None
    assert OLD.encode() not in objects
    if isinstance(objects, WholeBranches):
        assert list(Path(str(objects._store.pack_dir)).iterdir()) == []
    assert "\x1b" not in "".join(capfd.readouterr())


@SERVERS
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "content",
    [
        b"PACK\0\0\0\x09\0\0\0\1",
        PACK,
        PACK + b"\x95\0garbage",
        PACK + b"\x91\x0a" + b"\xff" * 40,
        PACK + b"\x70" + b"\1" * 20 + zlib.compress(b"\0\0"),
        PACK + b"\x64\x7f" + zlib.compress(b"\0\0\0\0"),
        PACK + b"\x11" + zlib.compress(b"not a commit"),
    ],
)
def test_a_pack_that_is_whole_but_makes_no_sense_is_an_error_of_ours(
    stub: Stub, stubbed: HttpRepository, content: bytes, offer: bytes
) -> None:
    """Dulwich leaves such a pack open on disk, and warns of itself when it is collected."""
    offer_fetch(stub, packfile(content, whole=True), offer)

    with pytest.raises(ForgeError) as caught:
        stubbed.fetch([OLD])

    assert caught.value.code == "gitlab-answer"
    del caught
    gc.collect()


@SERVERS
def test_another_error_of_the_server_is_not_taken_for_a_missing_commit(
    stub: Stub, stubbed: HttpRepository, offer: bytes
) -> None:
    offer_fetch(stub, pkt_line(b"ERR repository is \x1b[2J locked\n"), offer)

    with pytest.raises(ForgeError, match=r"repository is .* locked") as caught:
        stubbed.fetch([OLD])

    assert not isinstance(caught.value, NotFoundError)


@pytest.mark.parametrize("sha", ["1" * 39, "z" * 40, "A" * 40, "1" * 64])
def test_a_ref_at_no_commit_id_is_refused(stub: Stub, stubbed: HttpRepository, sha: str) -> None:
    refs = pkt_line(f"{sha} {RELEASE}\0side-band-64k\n".encode()) + b"0000"
    head = pkt_line(b"# service=git-upload-pack\n") + b"0000"
    stub.on(*INFO, head + refs, kind="application/x-git-upload-pack-advertisement")

    with pytest.raises(ForgeError, match="no commit id"):
        stubbed.refs()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_git_follows_no_redirect(
    stub: Stub, stubbed: HttpRepository, status: int, token: str
) -> None:
    stub.on(*INFO, status=status, headers={"Location": f"{stub.url}/elsewhere?x={token}"})

    with pytest.raises(ForgeError, match=f"answered {status} to GET .* redirected to") as caught:
        stubbed.refs()

    assert len(stub.requests) == 1
    assert token not in caught.value.message


@pytest.mark.parametrize(
    ("url", "gitlab"),
    [
        ("https://evil.example/a.git", "https://gitlab.example.com"),
        ("https://gitlab.example.com.evil.example/a.git", "https://gitlab.example.com"),
        ("https://gitlab.example.com@evil.example/a.git", "https://gitlab.example.com"),
        ("https://me:pw@gitlab.example.com/a.git", "https://gitlab.example.com"),
        ("https://gitlab.example.com:8443/a.git", "https://gitlab.example.com"),
        ("http://gitlab.example.com/a.git", "https://gitlab.example.com"),
        ("git@gitlab.example.com:a.git", "https://gitlab.example.com"),
        ("http://127.0.0.1:81/a.git", "http://127.0.0.1:80"),
    ],
)
def test_the_token_goes_to_gitlabs_own_host_and_port_alone(
    url: str, gitlab: str, token: str, clock: StillClock
) -> None:
    with pytest.raises(InputError):
        open_repository(url, token, gitlab, clock)


@pytest.mark.oracle
def test_the_folder_of_what_was_fetched_goes_with_its_last_reader(
    server: GitServer, token: str, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = server.root / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    first = server.commit("one")
    server.ref(RELEASE, first)
    repository = open_repository(server.url, token, server.gitlab, clock)

    reader = repository.fetch([first])
    del repository
    gc.collect()
    assert reader[first.encode()].id == first.encode()
    assert len(list(scratch.iterdir())) == (0 if server.is_exact else 1)

    del reader
    gc.collect()
    assert list(scratch.iterdir()) == []


def test_the_default_port_may_be_written_out(token: str, clock: StillClock) -> None:
    url = "https://gitlab.example.com:443/gitlab/group/app.git"

    opened = open_repository(url, token, "https://GITLAB.example.com/gitlab", clock)

    assert repr(opened) == f"HttpRepository({url!r})"


def test_a_proxy_of_the_environment_is_taken_for_git_unless_excepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "http://me:p%40w@proxy.example:3128")
    monkeypatch.setenv("no_proxy", "near.example,10.0.0.0/8")

    proxied = Wire("https://gitlab.example.com/app.git", "t", timeout=1)._new_connection()
    direct = Wire("https://git.near.example/app.git", "t", timeout=1)._new_connection()
    inside = Wire("https://10.1.2.3/app.git", "t", timeout=1)._new_connection()
    local = Wire("http://127.0.0.1:8080/app.git", "t", timeout=1)._new_connection()

    assert (proxied.host, proxied.port) == ("proxy.example", 3128)
    assert proxied._tunnel_host == "gitlab.example.com"
    secret = base64.b64encode(b"me:p@w").decode()
    assert proxied._tunnel_headers["Proxy-Authorization"] == f"Basic {secret}"
    for other, host in ((direct, "git.near.example"), (inside, "10.1.2.3"), (local, "127.0.0.1")):
        assert (other.host, other._tunnel_host) == (host, None)


def test_a_proxy_that_cannot_be_used_is_refused_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "socks5://me:canary@proxy.example")

    with pytest.raises(ForgeError, match="proxy") as caught:
        Wire("https://gitlab.example.com/app.git", "t", timeout=1)

    assert caught.value.code == "gitlab-unusable"
    assert "canary" not in caught.value.message


def test_the_certificates_of_the_environment_are_taken_for_git(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    company = tmp_path / "company.pem"
    company.write_text(Path(certifi.where()).read_text(encoding="utf-8"), encoding="utf-8")
    asked: list[dict[str, str]] = []
    monkeypatch.setattr(ssl, "create_default_context", lambda **given: asked.append(given))

    trusted(str(company))
    trusted(str(tmp_path))
    trusted(None)

    assert asked == [
        {"cafile": str(company)},
        {"capath": str(tmp_path)},
        {"cafile": certifi.where()},
    ]


def test_a_file_without_certificates_is_named(tmp_path: Path) -> None:
    company = tmp_path / "company.pem"
    company.write_text("none", encoding="utf-8")

    with pytest.raises(InputError, match=r"company\.pem"):
        trusted(str(company))
