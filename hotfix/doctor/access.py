"""Whether the token and its owner may do what a run does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from hotfix.doctor.model import Check
from hotfix.forge.types import DEVELOPER, MAINTAINER
from hotfix.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotfix.doctor.model import Outcome
    from hotfix.forge.types import BranchRule, Grant, Project, Protection, Server, Token, User
    from hotfix.spec.model import Target

_REPORTER: Final = 20
_ROLES: Final = {
    10: "Guest",
    15: "Planner",
    _REPORTER: "Reporter",
    DEVELOPER: "Developer",
    MAINTAINER: "Maintainer",
    50: "Owner",
}
_ADMIN: Final = 60
"""A level that is in no project's gift: whether the caller has it is not shown."""

_RUN: Final = timedelta(days=1)
"""How long a run may take: it waits for people at two gates."""
_SOON: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token it is, and the role there; ``None`` where GitLab does not tell it."""

    user: User
    level: int | None

    @property
    def named(self) -> str:
        """Name the caller with the role, for a sentence."""
        role = "with a role not shown" if self.level is None else f"as {role_named(self.level)}"
        return f"{one_line(self.user.username, 60)} {role}"


def role_named(level: int) -> str:
    """Name a role as GitLab's pages do, with the number that its API gives."""
    return f"{_ROLES[level]} ({level})" if level in _ROLES else f"level {level}"


def token_checks(token: Token | None, now: datetime, gitlab: str) -> Iterator[Check]:
    """Hold the token's scopes and its last day against what a run needs."""
    page = f"{gitlab}/-/user_settings/personal_access_tokens"
    scopes = partial(Check, id="token-scopes", target=None)
    if token is None:
        yield scopes(
            outcome="not-seen",
            message="GitLab tells scopes and last day of access tokens alone, and not of this one.",
            hint="Look at how the token was made: it needs the scope `api`, and a day or more.",
        )
        return
    listed = ", ".join(f"`{one_line(scope, 40)}`" for scope in sorted(token.scopes)) or "no scope"
    if "api" in token.scopes:
        yield scopes(outcome="passed", message=f"The token has {listed}.")
    else:
        yield scopes(
            outcome="failed",
            message=f"The token has {listed}: it can plan, and apply nothing.",
            hint="Make one with the scope `api`, and put it into HOTFIX_TOKEN for the apply.",
            look_at=page,
        )
    yield _expiry(token, now, page)


def _expiry(token: Token, now: datetime, page: str) -> Check:
    expiry = partial(Check, id="token-expiry", target=None)
    if token.expires_on is None:
        return expiry(outcome="passed", message="The token does not expire.")
    left = datetime.combine(token.expires_on, time(), UTC) - now
    message = f"The token ends on {token.expires_on} at 00:00 UTC."
    if left >= _SOON:
        return expiry(outcome="passed", message=message)
    outcome: Outcome = "failed" if left < _RUN else "warning"
    why = "A run waits for people and may take a day. " if outcome == "failed" else ""
    return expiry(
        outcome=outcome,
        message=message,
        hint=f"{why}Make a new one before the hotfix begins, and put it into HOTFIX_TOKEN.",
        look_at=page,
    )


def role_check(project: Project, caller: Caller, *, needed: int, purpose: str) -> Check:
    """Tell whether the caller's role suffices for what a run does in a project."""
    check = partial(Check, id="role", target=project.path)
    page = f"{project.web_url}/-/project_members"
    if project.archived:
        return check(
            outcome="failed",
            message="The project is archived: nothing in it can be changed.",
            hint="Have an Owner unarchive it, or correct the spec.",
            look_at=f"{project.web_url}/edit",
        )
    if caller.level is None:
        return check(
            outcome="not-seen",
            message=f"GitLab does not tell {caller.user.username}'s role there.",
            hint=f"To {purpose} takes {role_named(needed)}, or more.",
            look_at=page,
        )
    if caller.level < needed:
        return check(
            outcome="failed",
            message=f"{caller.named} has too low a role to {purpose}.",
            hint=f"Have a Maintainer raise it to {role_named(needed)}, or apply with the token of "
            "somebody who has it; the plan is the same.",
            look_at=page,
        )
    return check(outcome="passed", message=f"{caller.named} has a role to {purpose}, rules aside.")


def incident_check(project: Project, caller: Caller) -> Check:
    """Tell whether the caller may write the incident.

    GitLab wants a Developer for its timeline alone, and a run goes on without one.
    """
    found = role_check(project, caller, needed=_REPORTER, purpose="write the incident")
    if found.outcome != "passed" or caller.level is None or caller.level >= DEVELOPER:
        return found
    return Check(
        id="role",
        target=project.path,
        outcome="warning",
        message=f"{caller.named} may write the incident, and not its timeline.",
        hint=f"Have a Maintainer raise it to {role_named(DEVELOPER)}, or write the timeline by "
        "hand.",
        look_at=f"{project.web_url}/-/project_members",
    )


def push_check(
    target: Target, project: Project, rules: Sequence[BranchRule] | None, caller: Caller
) -> Check:
    """Tell whether the caller may push to release; of several rules the most generous holds."""
    check = partial(Check, id="push-release", target=target.project)
    branch, page = one_line(target.release_branch, 80), _branches_page(project)
    if rules is None:
        return check(
            outcome="not-seen",
            message=f"Whether {branch} is protected: GitLab does not show it to this token.",
            hint="Ask a Maintainer who may push to it.",
            look_at=page,
        )
    matching = _matching(rules, target.release_branch)
    if not matching:
        return check(outcome="passed", message=f"{branch} is not protected.")
    grants = [grant for rule in matching for grant in rule.pushers]
    return _judged(
        check, grants, caller, f"push to {branch}", f"let {caller.user.username} push to it", page
    )


