"""The plan as a person reads it: the verdict first, the next command last.

Colour only repeats what the words say already.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.identifiers import short
from hotfix.plan.approvals import wanted
from hotfix.text import counted, listed, one_line
from hotfix.views import words
from hotfix.views.page import BAD, CAUTION, GOOD, HEADING, QUIET, Page
from hotfix.views.radius import blast_radius
from hotfix.views.review import approvals, rules
from hotfix.views.words import (
    leaving_groups,
    nothing_to_do,
    smoke_check,
    subject,
    type_of,
    value,
    verdict,
)

if TYPE_CHECKING:
    from hotfix.plan.model import (
        Finding,
        Kind,
        Plan,
        PlannedCommit,
        RollbackPlan,
        TargetChange,
        TargetPlan,
    )
    from hotfix.views.page import Part

_FILES: Final = 20
"""How many files of a commit are listed; the plan's JSON has all."""
_COMMITS: Final = 10
"""How many commits of one merge request that leaves are listed."""
_SIGN: Final = {"added": "A", "modified": "M", "deleted": "D", "renamed": "R", "mode": "T"}


def plan_text(plan: Plan, *, width: int, colour: bool, next_command: str | None) -> str:
    """Write a plan; ``next_command`` is what carries it out, None where there is nothing to type.

    A plan with blockers begins with all of them, and offers no command.
    """
    page = Page(width)
    style = BAD if plan.blockers else GOOD if nothing_to_do(plan) else HEADING
    page.line((verdict(plan), style), wrap=False)
    for blocker in plan.blockers:
        _finding(page, "error", BAD, blocker, plan)
    page.gap()
    _head(page, plan)
    for target in plan.targets:
        _target(page, target, plan.kind)
    _incident(page, plan)
    if plan.rollback is not None:
        _way_back(page, plan.rollback)
    for warning in plan.warnings:
        page.gap()
        _finding(page, "warning", CAUTION, warning, plan)
    page.gap()
    if acknowledging := words.acknowledging(plan):
        page.line(acknowledging, hang=2)
    page.line("Digest ", plan.digest)
    if asked := wanted(plan.spec.policy.plan_approvals):
        page.line(f"Wants {asked}: `hotfix approve` on the saved plan.", hang=2)
    if next_command and not plan.blockers and not nothing_to_do(plan):
        page.line("To carry out exactly this:")
        page.line(next_command, indent=4, wrap=False)
    return page.text(colour=colour)


def _finding(page: Page, label: str, style: str, finding: Finding, plan: Plan) -> None:
    where = f" ({finding.target})" if finding.target and len(plan.targets) > 1 else ""
    page.line((f"{label}[{finding.code}]", style), f": {finding.message}{where}", hang=2)
    for line in finding.detail.splitlines():
        page.line((line, QUIET), indent=4, wrap=False)
    if finding.hint:
        page.line(finding.hint, indent=2)
    if weighed := words.weighed(finding):
        page.line(weighed, indent=2)


def _head(page: Page, plan: Plan) -> None:
    spec = plan.spec
    what = "Rollback of hotfix" if plan.kind == "rollback" else "Hotfix"
    page.line((f"{what} {plan.hotfix}", HEADING), f": {one_line(spec.title)}", hang=2)
    page.line(f"Planned {plan.observed.at} by {plan.observed.by} on {plan.gitlab}", indent=2)
    if plan.observed.second_opinion:
        page.line(f"Second opinion: {plan.observed.second_opinion}", indent=2)
    if plan.observed.approved:
        page.line(words.APPROVED, indent=2)
        page.line(plan.observed.approved, indent=4)
    if plan.observed.rehearsal:
        page.line(f"Rehearsal: {words.rehearsed(plan.observed.rehearsal)}", indent=2, hang=2)


def _target(page: Page, target: TargetPlan, kind: Kind) -> None:
    page.gap()
    page.line((target.project, HEADING))
    _branch(page, target, kind)
    _approvals(page, target)
    _commits(page, target)
    _leaving(page, target)
    _way_to_production(page, target)


def _branch(page: Page, target: TargetPlan, kind: Kind) -> None:
    branch, sources = target.release_branch, target.observed.production
    rows: list[tuple[Part, ...]] = [
        (target.environment, f"{words.PRODUCTION[kind]} {target.production.sha}"),
        *(("", (f"{each.source}: {each.detail}", QUIET)) for each in sources),
        *(("", (url, QUIET)) for url in dict.fromkeys(each.url for each in sources) if url),
        (branch, f"from {target.before or 'nothing: there is no such branch'}"),
        ("", f"to   {target.after or 'not known, see above'}"),
    ]
    page.table(rows, indent=2)
    if target.observed.radius:
        page.line(f"Blast radius: {blast_radius(target.observed.radius)}", indent=2, hang=2)
    if target.observed.merge_attributes:
        page.line(f"Merge attributes: {target.observed.merge_attributes}", indent=2, hang=2)
    if target.observed.searched:
        page.line(f"Searched for what the picks use: {target.observed.searched}", indent=2, hang=2)


