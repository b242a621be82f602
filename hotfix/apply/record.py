"""The hotfix's own section of the incident: timeline, fix, validation, follow-ups.

A rollback has a section of its own below, in the same incident: why, when, and what came of it.

GitLab executes quick actions that start a line of a description, and turns names and numbers into
mentions and links. So every foreign text stands in a code span, and every line of ours begins with
a mark of Markdown's (GitLab docs, quick actions).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hotfix.apply.baseline import red_already
from hotfix.evidence.passed import behind_glass, glass, reason_of
from hotfix.evidence.plan_approvals import plan_approvals
from hotfix.evidence.target_results import is_changed, target_results
from hotfix.identifiers import short
from hotfix.markdown import code
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.evidence.model import Entry, Lock
    from hotfix.plan.model import TargetPlan
    from hotfix.results import TargetResult

HEADINGS: Final = {
    "timeline": "### Timeline",
    "fix": "### Fix",
    "validation": "### Validation",
    "follow_ups": "### Follow-up",
}
"""What the runbook wants recorded, by the name that the evidence has for it."""


def marker(hotfix: str) -> str:
    """Return the text by which the incident of a hotfix is found again.

    It stands in the section for all to see, since GitLab's search passes HTML comments over.
    """
    return f"hotfix-record:{hotfix}"


def part(lock: Lock) -> str:
    """Name the part of the incident's description that a lockfile is told in."""
    return "rollback" if lock.kind == "rollback" else "section"


def seal_part(lock: Lock) -> str:
    """Name the part that holds the head of a lockfile's chain."""
    return "rollback-seal" if lock.kind == "rollback" else "seal"


def name(lock: Lock) -> str:
    """Name what a lockfile is the record of."""
    return f"{'Rollback of hotfix' if lock.kind == 'rollback' else 'Hotfix'} {lock.hotfix}"


def section(lock: Lock) -> str:
    """Write the section from what the lockfile proves so far."""
    is_back = lock.kind == "rollback"
    lines = [
        f"## {'Rollback of hotfix' if is_back else 'Hotfix'} {code(lock.hotfix)}",
        "",
        f"- {code(lock.plan.spec.title)}",
        *(_outcome(lock) if is_back else ()),
        f"- Plan {code(lock.plan_digest)}, applied by {code(lock.applied_by)}",
        *_approvals(lock),
        *glass_line(lock),
        f"- Marked {code(marker(lock.hotfix))}",
        "",
        HEADINGS["timeline"],
        "",
        *_timeline(lock),
        "",
        HEADINGS["fix"],
        "",
    ]
    results = {each.project: each for each in target_results(lock)}
    for target in lock.plan.targets:
        lines += _undone(target) if is_back else _fix(target)
        if target.project in results:
            lines.append(_changed(lock, target, results[target.project]))
    lines += ["", HEADINGS["validation"], "", *_validation(lock), "", HEADINGS["follow_ups"], ""]
    lines += [*_follow_ups(lock)] or ["- None recorded."]
    return _wrap(lock.hotfix, part(lock), "\n".join(lines))


def _approvals(lock: Lock) -> Iterator[str]:
    """Say who approved the plan on GitLab, where its policy asks for that."""
    for each in plan_approvals(lock):
        yield f"- Approved by {code(each.by)} at {each.at}: {code(each.source, 1000)}"


def glass_line(lock: Lock) -> Iterator[str]:
    """Say loudly that the team's policy was gone past, and by whose word."""
    broken = glass(lock)
    if broken is not None:
        past = ", ".join(map(code, behind_glass(lock)))
        yield (
            f"- **Glass broken** by {code(broken.by)} at {broken.at}, past {past}: "
            f"{code(reason_of(broken), 1000)}"
        )


def seal_line(lock: Lock) -> str:
    """Write the line that holds the head of the lockfile's chain."""
    of = "the rollback of hotfix" if lock.kind == "rollback" else "hotfix"
    said = f"- Lockfile of {of} {code(lock.hotfix)}: head {code(lock.head)}"
    return _wrap(lock.hotfix, seal_part(lock), said)


