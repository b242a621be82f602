"""GitLab's merge methods and its Cherry-pick button, down to the commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.sandbox import history
from hotfix.sandbox.builder import WorldBuilder
from hotfix.sandbox.merging import ConflictError, merge_trees
from hotfix.sandbox.repositories import Entry, Repository
from hotfix.sandbox.users import MAINTAINER

if TYPE_CHECKING:
    from hotfix.sandbox import Sandbox
    from hotfix.sandbox.merge_requests import MergeRequest
    from hotfix.sandbox.projects import MergeMethod
    from tests.sandbox.conftest import Client

CORE = "/projects/evenergi%2Fbf-manage-core"


def merged(method: MergeMethod, *, squash: bool = False) -> tuple[MergeRequest, str]:
    """Merge two commits into a branch that has moved on; returns its head before."""
    builder = WorldBuilder()
    author, merger = builder.user("a", "Ann"), builder.user("m", "Max")
    group = builder.group("g", {author: MAINTAINER, merger: MAINTAINER})
    project = builder.project(group, "p", {"a": "1\n"}, creator=merger, merge_method=method)
    request = builder.merge_request(
        project,
        7,
        "feat: b",
        {"one": {"b": "1\n"}, "two": {"c": "1\n"}},
        author=author,
        squash=squash,
    )
    before = builder.commit(project, "main", {"a": "2\n"}, "meanwhile", merger)
    builder.merge(request, merger)
    return request, before


def lines(request: MergeRequest, sha: str) -> tuple[str, str, str]:
    commit = request.project.repository.commit(sha)
    return (
        commit.message.decode().partition("\n")[0],
        commit.author.decode().partition(" ")[0],
        commit.committer.decode().partition(" ")[0],
    )


def test_a_merge_commit_has_both_sides() -> None:
    request, before = merged("merge")
    repository = request.project.repository
    assert repository.parents(str(request.merge_commit_sha)) == [before, request.sha]
    assert request.squash_commit_sha is None
    assert lines(request, str(request.merge_commit_sha)) == (
        "Merge branch '7-b' into 'main'",
        "Max",
        "Max",
    )
    message = repository.commit(str(request.merge_commit_sha)).message.decode()
    assert message.endswith("\n\nfeat: b\n\nSee merge request g/p!7\n")


def test_a_merge_commit_over_a_squash() -> None:
    request, before = merged("merge", squash=True)
    repository, squashed = request.project.repository, str(request.squash_commit_sha)
    assert repository.parents(str(request.merge_commit_sha)) == [before, squashed]
    assert repository.parents(squashed) == [request.base_sha]
    assert lines(request, squashed) == ("feat: b", "Ann", "Max")
    assert repository.tree(squashed) == repository.tree(request.sha)


def test_a_fast_forward_of_a_squash() -> None:
    request, before = merged("ff", squash=True)
    repository, squashed = request.project.repository, str(request.squash_commit_sha)
    assert request.merge_commit_sha is None
    assert repository.parents(squashed) == [before]
    assert repository.branch("main") == squashed
    assert set(repository.files(squashed)) == {"a", "b", "c"}


def test_a_fast_forward_rebases_and_keeps_authors() -> None:
    request, before = merged("ff")
    repository = request.project.repository
    assert (request.merge_commit_sha, request.squash_commit_sha) == (None, None)
    assert repository.branch("main") == request.sha
    assert repository.parents(request.commits()[-1]) == [before]
    assert [lines(request, sha) for sha in request.commits()] == [
        ("two", "Ann", "Max"),
        ("one", "Ann", "Max"),
    ]


def test_a_semi_linear_merge_commits_on_top_of_rebased_commits() -> None:
    request, before = merged("rebase_merge")
    repository = request.project.repository
    assert repository.parents(str(request.merge_commit_sha)) == [before, request.sha]
    assert repository.parents(request.commits()[-1]) == [before]
    assert repository.tree(str(request.merge_commit_sha)) == repository.tree(request.sha)


def tree(repository: Repository, **files: str) -> str:
    return repository.write_tree(
        {
            name: Entry(0o100644, repository.write_blob(text.encode()))
            for name, text in files.items()
        }
    )


TEN = "".join(f"{n}\n" for n in range(10))


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        ({"a": "1"}, {"a": "1", "b": "2"}, {"a": "3"}, {"a": "3", "b": "2"}),
        ({"a": "1"}, {}, {"a": "1", "c": "1"}, {"c": "1"}),
        ({"a": TEN}, {"a": "x\n" + TEN[2:]}, {"a": TEN + "y\n"}, {"a": "x\n" + TEN[2:] + "y\n"}),
        ({"a": "1"}, {"a": "2"}, {"a": "2"}, {"a": "2"}),
        ({"a": "1"}, {"a": "2"}, {"a": "3"}, None),
        ({"a": "1"}, {"a": "2"}, {}, None),
        ({}, {"a": "2"}, {"a": "3"}, None),
        ({"a": "\0 1\n"}, {"a": "\0 2\n"}, {"a": "\0 1\n3\n"}, None),
        ({"a": "1\n2\n"}, {"a": "x\n2\n"}, {"a": "1\ny\n"}, None),
    ],
)
def test_trees_are_merged_or_in_conflict(
    base: dict[str, str],
    ours: dict[str, str],
    theirs: dict[str, str],
    expected: dict[str, str] | None,
) -> None:
    repository = Repository()
    sides = [tree(repository, **side) for side in (base, ours, theirs)]
    if expected is None:
        with pytest.raises(ConflictError):
            merge_trees(repository, *sides)  # type: ignore[arg-type]
    else:
        assert merge_trees(repository, *sides) == tree(repository, **expected)  # type: ignore[arg-type]


def pick(client: Client, sha: str | None, **body: object) -> tuple[int, dict[str, object]]:
    path = f"{CORE}/repository/commits/{sha}/cherry_pick"
    response = client.post(path, **{"branch": "release", **body})
    return response.status_code, response.json()


def test_the_button_picks_a_merge_commit_in_gitlabs_words(sandbox: Sandbox, client: Client) -> None:
    project = sandbox.world.project("evenergi/bf-manage-core")
    request, before = project.merge_requests[812], sandbox.world.release_sha(project.path)
    assert pick(client, request.merge_commit_sha, dry_run=True) == (200, {"dry_run": "success"})
    assert sandbox.world.release_sha(project.path) == before
    status, answer = pick(client, request.merge_commit_sha)
    after = sandbox.world.release_sha(project.path)
    assert (status, answer["id"], answer["parent_ids"]) == (201, after, [before])
    assert (answer["author_name"], answer["committer_email"]) == (
        "Olive Operator",
        "operator@example.com",
    )
    newest, oldest = request.commits()
    assert str(answer["message"]).endswith(
        f"\n\n(cherry-picked from commit {request.merge_commit_sha})"
        f"\n\n{oldest[:8]} fix: a heartbeat postpones the expiry"
        f"\n{newest[:8]} test: a heartbeat postpones the expiry"
        f"\n\nCo-authored-by: Olive Operator <operator@example.com>"
    )
    changed = history.changes(project.repository.files(before), project.repository.files(after))
    assert [change.path for change in changed] == [
        "src/manage_core/ocpp/heartbeat.py",
        "tests/test_ocpp_heartbeat_expiry.py",
    ]
    status, answer = pick(client, request.merge_commit_sha)
    assert (status, answer["error_code"]) == (400, "empty")


def test_the_button_takes_another_message_whole(client: Client, sandbox: Sandbox) -> None:
    request = sandbox.world.project("evenergi/bf-manage-core").merge_requests[815]
    assert pick(client, request.merge_commit_sha, message="mine")[1]["message"] == "mine"


def test_a_pick_that_stands_on_unreleased_work_is_a_conflict(
    sandbox: Sandbox, client: Client
) -> None:
    world, path = sandbox.world, "evenergi/bf-manage-core"
    repository = world.project(path).repository
    repository.refs["refs/heads/release"] = world.production_sha(path)
    sha = world.project(path).merge_requests[819].merge_commit_sha
    status, answer = pick(client, sha)
    assert (status, answer["error_code"]) == (400, "conflict")
    assert pick(client, sha, dry_run=True)[1]["dry_run"] == "error"
    assert world.release_sha(path) == world.production_sha(path)


def test_the_button_needs_a_commit_a_branch_and_the_right(sandbox: Sandbox, client: Client) -> None:
    sha = sandbox.world.project("evenergi/bf-manage-core").merge_requests[812].merge_commit_sha
    assert pick(client, "1" * 40) == (404, {"message": "404 Commit Not Found"})
    assert pick(client, sha, branch="none") == (404, {"message": "404 Branch Not Found"})
    assert pick(client, sha, branch="main")[0] == 403