def _approvals(page: Page, target: TargetPlan) -> None:
    seen = target.observed.merge_requests
    if not seen:
        return
    page.gap()
    page.line(("Merge requests", HEADING), indent=2)
    for each in seen:
        page.line(f"!{each.iid} {one_line(each.title, 100)}", indent=4, hang=2)
        merged = f", {each.merged_at}" if each.merged_at else ""
        left = f"; GitLab asks for {each.approvals_left} more" if each.approvals_left else ""
        page.line(
            f"{each.state} into {each.target_branch}{merged}; by {each.author}, "
            f"approved by {approvals(each)}{left}"
            + (f"; pipeline of its commit: {one_line(each.pipeline)}" if each.pipeline else ""),
            indent=6,
        )
        if found := rules(each):
            page.line(f"GitLab's rules: {found}", indent=6, hang=2)
        page.line((each.url, QUIET), indent=6)


def _commits(page: Page, target: TargetChange) -> None:
    if not target.commits:
        return
    page.gap()
    page.line((f"Commits of {target.release_branch}, oldest first", HEADING), indent=2)
    for commit in target.commits:
        _commit(page, commit)


def _commit(page: Page, commit: PlannedCommit) -> None:
    sign, style = ("+", GOOD) if commit.outcome == "new" else ("=", QUIET)
    which = f" !{commit.merge_request}" if commit.merge_request is not None else ""
    there = "" if commit.outcome == "new" else ", already there"
    sha = f"{commit.sha} " if commit.sha else ""
    page.line((f"{sign} {sha}", style), f"{commit.action}{which}{there}", indent=4, hang=2)
    page.line(subject(commit.message), indent=6, hang=2)
    page.line((commit.reason, QUIET), indent=6)
    if commit.picked_from:
        page.line(f"picked from {commit.picked_from}", indent=6)
    if commit.resolution:
        page.line(f"as resolved in {commit.resolution}", indent=6)
    for resolved in commit.resolved:
        where = "where the pick conflicts" if resolved.conflicted else "WHERE NO CONFLICT IS"
        page.line(f"changed by hand {where}: {resolved.path}", indent=6, hang=2)
        for line in resolved.diff.splitlines():
            page.line((line, QUIET), indent=8, wrap=False)
    page.line(f"author {one_line(commit.author.partition(' <')[0], 100)}", indent=6)
    for file in commit.files[:_FILES]:
        page.line(f"{_SIGN[file.change]} {file.path}", indent=6, hang=2)
    if len(commit.files) > _FILES:
        page.line(f"and {counted(len(commit.files) - _FILES, 'more file')}", indent=6)


def _leaving(page: Page, target: TargetChange) -> None:
    if not target.leaving:
        return
    page.gap()
    page.line((f"Leaves {target.release_branch}, unreleased", CAUTION), indent=2)
    for group in leaving_groups(target.leaving):
        authors = listed([one_line(name, 60) for name in group.authors[:5]])
        page.line(("- ", CAUTION), f"{group.name} by {authors}", indent=4, hang=2)
        for commit in group.commits[:_COMMITS]:
            page.line(f"{short(commit.sha)} {one_line(commit.title, 100)}", indent=6, hang=9)
        if len(group.commits) > _COMMITS:
            page.line(f"and {counted(len(group.commits) - _COMMITS, 'more commit')}", indent=6)


def _way_to_production(page: Page, target: TargetChange) -> None:
    if target.pipeline is not None:
        pipeline = target.pipeline
        page.gap()
        page.line(("Pipeline", HEADING), f" of {pipeline.project} on {pipeline.ref}", indent=2)
        rows: list[tuple[Part, ...]] = [
            (name, value(given) + ("" if isinstance(given, str) else f"  ({type_of(given)})"))
            for name, given in pipeline.inputs.items()
        ]
        if pipeline.operation_input:
            rows.append((pipeline.operation_input, "the run's own key, made when it begins"))
        page.table(rows, indent=4)
        if pipeline.send_as == "variables":
            page.line("sent as variables", indent=4)
    if target.deploy is not None:
        page.gap()
        page.line(
            ("Manual job", HEADING),
            f" {target.deploy.job}, pressed after a person's yes",
            indent=2,
            hang=2,
        )
    if target.smoke_checks:
        page.gap()
        page.line((f"Smoke checks of {target.environment}", HEADING), indent=2)
        page.table([(c.name, c.kind, smoke_check(c)) for c in target.smoke_checks], indent=4)


def _incident(page: Page, plan: Plan) -> None:
    incident = plan.incident
    which = f"#{incident.iid}" if incident.iid else words.INCIDENT[plan.kind]
    severity = f", severity {incident.severity}" if incident.severity else ""
    page.gap()
    page.line(("Incident", HEADING), f" {which} in {incident.project}{severity}")
    page.line(one_line(incident.title), indent=2, hang=2)
    for follow_up in incident.follow_ups:
        page.line(f"follow-up: {one_line(follow_up)}", indent=2, hang=2)


def _way_back(page: Page, rollback: RollbackPlan) -> None:
    page.gap()
    page.line(("Way back", HEADING), ", reviewed with this plan")
    for target in rollback.targets:
        restored = [commit.sha for commit in target.commits if commit.sha]
        how = f"by {restored[-1]}" if restored else "with no commit needed"
        page.line(f"{target.project}: {target.release_branch} as in production now", indent=2)
        page.line(how, indent=4)
    page.line(f"digest {rollback.digest}", indent=2)