def reason(lock: Lock) -> str | None:
    """Tell why a rollback was begun, as its first entry has it."""
    told = lock.entries[0].facts.get("reason") if lock.entries else None
    return told if isinstance(told, str) else None


def is_recorded(description: str, hotfix: str) -> bool:
    """Tell whether an incident holds the record of a hotfix, or of its rollback."""
    return any(stored(description, hotfix, each) is not None for each in ("section", "rollback"))


def replace(description: str, hotfix: str, part_name: str, text: str) -> str:
    """Put a part in the place of its earlier version, or at the end; touch nothing else."""
    pattern = _part(hotfix, part_name)
    if pattern.search(description):
        return pattern.sub(lambda _: text, description, count=1)
    return f"{description.rstrip()}\n\n{text}".lstrip() + "\n"


def stored(description: str, hotfix: str, part_name: str) -> str | None:
    """Find a part in what GitLab stored."""
    found = _part(hotfix, part_name).search(description.replace("\r\n", "\n"))
    return found.group(0) if found else None


def milestones(lock: Lock) -> Iterator[tuple[str, str]]:
    """Tell the few events that people look for: when, and what, in order."""
    for entry in lock.entries:
        said = _milestone(lock, entry)
        if said is not None:
            yield entry.at, said
    if lock.kind == "rollback":
        yield from _recoveries(lock)


def _milestone(lock: Lock, entry: Entry) -> str | None:
    facts, target = entry.facts, entry.target
    branch = next((t.release_branch for t in lock.plan.targets if t.project == target), "release")
    new = short(str(facts.get("new")))
    said: dict[tuple[str, str], str | None] = {
        ("restore", "done"): f"{branch} of {target} restored to production's state, {new}",
        ("pick", "done"): f"hotfix picked onto {branch} of {target}, {new}",
        ("orchestrate", "done"): f"pipeline {facts.get('pipeline')} deploys {target} to staging",
        ("promote", "done"): f"production job {facts.get('job')} of {target} pressed",
        ("verify-production", "observed"): f"production of {target} runs "
        f"{short(str(facts.get('environment_sha')))}",
        ("smoke", "failed"): f"a smoke check of {target} failed",
    }
    if lock.kind == "rollback":
        why = facts.get("reason")
        said[("restore", "done")] = f"{branch} of {target} restored to the last known-good, {new}"
        begun = f"begun by {lock.applied_by}: {one_line(str(why), 120)}"
        said[("lock", "intent")] = begun if why else None
    if entry.step == "preflight" and "break_glass" in facts:
        return f"glass broken: {one_line(str(facts['break_glass']), 120)}"
    if facts.get("how") == "not-needed" or "error" in facts:
        return None  # an error is why a run ended, and no result of the step
    return said.get((entry.step, entry.phase))


def _recoveries(lock: Lock) -> Iterator[tuple[str, str]]:
    for check in lock.checks:
        if (check.id, check.outcome) == ("smoke-checks-passed", "passed"):
            at = lock.entries[check.evidence[-1] - 1].at
            yield at, f"{check.target} recovered, its checks passed"


def _timeline(lock: Lock) -> list[str]:
    seen: set[str] = set()
    lines = []
    for at, said in milestones(lock):
        if said not in seen:
            lines.append(f"- {at} {code(said)}")
        seen.add(said)
    return lines


def _fix(target: TargetPlan) -> Iterator[str]:
    yield f"- {code(target.project)}: production {code(short(target.production.sha))} → " + code(
        short(target.after or "?")
    )
    titles = {each.iid: each.title for each in target.observed.merge_requests}
    for commit in target.commits:
        if commit.merge_request is not None:
            title = titles.get(commit.merge_request, "")
            what = f"!{commit.merge_request} {title}".strip()
            yield f"  - {code(what)} as {code(short(commit.sha or commit.parent))}"


