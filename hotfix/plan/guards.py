"""The rules of the runbook as pure functions: facts in, blockers and warnings out.

Each says what was seen, what the runbook wants, and what to do next. Which of them block, and which
are weighed by the team, ``plan.policy`` tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.forge.types import DEVELOPER, MAINTAINER
from hotfix.git.resolution import changed_since
from hotfix.identifiers import short
from hotfix.plan.elsewhere import SERVICE
from hotfix.plan.model import Finding, SourceOfSha
from hotfix.plan.why import conflict_text
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from hotfix.forge.types import Approvals, Deployment, MergeRequest, Pipeline
    from hotfix.git.commits import CommitInfo, Conflicted
    from hotfix.plan.branch import PickConflict
    from hotfix.plan.observe import SeenMergeRequest, SeenTarget
    from hotfix.plan.why import Why
    from hotfix.spec.model import ApprovalPolicy, Target


def production_guard(
    target: Target,
    records: Sequence[SourceOfSha],
    others: Sequence[SourceOfSha] = (),
    *,
    already_there: str | None,
) -> Iterator[Finding]:
    """Hold the spec's production SHA against all that knows what production runs.

    Runbook, Decision Points: if the environment does not clearly show the last deployed SHA, stop
    and gather evidence. ``already_there`` is the planned head where the branch stands at it: then
    production may run that, since the hotfix was deployed.
    """
    sources = (*records, *others)
    sha = agreed_sha(records, others)
    if sha is None:
        yield unclear(target, sources)
    elif sha not in {target.production_sha, already_there}:
        yield Finding(
            code="production-mismatch",
            target=target.project,
            message=f"The spec says production runs {target.production_sha}, "
            f"GitLab's records say {sha}.",
            hint=f"See {one_line(sources[0].url or 'the environments page')}. "
            "If GitLab is right, correct `production_sha` and plan anew.",
            detail=table(sources),
        )


def service_warning(target: Target, others: Sequence[SourceOfSha]) -> Iterator[Finding]:
    """Say that the service did not tell its commit, though the spec says where it would.

    It blocks nothing: a hotfix may be needed just because the service does not answer.
    """
    for source in others:
        if source.source == SERVICE and source.sha is None:
            yield Finding(
                code="production-version-silent",
                target=target.project,
                message=f"{one_line(source.url or '')} does not say which commit production runs: "
                f"{source.detail}.",
                hint="The other sources agree. Find out why before you rely on them alone.",
            )


def way_back_guard(
    target: Target, sources: Sequence[SourceOfSha], *, expected: Collection[str | None]
) -> Iterator[Finding]:
    """Refuse to go back from what this hotfix did not bring: somebody deployed since."""
    sha = clear_sha(sources)
    if sha is None:
        yield unclear(target, sources)
    elif sha not in expected:
        yield Finding(
            code="production-mismatch",
            target=target.project,
            message=f"{target.environment} runs {sha}, which is neither this hotfix nor the last "
            f"known-good state.",
            hint=f"Somebody deployed since: {one_line(sources[0].url or 'the environments page')} "
            "Ask them. The way back would take their work off production too.",
            detail=table(sources),
        )


def clear_sha(sources: Sequence[SourceOfSha]) -> str | None:
    """Return the commit that every record says production runs; ``None`` where they do not."""
    said = {source.sha for source in sources}
    return said.pop() if len(said) == 1 else None


def agreed_sha(records: Sequence[SourceOfSha], others: Sequence[SourceOfSha]) -> str | None:
    """Return the commit that all who know it name; ``None`` where they do not agree.

    The environment's records must answer: ``apply`` sees by them whether the hotfix arrived. Of the
    others each may be silent, and none may contradict.
    """
    return clear_sha([*records, *(other for other in others if other.sha is not None)])


def unclear(target: Target, sources: Sequence[SourceOfSha]) -> Finding:
    """Refuse where nobody can say what production runs; each source's answer is shown."""
    return Finding(
        code="production-unknown",
        target=target.project,
        message=f"What {target.environment} runs is not clear: {_by_answer(sources)}.",
        hint="The runbook says: gather evidence from deploy logs, release records or the last "
        "successful production pipeline before release is changed.",
        detail=table(sources),
    )


