"""What a token may do, and which rules its pushes meet: read, and never guessed.

As in ``gates``, ``None`` is what GitLab does not show to this token, never what is not there.
"""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from hotfix.forge import gates
from hotfix.forge.api import readable, route
from hotfix.forge.protocol import ForgeError
from hotfix.forge.types import BranchRule, PushRule, Server, Token

if TYPE_CHECKING:
    from datetime import datetime

    from hotfix.forge.answer import Answer
    from hotfix.forge.api import Api
    from hotfix.forge.types import Grant

_NO_ACCESS_TOKEN: Final = frozenset({401, 403, 404})


def token(api: Api) -> Token | None:
    """Tell of the caller's access token; of OAuth and job tokens GitLab tells nothing.

    It answers 401 to those. Whoever asks knows from other answers whether the token is taken.
    """
    try:
        answer = api.get("/personal_access_tokens/self")
    except ForgeError as error:
        if error.status not in _NO_ACCESS_TOKEN:
            raise
        return None
    return Token(frozenset(answer.texts("scopes")), answer.maybe_date("expires_at"))


def server(api: Api) -> Server | None:
    """Tell which edition the server is, and what its clock says (RFC 9110, ``Date``)."""
    found = readable(lambda: api.dated("/metadata"))
    if found is None:
        return None
    answer, date = found
    return Server(answer.maybe_flag("enterprise"), _moment(date))


def _moment(date: str) -> datetime | None:
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        return None


def branch_rules(api: Api, project: str) -> tuple[BranchRule, ...] | None:
    """List the rules of branches, a group's own among them, wildcards as they are written."""
    rows = readable(lambda: api.rows(route("projects", project, "protected_branches")))
    if rows is None:
        return None
    return tuple(
        BranchRule(
            row.text("name"),
            _people(row, "push_access_levels"),
            _people(row, "merge_access_levels"),
        )
        for row in rows
    )


def _people(rule: Answer, key: str) -> tuple[Grant, ...]:
    """Leave deploy keys out: they bear a role too, and let in nobody who has a token."""
    rows = (row for row in rule.children(key) if row.maybe_number("deploy_key_id") is None)
    return tuple(map(gates.grant, rows))


def push_rule(api: Api, project: str) -> PushRule | None:
    """Tell what is asked of pushed commits (Premium); GitLab answers null where nothing is."""
    answer = readable(lambda: api.get(route("projects", project, "push_rule")))
    if answer is None:
        return None
    if answer.value is None:
        return PushRule()
    return PushRule(
        message=answer.maybe_text("commit_message_regex") or None,
        message_not=answer.maybe_text("commit_message_negative_regex") or None,
        author_email=answer.maybe_text("author_email_regex") or None,
        branch_name=answer.maybe_text("branch_name_regex") or None,
        file_name_not=answer.maybe_text("file_name_regex") or None,
        max_file_megabytes=answer.maybe_number("max_file_size") or 0,
        only_own_commits=answer.flag("commit_committer_check"),
        only_own_name=answer.flag("commit_committer_name_check"),
        only_members=answer.flag("member_check"),
        only_signed=answer.flag("reject_unsigned_commits"),
        only_signed_off=answer.flag("reject_non_dco_commits"),
    )
