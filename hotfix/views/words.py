"""Sentences that every medium shares: the verdict, a smoke check, a pipeline's input."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from hotfix.models import to_json
from hotfix.plan.summary import (
    NOTHING_TO_GO_BACK_FROM,
    leaving_alone,
    leaving_merge_requests,
    new_commits,
)
from hotfix.text import counted, listed, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from hotfix.doctor.model import Examination, Outcome
    from hotfix.plan.model import Finding, Kind, LeavingCommit, Plan, Rehearsed, TargetChange
    from hotfix.spec.model import HttpCheck, SmokeCheck

NO_CHANGES = "No changes. Production and release already match the request."

PRODUCTION: Final[Mapping[Kind, str]] = MappingProxyType(
    {"hotfix": "runs", "rollback": "goes back to the state of"}
)
INCIDENT: Final[Mapping[Kind, str]] = MappingProxyType(
    {"hotfix": "new,", "rollback": "of the hotfix, or new,"}
)
DOCTOR_HEADINGS: Final[Mapping[Outcome, str]] = MappingProxyType(
    {
        "failed": "Would stop the hotfix",
        "warning": "Look at before you begin",
        "not-seen": "Not seen, so not known to be fine",
        "passed": "Fine",
    }
)
APPROVED: Final = "Exactly the way back that was approved with the hotfix, by its digest"


def verdict(plan: Plan, quote: Callable[[str], str] = one_line) -> str:
    """Say in one line what the plan comes to: refused, nothing to do, or what is to do.

    ``quote`` makes a branch's name safe for the medium.
    """
    if plan.blockers:
        return f"Blocked: {counted(len(plan.blockers), 'reason')}. Nothing can be applied."
    if nothing_to_do(plan):
        return NOTHING_TO_GO_BACK_FROM if plan.kind == "rollback" else NO_CHANGES
    leaving = _leaving_sentence(plan.targets, quote)
    return f"Plan: {', '.join(_to_do(plan))}." + (f" {leaving}" if leaving else "")


def weighed(finding: Finding) -> str | None:
    """Say what the policy decides of a finding, and by which rule; ``None`` where it only warns."""
    match finding.decision:
        case "deny":
            return f"The team's policy denies it: {one_line(finding.rule or '', 300)}"
        case "ask":
            return f"You are asked whether to go past it: {one_line(finding.rule or '', 300)}"
        case _:
            return None


def acknowledging(plan: Plan) -> str | None:
    """Say how a script goes past the warnings that ask; ``None`` where none does."""
    # Loaded here: `validate` has sentences to say, and no plan.
    from hotfix.plan.policy import to_answer_for, warnings_hash  # noqa: PLC0415

    asked = to_answer_for(plan.warnings)
    if not asked or plan.blockers or nothing_to_do(plan):
        return None
    which = "the warning that asks" if len(asked) == 1 else "the warnings that ask"
    return f"A script goes past exactly {which} with --acknowledge {warnings_hash(asked)}"


def rehearsed(found: Rehearsed) -> str:
    """Say what the last rehearsal of a plan came to, and which transcript tells of it."""
    return f"{found.verdict} {found.at} by {one_line(found.by)}, transcript {found.digest}"


def doctor_verdict(found: Examination) -> str:
    """Say in one line what the doctor comes to; gaps are counted, and never taken for fine."""
    failed, warning, unseen, passed = (len(found.of(outcome)) for outcome in DOCTOR_HEADINGS)
    told = f"{failed} failed, {warning} to look at, {unseen} not seen, {passed} fine"
    if found.stops:
        return f"Hotfix {one_line(found.hotfix)} would be stopped: {told}."
    return f"Nothing seen that would stop hotfix {one_line(found.hotfix)}: {told}."


def doctor_next(found: Examination, onward: str) -> str:
    """Say what to type when all that the doctor found is read."""
    return f"When it is mended, look again: {onward}" if found.stops else f"Go on with: {onward}"


def nothing_to_do(plan: Plan) -> bool:
    """Tell whether everything that was asked for is so already."""
    return not any(to_json(plan.summary).values())


def _to_do(plan: Plan) -> list[str]:
    new = [commit.action for target in plan.targets for commit in new_commits(target)]
    counts = (
        (new.count("restore"), "restore", ""),
        (new.count("pick"), "pick", ""),
        (sum(bool(new_commits(target)) for target in plan.targets), "branch", "branches"),
        (plan.summary.pipelines, "pipeline", ""),
        (plan.summary.manual_jobs, "manual job", ""),
        (plan.summary.smoke_checks, "check", ""),
    )
    return [counted(*each) for each in counts if each[0]]


def _leaving_sentence(targets: Sequence[TargetChange], quote: Callable[[str], str]) -> str:
    requests = sum(len(leaving_merge_requests(target.leaving)) for target in targets)
    commits = sum(len(leaving_alone(target.leaving)) for target in targets)
    parts = []
    if requests:
        parts.append(counted(requests, "unreleased merge request"))
    if commits:
        parts.append(f"{counted(commits, 'commit')} that no merge request brought")
    branches = dict.fromkeys(quote(target.release_branch) for target in targets if target.leaving)
    return f"{listed(parts)} will leave {listed(list(branches))}." if parts else ""


@dataclass(frozen=True, slots=True)
class LeavingGroup:
    """What one merge request brought to release, what none brought, or what merely merged."""

    name: str
    commits: tuple[LeavingCommit, ...]

    @property
    def authors(self) -> tuple[str, ...]:
        """Name those whose work leaves, each once."""
        return tuple(dict.fromkeys(commit.author for commit in self.commits))


def leaving_groups(leaving: Iterable[LeavingCommit]) -> list[LeavingGroup]:
    """Group what leaves release by merge request, in order.

    Last come the commits that none brought, and the merges of a cut-off, which bring nothing of
    their own.
    """
    groups: dict[str, list[LeavingCommit]] = {}
    for commit in leaving:
        groups.setdefault(_group_name(commit), []).append(commit)
    names = sorted(groups, key=lambda name: _LAST.get(name, 0))
    return [LeavingGroup(name, tuple(groups[name])) for name in names]


_NOBODY: Final = "no merge request"
_MERGES: Final = "merges of branches"
_LAST: Final = {_NOBODY: 1, _MERGES: 2}


def _group_name(commit: LeavingCommit) -> str:
    if commit.merge_request is not None:
        return f"!{commit.merge_request}"
    return _MERGES if commit.is_merge else _NOBODY


def subject(message: str) -> str:
    """Return the first line of a commit's message, safe and short."""
    return one_line(message.strip().partition("\n")[0], 100)


