"""A record held against GitLab as it is now: what a lockfile cannot prove of itself.

What the record says of the past must still be there: commits, pipelines, the production job, its
deployment, the merge requests, the head of the chain in the incident. Whether the main line still
holds the fix is asked again too, since the next release would undo it otherwise. What GitLab does
not show, or not to this token, is a note: it proves nothing either way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.apply import record
from hotfix.evidence.report import judged, note
from hotfix.forge.protocol import NotFoundError
from hotfix.git.attributes import attributes_of
from hotfix.git.commits import read_commit
from hotfix.git.history import is_ancestor
from hotfix.git.objects import MissingObjectError
from hotfix.identifiers import Sha, short
from hotfix.plan.leaving import unreleased
from hotfix.plan.mainline import reverts, standing
from hotfix.plan.make import fetched
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hotfix.evidence.model import Entry, Lock
    from hotfix.evidence.report import AuditFinding
    from hotfix.forge.protocol import Forge
    from hotfix.git.objects import ObjectReader
    from hotfix.plan.model import TargetPlan

_DEPLOYMENTS: Final = 100
"""Among how many of the newest deployments the recorded one is looked for."""
_HEADS: Final = "refs/heads/"


def recheck(lock: Lock, forge: Forge) -> list[AuditFinding]:
    """Compare a lockfile with GitLab; raises ``ForgeError`` where GitLab cannot be asked."""
    found: list[AuditFinding] = []
    for index, target in enumerate(lock.plan.targets):
        place = f"$.plan.targets[{index}]"
        found += _branch(lock, target, forge, place)
        found += _merge_requests(target, forge, place)
    found += _entries(lock, forge)
    found += _anchor(lock, forge)
    return found


def _branch(lock: Lock, target: TargetPlan, forge: Forge, place: str) -> Iterator[AuditFinding]:
    try:
        project = forge.project(target.project)
    except NotFoundError as error:
        yield note("commits", place, one_line(error.message, 200))
        return
    repository = forge.repository(project)
    heads = {ref.removeprefix(_HEADS): sha for ref, sha in repository.refs(_HEADS).items()}
    release, main = heads.get(target.release_branch), heads.get(project.default_branch)
    named = [sha for commit in target.commits for sha in (commit.sha, commit.picked_from) if sha]
    reader = fetched(
        repository,
        tuple(sha for sha in (release, main) if sha),
        tuple(map(Sha, (target.production.sha, *named))),
    )
    holds = f"{target.project}: each is there with the planned tree and parent."
    yield from judged("commits", place, holds, _other_commits(target, reader, place))
    if release is None or not target.after or not is_ancestor(reader, Sha(target.after), release):
        now = f"stands at {short(release)}" if release else "is gone"
        branch = one_line(target.release_branch, 80)
        yield note("release", place, f"{target.project}: {branch} {now}, without the hotfix.")
    if lock.kind == "hotfix" and main is not None:
        yield from _fixes(lock, target, reader, (project.default_branch, main), place)


def _other_commits(
    target: TargetPlan, reader: ObjectReader, place: str
) -> Iterator[tuple[str, str]]:
    for index, commit in enumerate(target.commits):
        if commit.sha is None:
            continue
        here = f"{place}.commits[{index}]"
        try:
            found = read_commit(reader, Sha(commit.sha))
        except MissingObjectError:
            yield here, f"{target.project} has no commit {commit.sha}."
            continue
        if found.tree != commit.tree:
            yield f"{here}.tree", f"The plan says {commit.tree}, the commit has {found.tree}."
        if found.parents != (commit.parent,):
            seen = ", ".join(found.parents) or "none"
            yield f"{here}.parent", f"The plan says {commit.parent}, the commit has {seen}."


def _fixes(
    lock: Lock, target: TargetPlan, reader: ObjectReader, main: tuple[str, Sha], place: str
) -> Iterator[AuditFinding]:
    """Ask again whether the default branch holds what was picked (runbook: the next cut-off)."""
    branch, head = one_line(main[0], 80), main[1]
    since = unreleased(reader, production=Sha(target.production.sha), head=head)
    taken_back = reverts(since, target.project)
    (wanted,) = (each for each in lock.plan.spec.targets if each.project == target.project)
    attributes = attributes_of(wanted.merge_attributes)
    lost: list[tuple[str, str]] = []
    for commit in target.commits:
        if commit.picked_from is None or commit.merge_request is None:
            continue
        sha, iid = Sha(commit.picked_from), commit.merge_request
        now, revert = standing(reader, sha, head, attributes), taken_back.of(iid, [sha])
        if now == "present":
            continue
        if revert is not None:
            lost.append((place, f"!{iid} was taken back on {branch} by {short(revert.sha)}."))
        elif now == "missing":
            lost.append((place, f"{branch} does not hold all that !{iid} changed any more."))
        else:
            yield note("fix", place, f"{branch} went on from what !{iid} changed.")
    yield from judged("fix", place, f"{target.project}: {branch} did not lose it.", lost)


def _merge_requests(target: TargetPlan, forge: Forge, place: str) -> Iterator[AuditFinding]:
    """Look whether who approved then still does: approvals can be taken back."""
    changed: list[tuple[str, str]] = []
    for seen in target.observed.merge_requests:
        try:
            now = forge.merge_request(seen.project, seen.iid)
            approvals = forge.approvals(seen.project, seen.iid)
        except NotFoundError:
            yield note("merge-requests-now", place, f"GitLab does not show !{seen.iid} any more.")
            continue
        by = {approval.user.username for approval in approvals.approved_by}
        if now.state != seen.state:
            changed.append((place, f"!{seen.iid} is {one_line(now.state, 20)}, not {seen.state}."))
        if gone := sorted(set(seen.approved_by) - by):
            names = one_line(", ".join(gone), 200)
            changed.append((place, f"!{seen.iid} is no longer approved by {names}."))
    holds = f"{target.project}: still merged, and approved by the same people."
    yield from judged("merge-requests-now", place, holds, changed)


def _entries(lock: Lock, forge: Forge) -> Iterator[AuditFinding]:
    """Look up what the entries name by its number: pipelines, the production job, deployments."""
    for what, step, look in (
        ("pipelines", "orchestrate", _pipeline),
        ("pipelines", "staging", _pipeline),
        ("job", "promote", _job),
        ("deployment", "verify-production", _deployment),
    ):
        for index, entry in _last(lock, step).values():
            place = f"$.entries[{index}]"
            try:
                said = look(entry, forge)
            except (NotFoundError, KeyError) as error:
                yield note(what, place, f"GitLab does not show it: {one_line(str(error), 200)}")
                continue
            if said is not None:
                faults = [(f"{place}.facts", fault) for fault in said[1:]]
                yield from judged(what, place, said[0], faults)


def _last(lock: Lock, step: str) -> dict[str | None, tuple[int, Entry]]:
    """Return the last entry of a step that tells what was done, for each target, with its place."""
    return {
        entry.target: (index, entry)
        for index, entry in enumerate(lock.entries)
        if entry.step == step and entry.phase != "intent" and "error" not in entry.facts
    }


def _pipeline(entry: Entry, forge: Forge) -> list[str] | None:
    facts = entry.facts
    found = forge.pipeline(str(facts["project"]), int(str(facts["pipeline"])))
    seen = {"ref": found.ref, "sha": found.sha}
    return [f"Pipeline {found.id} is as recorded.", *_differ(facts, seen)]


def _job(entry: Entry, forge: Forge) -> list[str] | None:
    facts = entry.facts
    found = forge.job(str(entry.target), int(str(facts["job"])))
    seen = {"job_name": found.name}
    if found.user is not None:
        seen["user"] = found.user.username
    return [f"Job {found.id} is as recorded, and is {found.status}.", *_differ(facts, seen)]


def _deployment(entry: Entry, forge: Forge) -> list[str] | None:
    facts = entry.facts
    number = int(str(facts["deployment"]))
    listed = forge.deployments(
        str(entry.target), str(facts["environment"]), status="success", limit=_DEPLOYMENTS
    )
    found = next((each for each in listed if each.id == number), None)
    if found is None:
        raise KeyError(f"deployment {number} is not among the newest {_DEPLOYMENTS}")
    seen = {"deployment_sha": found.sha, "deployment_status": found.status}
    return [f"Deployment {number} is as recorded.", *_differ(facts, seen)]


def _differ(facts: Mapping[str, object], seen: Mapping[str, str]) -> Iterator[str]:
    for key, value in seen.items():
        if facts.get(key) != value:
            recorded, now = (one_line(str(each), 80) for each in (facts.get(key), value))
            yield f"`{key}`: the record says {recorded}, GitLab {now}."


def _anchor(lock: Lock, forge: Forge) -> Iterator[AuditFinding]:
    """Compare the head of the chain with the one in the incident, which GitLab keeps."""
    done = [each for each in lock.entries if (each.step, each.phase) == ("incident", "done")]
    if lock.seal is None or not done:
        return
    facts = done[-1].facts
    try:
        issue = forge.issue(str(facts["project"]), int(str(facts["iid"])))
    except NotFoundError as error:
        yield note("anchor", "$.seal", one_line(error.message, 200))
        return
    stored = record.stored(issue.description, lock.hotfix, record.seal_part(lock))
    where = one_line(issue.web_url, 200)
    faults = []
    if stored is None:
        faults = [("$.seal", f"{where} holds no head of this lockfile.")]
    elif stored.strip() != record.seal_line(lock).strip():
        faults = [("$.seal", f"{where} holds another head: {one_line(stored, 300)}")]
    yield from judged("anchor", "$.seal", f"{where} holds this head.", faults)