def _by_answer(sources: Sequence[SourceOfSha]) -> str:
    """Say who names which commit, the commits in the order in which they are named."""
    who: dict[str, list[str]] = {}
    for source in sources:
        who.setdefault(source.sha or "", []).append(source.source)
    silent = who.pop("", [])
    said = [f"{short(sha)} says {_and(names)}" for sha, names in who.items()]
    return "; ".join(said + ([f"no answer from {_and(silent)}"] if silent else [])) or "nobody says"


def table(sources: Sequence[SourceOfSha]) -> str:
    """Write each source on a line, with its link below it where it has one."""
    lines = []
    for source in sources:
        lines.append(f"{source.source}: {source.detail}")
        lines += [f"  {one_line(source.url, 500)}"] if source.url else []
    return "\n".join(lines)


def running_guard(
    target: Target, running: Sequence[Deployment], *, already_there: str | None
) -> Iterator[Finding]:
    """Refuse while somebody deploys: what production runs is about to change (runbook, step 1).

    A deployment of the planned head itself is this hotfix's own.
    """
    for deployment in running:
        if deployment.sha != already_there:
            job = f": {deployment.job.web_url}" if deployment.job else ""
            yield Finding(
                code="production-unknown",
                target=target.project,
                message=f"A deployment of {short(deployment.sha)} to {target.environment} is "
                f"running{job}",
                hint="Wait for it to end, and find out whose it is. Then plan again.",
            )


def waiting_warning(
    target: Target,
    waiting: Sequence[Deployment],
    *,
    last: Deployment | None,
    already_there: str | None,
) -> Iterator[Finding]:
    """Tell of deployments that wait for an approval, and are newer than the last that succeeded.

    Where deployments are approved, that is how a pipeline stands whose manual job nobody pressed:
    nothing moves by itself, an approval starts no job, and production is looked at once more
    before it is pressed. So it is told and refuses nothing.
    """
    newer = [each for each in waiting if last is None or each.id > last.id]
    shas = dict.fromkeys(short(each.sha) for each in newer if each.sha != already_there)
    if shas:
        yield Finding(
            code="deployment-waiting",
            target=target.project,
            message=f"A deployment to {target.environment} waits for an approval: "
            f"{_and(list(shas)[:5])}.",
            hint="Find out whose it is, and that nobody approves and presses it meanwhile.",
        )


def merge_request_guard(
    target: Target, seen: SeenMergeRequest, policy: ApprovalPolicy, default_branch: str
) -> Iterator[Finding]:
    """Runbook, Prerequisites: the merge request must be merged and approved for production."""
    if seen.ref.project != target.project:
        yield Finding(
            code="mr-wrong-project",
            target=target.project,
            message=f"{seen.ref} belongs to another project than the target.",
            hint=f"Name a merge request of {target.project}, or give {seen.ref.project} "
            "a target of its own.",
        )
        return
    found = seen.merge_request
    if found is None:
        yield not_found_guard(target, seen)
        return
    if found.state != "merged":
        yield Finding(
            code="mr-not-merged",
            target=target.project,
            message=f"!{found.iid} ({one_line(found.title, 80)}) is {one_line(found.state, 20)}, "
            "not merged.",
            hint=f"Only merged work is released: merge it first. {found.web_url}",
        )
        return
    if seen.approvals is not None:
        yield from _approval_guard(target, found, seen.approvals, policy)
    if found.target_branch != default_branch:
        yield _other_branch(target, found, default_branch)
    if seen.pipeline is not None and seen.pipeline.status != "success":
        yield _not_passed(target, found, seen.pipeline)


def not_found_guard(target: Target, seen: SeenMergeRequest) -> Finding:
    """Refuse a merge request that GitLab does not show."""
    return Finding(
        code="mr-not-found",
        target=target.project,
        message=f"GitLab shows no merge request !{seen.ref.iid} in {target.project}.",
        hint="Check the number. GitLab answers the same for one that the token may not see.",
    )


