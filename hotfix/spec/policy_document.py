"""The policy as it is written: in the team's defaults.yaml, and stricter where a spec says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

from pydantic import Field

from hotfix.models import Frozen
from hotfix.spec.policy import (
    ApprovalPolicy,
    CheckName,
    Decision,
    FreezeWindow,
    Hours,
    PlanApprovalPolicy,
    Policy,
    RuleName,
)
from hotfix.spec.rules import SENT, GroupPath, between, not_empty

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotfix.spec.document import DefaultsDocument, SpecDocument

APPROVALS: Final = ApprovalPolicy(minimum=1, not_author=True)

_UNIQUE: Final = Field(json_schema_extra={"uniqueItems": True})
_T = TypeVar("_T")


class ApprovalsDocument(Frozen):
    """What approvals each merge request of the hotfix needs."""

    minimum: Annotated[int, between(0, 100, "the number of approvals")] | None = Field(
        default=None, description="How many people must have approved it; 1 when left out."
    )
    not_author: bool | None = Field(
        default=None, description="Whether the author's own approval does not count; true."
    )


class PlanApprovalsDocument(Frozen):
    """Who must approve the plan, by its digest; a spec may ask for more than defaults.yaml."""

    minimum: Annotated[int, between(0, 100, "the number of approvals")] | None = Field(
        default=None,
        description="How many people must have approved exactly the plan that is applied, by "
        "`hotfix approve`; 0 when left out.",
    )
    groups: (
        Annotated[tuple[Annotated[GroupPath, SENT], ...], not_empty("groups"), _UNIQUE] | None
    ) = Field(
        default=None,
        description="Whose direct members may approve; when left out, whoever has the role "
        "Developer or more in every target's project.",
        examples=[["evenergi/release-managers"]],
    )
    not_author: bool | None = Field(
        default=None,
        description="Whether the authors of the hotfix's merge requests, and of the one that the "
        "approval stands on, do not count; true.",
    )
    not_applier: bool | None = Field(
        default=None, description="Whether whoever applies the plan does not count; true."
    )


class PolicyDocument(Frozen):
    """What must hold before the hotfix may go out."""

    approvals: ApprovalsDocument = Field(
        default_factory=ApprovalsDocument, description="The approvals of each merge request."
    )
    plan_approvals: PlanApprovalsDocument = Field(
        default_factory=PlanApprovalsDocument,
        description="The approvals of the plan itself; never less than defaults.yaml asks for.",
    )
    decisions: Mapping[RuleName, Decision] | None = Field(
        default=None,
        description="What follows from a rule's finding: it is told (`warn`), a person goes past "
        "it knowingly (`ask`), or it blocks (`deny`). A spec may be stricter than defaults.yaml, "
        "and than the built-in decision of what that leaves out, never weaker.",
        examples=[{"mr-other-branch": "deny", "picks-reordered": "ask"}],
    )
    required_smoke_checks: Annotated[tuple[CheckName, ...], not_empty("names"), _UNIQUE] | None = (
        Field(
            default=None,
            description="Names of smoke checks that every target must have; those of defaults.yaml "
            "and of the spec together.",
            examples=[["health"]],
        )
    )
    freezes: Annotated[tuple[FreezeWindow, ...], not_empty("freezes"), _UNIQUE] | None = Field(
        default=None,
        description="When nothing is deployed, beside the deploy freezes that GitLab knows of; "
        "those of defaults.yaml and of the spec together.",
    )
    max_plan_age_hours: Hours | None = Field(
        default=None,
        description="How old a saved plan may be when its apply begins, in hours; any age when "
        "left out.",
        examples=[24],
    )
    break_glass: bool | None = Field(
        default=None,
        description="Whether `--break-glass REASON` may go past this policy; true when left out. "
        "A spec may only forbid it.",
    )


class DefaultsPolicyDocument(PolicyDocument):
    """What must hold before any hotfix may go out."""

    allow_commands: bool | None = Field(
        default=None,
        description="Whether smoke checks may run programs of the operator's machine; only the "
        "team's defaults can say so, never a spec.",
    )


def resolve_policy(document: SpecDocument, defaults: DefaultsDocument) -> Policy:
    """Fill every key of the policy that the documents leave out.

    The nearest says of each merge request's approvals. Of all else the stricter holds, and a spec
    that would weaken its team's is refused before it comes here (``weakened``).
    """
    levels = (document.policy.approvals, defaults.policy.approvals, APPROVALS)
    minimum = first(*(level.minimum for level in levels))
    not_author = first(*(level.not_author for level in levels))
    return _policy(
        ApprovalPolicy(
            minimum=APPROVALS.minimum if minimum is None else minimum,
            not_author=APPROVALS.not_author if not_author is None else not_author,
        ),
        document,
        defaults,
    )


def team_policy(defaults: DefaultsDocument) -> Policy:
    """Return what the team alone asks for."""
    return _policy(APPROVALS, defaults)


def weakened(document: SpecDocument, defaults: DefaultsDocument) -> tuple[str, ...] | None:
    """Name the key in which a spec would be weaker than its team; ``None`` where in none."""
    own, team = document.policy, team_policy(defaults)
    return team.model_copy(
        update={
            "plan_approvals": _plan_approvals(document, defaults),
            "decisions": {**team.decisions, **(own.decisions or {})},
            "max_plan_age_hours": first(own.max_plan_age_hours, team.max_plan_age_hours),
            "break_glass": team.break_glass if own.break_glass is None else own.break_glass,
        }
    ).weaker_than(team)


def _policy(approvals: ApprovalPolicy, *layers: SpecDocument | DefaultsDocument) -> Policy:
    """Put the layers together, the team's last."""
    policies = [layer.policy for layer in layers]
    team = policies[-1]
    ages = [age for each in policies if (age := each.max_plan_age_hours) is not None]
    return Policy(
        approvals=approvals,
        # The team alone decides this: what the spec says is not even looked at.
        allow_commands=(isinstance(team, DefaultsPolicyDocument) and team.allow_commands) or False,
        plan_approvals=_plan_approvals(*layers),
        decisions={
            rule: decision
            for each in reversed(policies)
            for rule, decision in (each.decisions or {}).items()
        },
        required_smoke_checks=_together(each.required_smoke_checks for each in reversed(policies)),
        freezes=_together(each.freezes for each in reversed(policies)),
        max_plan_age_hours=min(ages, default=None),
        break_glass=all(each.break_glass is not False for each in policies),
    )


def _plan_approvals(*layers: SpecDocument | DefaultsDocument) -> PlanApprovalPolicy:
    """Tell who must approve the plan, by the nearest layer that says so, key by key."""
    levels = [layer.policy.plan_approvals for layer in layers]
    given = {
        key: said
        for key in PlanApprovalPolicy.model_fields
        if (said := first(*(getattr(level, key) for level in levels))) is not None
    }
    return PlanApprovalPolicy(**given) if given.get("minimum") else PlanApprovalPolicy()


def _together(parts: Iterable[tuple[_T, ...] | None]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(each for part in parts for each in part or ()))


def first(*values: _T | None) -> _T | None:
    """Return the first value that somebody gave."""
    return next((value for value in values if value is not None), None)
