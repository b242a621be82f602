"""The team's policy while a run is at work: what it asks, what it denies, what broken glass passes.

The plan has each finding with its decision. Here a person answers for what is asked, once for
exactly that list; what is denied ends the run, unless the glass is broken. ``--break-glass`` goes
past the policy alone: the runbook's own blockers, what GitLab refuses, and the two questions stay.
Whatever was gone past is in the record, in the incident and in its follow-ups.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from hotfix.apply.progressed import pressed
from hotfix.clock import timestamp
from hotfix.errors import BlockedError, StaleError, WaitingError
from hotfix.evidence import passed
from hotfix.evidence.model import Approval
from hotfix.plan.policy import is_denied, to_answer_for, warnings_hash
from hotfix.text import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydantic import JsonValue

    from hotfix.apply.context import Request, Run
    from hotfix.apply.ports import Operator
    from hotfix.clock import Clock
    from hotfix.evidence.model import Lock
    from hotfix.forge.protocol import Forge
    from hotfix.plan.approvals import Tally
    from hotfix.plan.model import Finding, Plan
    from hotfix.spec.policy import Decision

APPROVALS: Final = "plan-approvals"
AGE: Final = "max-plan-age"
"""Rules of the policy that no finding of a plan speaks of, by the names that the record has."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What was gone past before a run began, for the record to be made of it under the lock."""

    warnings: tuple[Finding, ...]
    """Those that ask."""
    behind_glass: tuple[str, ...]
    """The rules that broken glass goes past."""
    answered: Approval | None = None
    """Who answered for the warnings in this run; an earlier one may have done so."""


def refuse_glass(request: Request) -> None:
    """Refuse to break the glass where the team does not allow it."""
    if request.break_glass and not request.spec.policy.break_glass:
        raise BlockedError(
            "break-glass-denied",
            "The team's policy does not allow that the glass is broken.",
            hint="It stands under `policy.break_glass` in defaults.yaml. Ask whoever owns that.",
        )


def standing(
    blockers: Iterable[Finding], request: Request, lock: Lock | None
) -> tuple[Finding, ...]:
    """List the blockers that stand: all of the runbook's, and the policy's unless glass is broken.

    Those of the policy say how it is gone past.
    """
    is_broken = is_glass_broken(request, lock)
    return tuple(
        _with_way_past(each, request) if is_denied(each) else each
        for each in blockers
        if not (is_broken and is_denied(each))
    )


def weigh(
    request: Request,
    plan: Plan,
    now: Plan,
    tally: Tally | None,
    lock: Lock | None,
    clock: Clock,
) -> Weighed:
    """Tell what a person has to answer for, and what broken glass goes past.

    ``plan`` is the one that binds, ``now`` as it was made just now. Of a target that was pressed
    there is nothing to decide any more. Raises ``StaleError`` for a saved plan that is too old.
    """
    is_broken = is_glass_broken(request, lock)
    old = _age(plan, request, clock) if lock is None else None
    if old is not None and not is_broken:
        raise StaleError(
            "plan-expired",
            f"{old}; the policy allows {plan.spec.policy.max_plan_age_hours:g} hours.",
            hint=f"Plan again with: {request.plan_command}",
        )
    behind = [each.code for each in (*plan.blockers, *now.blockers) if is_denied(each)]
    behind += [APPROVALS] if tally is not None and tally.missing else []
    behind += [AGE] if old is not None else []
    done = pressed(lock)
    asked = to_answer_for(each for each in now.warnings if each.target not in done)
    return Weighed(asked, tuple(dict.fromkeys(behind)))


def answer(
    weighed: Weighed,
    request: Request,
    lock: Lock | None,
    operator: Operator,
    forge: Forge,
    clock: Clock,
) -> Weighed:
    """Have a person answer for the warnings that ask, unless that is on record.

    Raises ``WaitingError`` where nobody does.
    """
    asked, digest = weighed.warnings, warnings_hash(weighed.warnings)
    if not asked or passed.is_answered(lock, digest):
        return weighed
    answer = operator.answer_for(asked, digest)
    if answer is None:
        raise WaitingError(
            "warnings-not-answered",
            "\n".join(["Somebody has to go past these knowingly:", *_lines(asked)]),
            hint=f"Answer at a terminal, or with: {request.command} --acknowledge {digest}",
        )
    given = Approval(
        by=forge.current_user().username,
        at=timestamp(clock.now()),
        what=passed.warnings_answered(digest),
        source=answer.source,
    )
    return replace(weighed, answered=given)


