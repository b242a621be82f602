"""A gate told in full: who may open it, and what GitLab will hold against it.

At a gate somebody decides at night, and GitLab's page shows but a part. So what can be seen is said
before the press: who may, which approvals are missing, who is ahead in the queue, a freeze, a
deployment that came later, artifacts that are gone. What GitLab does not show is said to be
unknown, never taken for fine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hotfix.apply import policy
from hotfix.apply.around_gate import look_around
from hotfix.clock import timestamp
from hotfix.errors import WaitingError
from hotfix.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydantic import JsonValue

    from hotfix.apply.around_gate import Seen
    from hotfix.apply.context import Run
    from hotfix.forge.types import (
        DeploymentApprovals,
        Grant,
        Job,
        Member,
    )
    from hotfix.plan.model import TargetPlan

_FREEZE: Final = "deploy-freeze"
_NAMES: Final = 10
"""How many people are named of a role."""


@dataclass(slots=True)
class Outlook:
    """What stands before a manual job, in sentences for people and in facts for the record."""

    told: list[str] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)
    """What speaks against the press, and a person may go past; no flag does."""
    stops: list[WaitingError] = field(default_factory=list)
    """What GitLab would refuse the press for, and who has to do what about it."""
    facts: dict[str, JsonValue] = field(default_factory=dict)
    behind_glass: list[str] = field(default_factory=list)
    """The rules of the policy that broken glass goes past here."""


def outlook(run: Run, target: TargetPlan, job: Job, jobs: Sequence[Job]) -> Outlook:
    """Look at all that stands before a manual job; ``jobs`` are those of its pipeline."""
    seen, found = look_around(run, target, job, jobs), Outlook()
    found.facts["job"] = job.id
    for tell in (_who, _approvals, _outdated, _freezes, _queue, _artifacts):
        tell(seen, found)
    return found


def _who(seen: Seen, found: Outlook) -> None:
    where = one_line(seen.environment or "its environment", 80)
    rule = seen.protection
    found.facts |= {"environment": seen.environment, "may_press": None}
    if rule is None:
        found.told.append(
            f"Who may deploy to {where} is unknown: GitLab shows this token no protected "
            "environments (Premium has them)"
            if seen.protections is None
            else f"No rule of the project itself protects {where}: whoever may run jobs on "
            f"{seen.target.release_branch} may press"
        )
        return
    may = [_granted(seen, each) for each in rule.deployers]
    found.facts["may_press"] = [*may]
    found.told.append(f"{where} is protected; may press: {'; '.join(may) or 'nobody'}")
    me = seen.run.forge.current_user()
    if seen.members and not any(_may_be(seen, each, me.id) for each in rule.deployers):
        found.cautions.append(
            f"{me.username} is not among those who may deploy to {where}; whoever may can press "
            "the job in GitLab"
        )


def _approvals(seen: Seen, found: Outlook) -> None:
    """Tell who approved; a free GitLab shows none, and that it does not was said already."""
    deployment, approvals = seen.deployment, seen.approvals
    found.facts |= {"deployment": deployment.id if deployment else None, "approvals": None}
    if approvals is None and (deployment is None or deployment.status != "blocked"):
        return
    given, refused = _spoken(approvals, "approved"), _spoken(approvals, "rejected")
    may = list(_may_approve(seen, {*given, *refused}))
    pending = approvals.pending if approvals else None
    found.facts["approvals"] = {
        "pending": pending,
        "given": [*given],
        "rejected": [*refused],
        "may_give": [*may],
    }
    said = [f"approved by {_listed(given)}"] if given else []
    said += [f"rejected by {_listed(refused)}"] if refused else []
    if pending != 0:
        found.stops.append(_waits_for_approval(seen, pending, said, may))
    else:
        found.told += [f"The deployment is {each}" for each in said]


def _waits_for_approval(
    seen: Seen, pending: int | None, said: Sequence[str], may: Sequence[str]
) -> WaitingError:
    missing = counted(pending, "more approval") if pending else "approval"
    where = one_line(seen.environment or "its environment", 80)
    around = [
        *(f"It is {each}." for each in said),
        f"May approve: {'; '.join(may) or 'unknown, GitLab does not show it'}.",
        *_starter(seen, may),
    ]
    return WaitingError(
        "deployment-approval",
        f"The deployment of {one_line(seen.job.name, 80)} to {where} waits for {missing} in "
        f"GitLab: {seen.job.web_url}" + "".join(f"\n{each}" for each in around),
        hint=f"They approve it on the environment's page.\nGo on with: {seen.run.request.command}",
    )


def _starter(seen: Seen, may: Sequence[str]) -> Iterator[str]:
    """Say of whoever started the pipeline that they may not approve it, unless that is allowed."""
    starter = one_line(seen.job.user.username, 60) if seen.job.user else ""
    if any(re.search(rf"[(, ]{re.escape(starter)}[),]", each) for each in may if starter):
        yield f"{starter} started the pipeline, and may only where the project allows it."


def _spoken(approvals: DeploymentApprovals | None, status: str) -> list[str]:
    given = approvals.given if approvals else ()
    return [each.user.username for each in given if each.status == status]


def _may_approve(seen: Seen, spoken: set[str]) -> Iterator[str]:
    """Name who can still give an approval, rule by rule."""
    rules = seen.approvals.rules if seen.approvals else ()
    for rule in rules:
        missing = rule.required - len(rule.given)
        if missing > 0:
            yield f"{missing} of {_granted(seen, rule.by, but=spoken)}"
    if not rules and seen.protection is not None:
        yield from (_granted(seen, each, but=spoken) for each in seen.protection.deployers)


def _outdated(seen: Seen, found: Outlook) -> None:
    own = seen.deployment
    found.facts["outdated"] = None
    if own is None:
        found.told.append(
            "GitLab shows no deployment record of the job: whether a newer one was deployed since "
            "is unknown"
        )
        return
    newer = next(
        (
            each
            for each in seen.deployments
            if (each.environment, each.status) == (own.environment, "success")
            and each.id > own.id
            and each.sha != own.sha
        ),
        None,
    )
    found.facts["outdated"] = newer is not None
    if newer is None:
        return
    refuses = seen.run.forge.project(seen.target.project).refuses_outdated
    said = (
        f"Deployment {newer.iid} to {one_line(own.environment or '?', 80)} was made after this "
        f"job's {own.iid}"
    )
    if refuses is False:
        found.told.append(f"{said}; the project lets outdated deployments run all the same")
    elif refuses is None:
        found.cautions.append(f"{said}; whether GitLab refuses outdated ones is unknown")
    else:
        found.stops.append(
            WaitingError(
                "deployment-outdated",
                f"{said}, and the project prevents outdated deployment jobs: GitLab would refuse "
                f"to run {seen.job.web_url}",
                hint="A Maintainer allows it for the moment under Settings > CI/CD > General "
                f"pipelines.\nGo on with: {seen.run.request.command}",
            )
        )


def _freezes(seen: Seen, found: Outlook) -> None:
    """Weigh the deploy freezes, GitLab's and the team's own, by the policy."""
    found.facts["freeze"] = None
    run = seen.run
    if seen.freezes is None:
        found.told.append("Whether a deploy freeze is in force is unknown: GitLab does not show it")
    now, unread = run.plan.spec.policy.freezes_in_force(seen.freezes, run.clock.now())
    found.told += [
        f"Whether the deploy freeze {each} is in force cannot be told" for each in unread
    ]
    if seen.freezes is not None:
        found.facts["freeze"] = [timestamp(each.until) for each in now]
    if not now:
        return
    said = [str(each) for each in now]
    decision, is_softened = policy.at_gate(run, _FREEZE)
    found.behind_glass += [_FREEZE] if is_softened else []
    match decision:
        case "warn":
            found.told += said
        case "ask":
            found.cautions += said
        case "deny":
            found.stops.append(_frozen(seen, said))


def _frozen(seen: Seen, said: Sequence[str]) -> WaitingError:
    request = seen.run.request
    ways = ["Wait until it ends.", policy.way_past(request), f"Go on with: {request.command}"]
    return WaitingError(
        _FREEZE,
        f"{'; '.join(said)}, and the team's policy denies a deployment in one. "
        f"{one_line(seen.job.name, 80)} was not pressed: {seen.job.web_url}",
        hint="\n".join(filter(None, ways)),
    )


def _queue(seen: Seen, found: Outlook) -> None:
    found.facts["ahead"] = None if seen.ahead is None else [*seen.ahead]
    if seen.ahead is None:
        found.told.append("Whether a resource group is busy is unknown: GitLab does not show it")
    elif seen.ahead:
        found.told.append(f"Pressed, it will wait: {'; '.join(seen.ahead)}")


def _artifacts(seen: Seen, found: Outlook) -> None:
    """Notice artifacts that are gone; whether the job needs them, REST does not tell."""
    now = seen.run.clock.now()
    newest = {each.name: each for each in sorted(seen.jobs, key=lambda each: each.id)}
    gone = [
        each
        for each in newest.values()
        if each.status == "success" and each.id != seen.job.id and not each.has_archive
        if each.artifacts_expire_at is not None and each.artifacts_expire_at <= now
    ]
    found.facts["expired_artifacts"] = [each.name for each in gone]
    for each in gone:
        at = timestamp(each.artifacts_expire_at) if each.artifacts_expire_at else "?"
        found.cautions.append(
            f"The artifacts of {one_line(each.name, 80)} expired at {at}; a job that needs them "
            f"fails. Retry it in GitLab first: {each.web_url}"
        )


def _granted(seen: Seen, grant: Grant, *, but: Iterable[str] = ()) -> str:
    """Name whom a rule lets in, the people too where GitLab shows them."""
    people = [each.user.username for each in seen.members if _is_granted(grant, each)]
    people = [name for name in people if name not in set(but)]
    what = one_line(grant.description, 80)
    if grant.group_id is not None:
        return f"the group {what}"
    return f"{what} ({_listed(people)})" if people else what


def _is_granted(grant: Grant, member: Member) -> bool:
    if grant.user_id is not None:
        return member.user.id == grant.user_id
    level = grant.access_level
    return grant.group_id is None and bool(level) and member.access_level >= (level or 0)


def _may_be(seen: Seen, grant: Grant, user_id: int) -> bool:
    """Tell whether somebody may be let in; of a group's members nothing is known."""
    own = [each for each in seen.members if each.user.id == user_id]
    return grant.group_id is not None or any(_is_granted(grant, each) for each in own)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(one_line(name, 60) for name in names[:_NAMES]) + more
