"""Git over HTTP, driven by the ordinary git client and by dulwich's."""

from __future__ import annotations

import gzip
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import requests
from dulwich.client import HttpGitClient
from dulwich.repo import MemoryRepo

from hotfix.identifiers import ZERO
from hotfix.sandbox import seed

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.sandbox import Sandbox

CORE = "evenergi/bf-manage-core"
PROTOCOLS = pytest.mark.parametrize("protocol", ["0", "2"])


def remote(sandbox: Sandbox, user: str = "operator", project: str = CORE) -> str:
    host = sandbox.url.removeprefix("http://")
    return f"http://oauth2:{seed.TOKENS[user]}@{host}/{project}.git"


class Git:
    """The git executable in a folder."""

    def __init__(self, folder: Path, protocol: str = "2") -> None:
        self.folder = folder
        self.protocol = protocol

    def __call__(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["git", "-c", f"protocol.version={self.protocol}", *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def commit(self, name: str, text: str = "x") -> str:
        (self.folder / name).write_text(text)
        self("add", name)
        self("commit", "-q", "-m", name)
        return self("rev-parse", "HEAD")


def cloned(sandbox: Sandbox, folder: Path, *options: str, user: str = "operator") -> Git:
    Git(folder)("clone", "-q", *options, remote(sandbox, user), "clone")
    return Git(folder / "clone")


@pytest.mark.oracle
@PROTOCOLS
def test_a_clone_is_whole(sandbox: Sandbox, tmp_path: Path, protocol: str) -> None:
    Git(tmp_path, protocol)("clone", "-q", remote(sandbox), "clone")
    git = Git(tmp_path / "clone", protocol)
    git("fsck", "--strict")
    repository = sandbox.world.project(CORE).repository
    assert git("rev-parse", "HEAD") == repository.branch("main")
    assert git("rev-parse", "origin/release") == repository.branch("release")
    files = git("ls-files").splitlines()
    assert set(files) == repository.files(repository.refs["refs/heads/main"]).keys()
    assert (tmp_path / "clone/config/current.yaml").readlink().name == "default.yaml"
    assert (tmp_path / "clone/scripts/deploy.sh").stat().st_mode & 0o111


@pytest.mark.oracle
@PROTOCOLS
def test_a_shallow_clone_can_be_deepened(sandbox: Sandbox, tmp_path: Path, protocol: str) -> None:
    source = remote(sandbox)
    Git(tmp_path, protocol)("clone", "-q", "--depth", "1", "-b", "release", source, "clone")
    git = Git(tmp_path / "clone", protocol)
    assert git("rev-list", "--count", "HEAD") == "1"
    git("fetch", "-q", "--depth", "2")
    assert git("rev-list", "--count", "HEAD") == "3"
    git("fetch", "-q")
    git("fetch", "-q", "--unshallow")
    git("fsck", "--strict")
    assert int(git("rev-list", "--count", "HEAD")) > 10


@pytest.mark.oracle
@PROTOCOLS
def test_any_commit_can_be_fetched_by_its_id(
    sandbox: Sandbox, tmp_path: Path, protocol: str
) -> None:
    sha = sandbox.world.production_sha(CORE)
    git = Git(tmp_path, protocol)
    git("init", "-q", ".")
    git("fetch", "-q", "--depth", "1", remote(sandbox), sha)
    assert git("rev-parse", "FETCH_HEAD") == sha
    unknown = git.run("fetch", "-q", remote(sandbox), "1" * 40)
    assert "not our ref" in unknown.stderr


@pytest.mark.oracle
@PROTOCOLS
def test_a_partial_clone_fetches_files_later(
    sandbox: Sandbox, tmp_path: Path, protocol: str
) -> None:
    source = remote(sandbox)
    Git(tmp_path, protocol)("clone", "-q", "--filter=blob:none", "--bare", source, "clone")
    git = Git(tmp_path / "clone", protocol)
    missing = git("rev-list", "--objects", "--missing=print", "main").count("\n?")
    assert missing > 10
    assert "manage-core" in git("show", "main:README.md")


@pytest.mark.oracle
@PROTOCOLS
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_filter_leaves_out_what_is_deeper_as_git_does(
    sandbox: Sandbox, tmp_path: Path, protocol: str, depth: int
) -> None:
    whole = cloned(sandbox, tmp_path)
    listed = whole("rev-list", "--objects", f"--filter=tree:{depth}", "origin/main")
    tip = whole("rev-parse", "origin/main")
    (tmp_path / "part").mkdir()
    part = Git(tmp_path / "part", protocol)
    part("init", "-q", "--bare")

    part("fetch", "-q", f"--filter=tree:{depth}", remote(sandbox), tip)

    found = part("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").splitlines()
    assert set(found) == {line.split()[0] for line in listed.splitlines()}


@pytest.mark.oracle
@PROTOCOLS
def test_single_objects_come_by_their_ids(sandbox: Sandbox, tmp_path: Path, protocol: str) -> None:
    whole = cloned(sandbox, tmp_path)
    wanted = [whole("rev-parse", f"origin/main{part}") for part in ("", "^{tree}", ":README.md")]
    (tmp_path / "part").mkdir()
    part = Git(tmp_path / "part", protocol)
    part("init", "-q", "--bare")

    part("fetch", "-q", "--depth=1", "--filter=tree:0", remote(sandbox), *wanted)

    found = part("cat-file", "--batch-all-objects", "--batch-check=%(objectname)").splitlines()
    assert set(found) == set(wanted)


@pytest.mark.oracle
@PROTOCOLS
def test_pushes_move_branches_and_refs_of_other_names(
    sandbox: Sandbox, tmp_path: Path, protocol: str
) -> None:
    git = cloned(sandbox, tmp_path, "-b", "release")
    git.protocol = protocol
    sha = git.commit("fix.txt")
    git("push", "-q", "origin", "release", "HEAD:refs/heads/topic", "HEAD:refs/hotfix/lock")
    refs = sandbox.world.project(CORE).repository.refs
    assert refs["refs/heads/release"] == refs["refs/hotfix/lock"] == sha
    git("push", "-q", "origin", ":topic", ":refs/hotfix/lock")
    assert not {"refs/heads/topic", "refs/hotfix/lock"} & refs.keys()
    assert "refs/heads/release" in git("ls-remote", "origin")


@pytest.mark.oracle
def test_a_shallow_clone_can_push(sandbox: Sandbox, tmp_path: Path) -> None:
    git = cloned(sandbox, tmp_path, "-b", "release", "--depth", "1")
    sha = git.commit("fix.txt")
    git("push", "-q", "origin", "release")
    assert sandbox.world.release_sha(CORE) == sha


@pytest.mark.oracle
def test_a_developer_is_kept_off_release_in_gitlabs_words(sandbox: Sandbox, tmp_path: Path) -> None:
    before = sandbox.world.release_sha(CORE)
    git = cloned(sandbox, tmp_path, "-b", "release", user="author")
    git.commit("fix.txt")
    refused = git.run("push", "origin", "release", "HEAD:refs/heads/topic")
    assert refused.returncode != 0
    assert (
        "remote: GitLab: You are not allowed to push code to protected branches on this project."
        in refused.stderr
    )
    assert refused.stderr.count("(pre-receive hook declined)") == 2
    assert sandbox.world.release_sha(CORE) == before
    git("push", "-q", "origin", "HEAD:refs/heads/topic")


@pytest.mark.oracle
def test_a_protected_branch_is_not_pushed_by_force_unless_it_says_so(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    git = cloned(sandbox, tmp_path, "-b", "release")
    refused = git.run("push", "-f", "origin", "HEAD~1:release")
    assert "You are not allowed to force push code to a protected branch" in refused.stderr
    for rule in sandbox.world.project(CORE).protections("release"):
        rule.allow_force_push = True
    git("push", "-q", "-f", "origin", "HEAD~1:release")
    assert sandbox.world.release_sha(CORE) == git("rev-parse", "HEAD~1")


@pytest.mark.oracle
def test_a_protected_branch_is_not_deleted_and_the_main_one_never(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    git = cloned(sandbox, tmp_path)
    assert "using the web interface" in git.run("push", "origin", ":release").stderr
    assert "default branch" in git.run("push", "origin", ":main").stderr
    readonly = git.run("push", "origin", "HEAD:refs/merge-requests/812/head")
    assert "deny updating a hidden ref" in readonly.stderr


@pytest.mark.oracle
def test_hidden_refs_are_not_listed_and_helpful_ones_are(sandbox: Sandbox, tmp_path: Path) -> None:
    project = sandbox.world.project(CORE)
    project.repository.refs["refs/keep-around/x"] = project.repository.refs["refs/heads/main"]
    listed = Git(tmp_path)("ls-remote", remote(sandbox))
    assert "keep-around" not in listed
    assert f"{project.merge_requests[812].sha}\trefs/merge-requests/812/head" in listed
    assert f"refs/pipelines/{project.pipelines[-1].id}" in listed


@pytest.mark.oracle
def test_an_outsider_and_a_reader_are_told_what_gitlab_tells(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    git = Git(tmp_path)
    hidden = git.run("ls-remote", remote(sandbox, "outsider"))
    assert "The project you were looking for could not be found" in hidden.stderr
    git("clone", "-q", remote(sandbox, "reader"), "clone")
    refused = Git(tmp_path / "clone").run("push", "origin", "HEAD:topic")
    assert "You are not allowed to upload code." in refused.stderr


def test_read_api_alone_does_not_open_repositories(sandbox: Sandbox) -> None:
    sandbox.world.tokens[seed.TOKENS["reader"]].scopes = frozenset({"read_api"})
    url = f"{remote(sandbox, 'reader')}/info/refs?service=git-upload-pack"
    assert requests.get(url, timeout=5).status_code == 403
    anonymous = requests.get(
        f"{sandbox.url}/{CORE}.git/info/refs?service=git-upload-pack", timeout=5
    )
    assert anonymous.status_code == 401
    assert anonymous.headers["WWW-Authenticate"] == 'Basic realm="GitLab"'
    assert requests.get(f"{remote(sandbox)}/info/refs", timeout=5).status_code == 403


def packet(line: str) -> bytes:
    return f"{len(line) + 4:04x}{line}".encode()


def push_delete(sandbox: Sandbox, ref: str, old: str, *, compressed: bool = False) -> str:
    """Send a deletion by hand, so that the expected old id is whatever we want."""
    words = "report-status side-band-64k"
    body = packet(f"{old} {ZERO} {ref}\0{words}") + b"0000"
    headers = {"Content-Type": "application/x-git-receive-pack-request"}
    if compressed:
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    url = f"{remote(sandbox)}/git-receive-pack"
    return requests.post(url, data=body, headers=headers, timeout=5).content.decode()


def test_a_stale_old_id_changes_nothing(sandbox: Sandbox) -> None:
    repository = sandbox.world.project(CORE).repository
    main = repository.refs["refs/heads/main"]
    repository.refs["refs/hotfix/lock"] = main
    stale = push_delete(sandbox, "refs/hotfix/lock", "1" * 40)
    assert "ng refs/hotfix/lock failed to update ref" in stale
    assert f"is at {main} but expected {'1' * 40}" in stale
    assert repository.refs["refs/hotfix/lock"] == main
    assert "ok refs/hotfix/lock" in push_delete(sandbox, "refs/hotfix/lock", main, compressed=True)
    assert "refs/hotfix/lock" not in repository.refs


def test_a_chunked_request_is_read(sandbox: Sandbox) -> None:
    repository = sandbox.world.project(CORE).repository
    repository.refs["refs/hotfix/lock"] = sha = repository.refs["refs/heads/main"]
    body = packet(f"{sha} {ZERO} refs/hotfix/lock\0report-status") + b"0000"
    answer = requests.post(f"{remote(sandbox)}/git-receive-pack", data=iter([body]), timeout=5)
    assert b"ok refs/hotfix/lock" in answer.content


@pytest.mark.parametrize("body", [b"zzzz", b"0010not a command", b"0006x"])
def test_what_is_not_gits_protocol_is_an_error_and_changes_nothing(
    sandbox: Sandbox, body: bytes
) -> None:
    before = dict(sandbox.world.project(CORE).repository.refs)
    for service in ("git-upload-pack", "git-receive-pack"):
        answer = requests.post(f"{remote(sandbox)}/{service}", data=body, timeout=5)
        assert answer.status_code == 200
        assert b"ERR" in answer.content
    assert sandbox.world.project(CORE).repository.refs == before


def test_a_push_without_its_objects_is_refused(sandbox: Sandbox) -> None:
    body = packet(f"{ZERO} {'2' * 40} refs/heads/topic\0report-status") + b"0000"
    answer = requests.post(f"{remote(sandbox)}/git-receive-pack", data=body, timeout=5)
    assert b"ng refs/heads/topic missing necessary objects" in answer.content


@pytest.mark.parametrize("version", [0, 2])
def test_dulwich_fetches_a_branch_and_pushes_one(sandbox: Sandbox, version: int) -> None:
    repo = MemoryRepo()
    with closing(
        HttpGitClient(sandbox.url, username="oauth2", password=seed.TOKENS["operator"])
    ) as client:
        path = f"/{CORE}.git"
        release = sandbox.world.release_sha(CORE).encode()
        client.fetch(
            path, repo, determine_wants=lambda *_, **__: [release], protocol_version=version
        )
        assert release in repo.object_store
        result = client.send_pack(
            path,
            lambda refs: {**refs, b"refs/heads/topic": release},
            lambda *_, **__: (0, iter([])),
        )
        assert not any((result.ref_status or {}).values())
    assert sandbox.world.project(CORE).repository.branch("topic") == release.decode()


@pytest.mark.oracle
def test_a_push_starts_a_pipeline_only_where_the_project_says_so(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    project = sandbox.world.project(CORE)
    before = len(project.pipelines)
    git = cloned(sandbox, tmp_path, "-b", "release")
    git.commit("one.txt")
    git("push", "-q", "origin", "release")
    assert len(project.pipelines) == before
    project.settings.pipelines_on_push = True
    git.commit("two.txt")
    git("push", "-q", "-o", "ci.skip", "origin", "release")
    assert len(project.pipelines) == before
    git.commit("three.txt")
    git("push", "-q", "origin", "release")
    assert project.pipelines[-1].source == "push"