def pipeline_check(
    project: Project, ref: str, rules: Sequence[BranchRule] | None, caller: Caller
) -> Check:
    """Tell whether the caller may run a pipeline on the orchestrator's ref.

    On a protected branch GitLab asks for the right to push to it or to merge into it.
    """
    check = partial(Check, id="run-pipeline", target=project.path)
    branch, page = one_line(ref, 80), _branches_page(project)
    if rules is None:
        return check(
            outcome="not-seen",
            message=f"Whether {branch} is protected: GitLab does not show it to this token.",
            hint="Ask a Maintainer who may run pipelines on it.",
            look_at=page,
        )
    matching = _matching(rules, ref)
    if not matching:
        return check(outcome="passed", message=f"{branch} is not protected.")
    grants = [grant for rule in matching for grant in (*rule.pushers, *rule.mergers)]
    asked = f"let {caller.user.username} merge into it"
    return _judged(check, grants, caller, f"run pipelines on {branch}", asked, page)


def _branches_page(project: Project) -> str:
    return f"{project.web_url}/-/settings/repository#js-protected-branches-settings"


def _matching(rules: Sequence[BranchRule], branch: str) -> list[BranchRule]:
    """Return the rules of a branch; ``*`` alone is a wildcard to GitLab."""
    return [
        rule
        for rule in rules
        if re.fullmatch(".*".join(map(re.escape, rule.name.split("*"))), branch)
    ]


def deploy_checks(
    target: Target,
    project: Project,
    rules: Sequence[Protection] | None,
    server: Server | None,
    caller: Caller,
) -> Iterator[Check]:
    """Tell whether the caller may deploy to production, and who has to approve it.

    An edition without the feature answers like one that hides it: it is known to have none.
    """
    check = partial(Check, id="deploy-production", target=target.project)
    where = one_line(target.environment, 80)
    page = f"{project.web_url}/-/settings/ci_cd#js-protected-environments-settings"
    if rules is None:
        if server is not None and server.is_enterprise is False:
            yield check(outcome="passed", message="This edition of GitLab protects no environment.")
            return
        yield check(
            outcome="not-seen",
            message=f"Whether {where} is protected: GitLab does not show it to this token.",
            hint="Ask a Maintainer who may deploy to it, and who has to approve.",
            look_at=page,
        )
        return
    matching = [rule for rule in rules if rule.environment == target.environment]
    if not matching:
        message = f"No rule of the project protects {where}; one of its group's would not be shown."
        yield check(outcome="passed", message=message)
        return
    grants = [grant for rule in matching for grant in rule.deployers]
    asked = f"let {caller.user.username} deploy to it, or have somebody at hand who may"
    yield _judged(check, grants, caller, f"deploy to {where}", asked, page)
    yield from _approvals(target, matching, page)


def _approvals(target: Target, rules: Sequence[Protection], page: str) -> Iterator[Check]:
    wanted = [
        f"{each.required} of {one_line(each.by.description, 80)}"
        for rule in rules
        for each in rule.rules
        if each.required
    ]
    most = max(rule.required_approvals for rule in rules)
    if not wanted and not most:
        return
    yield Check(
        id="deployment-approvals",
        target=target.project,
        outcome="warning",
        message=f"A deployment to {one_line(target.environment, 80)} has to be approved in GitLab: "
        f"{', '.join(wanted) or counted(most, 'approval')}.",
        hint="Have them at hand. Whoever starts the pipeline may not approve it unless the project "
        "allows that, and an approval does not start the job.",
        look_at=page,
    )


def _judged(
    check: partial[Check],
    grants: Sequence[Grant],
    caller: Caller,
    what: str,
    asked: str,
    page: str,
) -> Check:
    may = _may(grants, caller)
    if may:
        return check(outcome="passed", message=f"{caller.named} may {what}.")
    let_in = [grant for grant in grants if grant.access_level != 0]
    listed = ", ".join(dict.fromkeys(one_line(grant.description, 80) for grant in let_in))
    open_to = f"it is open to {listed or 'nobody'}."
    if may is None:
        return check(
            outcome="not-seen",
            message=f"Whether {caller.named} may {what} rests on what GitLab does not show: "
            + open_to,
            hint="Ask a Maintainer, or try with somebody who is named there.",
            look_at=page,
        )
    return check(
        outcome="failed",
        message=f"{caller.named} may not {what}: {open_to}",
        hint=f"Have a Maintainer {asked}; or apply with the token of somebody who may.",
        look_at=page,
    )


def _may(grants: Sequence[Grant], caller: Caller) -> bool | None:
    """Tell whether a grant lets the caller in; ``None`` where that is not shown."""
    if any(grant.user_id == caller.user.id for grant in grants):
        return True
    by_role = [grant for grant in grants if grant.user_id is None and grant.group_id is None]
    levels = [grant.access_level for grant in by_role if grant.access_level]
    if caller.level is not None and any(caller.level >= level for level in levels):
        return True
    hidden = caller.level is None and bool(levels)
    hidden |= _ADMIN in levels or any(grant.group_id is not None for grant in grants)
    return None if hidden else False
