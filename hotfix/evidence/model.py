"""The lockfile: what happened, in order, and what it proves (contract, section 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from hotfix.models import Frozen
from hotfix.plan.model import Kind, Plan

StepName = Literal[
    "preflight",
    "lock",
    "restore",
    "verify-restore",
    "pick",
    "verify-branch",
    "orchestrate",
    "staging",
    "promote",
    "verify-production",
    "smoke",
    "incident",
    "unlock",
]
Phase = Literal["intent", "done", "failed", "observed"]
State = Literal["planned", "applying", "waiting", "complete", "failed", "rolled-back"]
CheckId = Literal[
    "production-sha-recorded",
    "restore-diff-empty",
    "branch-only-hotfix",
    "orchestration-inputs",
    "cut-off-not-selected",
    "production-deployed",
    "production-reflects-hotfix",
    "smoke-checks-passed",
    "incident-recorded",
]
CHECKS: tuple[CheckId, ...] = (
    "production-sha-recorded",
    "restore-diff-empty",
    "branch-only-hotfix",
    "orchestration-inputs",
    "cut-off-not-selected",
    "production-deployed",
    "production-reflects-hotfix",
    "smoke-checks-passed",
    "incident-recorded",
)
"""The runbook's nine, in its order (Validation And Evidence)."""

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
Moment = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$")]
"""As ``clock.timestamp`` writes it; so written, texts compare as the moments do."""


class Entry(Frozen):
    """One link of the chain: what was intended, done, failed or observed, with its facts."""

    seq: int = Field(ge=1)
    at: Moment
    step: StepName
    target: str | None = Field(description="The project, or null for the hotfix as a whole.")
    phase: Phase
    facts: Mapping[str, JsonValue]
    previous: Digest
    digest: Digest


class Check(Frozen):
    """One of the nine checks for one target, with the entries that it rests on."""

    id: CheckId
    target: str
    outcome: Literal["passed", "failed", "missing"]
    evidence: tuple[int, ...] = Field(description="`seq` of the entries it rests on.")
    detail: str


class Approval(Frozen):
    """Somebody's yes: to the plan, or to the press of the production job."""

    by: str
    at: Moment
    what: str
    source: str


class Seal(Frozen):
    """The chain's head as it was written into the incident, so that a chain made anew is seen."""

    head: Digest
    at: Moment
    incident: str


class Lock(Frozen):
    """A whole lockfile."""

    format: Literal["lock/1"]
    hotfix: str
    kind: Kind
    gitlab: str
    tool_version: str
    applied_by: str
    plan: Plan
    plan_digest: Digest
    spec_digest: Digest
    state: State
    approvals: tuple[Approval, ...]
    entries: tuple[Entry, ...]
    checks: tuple[Check, ...]
    head: Digest = Field(description="Digest of the last entry; of the plan while there is none.")
    seal: Seal | None
