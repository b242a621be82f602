"""The lock of a Terraform state: what is sent, and what GitLab's answers mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from hotfix.forge.protocol import ConflictError, ForgeError, UnknownOutcomeError
from hotfix.forge.types import StateLock

if TYPE_CHECKING:
    from hotfix.forge.gitlab import GitLabForge
    from tests.forge.conftest import Stub

LOCK = "/projects/group/app/terraform/state/hotfix-release/lock"
GRAPHQL = ("POST", "/api/graphql")
SINCE = datetime(2026, 3, 1, 12, tzinfo=UTC)


def told(identity: str) -> dict[str, str]:
    """Answer as GitLab does; but for three keys it gives the caller's own words back."""
    return {"ID": identity, "Who": "ada", "Created": "2026-03-01T12:00:00.000Z", "Info": "mine"}


def states(*nodes: tuple[str, str | None], after: str | None = None) -> dict[str, object]:
    found = {
        "nodes": [{"name": name, "lockedAt": at} for name, at in nodes],
        "pageInfo": {"hasNextPage": after is not None, "endCursor": after},
    }
    return {"data": {"project": {"terraformStates": found}}}


def test_a_lock_that_is_free_is_ours(forge: GitLabForge, stub: Stub) -> None:
    stub.on("POST", LOCK, told("one"))

    found = forge.lock_state("group/app", "hotfix-release", "one", info="hotfix inc-1")

    assert found == StateLock("one", "ada", SINCE, is_new=True)
    sent = stub.requests[0].json()
    assert {key: sent[key] for key in ("ID", "Info")} == {"ID": "one", "Info": "hotfix inc-1"}
    assert sent.keys() == {"ID", "Operation", "Info", "Who", "Version", "Created", "Path"}


def test_a_lock_that_is_held_names_its_holder(forge: GitLabForge, stub: Stub) -> None:
    stub.on("POST", LOCK, told("other"), status=409)

    found = forge.lock_state("group/app", "hotfix-release", "one", info="")

    assert found == StateLock("other", "ada", SINCE, is_new=False)


def test_a_conflict_that_tells_nothing_is_a_refusal(forge: GitLabForge, stub: Stub) -> None:
    stub.on("POST", LOCK, b"Resource lock", status=409, kind="text/plain")

    with pytest.raises(ConflictError, match=r"409.*Resource lock"):
        forge.lock_state("group/app", "hotfix-release", "one", info="")


def test_a_lock_is_asked_for_once_and_a_lost_answer_is_told(forge: GitLabForge, stub: Stub) -> None:
    stub.on("POST", LOCK, drop=True)

    with pytest.raises(UnknownOutcomeError):
        forge.lock_state("group/app", "hotfix-release", "one", info="")

    assert len(stub.requests) == 1


def test_a_role_that_may_not_lock_is_refused(forge: GitLabForge, stub: Stub) -> None:
    stub.on("POST", LOCK, {"message": "403 Forbidden"}, status=403)

    with pytest.raises(ForgeError, match="403"):
        forge.lock_state("group/app", "hotfix-release", "one", info="")


@pytest.mark.parametrize(("status", "expected"), [(200, True), (409, False)])
def test_a_lock_is_given_back_by_its_id(
    forge: GitLabForge, stub: Stub, status: int, *, expected: bool
) -> None:
    stub.on("DELETE", LOCK, b"", status=status, kind="text/plain")

    assert forge.unlock_state("group/app", "hotfix-release", "one") is expected
    assert stub.requests[0].query == {"ID": "one"}


def test_no_lock_is_given_back_without_an_id_which_would_break_anybodys(
    forge: GitLabForge, stub: Stub
) -> None:
    with pytest.raises(ValueError, match="whatever lock"):
        forge.unlock_state("group/app", "hotfix-release", "")

    assert stub.requests == []


def test_the_states_that_are_locked_are_listed_from_all_pages(
    forge: GitLabForge, stub: Stub
) -> None:
    at = "2026-03-01T12:00:00Z"
    stub.on(*GRAPHQL, states(("a", at), ("b", None), after="abc"))
    stub.on(*GRAPHQL, states(("c", at)))

    assert forge.locked_states("group/app") == ("a", "c")
    assert [seen.json()["variables"]["after"] for seen in stub.requests] == [None, "abc"]


def test_states_that_the_token_may_not_read_are_none(forge: GitLabForge, stub: Stub) -> None:
    stub.on(*GRAPHQL, {"data": {"project": {"terraformStates": None}}})

    assert forge.locked_states("group/app") == ()
