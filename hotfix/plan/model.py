"""The plan: everything that ``apply`` will do, and nothing that it will not.

A plan is data. What it says about the branch, the pipeline, the production job, the checks and the
incident is what reviewers approve by its digest; what varies with the person or the moment stands
in ``observed``, at two places only, and is not digested (contract, section 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from hotfix.models import Frozen, Growing
from hotfix.spec.model import InputValue, SmokeCheck, Spec
from hotfix.spec.policy import Decision

Kind = Literal["hotfix", "rollback"]


class FileChange(Frozen):
    """A path that a commit changes against its parent."""

    path: str
    change: Literal["added", "modified", "deleted", "renamed", "mode"]


class ResolvedFile(Frozen):
    """A file in which a person's resolution is not what merges by itself."""

    path: str
    conflicted: bool = Field(
        description="Whether the pick conflicts there; else a person changed what needed none."
    )
    diff: str


class PlannedCommit(Frozen):
    """A commit of the release branch, known to the byte before anything is pushed.

    ``keep`` is a commit that stands on the branch already and is adopted. A pick that is already
    there makes no commit: its ``sha`` is null; ``tree`` and ``parent`` are what it was found in.
    """

    action: Literal["restore", "pick", "keep"]
    outcome: Literal["new", "already-there"]
    sha: str | None
    tree: str
    parent: str
    message: str
    author: str
    committer: str
    merge_request: int | None
    picked_from: str | None
    resolution: str | None
    files: tuple[FileChange, ...]
    reason: str = Field(description="Why this commit is in the plan, in one sentence.")
    resolved: tuple[ResolvedFile, ...] = Field(
        default=(), description="Where the resolution differs from the part that merges by itself."
    )


class LeavingCommit(Frozen):
    """A commit that is on the release branch, not in production, and whose content leaves."""

    sha: str
    title: str
    author: str
    merge_request: int | None
    is_merge: bool = Field(
        default=False, description="A merge commit: what it brought is listed for itself."
    )


class PlannedPipeline(Frozen):
    """The orchestration pipeline that will be started."""

    project: str
    ref: str
    inputs: Mapping[str, InputValue]
    send_as: Literal["inputs", "variables"]
    operation_input: str | None = Field(
        description="The input that carries the run's own key, made when the run begins."
    )


class PlannedJob(Frozen):
    """The manual production job of the downstream pipeline."""

    job: str


class Production(Frozen):
    """What production runs while the plan is made."""

    sha: str


class SourceOfSha(Frozen):
    """One record that tells which commit production runs."""

    source: str
    sha: str | None
    at: str | None
    url: str | None
    detail: str


class ObservedApproval(Frozen):
    """One person's approval of a merge request."""

    by: str
    at: str | None
    head: str | None = Field(
        description="The head of the source branch that was approved; null where it is not known."
    )


class ObservedRule(Frozen):
    """A rule of GitLab's that a merge request is approved by."""

    name: str
    kind: str
    required: int
    approved: bool
    approved_by: tuple[str, ...]


class ObservedMergeRequest(Growing):
    """What GitLab told of a merge request."""

    says_nothing: ClassVar = {"pipeline": None, "head": None, "approvals": [], "rules": None}

    project: str
    iid: int
    title: str
    state: str
    author: str
    target_branch: str
    merged_at: str | None
    approved_by: tuple[str, ...]
    approvals_left: int | None
    url: str
    pipeline: str | None = Field(
        default=None,
        description="The status of the newest pipeline of the commit that merged it.",
    )
    head: str | None = Field(
        default=None, description="The head of the source branch that was merged."
    )
    approvals: tuple[ObservedApproval, ...] = Field(
        default=(), description="Each approval, with the head that it was given to."
    )
    rules: tuple[ObservedRule, ...] | None = Field(
        default=None, description="GitLab's own rules; null where it does not show them."
    )


class Share(Frozen):
    """A folder or an owner, with the number of changed files that are theirs."""

    name: str
    files: int


class PastHotfixes(Frozen):
    """Hotfixes of the project that went out before, by their lockfiles."""

    count: int
    smaller: int = Field(description="How many of them changed fewer files.")
    median_files: float


class BlastRadius(Growing):
    """How far the hotfix reaches: what production has against what the branch will have."""

    says_nothing: ClassVar = {"past": None}

    files: int
    added: int = Field(description="Lines that come; those of binary files are not counted.")
    removed: int = Field(description="Lines that go.")
    uncounted: int = Field(description="Files whose lines are not counted.")
    folders: tuple[Share, ...] = Field(description="Folders, two levels down, the most first.")
    owners: tuple[Share, ...] | None = Field(
        description="Owners by production's CODEOWNERS; null where it has none."
    )
    past: PastHotfixes | None = None


