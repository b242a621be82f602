"""The spec as the rest of the program knows it: complete, frozen, every default filled in.

A plan holds its JSON as ``spec``, and ``spec_digest`` is made over that. It names no GitLab: the
same hotfix planned through two addresses has one digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import (
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
)

from hotfix.models import Frozen, Growing
from hotfix.spec.policy import ApprovalPolicy, PlanApprovalPolicy, Policy
from hotfix.spec.rules import (
    AttributeLines,
    BranchName,
    EmailAddress,
    IdText,
    Moment,
    PersonName,
    ProjectPath,
    ShaText,
    between,
    line,
)
from hotfix.spec.smoke import (
    CommandCheck,
    HttpCheck,
    ManualCheck,
    ProductionVersion,
    SmokeCheck,
    TcpCheck,
    TlsCheck,
)

__all__ = [
    "ApprovalPolicy",
    "CommandCheck",
    "Committer",
    "Deploy",
    "HttpCheck",
    "Incident",
    "InputValue",
    "LockKind",
    "ManualCheck",
    "MergeRequestRef",
    "Orchestration",
    "PickOrder",
    "PlanApprovalPolicy",
    "Policy",
    "ProductionVersion",
    "Resolution",
    "Severity",
    "SmokeCheck",
    "Spec",
    "Target",
    "TargetOrchestration",
    "TcpCheck",
    "TlsCheck",
]

InputValue = StrictStr | StrictBool | StrictInt | StrictFloat | tuple[StrictStr, ...]
"""What GitLab's pipeline inputs can be: string, boolean, number, array."""

Severity = Literal["unknown", "low", "medium", "high", "critical"]
"""The severities that GitLab gives an incident."""

LockKind = Literal["ref", "terraform-state"]
"""What keeps two runs on one target apart: a ref of the target's, or a Terraform state's lock."""

PickOrder = Literal["merged", "as-written"]
"""Picks in the order in which the merge requests were merged, or in the spec's own."""

Iid = Annotated[int, between(1, 2**31 - 1, "the iid")]
"""A number that counts within a project; the bound is GitLab's column."""


class MergeRequestRef(Frozen):
    """A merge request by its project and the number that it has there."""

    project: ProjectPath
    iid: Iid

    def __str__(self) -> str:
        """Write it as GitLab does across projects: ``group/project!812``."""
        return f"{self.project}!{self.iid}"


class Resolution(Frozen):
    """The commit that a person made of a pick that conflicts, reviewed with the spec."""

    merge_request: Iid = Field(description="The iid of the merge request whose pick conflicts.")
    commit: ShaText = Field(description="The full id of the commit that is picked instead.")


class TargetOrchestration(Frozen):
    """What the guided pipeline is told for one target."""

    project_value: str
    inputs: Mapping[str, InputValue]


class Deploy(Frozen):
    """The manual production job of the downstream pipeline; None is the environment's last one."""

    job: str | None = None


class Target(Growing):
    """One repository that the hotfix is made in."""

    says_nothing: ClassVar = {
        "merge_attributes": None,
        "order": "merged",
        "lock": "ref",
        "production_version": None,
    }

    project: ProjectPath
    production_sha: ShaText
    merge_requests: tuple[MergeRequestRef, ...]
    smoke_checks: tuple[SmokeCheck, ...]
    release_branch: BranchName
    environment: str
    restore_message: str
    resolutions: tuple[Resolution, ...]
    orchestration: TargetOrchestration
    deploy: Deploy
    after: tuple[ProjectPath, ...]
    merge_attributes: AttributeLines | None = Field(
        default=None,
        description="Lines as in Git's info/attributes that the picks are merged by; without "
        "them none are, as by git merge-tree in a bare repository.",
    )
    order: PickOrder = Field(
        default="merged",
        description="In which order the merge requests are picked; left out where it is theirs.",
    )
    lock: LockKind = Field(
        default="ref",
        description="What keeps two runs on this target apart; left out where it is the ref.",
    )
    production_version: ProductionVersion | None = Field(
        default=None,
        description="Where the running service says which commit it is; left out where it does "
        "not.",
    )


class Orchestration(Frozen):
    """Where the guided pipeline runs, and how it is told what to do; None is the default branch."""

    project: ProjectPath
    ref: str | None
    send_as: Literal["inputs", "variables"]
    operation_input: str | None


class Incident(Frozen):
    """The incident that records the hotfix: one that exists, or one that is created."""

    project: ProjectPath
    iid: Iid | None
    create: bool
    template: str | None
    severity: Severity | None
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    follow_ups: tuple[str, ...]


class Committer(Frozen):
    """Who makes the commits, the same for everybody who plans: never taken from a token."""

    name: PersonName
    email: EmailAddress


class Spec(Frozen):
    """What the operator asks for."""

    version: Literal[1]
    id: IdText
    title: Annotated[str, line("title")]
    targets: tuple[Target, ...] = Field(min_length=1)
    orchestration: Orchestration
    incident: Incident
    committer: Committer
    requested_at: Moment | None
    policy: Policy
