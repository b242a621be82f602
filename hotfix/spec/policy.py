"""What a team decides once: who must approve, and what each rule's warning means.

The runbook's own rules are none of these: what it forbids is a blocker, whatever a team thinks. A
rule here speaks of what a release manager would look at. The team decides what follows from it,
and a spec may be stricter than its team, never weaker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from hotfix.freeze import FreezePeriod, in_force
from hotfix.models import Frozen, Growing, to_json
from hotfix.spec.rules import GroupPath, Rule, between, line, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotfix.freeze import InForce
    from hotfix.spec.rules import Complaint

Decision = Literal["warn", "ask", "deny"]
"""What a rule's finding means: it is told, a person goes past it knowingly, or nobody does."""

_BY_STRENGTH: Final[tuple[Decision, ...]] = ("warn", "ask", "deny")


@dataclass(frozen=True, slots=True)
class RuleOfPolicy:
    """A rule by its sentence, and what follows from it where no team says otherwise."""

    sentence: str
    decision: Decision = "warn"


RULES: Final[Mapping[str, RuleOfPolicy]] = MappingProxyType(
    {
        "attributes-not-read": RuleOfPolicy(
            "Picks are merged as production's .gitattributes would have them merged."
        ),
        "deploy-freeze": RuleOfPolicy("Nothing is deployed in a deploy freeze.", "ask"),
        "deployment-waiting": RuleOfPolicy(
            "No other deployment waits for an approval while a hotfix goes out."
        ),
        "fix-not-on-default": RuleOfPolicy(
            "The default branch holds the fix, so that the next release does not lose it."
        ),
        "freeze-unknown": RuleOfPolicy("Whether a deploy freeze is in force can be told."),
        "mr-other-branch": RuleOfPolicy("What is released was merged into the default branch."),
        "mr-pipeline-not-passed": RuleOfPolicy(
            "The pipeline of the commit that merged the fix has passed."
        ),
        "mr-pushed-after-approval": RuleOfPolicy(
            "What was approved is what was merged: nothing was pushed in between."
        ),
        "only-on-release": RuleOfPolicy(
            "What leaves release is on the default branch, and comes again with the next release."
        ),
        "picks-reordered": RuleOfPolicy(
            "The spec names the merge requests in the order in which they were merged."
        ),
        "production-version-silent": RuleOfPolicy(
            "The running service says which commit it is, where the spec says that it would."
        ),
        "semantic-gap": RuleOfPolicy(
            "What the fix uses is in production, or comes with the hotfix."
        ),
        "smoke-check-required": RuleOfPolicy(
            "Every target has the smoke checks that the policy asks for.", "deny"
        ),
    }
)
"""Every rule by its name, which is the code of what it finds."""


_ANY_MOMENT: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Whether a cron expression can be read does not depend on when it is asked."""


def _rule(value: str) -> Complaint | None:
    if value in RULES:
        return None
    near = get_close_matches(value, RULES, n=1)
    known = ", ".join(f"`{name}`" for name in RULES)
    return (
        f"{quoted(value)} is no rule whose decision can be changed",
        f"Did you mean `{near[0]}`?" if near else f"There are: {known}.",
    )


def _cron(value: str) -> Complaint | None:
    from cronsim import CronSim, CronSimError  # noqa: PLC0415  (few files have one)

    try:
        CronSim(value, _ANY_MOMENT)
    except CronSimError as error:
        return (
            f"{quoted(value)} is no cron expression: {error}",
            "Write five fields, such as `0 18 * * 5` for Fridays at 18:00.",
        )
    return None


def _zone(value: str) -> Complaint | None:
    from zoneinfo import ZoneInfo  # noqa: PLC0415  (few files have one)

    try:
        ZoneInfo(value)
    except (OSError, ValueError, KeyError):
        return (
            f"{quoted(value)} is no time zone that is known here",
            "Write its name as in the IANA database, such as `Europe/Berlin`.",
        )
    return None


RuleName = Annotated[str, Rule(_rule, {"enum": [*RULES]})]
Cron = Annotated[str, line("cron expression"), Rule(_cron)]
Zone = Annotated[str, line("time zone"), Rule(_zone)]
CheckName = Annotated[str, line("name of the check")]
Hours = Annotated[float, between(0.1, 8784, "the number of hours")]


class FreezeWindow(Frozen):
    """A time in which the team deploys nothing, beside the freezes that GitLab knows of."""

    start: Cron = Field(
        description="When it begins, as a cron expression.", examples=["0 18 * * 5"]
    )
    end: Cron = Field(description="When it ends, as a cron expression.", examples=["0 6 * * 1"])
    timezone: Zone = Field(
        default="UTC",
        description="The time zone of both; UTC when left out.",
        examples=["Europe/Berlin"],
    )
    reason: Annotated[str, line("reason")] | None = Field(
        default=None, description="Why, for whoever meets it.", examples=["weekend"]
    )

    def period(self) -> FreezePeriod:
        """Return it as GitLab's own freezes are held."""
        return FreezePeriod(self.start, self.end, self.timezone, self.reason or "")


