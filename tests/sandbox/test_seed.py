"""The example world: always the same, and as its stories say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.sandbox import history, seed
from hotfix.sandbox.repositories import EXECUTABLE, SYMLINK

if TYPE_CHECKING:
    from hotfix.sandbox.world import World

CORE = "evenergi/bf-manage-core"


@pytest.fixture(scope="module")
def example() -> World:
    return seed.example()


def test_two_worlds_have_the_same_commits(example: World) -> None:
    other = seed.example()
    for path in (seed.ORCHESTRATOR, *seed.TARGETS):
        one, two = example.project(path).repository, other.project(path).repository
        assert one.refs == two.refs
        assert set(one.ids()) == set(two.ids())


def test_the_commits_stay_the_same_from_release_to_release(example: World) -> None:
    """A changed example changes every id in the documentation: do it knowingly."""
    assert {path: example.production_sha(path)[:12] for path in seed.TARGETS} == PRODUCTION
    assert {path: example.release_sha(path)[:12] for path in seed.TARGETS} == RELEASE


PRODUCTION = {
    "evenergi/bf-manage-core": "d34e06ccf3fb",
    "evenergi/bf-billing": "d14a46d233ee",
    "evenergi/bf-portal": "b5c2c3c87762",
    "evenergi/bf-gateway": "5254c67dce00",
    "evenergi/bf-ledger": "825685b497be",
}
RELEASE = {
    "evenergi/bf-manage-core": "e1d0b925da58",
    "evenergi/bf-billing": "17c185ec9f11",
    "evenergi/bf-portal": "f4296d52e802",
    "evenergi/bf-gateway": "2ea9bcdf09fd",
    "evenergi/bf-ledger": "825685b497be",
}


@pytest.mark.parametrize("path", seed.TARGETS)
def test_every_service_is_of_some_size_and_holds_what_is_hard_for_git(
    example: World, path: str
) -> None:
    repository = example.project(path).repository
    files = repository.files(repository.refs["refs/heads/main"])
    assert 25 <= len(files) <= 40
    assert {EXECUTABLE, SYMLINK} < {entry.mode for entry in files.values()}
    assert b"\0" in repository.blob(files["docs/images/flow.png"].sha)


def test_every_merge_method_is_there(example: World) -> None:
    def ends(path: str, iid: int) -> tuple[bool, bool, int]:
        found = example.project(path).merge_requests[iid]
        return (
            found.merge_commit_sha is not None,
            found.squash_commit_sha is not None,
            len(found.commits()),
        )

    assert ends(CORE, 812) == (True, False, 2)
    assert ends("evenergi/bf-billing", 412) == (False, True, 2)
    assert ends("evenergi/bf-portal", 233) == (False, False, 3)
    assert ends("evenergi/bf-portal", 236) == (False, False, 1)
    assert ends("evenergi/bf-gateway", 97) == (True, False, 2)
    assert ends("evenergi/bf-ledger", 54) == (True, True, 2)


@pytest.mark.parametrize("path", seed.TARGETS)
def test_what_was_merged_is_on_the_default_branch(example: World, path: str) -> None:
    project = example.project(path)
    reached = history.ancestors(project.repository, [project.repository.refs["refs/heads/main"]])
    for request in project.merge_requests.values():
        assert set(request.landed()) <= reached
        assert bool(request.landed()) is (request.state == "merged")


def test_four_merge_requests_are_on_release_and_not_in_production(example: World) -> None:
    project = example.project(CORE)
    unreleased = history.ancestors(project.repository, [example.release_sha(CORE)])
    unreleased -= history.ancestors(project.repository, [example.production_sha(CORE)])
    found = [iid for iid, one in project.merge_requests.items() if unreleased & set(one.landed())]
    assert found == [799, 803, 806, 809]


def test_the_ledger_has_nothing_to_restore(example: World) -> None:
    repository = example.project("evenergi/bf-ledger").repository
    release = example.release_sha("evenergi/bf-ledger")
    production = example.production_sha("evenergi/bf-ledger")
    assert repository.tree(release) == repository.tree(production)


@pytest.mark.parametrize("path", seed.TARGETS)
def test_the_merge_commit_of_release_is_a_real_one(example: World, path: str) -> None:
    repository = example.project(path).repository
    assert len(repository.parents(example.release_sha(path))) == 2


def test_nothing_moves_any_more_and_the_past_is_past(example: World) -> None:
    assert not example.moving
    assert all(
        pipeline.updated_at.year == 2025
        for project in example.projects.values()
        for pipeline in project.pipelines
    )


def test_production_of_an_unknown_place_is_an_error(example: World) -> None:
    with pytest.raises(KeyError):
        example.production_sha(CORE, "moon")
    with pytest.raises(KeyError):
        example.production_sha("evenergi/none")
    with pytest.raises(KeyError):
        example.user("nobody")
