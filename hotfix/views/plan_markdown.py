"""The plan as a comment of a merge request: the verdict first, the details folded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.identifiers import short
from hotfix.markdown import code, fenced
from hotfix.plan.approvals import wanted
from hotfix.text import counted, listed
from hotfix.views import words
from hotfix.views.escape import link
from hotfix.views.radius import blast_radius
from hotfix.views.review import approvals, rules
from hotfix.views.words import (
    leaving_groups,
    nothing_to_do,
    smoke_check,
    subject,
    value,
    verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hotfix.plan.model import (
        Finding,
        Kind,
        Plan,
        PlannedCommit,
        RollbackPlan,
        TargetChange,
        TargetPlan,
    )
    from hotfix.views.words import LeavingGroup

_MANY: Final = 50
"""How many lines of one list are shown: GitLab refuses a comment that is too long."""


def plan_markdown(plan: Plan, *, next_command: str | None) -> str:
    """Write a plan in GitLab's Markdown; hostile text in it neither links nor acts."""
    return "\n".join(_lines(plan, next_command)) + "\n"


def _lines(plan: Plan, next_command: str | None) -> Iterator[str]:
    yield f"**{verdict(plan, code)}**"
    yield ""
    if plan.blockers:
        yield from _findings(plan.blockers)
        yield ""
    what = "Rollback of hotfix" if plan.kind == "rollback" else "Hotfix"
    yield f"{what} {code(plan.hotfix)}: {code(plan.spec.title)}"
    yield ""
    if plan.observed.second_opinion:
        yield f"Second opinion: {code(plan.observed.second_opinion)}"
        yield ""
    if plan.observed.approved:
        yield f"{words.APPROVED} {code(plan.observed.approved)}"
        yield ""
    if plan.observed.rehearsal:
        yield f"Rehearsal: {code(words.rehearsed(plan.observed.rehearsal))}"
        yield ""
    if plan.warnings:
        yield "Warnings:"
        yield ""
        yield from _findings(plan.warnings)
        yield ""
    for target in plan.targets:
        yield from _target(target, plan.kind)
    yield from _rest(plan)
    if acknowledging := words.acknowledging(plan):
        yield acknowledging
        yield ""
    yield f"Digest {code(plan.digest)}"
    if asked := wanted(plan.spec.policy.plan_approvals):
        yield ""
        yield f"Wants {code(asked, 1000)}: `hotfix approve` on the saved plan."
    if next_command and not plan.blockers and not nothing_to_do(plan):
        yield ""
        yield f"To carry out exactly this: {code(next_command, 500)}"


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    for finding in findings:
        yield f"- {code(finding.code)} {code(finding.message, 1000)}"
        if finding.detail:
            yield ""
            yield from _fold(f"The lines of {finding.code}", [fenced(finding.detail)])
            yield code(finding.hint, 1000)
            yield ""
        elif finding.hint:
            yield f"  - {code(finding.hint, 1000)}"
        if weighed := words.weighed(finding):
            yield f"  - {code(weighed, 500)}"


def _target(target: TargetPlan, kind: Kind) -> Iterator[str]:
    yield f"### {link(target.project, target.observed.url)}"
    yield ""
    branch = code(target.release_branch)
    yield f"- {code(target.environment)} {words.PRODUCTION[kind]} {code(target.production.sha)}"
    yield f"- {branch} from {code(target.before or 'nothing')}"
    yield f"- {branch} to {code(target.after or 'not known')}"
    if target.observed.radius:
        yield f"- Blast radius: {blast_radius(target.observed.radius, code)}"
    if target.observed.merge_attributes:
        yield f"- Merge attributes: {code(target.observed.merge_attributes, 10_000)}"
    if target.observed.searched:
        yield f"- Searched for what the picks use: {code(target.observed.searched, 300)}"
    yield ""
    yield from _fold(f"Commits: {len(target.commits)}", map(_commit, target.commits))
    for commit in target.commits:
        for resolved in commit.resolved:
            where = "where the pick conflicts" if resolved.conflicted else "where no conflict is"
            yield from _fold(
                f"Changed by hand for !{commit.merge_request}, {where}",
                [code(resolved.path), "", fenced(resolved.diff, "diff")],
            )
    groups = leaving_groups(target.leaving)
    yield from _fold(f"Unreleased work that leaves: {len(groups)}", map(_group, groups))
    yield from _fold("Merge requests and where the commits come from", _observed(target))
    yield from _fold("Way to production", _way_to_production(target))


