"""What each command prints with ``--format json``: exactly one document, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hotfix.models import to_json
from hotfix.spec.problem import SpecError
from hotfix.views.results_text import results_json
from hotfix.views.words import doctor_next, doctor_verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hotfix.apply.standing import Standing
    from hotfix.doctor.model import Examination
    from hotfix.errors import HotfixError
    from hotfix.evidence.model import Lock
    from hotfix.evidence.rehearsal import Transcript
    from hotfix.evidence.report import AuditReport
    from hotfix.plan.model import Plan, SourceOfSha
    from hotfix.spec.write import NewTarget


def dumped(document: Mapping[str, Any]) -> str:
    """Write a document as text, as our files are written."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def refusal(error: HotfixError, exit_code: int) -> dict[str, Any]:
    """Return the document of an error (contract, section 5); of a spec, with every problem."""
    document: dict[str, Any] = {
        "exit_code": exit_code,
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
    }
    if error.results:
        document["targets"] = results_json(error.results)
    if isinstance(error, SpecError):
        document["problems"] = [
            {key: getattr(each, key) for key in ("file", "line", "column", "message", "hint")}
            for each in error.problems
        ]
    return document


def plan_document(plan: Plan, blocked: HotfixError | None, exit_code: int) -> dict[str, Any]:
    """Return the plan itself; of one that is blocked, with the keys of a refusal beside its own."""
    document = to_json(plan)
    return {**document, **refusal(blocked, exit_code)} if blocked else document


def init_document(
    path: Path, name: str, proposals: Sequence[tuple[NewTarget, Sequence[SourceOfSha]]]
) -> dict[str, Any]:
    """Tell what was written, and from which facts."""
    return {
        "exit_code": 0,
        "file": str(path),
        "hotfix": name,
        "targets": [
            {
                "project": target.project,
                "production_sha": target.production_sha,
                "sources": [to_json(source) for source in sources],
                "merge_requests": [
                    {"iid": each.iid, "title": each.title, "state": each.state}
                    for each in target.merge_requests
                ],
            }
            for target, sources in proposals
        ],
    }


def validate_document(specs: Sequence[tuple[Path, str, Sequence[str]]]) -> dict[str, Any]:
    """Tell which specs are valid: their path, id and projects."""
    return {
        "exit_code": 0,
        "specs": [
            {"file": str(path), "hotfix": name, "projects": list(projects)}
            for path, name, projects in specs
        ],
    }


def run_document(lock: Lock, lockfile: Path, message: str, exit_code: int) -> dict[str, Any]:
    """Tell how a run ended, or where a hotfix stands, with the nine checks."""
    return {
        "exit_code": exit_code,
        "code": lock.state,
        "message": message,
        "hint": "",
        "hotfix": lock.hotfix,
        "state": lock.state,
        "lockfile": str(lockfile),
        "plan_digest": lock.plan_digest,
        "head": lock.head,
        "checks": [to_json(check) for check in lock.checks],
    }


def status_document(
    standing: Standing, lock: Lock | None, lockfile: Path, exit_code: int
) -> dict[str, Any]:
    """Tell where a hotfix stands; before the first apply there is no record to tell from."""
    if lock is not None:
        document = run_document(lock, lockfile, standing.message, exit_code)
        from hotfix.evidence.target_results import target_results  # noqa: PLC0415  (as needed)

        results = standing.results or target_results(lock)
        targets = {"targets": results_json(results)} if results else {}
        return {**document, "hint": standing.hint, **targets}
    return {
        "exit_code": exit_code,
        "code": standing.state,
        "message": standing.message,
        "hint": standing.hint,
        "state": standing.state,
        "lockfile": str(lockfile),
        "checks": [],
    }


def audit_document(reports: Sequence[AuditReport], exit_code: int) -> dict[str, Any]:
    """Return the reports of an audit, one for each file."""
    return {"exit_code": exit_code, "reports": [to_json(report) for report in reports]}


def doctor_document(found: Examination, onward: str, exit_code: int) -> dict[str, Any]:
    """Tell what the doctor comes to, and all that was looked at."""
    return {
        "exit_code": exit_code,
        "code": "would-stop" if found.stops else "nothing-stops",
        "message": doctor_verdict(found),
        "hint": doctor_next(found, onward),
        "examination": to_json(found),
    }


def rehearsal_document(
    transcript: Transcript, digest: str, place: Path, exit_code: int
) -> dict[str, Any]:
    """Tell how a rehearsal ended, where its transcript lies, and the transcript itself."""
    return {
        "exit_code": exit_code,
        "code": transcript.verdict,
        "transcript": str(place),
        "digest": digest,
        "rehearsal": to_json(transcript),
    }
