"""What proves production and its aftermath: the last four of the nine checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.evidence.case import failed, missing, passed, same, shown

if TYPE_CHECKING:
    from hotfix.evidence.case import Case, Proof
    from hotfix.evidence.model import Entry

_RECORD = {
    "timeline": "the timeline",
    "fix": "the fix",
    "validation": "the validation",
    "follow_ups": "the follow-ups",
}


def production_deployed(case: Case) -> Proof:
    """Prove that the production job that was pressed deployed successfully."""
    pressed = _pressed(case)
    if pressed is None:
        return missing("No entry shows that the production job was pressed.")
    entry = case.last(
        "verify-production", "observed", "failed", having=("job_status",), after=pressed.seq
    )
    if entry is None:
        return missing("No entry shows how the production job ended.", pressed)
    facts, job, after = entry.facts, shown(pressed.facts["job"]), case.target.after
    if entry.phase == "failed":
        return failed(f"Job {job} ended as {shown(facts['job_status'])}.", pressed, entry)
    if facts.get("deployment") is None:
        return missing(f"No entry names the deployment of job {job}.", pressed, entry)
    deployment = f"Deployment {shown(facts['deployment'])}"
    wrong = {
        f"{deployment} is of job {shown(facts.get('job'))}, pressed was job {job}.": (
            facts.get("job") == pressed.facts["job"]
        ),
        f"{deployment} of job {job} is {shown(facts.get('deployment_status'))}, not success.": (
            facts.get("deployment_status") == "success"
        ),
        f"{deployment} has commit {shown(facts.get('deployment_sha'))}, not {shown(after)}.": (
            same(facts.get("deployment_sha"), after)
        ),
    }
    first = next((sentence for sentence, holds in wrong.items() if not holds), None)
    if first is not None:
        return failed(first, pressed, entry)
    return _unconfirmed(case, pressed) or passed(
        f"{deployment} of job {job} succeeded with commit {shown(after)}.", pressed, entry
    )


def production_reflects_hotfix(case: Case) -> Proof:
    """Prove that the environment shows the intended commit."""
    entry = case.last("verify-production", "observed", having=("environment_sha",))
    if entry is None:
        return missing("No entry shows which commit the environment has after the deployment.")
    seen, after = entry.facts["environment_sha"], case.target.after
    if not same(seen, after):
        return failed(
            f"{shown(case.target.environment)} has commit {shown(seen)}, not {shown(after)}.", entry
        )
    return passed(f"{shown(case.target.environment)} has commit {shown(after)}.", entry)


def smoke_checks_passed(case: Case) -> Proof:
    """Prove that every smoke check of this way passed, after the deployment was seen."""
    production = _in_production(case)
    if production is None:
        return missing("No entry shows production before the smoke checks.")
    wanted = _wanted(case)
    results = _smoke(case, production)
    evidence = tuple(sorted(results.values(), key=lambda entry: entry.seq))
    bad = [name for name in wanted if name in results and not _good(results[name])]
    absent = [name for name in wanted if name not in results]
    if bad:
        return failed(f"Not passed: {_names(bad)}.", *evidence)
    if absent:
        return missing(f"No result after the deployment: {_names(absent)}.", *evidence)
    if not wanted:
        return passed(f"The plan has no smoke check for a {case.kind}.", production)
    return passed(f"Passed after the deployment: {_names(wanted)}.", *evidence)


def incident_recorded(case: Case) -> Proof:
    """Prove that the incident holds the timeline, the fix, the validation and the follow-ups.

    It must have been written after the smoke checks that it tells of.
    """
    entry = case.last("incident", "done", having=("has",))
    if entry is None:
        return missing("No entry shows what the incident holds.")
    name = f"Incident {shown(entry.facts.get('project'))}#{shown(entry.facts.get('iid'))}"
    if not _planned_incident(case, entry):
        return failed(f"{name} is not the planned one, {_incident(case)}.", entry)
    has = entry.facts["has"]
    lacking = [
        word
        for key, word in _RECORD.items()
        if not (isinstance(has, dict) and has.get(key) is True)
    ]
    if lacking:
        return failed(f"{name} lacks {', '.join(lacking)}.", entry)
    production = _in_production(case)
    told = [*_smoke(case, production).values(), production] if production else []
    if any(earlier.seq > entry.seq for earlier in told):
        return missing(f"{name} was last written before the smoke checks ended.", entry)
    return passed(f"{name} holds {', '.join(_RECORD.values())}.", entry)


def _pressed(case: Case) -> Entry | None:
    """Find where the job that counts, the last one, was first seen as pressed."""
    pressed = case.all("promote", "done", having=("job",))
    return next((each for each in pressed if each.facts["job"] == pressed[-1].facts["job"]), None)


def _unconfirmed(case: Case, pressed: Entry) -> Proof | None:
    """Tell where no person's yes stands behind a job: production is a human's to press."""
    job = pressed.facts["job"]
    asked = case.all("promote", "intent", having=("job", "confirmed_by"), before=pressed.seq)
    if any(each.facts["job"] == job and each.facts["confirmed_by"] for each in asked):
        return None
    match pressed.facts.get("manual"):
        case True:
            return None  # somebody pressed it in GitLab, which knows who
        case False:
            return failed(f"Job {shown(job)} started by itself; nobody confirmed it.", pressed)
        case _:
            return missing(f"Nothing tells whether somebody pressed job {shown(job)}.", pressed)


def _in_production(case: Case) -> Entry | None:
    """Find where the deployment that counts, the last one, was first seen.

    A resumed run looks at production again; the smoke checks before that still tell of the same
    deployment.
    """
    seen = case.all("verify-production", "observed", having=("deployment",))
    return next(
        (each for each in seen if each.facts["deployment"] == seen[-1].facts["deployment"]), None
    )


def _wanted(case: Case) -> list[str]:
    checks = case.target.smoke_checks
    return [check.name for check in checks if check.applies_to(case.kind)]


def _smoke(case: Case, production: Entry) -> dict[str, Entry]:
    """Collect the last result of each planned check."""
    ran = case.all("smoke", "observed", "failed", having=("outcome",), after=production.seq)
    wanted = _wanted(case)
    return {str(entry.facts["name"]): entry for entry in ran if entry.facts.get("name") in wanted}


def _good(entry: Entry) -> bool:
    return entry.phase == "observed" and entry.facts["outcome"] == "passed"


def _planned_incident(case: Case, entry: Entry) -> bool:
    planned, facts = case.incident, entry.facts
    return facts.get("project") == planned.project and planned.iid in (None, facts.get("iid"))


def _incident(case: Case) -> str:
    planned = case.incident
    return planned.project if planned.iid is None else f"{planned.project}#{planned.iid}"


def _names(names: list[str]) -> str:
    return ", ".join(shown(name) for name in names)
