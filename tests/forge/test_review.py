"""How a merge request was reviewed, read from the embedded GitLab and held to its own document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gitlab
import pytest

from hotfix.forge.protocol import ForgeError
from hotfix.sandbox import Sandbox, seed

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.forge.protocol import Forge

CORE = "evenergi/bf-manage-core"


@pytest.fixture
def forge(forge_of: Callable[[str], Forge]) -> Forge:
    return forge_of("operator")


def test_each_push_is_a_version_and_the_newest_comes_first(forge: Forge, sandbox: Sandbox) -> None:
    request = sandbox.world.project(CORE).merge_requests[812]
    request.pushed(99, sandbox.world.clock.now())

    newest, first = forge.merge_request_versions(CORE, 812) or ()

    assert newest.created_at > first.created_at
    assert newest.head == first.head == request.sha
    assert newest.patch == first.patch, "the same change has the same patch id"


def test_rules_are_those_of_premium_and_unknown_without_it(forge: Forge, sandbox: Sandbox) -> None:
    assert forge.merge_request_rules(CORE, 812) is None
    assert forge.approvals_reset_on_push(CORE) is None

    sandbox.world.tier = "premium"
    sandbox.world.project(CORE).settings.reset_approvals_on_push = True

    (rule,) = forge.merge_request_rules(CORE, 812) or ()
    assert (rule.name, rule.kind, rule.required) == ("All Members", "any_approver", 1)
    assert (rule.approved, rule.approved_by) == (True, ("reviewer",))
    assert forge.approvals_reset_on_push(CORE) is True


def test_python_gitlab_reads_the_same(forge: Forge, sandbox: Sandbox) -> None:
    sandbox.world.tier = "premium"
    project = gitlab.Gitlab(sandbox.url, private_token=seed.TOKENS["operator"]).projects.get(CORE)
    theirs = project.mergerequests.get(812)

    assert [each.head_commit_sha for each in theirs.diffs.list(get_all=True)] == [
        each.head for each in forge.merge_request_versions(CORE, 812) or ()
    ]
    assert project.approvals.get().reset_approvals_on_push == forge.approvals_reset_on_push(CORE)
    (rule,) = theirs.approval_state.get().rules
    assert rule["name"] == "All Members"


def test_what_fails_is_no_silence(forge: Forge, sandbox: Sandbox) -> None:
    sandbox.faults.add("GET", f"{CORE}/merge_requests/812/versions", status=400)

    with pytest.raises(ForgeError):
        forge.merge_request_versions(CORE, 812)
