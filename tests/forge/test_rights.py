"""What a token may do and which rules its pushes meet, read from the embedded GitLab."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from hotfix.forge.protocol import ForgeError
from hotfix.forge.types import DEVELOPER, MAINTAINER, Grant, PushRule
from hotfix.sandbox import Sandbox, seed
from hotfix.sandbox.projects import ApprovalRule, ProtectedEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.forge.protocol import Forge
    from hotfix.sandbox.projects import Project

CORE = "evenergi/bf-manage-core"


@pytest.fixture
def core(sandbox: Sandbox) -> Project:
    return sandbox.world.project(CORE)


@pytest.fixture
def forge(forge_of: Callable[[str], Forge]) -> Forge:
    return forge_of("operator")


def test_a_token_tells_its_scopes_and_its_last_day(
    forge_of: Callable[[str], Forge], sandbox: Sandbox
) -> None:
    own = sandbox.world.tokens[seed.TOKENS["operator"]]
    assert forge_of("operator").token() is not None
    own.expires_at = datetime(2099, 2, 3, tzinfo=UTC)

    token, reading = forge_of("operator").token(), forge_of("reader").token()

    assert token is not None
    assert (token.scopes, token.expires_on) == ({"api", "write_repository"}, date(2099, 2, 3))
    assert reading is not None
    assert (reading.scopes, reading.expires_on) == ({"read_api", "read_repository"}, None)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_of_a_token_that_is_no_access_token_nothing_is_told(
    forge: Forge, sandbox: Sandbox, status: int
) -> None:
    sandbox.faults.add("GET", "/personal_access_tokens/self", status=status)

    assert forge.token() is None


def test_a_server_that_fails_is_not_taken_for_one_that_does_not_tell(
    forge: Forge, sandbox: Sandbox
) -> None:
    sandbox.faults.add("GET", "/personal_access_tokens/self", status=400)

    with pytest.raises(ForgeError):
        forge.token()


def test_the_server_tells_its_edition_and_its_clock(forge: Forge, sandbox: Sandbox) -> None:
    free = forge.server()
    sandbox.world.tier = "premium"
    paid = forge.server()

    assert free is not None
    assert paid is not None
    assert (free.is_enterprise, paid.is_enterprise) == (False, True)
    assert free.now is not None
    assert abs(free.now - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_rules_of_branches_come_as_they_are_written(forge: Forge, core: Project) -> None:
    core.protected_branches[0].name = "rel*"
    rules = forge.branch_rules(CORE)

    assert rules is not None
    assert rules[0].name == "rel*"
    assert [each.access_level for each in rules[0].pushers] == [
        core.protected_branches[0].push_level
    ]
    assert [each.access_level for each in rules[0].mergers] == [
        core.protected_branches[0].merge_level
    ]


def test_who_may_not_see_rules_is_told_nothing(forge_of: Callable[[str], Forge]) -> None:
    assert forge_of("outsider").branch_rules(CORE) is None
    assert forge_of("reader").push_rule(CORE) is None


def test_a_push_rule_tells_what_it_asks(forge: Forge, sandbox: Sandbox, core: Project) -> None:
    on_the_free_tier = forge.push_rule(CORE)
    sandbox.world.tier = "premium"
    without = forge.push_rule(CORE)
    core.push_rule = {
        "id": 1,
        "commit_message_regex": "JIRA-",
        "author_email_regex": "",
        "max_file_size": 5,
        "commit_committer_check": True,
        "reject_unsigned_commits": None,
    }

    assert (on_the_free_tier, without) == (None, PushRule())
    assert forge.push_rule(CORE) == PushRule(
        message="JIRA-", max_file_megabytes=5, only_own_commits=True
    )


def test_a_protected_environment_tells_its_rules_of_approval(
    forge: Forge, sandbox: Sandbox, core: Project
) -> None:
    sandbox.world.tier = "premium"
    core.protected_environments.append(
        ProtectedEnvironment("production", MAINTAINER, approval_rules=(ApprovalRule(2, DEVELOPER),))
    )

    (protection,) = forge.protections(CORE) or ()

    (rule,) = protection.rules
    assert (rule.required, rule.given) == (2, ())
    assert rule.by == Grant(rule.by.description, DEVELOPER, None, None)


def test_only_maintainers_are_told_a_projects_ci_settings(
    forge_of: Callable[[str], Forge],
) -> None:
    shown, hidden = forge_of("operator").project(CORE), forge_of("author").project(CORE)

    assert (shown.refuses_outdated, shown.reruns_outdated) == (False, True)
    assert shown.variables_role == "no_one_allowed"
    assert (hidden.refuses_outdated, hidden.reruns_outdated) == (None, None)
    assert hidden.variables_role is None


def test_the_caller_is_told_their_own_addresses(forge: Forge) -> None:
    assert forge.current_user().emails == {"operator@example.com"}