def value(given: object) -> str:
    """Write an input's value as JSON does, but a text without quotes."""
    return given if isinstance(given, str) else json.dumps(_plain(given), ensure_ascii=False)


def type_of(given: object) -> str:
    """Name the type in which GitLab gets an input (GitLab Docs, CI/CD inputs)."""
    match given:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case list() | tuple():
            return "array"
        case _:
            return "string"


def smoke_check(check: SmokeCheck) -> str:
    """Say what a smoke check looks at and what it expects."""
    match check.kind:
        case "http" if check.http:
            asked = check.http
            expected = f"{asked.method} {asked.url} answers {asked.status}"
            return expected + "".join(_of_the_answer(asked))
        case "tcp" if check.tcp:
            return f"{check.tcp.host}:{check.tcp.port} accepts a connection"
        case "tls" if check.tls:
            days = counted(check.tls.valid_days, "more day")
            return f"{check.tls.host}:{check.tls.port} shows a certificate valid for {days}"
        case "command" if check.command:
            return f"runs {json.dumps(list(check.command.argv), ensure_ascii=False)}"
        case _:
            return f"asks you: {check.manual.question}" if check.manual else ""


def _of_the_answer(asked: HttpCheck) -> Iterator[str]:
    if asked.json_subset is not None:
        yield f" with {_json(asked.json_subset)}"
    if asked.contains:
        yield f", containing {asked.contains}"
    for expression, value in asked.jmespath.items():
        yield f", {expression} giving {_json(value)}"
    if asked.commit:
        yield f", {asked.commit} naming the deployed commit"
    for name, text in asked.answer_headers.items():
        yield f", {text} in its {name}"
    if asked.max_latency is not None:
        yield f", within {asked.max_latency} ms"


def _json(given: Any) -> str:  # noqa: ANN401  (as below)
    return json.dumps(_plain(given), ensure_ascii=False)


def _plain(given: Any) -> Any:  # noqa: ANN401  (any JSON value, its mappings frozen)
    if isinstance(given, list | tuple):
        return [_plain(part) for part in given]
    if hasattr(given, "items"):
        pairs: Mapping[str, Any] = given
        return {key: _plain(part) for key, part in pairs.items()}
    return given