class ApprovalPolicy(Frozen):
    """How many approvals each merge request needs, and whether its author's counts."""

    minimum: Annotated[int, between(0, 100, "the number of approvals")]
    not_author: bool


class PlanApprovalPolicy(Frozen):
    """Who must have approved exactly this plan, by its digest, before it is carried out."""

    minimum: Annotated[int, between(0, 100, "the number of approvals")] = 0
    groups: tuple[GroupPath, ...] = Field(
        default=(),
        description="Whose direct members may approve; without any, the Developers of every "
        "target's project.",
    )
    not_author: bool = True
    not_applier: bool = True

    def weaker_than(self, team: PlanApprovalPolicy) -> str | None:
        """Name the key in which this asks for less than the team does; None where in none.

        A team that asks for no approval leaves it to each spec.
        """
        if team.minimum == 0:
            return None
        if self.minimum < team.minimum:
            return "minimum"
        if set(self.groups) - set(team.groups) or bool(self.groups) < bool(team.groups):
            return "groups"
        kept = ("not_author", "not_applier")
        return next((key for key in kept if getattr(self, key) < getattr(team, key)), None)


class Policy(Growing):
    """What must hold before a hotfix may go out."""

    says_nothing: ClassVar = {
        "plan_approvals": PlanApprovalPolicy().model_dump(mode="json"),
        "decisions": {},
        "required_smoke_checks": [],
        "freezes": [],
        "max_plan_age_hours": None,
        "break_glass": True,
    }

    approvals: ApprovalPolicy
    allow_commands: bool
    plan_approvals: PlanApprovalPolicy = Field(default_factory=PlanApprovalPolicy)
    decisions: Mapping[RuleName, Decision] = Field(default_factory=dict)
    required_smoke_checks: tuple[CheckName, ...] = ()
    freezes: tuple[FreezeWindow, ...] = ()
    max_plan_age_hours: Hours | None = None
    break_glass: bool = True

    def decision(self, rule: str) -> Decision | None:
        """Tell what follows from a rule's finding; ``None`` for a code that is no rule's."""
        known = RULES.get(rule)
        return self.decisions.get(rule, known.decision) if known else None

    def freezes_in_force(
        self, shown: Iterable[FreezePeriod] | None, now: datetime
    ) -> tuple[tuple[InForce, ...], tuple[FreezePeriod, ...]]:
        """Tell which freezes are in force now, GitLab's and the team's own; see ``in_force``.

        ``shown`` is ``None`` where GitLab shows none of its own.
        """
        return in_force((*(shown or ()), *(each.period() for each in self.freezes)), now)

    def said(self, *keys: str) -> Any:  # noqa: ANN401  (a JSON value)
        """Return what stands under a key, as it would be written; of a rule its decision."""
        if keys[0] == "decisions":
            return self.decision(keys[-1])
        value: Any = to_json(self)
        for key in keys:
            value = value[key]
        return value

    def weaker_than(self, team: Policy) -> tuple[str, ...] | None:
        """Name the key, with those above it, in which this is weaker than the team's policy.

        ``None`` where it is in none. What both say is compared by what it comes to: a decision
        that is left out is the rule's own.
        """
        for rule in RULES:
            own, wanted = self.decision(rule), team.decision(rule)
            if own and wanted and _BY_STRENGTH.index(own) < _BY_STRENGTH.index(wanted):
                return "decisions", rule
        if set(team.required_smoke_checks) - set(self.required_smoke_checks):
            return ("required_smoke_checks",)
        if set(team.freezes) - set(self.freezes):
            return ("freezes",)
        limit, own_limit = team.max_plan_age_hours, self.max_plan_age_hours
        if limit is not None and (own_limit is None or own_limit > limit):
            return ("max_plan_age_hours",)
        if self.break_glass > team.break_glass:
            return ("break_glass",)
        key = self.plan_approvals.weaker_than(team.plan_approvals)
        return ("plan_approvals", key) if key else None
