"""Step ``incident``: the operational record, written once and brought up to date after.

Runbook, step 7: the problem, the timeline, the deployed fix, the validation, the follow-ups.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from hotfix.apply import record
from hotfix.canonical import digest
from hotfix.errors import FailedError
from hotfix.forge.protocol import ForgeError, NotFoundError, UnknownOutcomeError
from hotfix.forge.types import NewIncident

if TYPE_CHECKING:
    from hotfix.apply.context import Run
    from hotfix.evidence.model import Entry
    from hotfix.forge.types import Issue

_NO_TIMELINE: Final = frozenset({200, 403, 404})
"""With these GitLab says that it has no timelines, or none for this token; GraphQL's own is 200."""


def incident(run: Run) -> None:
    """Create the incident or find it, write its section and timeline, and read both back."""
    planned, lock = run.plan.incident, run.journal.lock
    found = _find(run)
    if found is None and run.journal.last("incident", None, "intent", create=True) is not None:
        found = run.look_for(lambda: _find(run), longest=run.request.pace.grace)
    run.journal.add(
        "incident",
        None,
        "intent",
        {
            "project": planned.project,
            "iid": found.iid if found else None,
            "create": found is None,
            "marker": record.marker(lock.hotfix),
        },
    )
    run.tell("incident", None, "started", f"record it in {planned.project}")
    issue = found or _create(run)
    part, text = record.part(lock), record.section(run.journal.lock)
    issue = _write(run, issue, part, text)
    stored = record.stored(issue.description, lock.hotfix, part) or ""
    events = _timeline(run, issue)
    run.journal.add(
        "incident",
        None,
        "done",
        {
            "project": planned.project,
            "iid": issue.iid,
            "url": issue.web_url,
            "created": found is None,
            "section": digest(stored),
            "has": {name: heading in stored for name, heading in record.HEADINGS.items()},
            "timeline_events": events,
        },
    )
    run.tell("incident", None, "done", f"recorded in #{issue.iid}", url=issue.web_url)


def write_head(run: Run) -> None:
    """Put the head of the finished chain into the incident, and seal the lockfile with it."""
    issue = _find(run)
    if issue is None:
        raise FailedError(
            "incident-gone",
            f"The incident of hotfix {run.plan.hotfix} is not to be found any more.",
            hint=f"The lockfile is complete but not sealed. Go on with: {run.request.command}",
        )
    lock = run.journal.lock
    _write(run, issue, record.seal_part(lock), record.seal_line(lock))
    run.journal.seal()


def _find(run: Run) -> Issue | None:
    planned = run.plan.incident
    if planned.iid is not None:
        return run.forge.issue(planned.project, planned.iid)
    before = run.journal.last("incident", None, "done") or _of_the_sibling(run)
    if before is not None:
        try:
            return run.forge.issue(planned.project, int(str(before.facts["iid"])))
        except NotFoundError:
            pass  # deleted since: search, and make it anew if need be
    hotfix = run.plan.hotfix
    found = [
        issue
        for issue in run.forge.find_issues(planned.project, record.marker(hotfix))
        if record.is_recorded(issue.description, hotfix)
    ]
    if len(found) > 1:
        listed = "; ".join(each.web_url for each in found)
        raise FailedError(
            "incident-ambiguous",
            f"Several incidents carry the record of hotfix {hotfix}: {listed}.",
            hint="Keep one and remove the marked section from the others, then run again.",
        )
    return found[0] if found else None


def _of_the_sibling(run: Run) -> Entry | None:
    """Find where the hotfix was recorded that is taken back, or its rollback: one incident."""
    entries = run.sibling.entries if run.sibling else ()
    told = (each for each in reversed(entries) if (each.step, each.phase) == ("incident", "done"))
    return next(told, None)


def _create(run: Run) -> Issue:
    planned, lock = run.plan.incident, run.journal.lock
    new = NewIncident(
        title=planned.title,
        description=record.replace(
            _template(run), lock.hotfix, record.part(lock), record.section(lock)
        ),
        severity=planned.severity,
        labels=planned.labels,
        assignees=planned.assignees,
    )
    try:
        return run.forge.create_incident(planned.project, new)
    except UnknownOutcomeError:
        found = run.look_for(lambda: _find(run), longest=run.request.pace.grace)
        if found is None:
            raise
        return found


def _template(run: Run) -> str:
    planned = run.plan.incident
    if planned.template is None:
        return ""
    try:
        return run.forge.issue_template(planned.project, planned.template)
    except NotFoundError:
        run.tell("incident", None, "note", f"there is no template {planned.template}")
        return ""


def _write(run: Run, issue: Issue, part: str, text: str) -> Issue:
    """Bring a part of the description up to date; what others wrote there stays as it is."""
    hotfix = run.plan.hotfix
    if record.stored(issue.description, hotfix, part) == text:
        return issue
    project = run.plan.incident.project
    issue = run.forge.issue(project, issue.iid)
    wanted = record.replace(issue.description, hotfix, part, text)
    try:
        issue = run.forge.update_description(project, issue.iid, wanted)
    except UnknownOutcomeError:
        issue = run.forge.issue(project, issue.iid)
    if record.stored(issue.description, hotfix, part) != text:
        raise FailedError(
            "incident-differs",
            f"GitLab stored another text than was written into {issue.web_url}.",
            hint=f"Somebody may have edited it just then. Go on with: {run.request.command}",
        )
    return issue


def _timeline(run: Run, issue: Issue) -> int | None:
    """Add the milestones that the timeline lacks, and count what stands there then.

    ``None`` where GitLab says that there is none to be had: that is no obstacle. Any other failure
    is one, since an event would be lost.
    """
    try:
        known = _notes(run, issue)
    except ForgeError as error:
        if error.code != "gitlab-refused" or error.status not in _NO_TIMELINE:
            raise
        run.tell("incident", None, "note", f"the incident's timeline is not to be had: {error}")
        return None
    for at, said in record.milestones(run.journal.lock):
        note = f"{record.name(run.journal.lock)}: {said}"
        if note not in known:
            _add_event(run, issue, datetime.fromisoformat(at), note)
            known.add(note)
    return len(run.forge.timeline(run.plan.incident.project, issue))


def _notes(run: Run, issue: Issue) -> set[str]:
    return {event.note for event in run.forge.timeline(run.plan.incident.project, issue)}


def _add_event(run: Run, issue: Issue, at: datetime, note: str) -> None:
    """Add an event once; after a lost answer it is looked for, and never added again unseen."""
    try:
        run.forge.add_timeline_event(run.plan.incident.project, issue, occurred_at=at, note=note)
    except UnknownOutcomeError:
        there = run.look_for(
            lambda: note in _notes(run, issue) or None, longest=run.request.pace.grace
        )
        if not there:
            raise