def _approval_guard(
    target: Target, found: MergeRequest, approvals: Approvals, policy: ApprovalPolicy
) -> Iterator[Finding]:
    counted = {
        approval.user.username
        for approval in approvals.approved_by
        if not (policy.not_author and approval.user.id == found.author.id)
    }
    left = approvals.approvals_left or 0
    if len(counted) >= policy.minimum and left == 0:
        return
    by = ", ".join(sorted(one_line(name, 60) for name in counted)) or "nobody"
    but = " other than its author" if policy.not_author else ""
    rules = f", and GitLab's own rules ask for {left} more" if left else ""
    yield Finding(
        code="mr-not-approved",
        target=target.project,
        message=f"!{found.iid} ({one_line(found.title, 80)}) is approved by {by}; "
        f"the policy asks for {policy.minimum}{but}{rules}.",
        hint=f"Have it approved, then plan again. {found.web_url}",
    )


def _other_branch(target: Target, found: MergeRequest, default_branch: str) -> Finding:
    return Finding(
        code="mr-other-branch",
        target=target.project,
        message=f"!{found.iid} was merged into {one_line(found.target_branch, 80)}, "
        f"not into {one_line(default_branch, 80)}: the next cut-off may lose the fix.",
        hint="Merge the fix into the default branch too.",
    )


def reverted_guard(target: Target, iid: int, branch: str, revert: CommitInfo) -> Finding:
    """Refuse what was taken back since it was merged: somebody had a reason."""
    return Finding(
        code="mr-reverted",
        target=target.project,
        message=f"!{iid} was taken back on {one_line(branch, 80)} by {short(revert.sha)} "
        f"({one_line(revert.title, 80)}), and {one_line(branch, 80)} does not hold it now.",
        hint=f"Ask {one_line(revert.author.partition(' <')[0], 80)} why. What is to be released "
        "must be merged again, by a merge request of its own; name that one.",
    )


def lost_warning(target: Target, iid: int, branch: str) -> Finding:
    """Say that the next release from the default branch will not have the fix."""
    return Finding(
        code="fix-not-on-default",
        target=target.project,
        message=f"{one_line(branch, 80)} does not hold all that !{iid} changed any more: the next "
        "release from it loses the fix.",
        hint=f"Find out who took it out; bring it back to {one_line(branch, 80)}, or file that as "
        "a follow-up.",
    )


def only_on_release_warning(target: Target, branch: str, commits: Sequence[CommitInfo]) -> Finding:
    """Say what leaves release and is not on the default branch either: nobody releases it again."""
    listed = "; ".join(
        f"{short(commit.sha)} {one_line(commit.title, 80)} "
        f"({one_line(commit.author.partition(' <')[0], 80)})"
        for commit in commits[:10]
    )
    more = f"; and {len(commits) - 10} more" if len(commits) > 10 else ""  # noqa: PLR2004  (as shown)
    return Finding(
        code="only-on-release",
        target=target.project,
        message=f"What leaves {one_line(target.release_branch, 80)} is not on "
        f"{one_line(branch, 80)} either: {listed}{more}.",
        hint=f"Ask the authors to merge it into {one_line(branch, 80)}; otherwise it stands only "
        "in the history of the release branch.",
    )


def reordered_warning(
    target: Target, written: Sequence[int], order: Sequence[int]
) -> Iterator[Finding]:
    """Say that the spec's order is not the one in which the merge requests were merged."""
    if list(written) != list(order):
        yield Finding(
            code="picks-reordered",
            target=target.project,
            message=f"Picked is in the order in which they were merged, {_listed(order)}; the spec "
            f"names them as {_listed(written)}.",
            hint="A later fix may stand on an earlier one. If the spec's own order is meant, write "
            "`order: as-written`.",
        )


def _not_passed(target: Target, found: MergeRequest, pipeline: Pipeline) -> Finding:
    return Finding(
        code="mr-pipeline-not-passed",
        target=target.project,
        message=f"The pipeline of the commit that merged !{found.iid} is "
        f"{one_line(pipeline.status, 40)}, not passed.",
        hint=f"Look whether what failed or did not run concerns the fix: "
        f"{one_line(pipeline.web_url)}",
    )


