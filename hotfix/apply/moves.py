"""What moved while nobody looked, and who moved it, as far as GitLab tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.clock import timestamp
from hotfix.errors import StaleError
from hotfix.forge.protocol import ForgeError
from hotfix.identifiers import Sha, short
from hotfix.text import one_line

if TYPE_CHECKING:
    from hotfix.forge.protocol import Forge
    from hotfix.plan.model import TargetChange


class BranchMovedError(StaleError):
    """The release branch stands where the plan does not have it."""

    def __init__(self, target: TargetChange, found: Sha, expected: str) -> None:
        super().__init__(
            "branch-moved",
            f"{target.release_branch} of {target.project} stands at {short(found)}, "
            f"expected was {expected}.",
            hint="Somebody pushed there. Ask them, then plan again: a changed hotfix is planned "
            "and approved anew.",
        )
        self.project = target.project
        self.found = found


class ProductionMovedError(StaleError):
    """Production runs, or is about to run, what the plan was not made on."""

    def __init__(self, target: TargetChange, message: str, *, hint: str) -> None:
        super().__init__("production-moved", message, hint=hint)
        self.project = target.project
        self.environment = target.environment


def name_mover(error: StaleError, forge: Forge) -> None:
    """Add to a refusal who moved what and when; nothing where GitLab does not tell."""
    try:
        if isinstance(error, BranchMovedError):
            error.message += _who_pushed(error, forge)
        elif isinstance(error, ProductionMovedError):
            error.message += _who_deployed(error, forge)
    except ForgeError:
        return


def _who_pushed(error: BranchMovedError, forge: Forge) -> str:
    found = forge.commit(error.project, error.found)
    when = f" at {timestamp(found.committed_at)}" if found.committed_at else ""
    return (
        f" There is {one_line(found.title, 80)!r}, committed by "
        f"{one_line(found.committer_name, 60)}{when}: {one_line(found.web_url, 300)}"
    )


def _who_deployed(error: ProductionMovedError, forge: Forge) -> str:
    last = forge.environment(error.project, error.environment).last_deployment
    if last is None or last.job is None or last.job.user is None:
        return ""
    when = f" at {timestamp(last.finished_at)}" if last.finished_at else ""
    who = one_line(last.job.user.username, 60)
    return f" The last deployment is by {who}{when}: {one_line(last.job.web_url, 300)}"
