"""What GitLab checks of a push before any ref moves (``lib/gitlab/checks/branch_check.rb``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from hotfix.identifiers import ZERO, Sha
from hotfix.sandbox.history import is_ancestor
from hotfix.sandbox.users import MAINTAINER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotfix.sandbox.projects import Project, ProtectedBranch
    from hotfix.sandbox.users import User


PUSH: Final = "You are not allowed to push code to protected branches on this project."
CREATE: Final = "You are not allowed to create protected branches on this project."
FORCE_PUSH: Final = "You are not allowed to force push code to a protected branch on this project."
DELETE: Final = (
    "You are not allowed to delete protected branches from this project. "
    "Only a project maintainer or owner can delete a protected branch."
)
DELETE_ELSEWHERE: Final = "You can only delete protected branches using the web interface."


class RefUpdate(NamedTuple):
    """One ref, where the client saw it and where it shall stand."""

    ref: str
    old: Sha
    new: Sha


def refusal(project: Project, user: User, updates: Iterable[RefUpdate]) -> str | None:
    """Return why a push is refused as a whole.

    Only branches have rules; a ref of another name needs nothing but the right to push.
    """
    for update in updates:
        if update.ref.startswith("refs/heads/"):
            reason = _branch_refusal(project, user, update)
            if reason is not None:
                return reason
    return None


def _branch_refusal(project: Project, user: User, update: RefUpdate) -> str | None:
    branch = update.ref.removeprefix("refs/heads/")
    if update.new == ZERO and branch == project.default_branch:
        return "The default branch of a project cannot be deleted."
    rules = project.protections(branch)
    return _protected_refusal(project, user, update, rules) if rules else None


def _protected_refusal(
    project: Project, user: User, update: RefUpdate, rules: list[ProtectedBranch]
) -> str | None:
    branch = update.ref.removeprefix("refs/heads/")
    if update.new == ZERO:
        return DELETE_ELSEWHERE if project.access_level(user) >= MAINTAINER else DELETE
    if not project.may_push(user, branch):
        return CREATE if update.old == ZERO else PUSH
    forced = update.old != ZERO and not _is_forward(project, update)
    if forced and not any(rule.allow_force_push for rule in rules):
        return FORCE_PUSH
    return None


def _is_forward(project: Project, update: RefUpdate) -> bool:
    repository = project.repository
    try:
        return update.old in repository and is_ancestor(repository, update.old, update.new)
    except KeyError:
        return True  # Objects are missing: that is told of the ref itself, later.