def conflict_guard(
    target: Target, conflict: PickConflict, why: Why | None, clean_order: Sequence[int] = ()
) -> Finding:
    """Runbook, Decision Points: a conflict is resolved by a person and inspected, never by us.

    Where the fix stands on merge requests that production lacks, it says stop and escalate.
    ``clean_order`` is an order in which the spec's merge requests would pick clean.
    """
    want, hunks = conflict.want, conflict_text(conflict.conflicted)
    if clean_order:
        return Finding(
            code="pick-conflict",
            target=target.project,
            message=f"In the spec's own order, picking {short(want.picked)} for "
            f"!{want.merge_request} conflicts in {_places(conflict.conflicted)}",
            hint="In the order in which they were merged all of them pick clean: "
            f"{_listed(clean_order)}. Leave out `order: as-written`.",
            detail=hunks,
        )
    if want.resolution is not None:
        return _outdated_resolution(target, conflict, hunks)
    stands_on = why.stands_on if why else ()
    if why is None or not stands_on:
        return Finding(
            code="pick-conflict",
            target=target.project,
            message=f"Picking {short(want.picked)} for !{want.merge_request} conflicts in "
            f"{_places(conflict.conflicted)}",
            hint="Nothing missing in production explains it. Make the pick by hand on the planned "
            "branch, inspect it, push it, and name it under `resolutions`.",
            detail=hunks,
        )
    return Finding(
        code="depends-on-unreleased",
        target=target.project,
        message=f"!{want.merge_request} depends on unreleased work: picking "
        f"{short(want.picked)} conflicts in {_places(conflict.conflicted)}",
        hint=f"!{want.merge_request} stands on lines that came with {_and(stands_on)}, "
        f"which {'is' if len(stands_on) == 1 else 'are'} not in production. "
        f"The runbook says: stop and escalate. {_way_out(want.merge_request, why)}",
        detail=hunks,
    )


def _way_out(iid: int, why: Why) -> str:
    if not why.needed:
        return "No set of merge requests was found that would make the pick clean."
    if not why.order:
        nameless = [name for name in why.needed if not name.startswith("!")]
        return (
            f"The pick would be clean after {_and(why.needed)}, but a spec names merge requests, "
            f"and none is known for {_and(nameless)}."
        )
    listed = f"`merge_requests: [{', '.join(str(each) for each in why.order)}]`"
    if not why.plans_clean:
        return f"If they may ship too, {listed} lets !{iid} be picked; a later pick then conflicts."
    return f"If they may ship too, add them before !{iid}: {listed} plans clean."


def _outdated_resolution(target: Target, conflict: PickConflict, hunks: str) -> Finding:
    want = conflict.want
    since = changed_since(conflict.reader, resolution=want.picked, onto=conflict.onto)
    listed = ", ".join(one_line(path, 120) for path in since[:10]) or "nothing of its own"
    return Finding(
        code="pick-conflict",
        target=target.project,
        message=f"The resolution {short(want.picked)} of !{want.merge_request} does not apply to "
        f"the planned branch. Changed since it was made: {listed}.",
        hint="Make it anew on the planned branch, push it, and name the new commit under "
        "`resolutions`.",
        detail=hunks,
    )


def _places(conflicted: Conflicted) -> str:
    places = [
        f"{one_line(', '.join(conflict.paths), 120)} ({conflict.kind})"
        for conflict in conflicted.conflicts
    ]
    more = len(places) - 5
    return "; ".join(places[:5]) + (f" and {more} more." if more > 0 else ".")


def _listed(iids: Sequence[int]) -> str:
    return ", ".join(f"!{iid}" for iid in iids)