class ObservedTarget(Growing):
    """What was seen of a target while planning; told to readers, never digested."""

    says_nothing: ClassVar = {
        "searched": "",
        "radius": None,
        "approvals_reset_on_push": None,
    }

    url: str
    access_level: int | None
    production: tuple[SourceOfSha, ...]
    merge_requests: tuple[ObservedMergeRequest, ...]
    merge_attributes: str = Field(
        default="", description="Which Git attributes the picks were merged by, in one line."
    )
    searched: str = Field(
        default="",
        description="In which part of what differs the words of the picks were looked for, where "
        "it was not all of it.",
    )
    approvals_reset_on_push: bool | None = Field(
        default=None,
        description="Whether a push takes a merge request's approvals off; null where GitLab does "
        "not say.",
    )
    radius: BlastRadius | None = Field(
        default=None, description="How far it reaches; null where the branch is not known."
    )


class TargetChange(Frozen):
    """The exact change of one repository and its way to production."""

    project: str
    release_branch: str
    environment: str
    production: Production
    before: str | None = Field(description="The head of the release branch now.")
    after: str | None = Field(description="The head when done; null where a blocker hides it.")
    commits: tuple[PlannedCommit, ...]
    leaving: tuple[LeavingCommit, ...]
    pipeline: PlannedPipeline | None
    deploy: PlannedJob | None
    smoke_checks: tuple[SmokeCheck, ...]


class TargetPlan(TargetChange):
    """A target of a plan, with what was observed beside it."""

    observed: ObservedTarget


class PlannedIncident(Frozen):
    """The incident record: one that exists, or one to be made."""

    project: str
    iid: int | None
    title: str
    severity: str | None
    template: str | None
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    follow_ups: tuple[str, ...]


class RollbackPlan(Frozen):
    """The way back, reviewed together with the way forward; targets in reverse order."""

    digest: str
    targets: tuple[TargetChange, ...]


class Finding(Growing):
    """A blocker, or a warning; what a rule of the policy found has the rule's decision."""

    says_nothing: ClassVar = {"decision": None, "rule": None}

    code: str
    target: str | None
    message: str
    hint: str
    detail: str = Field(default="", description="Lines to look at, such as a conflict's hunks.")
    decision: Decision | None = Field(
        default=None,
        description="What the policy decides where the code is a rule of it: `deny` stands among "
        "the blockers, and nothing but `--break-glass` goes past it. A blocker without a decision "
        "is the runbook's, and nothing goes past that.",
    )
    rule: str | None = Field(default=None, description="What the rule asks for, in a sentence.")


class Summary(Frozen):
    """What is to do, counted; all zero means nothing."""

    commits: int
    pushes: int
    pipelines: int
    manual_jobs: int
    smoke_checks: int
    incidents: int
    leaving_release: int = Field(
        description="Merge requests, and commits that no merge request brought, that leave."
    )


class Rehearsed(Frozen):
    """What a rehearsal of a plan came to, by the digest of its transcript."""

    verdict: Literal["converged", "failed"]
    digest: str
    at: str
    by: str


class ObservedPlan(Frozen):
    """Who planned, and when."""

    at: str
    by: str
    second_opinion: str | None = Field(
        default=None, description="What the planner's own git says of the picks, where asked."
    )
    approved: str | None = Field(
        default=None,
        description="Of a rollback that is exactly the way back approved with its hotfix: the "
        "digest of that `rollback`.",
    )
    rehearsal: Rehearsed | None = Field(
        default=None, description="The last rehearsal of exactly this plan, where there was one."
    )

    @model_serializer(mode="wrap")
    def _without_unset(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave these keys out where they say nothing: a lockfile pins its plan's bytes."""
        written: dict[str, Any] = handler(self)
        for key in ("approved", "rehearsal"):
            if written.get(key) is None:
                written.pop(key, None)
        return written


class Plan(Frozen):
    """A whole plan, the document that is saved, reviewed and applied."""

    format: Literal["plan/1"]
    hotfix: str
    kind: Kind
    digest: str
    gitlab: str
    tool_version: str
    spec: Spec
    spec_digest: str
    summary: Summary
    targets: tuple[TargetPlan, ...]
    incident: PlannedIncident
    rollback: RollbackPlan | None = Field(description="Null in a plan that is itself a rollback.")
    blockers: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    observed: ObservedPlan