def _changed(lock: Lock, target: TargetPlan, result: TargetResult) -> str:
    """Say of one of several repositories whether it was changed (runbook, Decision Points)."""
    said = "production not changed"
    if is_changed(lock, target.project):
        # Pressed is not deployed: that it was is said where it was seen.
        own = [entry.facts for entry in lock.entries if entry.target == target.project]
        is_seen = any(facts.get("environment_sha") == target.after for facts in own)
        said = "production changed" if is_seen else "production may have changed"
    why = ", ".join(filter(None, (result.result.replace("-", " "), result.reason, result.cause)))
    return f"  - {said}: {code(why)}"


def _undone(target: TargetPlan) -> Iterator[str]:
    back = code(short(target.production.sha))
    yield f"- {code(target.project)}: back to the state of {back}, as " + code(
        short(target.after or "?")
    )


def _outcome(lock: Lock) -> Iterator[str]:
    """Say why, and for every target when it was back and what was observed then (runbook)."""
    yield f"- Because: {code(reason(lock) or 'nobody said')}"
    for target in lock.plan.targets:
        yield f"- Outcome of {code(target.project)}: {code(outcome(lock, target))}"


def outcome(lock: Lock, target: TargetPlan) -> str:
    """Tell what was observed of a target after its rollback."""
    own = [entry for entry in lock.entries if entry.target == target.project]
    seen = [each.facts for each in own if (each.step, each.phase) == _IN_PRODUCTION]
    checks = {each.id: each for each in lock.checks if each.target == target.project}
    if not seen or checks["production-reflects-hotfix"].outcome != "passed":
        return f"{target.environment} does not run the last known-good state yet"
    back = f"{target.environment} runs it since {seen[-1].get('finished_at')}"
    smoke = checks["smoke-checks-passed"]
    match smoke.outcome:
        case "passed":
            return f"recovered: {back}, and the checks passed"
        case "failed":
            return f"not recovered: {back}, and checks are red. {smoke.detail}"
        case _:
            return f"{back}; the checks are still to come"


_IN_PRODUCTION: Final = ("verify-production", "observed")


def _follow_ups(lock: Lock) -> Iterator[str]:
    for each in lock.plan.incident.follow_ups:
        yield f"- [ ] {code(each)}"
    if broken := glass(lock):
        past = ", ".join(map(code, behind_glass(lock)))
        yield (
            f"- [ ] review that {code(broken.by)} broke the glass past {past}: was it needed, and "
            "is the policy right?"
        )
    if lock.kind == "rollback":
        for target in lock.plan.spec.targets:
            listed = ", ".join(f"!{each.iid}" for each in target.merge_requests)
            yield (
                f"- [ ] {code(listed)} of {code(target.project)} was taken back but is still "
                "merged: mend or revert it before the next release brings it again"
            )


def _validation(lock: Lock) -> Iterator[str]:
    for check in lock.checks:
        if check.id == "incident-recorded":
            continue  # this section is its proof, and cannot tell of itself
        yield f"- {check.outcome}: {code(check.id)} of {code(check.target)}: {code(check.detail)}"
    for entry in lock.entries:
        if red := red_already(entry.facts):
            yield f"- {code(red)}"
        if entry.step == "smoke" and "name" in entry.facts:
            tried, detail = str(entry.facts["name"]), str(entry.facts["detail"])
            yield f"- smoke check {code(tried)}: {entry.facts['outcome']}, {code(detail)}"


def _part(hotfix: str, part_name: str) -> re.Pattern[str]:
    """Match from a begin mark to its own end: where one lost its end, what follows is others'."""
    begin, end = (re.escape(mark) for mark in _marks(hotfix, part_name))
    return re.compile(rf"{begin}(?:(?!{begin}).)*?{end}", re.DOTALL)


def _wrap(hotfix: str, part_name: str, text: str) -> str:
    begin, end = _marks(hotfix, part_name)
    return f"{begin}\n{text}\n{end}"


def _marks(hotfix: str, part_name: str) -> tuple[str, str]:
    mark = f"{marker(hotfix)}:{part_name}"
    return f"<!-- {mark} begin -->", f"<!-- {mark} end -->"