def record(run: Run, weighed: Weighed) -> None:
    """Write down, under the lock, who answered for which warnings, and that glass was broken."""
    given = weighed.answered
    if given is not None:
        facts: list[JsonValue] = [
            {"code": each.code, "target": each.target, "message": each.message}
            for each in weighed.warnings
        ]
        run.journal.add("preflight", None, "observed", {"warnings": facts}, approval=given)
        said = f"{given.by} answers for {counted(len(facts), 'warning')}"
        run.tell("preflight", None, "done", said)
    break_glass(run, weighed.behind_glass)


def break_glass(run: Run, rules: Sequence[str]) -> None:
    """Write down which rules broken glass goes past now, and by whom and why it was broken.

    What an earlier run recorded is not recorded again.
    """
    lock = run.journal.lock
    reason = _reason(run.request, lock)
    new = [rule for rule in rules if rule not in passed.behind_glass(lock)]
    if reason is None or not new:
        return
    approval = Approval(
        by=run.forge.current_user().username,
        at=timestamp(run.clock.now()),
        what=passed.glass_broken(reason),
        source="--break-glass",
    )
    facts: dict[str, JsonValue] = {"break_glass": reason, passed.WENT_PAST: [*new]}
    run.journal.add("preflight", None, "observed", facts, approval=approval)
    run.tell(
        "preflight",
        None,
        "note",
        f"GLASS BROKEN by {approval.by}: past {', '.join(new)}, because: {one_line(reason, 200)}",
    )


def at_gate(run: Run, rule: str) -> tuple[Decision, bool]:
    """Tell what a rule decides just before the press, and whether broken glass softened it.

    Nothing takes the question away from the person: behind broken glass, and on the way back, what
    is denied is asked.
    """
    decision = run.plan.spec.policy.decision(rule) or "warn"
    if decision != "deny" or run.plan.kind == "rollback":
        return ("ask" if decision == "deny" else decision), False
    is_broken = is_glass_broken(run.request, run.journal.lock)
    return ("ask", True) if is_broken else ("deny", False)


def is_glass_broken(request: Request, lock: Lock | None) -> bool:
    """Tell whether the policy is gone past: by this run's flag, or by an earlier run's."""
    return _reason(request, lock) is not None


def way_past(request: Request) -> str:
    """Say how the policy is gone past, where the team allows it."""
    if not request.spec.policy.break_glass:
        return ""
    return f"To go past the policy, for all to see: {request.command} --break-glass REASON"


def _reason(request: Request, lock: Lock | None) -> str | None:
    """Tell why the glass is broken: once it is on record, it is for every run of the hotfix."""
    broken = passed.glass(lock)
    return passed.reason_of(broken) if broken is not None else request.break_glass


def _with_way_past(finding: Finding, request: Request) -> Finding:
    said = [
        finding.hint,
        f"The team's policy denies it: {finding.rule}",
        way_past(request),
        f"Plan again with: {request.plan_command}",
    ]
    return finding.model_copy(update={"hint": "\n".join(filter(None, said))})


def _age(plan: Plan, request: Request, clock: Clock) -> str | None:
    """Say how old a saved plan is that is older than the policy allows; ``None`` of any other.

    A way back does not age: it is made anew where the branch moved. The plan's time is what
    whoever planned wrote into it, and no digest covers that.
    """
    limit = plan.spec.policy.max_plan_age_hours
    if request.saved is None or request.back is not None or limit is None:
        return None
    age = clock.now() - datetime.fromisoformat(plan.observed.at)
    if age <= timedelta(hours=limit):
        return None
    return f"The plan was made at {plan.observed.at}, {age / timedelta(hours=1):.1f} hours ago"


def _lines(asked: Sequence[Finding]) -> Iterator[str]:
    for each in asked:
        yield f"{each.code}: {each.message}"