def _commit(commit: PlannedCommit) -> str:
    which = f" !{commit.merge_request}" if commit.merge_request is not None else ""
    there = ", already there" if commit.outcome == "already-there" else ""
    title = f"{code((commit.sha or 'no commit') + which)} {commit.action}{there}: "
    files = [code(f"{file.path} ({file.change})") for file in commit.files[:_MANY]]
    more = len(commit.files) - len(files)
    lines = [
        f"- {title}{code(subject(commit.message))}",
        f"  - {code(commit.reason)}, author {code(commit.author.partition(' <')[0])}",
        *([f"  - picked from {code(commit.picked_from)}"] if commit.picked_from else []),
        *([f"  - as resolved in {code(commit.resolution)}"] if commit.resolution else []),
        *([f"  - {', '.join(files)}"] if files else []),
        *([f"  - and {counted(more, 'more file')}"] if more else []),
    ]
    return "\n".join(lines)


def _group(group: LeavingGroup) -> str:
    authors = listed([code(name, 60) for name in group.authors[:5]])
    commits = [code(f"{short(commit.sha)} {commit.title}") for commit in group.commits[:_MANY]]
    return f"- {code(group.name)} by {authors}: {', '.join(commits)}"


def _observed(target: TargetPlan) -> Iterator[str]:
    for each in target.observed.merge_requests:
        yield f"- {link(f'!{each.iid}', each.url)} {code(each.title)}"
        yield (
            f"  - {code(each.state)} into {code(each.target_branch)}, by {code(each.author)},"
            f" approved by {approvals(each, code)}"
            + (f", pipeline of its commit: {code(each.pipeline)}" if each.pipeline else "")
            + (f", GitLab's rules: {found}" if (found := rules(each, code)) else "")
        )
    for source in target.observed.production:
        yield f"- {link(source.source, source.url)}: {code(source.detail)}"


def _way_to_production(target: TargetChange) -> Iterator[str]:
    if target.pipeline is not None:
        pipeline = target.pipeline
        yield f"- pipeline of {code(pipeline.project)} on {code(pipeline.ref)}"
        for name, given in pipeline.inputs.items():
            yield f"  - {code(name)}: {code(value(given))}"
    if target.deploy is not None:
        yield f"- manual job {code(target.deploy.job)}, pressed after a person's yes"
    for check in target.smoke_checks:
        yield f"- smoke check {code(check.name)} ({check.kind}): {code(smoke_check(check))}"


def _rest(plan: Plan) -> Iterator[str]:
    incident = plan.incident
    which = code(f"#{incident.iid}") if incident.iid else words.INCIDENT[plan.kind]
    yield f"Incident: {which} in {code(incident.project)}, {code(incident.title)}"
    if incident.follow_ups:
        yield ""
        yield from (f"- follow-up: {code(each)}" for each in incident.follow_ups)
    yield ""
    if plan.rollback is not None:
        yield from _fold("Way back, reviewed with this plan", _way_back(plan.rollback))


def _way_back(rollback: RollbackPlan) -> Iterator[str]:
    for target in rollback.targets:
        restored = [commit.sha for commit in target.commits if commit.sha]
        how = f"by {code(restored[-1])}" if restored else "with no commit needed"
        yield f"- {code(target.project)}: {code(target.release_branch)} as before, {how}"
    yield f"- digest {code(rollback.digest)}"


def _fold(summary: str, lines: Iterable[str]) -> Iterator[str]:
    """Fold a list away; nothing from outside may stand in ``summary``, which is HTML."""
    shown = list(lines)
    if not shown:
        return
    yield f"<details><summary>{summary}</summary>"
    yield ""
    yield from shown[:_MANY]
    if len(shown) > _MANY:
        yield f"- and {len(shown) - _MANY} more; the saved plan has all"
    yield ""
    yield "</details>"
    yield ""