def _and(names: Sequence[str]) -> str:
    shown = [one_line(name, 80) for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def attributes_guard(target: Target, asked: Sequence[str]) -> Finding:
    """Say which picked files production's own ``.gitattributes`` would have merged otherwise."""
    more = f" and {len(asked) - 5} more" if len(asked) > 5 else ""  # noqa: PLR2004  (as shown)
    return Finding(
        code="attributes-not-read",
        target=target.project,
        message="Production's .gitattributes asks for another merge than the plan made, and a pick "
        f"in a clone would obey it: {'; '.join(asked[:5])}{more}.",
        hint=_ATTRIBUTES,
    )


def large_attributes_guard(target: Target, size: int) -> Finding:
    """Say that production's ``.gitattributes`` may have asked for another merge."""
    return Finding(
        code="attributes-not-read",
        target=target.project,
        message=f"Production's .gitattributes ({size} bytes) is more than is looked at; the picks "
        "were merged without it.",
        hint=_ATTRIBUTES,
    )


_ATTRIBUTES: Final = (
    "To have it so, write the lines under `merge_attributes`; to merge such a file by lines "
    "knowingly, write its path and `merge`."
)


def unknown_guard(target: Target, unknown: Sequence[CommitInfo]) -> Finding:
    """Refuse a branch where this hotfix was begun and somebody else's commits came on top."""
    listed = "; ".join(
        f"{short(commit.sha)} {one_line(commit.title, 80)}" for commit in unknown[:10]
    )
    return Finding(
        code="unknown-commits",
        target=target.project,
        message=f"This hotfix was begun on {target.release_branch}, and these commits there are "
        f"neither production's nor what it would make: {listed}.",
        hint="Ask their authors. To begin again, give the hotfix a new id: its restore takes them "
        "off the branch, and says so.",
    )


def unresolved_guard(target: Target, found: MergeRequest, why: str) -> Finding:
    """Refuse a merged merge request whose commits cannot be told for certain."""
    return Finding(
        code="mr-commits-unclear",
        target=target.project,
        message=f"!{found.iid} ({one_line(found.title, 80)}) is merged, but {one_line(why)}.",
        hint=f"Find out what reached {one_line(found.target_branch, 80)}. {found.web_url}",
    )


def resolution_guard(target: Target, iid: int, resolution: str) -> Finding:
    """Refuse a resolution that the server does not have: reviewers could not have read it."""
    return Finding(
        code="resolution-not-found",
        target=target.project,
        message=f"The resolution of !{iid}, {resolution}, is not in {target.project}.",
        hint="Push the branch that holds it, or correct `resolutions`.",
    )


def incomplete_resolution_guard(target: Target, iid: int, commits: int) -> Finding:
    """Refuse one resolution for several commits: the others would be dropped unseen."""
    return Finding(
        code="resolution-incomplete",
        target=target.project,
        message=f"!{iid} is {commits} commits on its target branch; one resolution cannot stand "
        "for all of them.",
        hint="Bring the resolved whole in by a merge request of its own, of one commit, and name "
        "that one.",
    )


def stray_guard(target: Target, iid: int, resolution: str, stray: Sequence[str]) -> Finding:
    """Refuse a resolution that pulls in what the pick has nothing to do with."""
    listed = ", ".join(one_line(path, 120) for path in stray[:10])
    more = f" and {len(stray) - 10} more" if len(stray) > 10 else ""  # noqa: PLR2004  (as shown)
    return Finding(
        code="resolution-strays",
        target=target.project,
        message=f"The resolution of !{iid}, {short(resolution)}, changes what !{iid} does not: "
        f"{listed}{more}.",
        hint="Make it anew with the pick's own files alone, as the runbook wants it inspected.",
    )


def no_branch_guard(target: Target) -> Finding:
    """Refuse a project without the release branch."""
    return Finding(
        code="release-branch-missing",
        target=target.project,
        message=f"{target.project} has no branch {target.release_branch}.",
        hint="Set `release_branch`, or create the branch at what production runs.",
    )


def no_production_guard(target: Target) -> Finding:
    """Refuse a production SHA that is no commit of the project."""
    return Finding(
        code="production-unknown",
        target=target.project,
        message=f"{target.production_sha} is not a commit that {target.project} has.",
        hint="Compare `production_sha` with Operate > Environments of that project.",
    )


def deploy_job_guard(target: Target) -> Finding:
    """Ask for the manual production job's name where the last deployment does not tell it."""
    return Finding(
        code="deploy-job-unknown",
        target=target.project,
        message=f"The last deployment of {target.environment} was made by no job, so the name of "
        "the manual production job is not known.",
        hint="Set `deploy: {job: NAME}` in the spec or in defaults.yaml.",
    )


def permission_warning(seen: Iterable[SeenTarget]) -> Iterator[Finding]:
    """Planning needs to read only; say early if the same token could not apply."""
    for each in seen:
        level = each.project.access_level
        name, needed = ("Developer", DEVELOPER)
        if each.target.lock == "terraform-state":
            name, needed = ("Maintainer", MAINTAINER)
        if level is not None and level < needed:
            yield Finding(
                code="apply-not-permitted",
                target=each.target.project,
                message=f"This token's role there is {level}; applying needs {name} ({needed}) or "
                "more.",
                hint="Apply with another token; the plan is the same.",
            )
