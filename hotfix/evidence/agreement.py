"""Whether the entries speak of the plan that the file holds, and kept its rules.

What was observed may differ from the plan, honestly; the nine checks judge that. What was intended
and done may not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hotfix.canonical import digest
from hotfix.evidence.derived import approvals_in
from hotfix.evidence.passed import behind_glass, warnings_answered
from hotfix.evidence.plan_approvals import lacking
from hotfix.evidence.report import judged, note
from hotfix.identifiers import FORBIDDEN_ACTION, is_forbidden
from hotfix.plan.document import to_json
from hotfix.plan.policy import is_denied
from hotfix.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.evidence.model import Entry, Lock
    from hotfix.evidence.report import AuditFinding
    from hotfix.plan.model import TargetPlan
    from hotfix.spec.model import ApprovalPolicy

_WRITES = frozenset({"restore", "pick", "orchestrate", "promote"})


def entries_agree(lock: Lock) -> list[AuditFinding]:
    """Hold the entries against the plan: targets, commits, what was sent, blockers, approvals."""
    place = "$.entries"
    return [
        *judged("targets", place, "Each speaks of a target of the plan.", _targets(lock)),
        *judged("writes", place, "Only planned commits were written or released.", _written(lock)),
        *judged("forbidden-action", place, f"`{FORBIDDEN_ACTION}` is nowhere.", _forbidden(lock)),
        *judged("blockers", "$.plan.blockers", "No blocker was passed.", _blockers(lock)),
        *_warnings(lock),
        *_merge_requests(lock),
        *_plan_approvals(lock),
    ]


def _plan_approvals(lock: Lock) -> Iterator[AuditFinding]:
    if lock.plan.spec.policy.plan_approvals.minimum:
        said = "The plan's digest was approved as its policy asks."
        yield from judged("plan-approvals", "$.approvals", said, lacking(lock))


def _warnings(lock: Lock) -> Iterator[AuditFinding]:
    """Hold each list of warnings that somebody went past against the hash of the answer."""
    for index, entry in enumerate(lock.entries):
        listed = entry.facts.get("warnings")
        if entry.step == "preflight" and isinstance(listed, list):
            place = f"$.entries[{index}].facts"
            said = f"{counted(len(listed), 'warning')}, answered for by the hash of their list."
            yield from judged("warnings", place, said, _answer(entry, listed, place))


def _answer(entry: Entry, listed: list[Any], place: str) -> Iterator[tuple[str, str]]:
    keys = ("code", "target", "message")
    found = [[each.get(key) for key in keys] for each in listed if isinstance(each, dict)]
    answered = [each.get("what") for each in approvals_in([entry]) if isinstance(each, dict)]
    if len(found) != len(listed) or answered != [warnings_answered(digest(found))]:
        yield place, "The answer is to another list of warnings."


def _targets(lock: Lock) -> Iterator[tuple[str, str]]:
    projects = {target.project for target in lock.plan.targets}
    for index, entry in enumerate(lock.entries):
        whole = entry.target is None and entry.step in {"preflight", "incident"}
        if entry.target not in projects and not whole:
            yield (
                f"$.entries[{index}].target",
                f"`{entry.step}` speaks of {one_line(str(entry.target))}, no target of the plan.",
            )


def _written(lock: Lock) -> Iterator[tuple[str, str]]:
    targets = {target.project: target for target in lock.plan.targets}
    for index, entry in enumerate(lock.entries):
        target = targets.get(entry.target or "")
        if target is None or entry.phase not in ("intent", "done"):
            continue
        for key, value in _strangers(entry, target):
            yield (
                f"$.entries[{index}].facts.{key}",
                f"`{entry.step}` has {one_line(str(value), 80)}, which the plan does not.",
            )


def _strangers(entry: Entry, target: TargetPlan) -> Iterator[tuple[str, Any]]:
    facts = entry.facts
    made = [commit for commit in target.commits if commit.sha is not None]
    heads = {target.before, target.after, *(commit.sha for commit in made)}
    heads |= {commit.parent for commit in made}
    if entry.step in ("restore", "pick"):
        yield from ((key, facts[key]) for key in ("old", "new") if not _in(facts, key, heads))
    if entry.step == "pick":
        known: list[Any] = [commit.sha for commit in made]
        known += [
            {"sha": each.sha, "merge_request": each.merge_request, "picked_from": each.picked_from}
            for each in target.commits
        ]
        yield from (("commits", each) for each in _list(facts, "commits") if each not in known)
    if entry.step == "promote" and not _in(facts, "commit", {target.after}):
        yield "commit", facts["commit"]


def _in(facts: Any, key: str, known: set[str | None]) -> bool:  # noqa: ANN401  (any facts)
    value = facts.get(key)
    return value is None or (isinstance(value, str) and value in known)


def _list(facts: Any, key: str) -> list[Any]:  # noqa: ANN401  (any facts)
    value = facts.get(key)
    return value if isinstance(value, list) else []


def _forbidden(lock: Lock) -> Iterator[tuple[str, str]]:
    said = "The cut-off action can never be sent (runbook, step 4)."
    for index, target in enumerate(lock.plan.targets):
        if target.pipeline is not None and is_forbidden(to_json(target.pipeline)):
            yield f"$.plan.targets[{index}].pipeline", said
    for index, entry in enumerate(lock.entries):
        if entry.step == "orchestrate" and is_forbidden(entry.facts.get("inputs")):
            yield f"$.entries[{index}].facts.inputs", said


def _blockers(lock: Lock) -> Iterator[tuple[str, str]]:
    written = next(
        (each for each in lock.entries if each.step in _WRITES and each.phase == "intent"), None
    )
    if written is not None:
        behind = behind_glass(lock)
        for index, blocker in enumerate(lock.plan.blockers):
            if is_denied(blocker) and blocker.code in behind:
                continue
            yield (
                f"$.plan.blockers[{index}]",
                f"Entry {written.seq} went past `{one_line(blocker.code)}`.",
            )


def _merge_requests(lock: Lock) -> Iterator[AuditFinding]:
    """Hold what preflight saw of each merge request against the policy that the spec sets."""
    if lock.kind == "rollback":
        return
    what = "merge-requests"
    for position, target in enumerate(lock.plan.targets):
        seen = _preflight(lock, target.project)
        if seen is None:
            yield note(what, "$.entries", f"{target.project}: preflight saw no merge request yet.")
            continue
        faults = (
            (f"$.entries[{seen.seq - 1}].facts.merge_requests", fault)
            for fault in _unapproved(lock, position, seen)
        )
        yield from judged(
            what,
            f"$.entries[{seen.seq - 1}]",
            f"{target.project}: merged, and approved as the policy asks.",
            faults,
        )


def _preflight(lock: Lock, project: str) -> Entry | None:
    return next(
        (
            entry
            for entry in reversed(lock.entries)
            if entry.step == "preflight"
            and entry.phase == "observed"
            and entry.target == project
            and isinstance(entry.facts.get("merge_requests"), list)
        ),
        None,
    )


def _unapproved(lock: Lock, position: int, seen: Entry) -> Iterator[str]:
    target, policy = lock.plan.targets[position], lock.plan.spec.policy.approvals
    authors = {each.iid: each.author for each in target.observed.merge_requests}
    listed = {
        each.get("iid"): each
        for each in _list(seen.facts, "merge_requests")
        if isinstance(each, dict) and isinstance(each.get("iid"), int)
    }
    wanted = [
        reference
        for declared in lock.plan.spec.targets
        if declared.project == target.project
        for reference in declared.merge_requests
    ]
    for reference in wanted:
        fact = listed.get(reference.iid)
        if fact is None:
            yield f"Preflight did not look at {reference}."
            continue
        wrong = _disapproval(fact, policy, authors.get(reference.iid))
        if wrong:
            yield f"{reference} {wrong}."


def _disapproval(fact: dict[str, Any], policy: ApprovalPolicy, author: str | None) -> str:
    """Say what the policy misses; GitLab's own ``approved`` is true with nobody in it."""
    names = [name for name in _list(fact, "approved_by") if isinstance(name, str)]
    if policy.not_author:
        names = [name for name in names if name != author]
    left = fact.get("approvals_left")
    if fact.get("state") != "merged":
        return f"was {one_line(str(fact.get('state')), 40)}, not merged"
    if len(set(names)) < policy.minimum:
        others = "by others than its author" if policy.not_author else ""
        return " ".join(f"had {len(set(names))} of {policy.minimum} approvals {others}".split())
    if isinstance(left, int) and left > 0:
        return f"still needed {left} approvals by GitLab's own rules"
    return ""
