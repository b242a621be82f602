"""What the team's policy says to what was found: each rule's finding gets the rule's decision.

Pure. The runbook's own blockers have no decision: nobody weighs them, and nothing goes past them.
A rule that the policy denies stands among the blockers too, so that whoever counts them overlooks
none; only ``--break-glass`` goes past it, and says so everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.canonical import digest
from hotfix.forge.protocol import ForgeError
from hotfix.plan.model import Finding
from hotfix.spec.policy import RULES
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from hotfix.freeze import FreezePeriod
    from hotfix.spec.model import Target
    from hotfix.spec.policy import Policy

UNWEIGHED: Final = frozenset({"already-back", "apply-not-permitted", "way-back-differs"})
"""Codes of warnings that no rule weighs: they say what is so, and there is nothing to decide."""


def decided(findings: Iterable[Finding], policy: Policy) -> Iterator[Finding]:
    """Give each finding of a rule its decision, and the rule's sentence."""
    for each in findings:
        decision = policy.decision(each.code)
        if decision is None:
            yield each
        else:
            sentence = RULES[each.code].sentence
            yield each.model_copy(update={"decision": decision, "rule": sentence})


def blocks(finding: Finding) -> bool:
    """Tell whether a decided finding is a blocker: the runbook's, or a rule's that denies."""
    if finding.decision is None:
        return finding.code not in UNWEIGHED
    return is_denied(finding)


def is_denied(finding: Finding) -> bool:
    """Tell a blocker of the policy, which broken glass goes past, from one of the runbook."""
    return finding.decision == "deny"


def to_answer_for(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """List the warnings that a person has to go past knowingly, each once, in a fixed order."""
    asked = {each for each in findings if each.decision == "ask"}
    return tuple(sorted(asked, key=lambda each: (each.code, each.target or "", each.message)))


def warnings_hash(asked: Sequence[Finding]) -> str:
    """Return what an answer to these warnings is bound to; any change of the list changes it."""
    return digest([[each.code, each.target, each.message] for each in asked])


def freeze_guard(
    target: Target,
    shown: Sequence[FreezePeriod] | ForgeError | None,
    policy: Policy,
    now: datetime,
) -> Iterator[Finding]:
    """Say which deploy freezes are in force, GitLab's and the team's own.

    GitLab stops nothing in a freeze (its documentation, "Prevent unintentional releases by setting
    a deploy freeze"): it only tells the pipeline. ``shown`` is ``None`` where it shows none to this
    token, and the error where it failed to.
    """
    known = None if isinstance(shown, ForgeError) else shown
    now_in_force, unread = policy.freezes_in_force(known, now)
    for freeze in now_in_force:
        yield Finding(
            code="deploy-freeze",
            target=target.project,
            message=f"{freeze}.",
            hint="Have whoever owns it agree to the hotfix, or wait until it ends.",
        )
    unknown = [f"the deploy freeze {each} cannot be read here" for each in unread]
    if isinstance(shown, ForgeError):
        unknown.append(one_line(shown.message.rstrip("."), 300))
    elif shown is None:
        unknown.append("GitLab does not show deploy freezes to this token")
    for why in unknown:
        yield Finding(
            code="freeze-unknown",
            target=target.project,
            message=f"Whether a deploy freeze is in force cannot be told: {why}.",
            hint="Look at Settings > CI/CD > Deploy freezes, or ask a Maintainer.",
        )


def required_checks_guard(target: Target, policy: Policy) -> Iterator[Finding]:
    """Say which smoke checks a target lacks that the team wants to see after every hotfix."""
    own = {check.name for check in target.smoke_checks if check.applies_to("hotfix")}
    for name in policy.required_smoke_checks:
        if name not in own:
            yield Finding(
                code="smoke-check-required",
                target=target.project,
                message=f"The policy asks for a smoke check `{name}`, and the target has none.",
                hint="Add it to the target's `smoke_checks`.",
            )
