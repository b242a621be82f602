"""The hotfix's own section of the incident: timeline, fix, validation, follow-ups.

GitLab executes quick actions that start a line of a description, and turns names and numbers into
mentions and links. So every foreign text stands in a code span, and every line of ours begins with
a mark of Markdown's (GitLab docs, quick actions).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hotfix.identifiers import short
from hotfix.markdown import code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.evidence.model import Entry, Lock
    from hotfix.plan.model import TargetPlan

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


def section(lock: Lock) -> str:
    """Write the section from what the lockfile proves so far."""
    lines = [
        f"## Hotfix {code(lock.hotfix)}",
        "",
        f"- {code(lock.plan.spec.title)}",
        f"- Plan {code(lock.plan_digest)}, applied by {code(lock.applied_by)}",
        f"- Marked {code(marker(lock.hotfix))}",
        "",
        HEADINGS["timeline"],
        "",
        *_timeline(lock),
        "",
        HEADINGS["fix"],
        "",
    ]
    for target in lock.plan.targets:
        lines += _fix(target)
    lines += ["", HEADINGS["validation"], "", *_validation(lock), "", HEADINGS["follow_ups"], ""]
    lines += [f"- [ ] {code(each)}" for each in lock.plan.incident.follow_ups] or [
        "- None recorded."
    ]
    return _wrap(lock.hotfix, "section", "\n".join(lines))


def seal_line(hotfix: str, head: str) -> str:
    """Write the line that holds the head of the lockfile's chain."""
    return _wrap(hotfix, "seal", f"- Lockfile of hotfix {code(hotfix)}: head {code(head)}")


def replace(description: str, hotfix: str, part: str, text: str) -> str:
    """Put a part in the place of its earlier version, or at the end; touch nothing else."""
    pattern = _part(hotfix, part)
    if pattern.search(description):
        return pattern.sub(lambda _: text, description, count=1)
    return f"{description.rstrip()}\n\n{text}".lstrip() + "\n"


def stored(description: str, hotfix: str, part: str) -> str | None:
    """Find a part in what GitLab stored."""
    found = _part(hotfix, part).search(description.replace("\r\n", "\n"))
    return found.group(0) if found else None


def milestones(lock: Lock) -> Iterator[tuple[str, str]]:
    """Tell the few events that people look for: when, and what, in order."""
    for entry in lock.entries:
        said = _milestone(lock, entry)
        if said is not None:
            yield entry.at, said


def _milestone(lock: Lock, entry: Entry) -> str | None:
    facts, target = entry.facts, entry.target
    branch = next((t.release_branch for t in lock.plan.targets if t.project == target), "release")
    new = short(str(facts.get("new")))
    said = {
        ("restore", "done"): f"{branch} of {target} restored to production's state, {new}",
        ("pick", "done"): f"hotfix picked onto {branch} of {target}, {new}",
        ("orchestrate", "done"): f"pipeline {facts.get('pipeline')} deploys {target} to staging",
        ("promote", "done"): f"production job {facts.get('job')} of {target} pressed",
        ("verify-production", "observed"): f"production of {target} runs "
        f"{short(str(facts.get('environment_sha')))}",
        ("smoke", "failed"): f"a smoke check of {target} failed",
    }
    if facts.get("how") == "not-needed" or "error" in facts:
        return None  # an error is why a run ended, and no result of the step
    return said.get((entry.step, entry.phase))


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


def _validation(lock: Lock) -> Iterator[str]:
    for check in lock.checks:
        if check.id == "incident-recorded":
            continue  # this section is its proof, and cannot tell of itself
        yield f"- {check.outcome}: {code(check.id)} of {code(check.target)}: {code(check.detail)}"
    for entry in lock.entries:
        if entry.step == "smoke" and "name" in entry.facts:
            name, detail = str(entry.facts["name"]), str(entry.facts["detail"])
            yield f"- smoke check {code(name)}: {entry.facts['outcome']}, {code(detail)}"


def _part(hotfix: str, part: str) -> re.Pattern[str]:
    """Match from a begin mark to its own end: where one lost its end, what follows is others'."""
    begin, end = (re.escape(mark) for mark in _marks(hotfix, part))
    return re.compile(rf"{begin}(?:(?!{begin}).)*?{end}", re.DOTALL)


def _wrap(hotfix: str, part: str, text: str) -> str:
    begin, end = _marks(hotfix, part)
    return f"{begin}\n{text}\n{end}"


def _marks(hotfix: str, part: str) -> tuple[str, str]:
    name = f"{marker(hotfix)}:{part}"
    return f"<!-- {name} begin -->", f"<!-- {name} end -->"
