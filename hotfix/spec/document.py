"""Spec and defaults as they are written: every key that has a default may be left out.

From these models come the JSON Schemas that editors use. What spans several keys, such as a merge
request that is listed twice, is checked on the tree (``hotfix.spec.checks``), so that it is told
together with everything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from hotfix.identifiers import PROJECT_PATTERN
from hotfix.models import Frozen
from hotfix.spec.gitlab_url import GitLabUrl
from hotfix.spec.model import (
    Iid,
    InputValue,
    LockKind,
    PickOrder,
    ProductionVersion,
    Resolution,
    Severity,
    SmokeCheck,
)
from hotfix.spec.policy_document import DefaultsPolicyDocument, PolicyDocument
from hotfix.spec.rules import (
    SENT,
    BranchName,
    Complaint,
    EmailAddress,
    IdText,
    Moment,
    PersonName,
    ProjectPath,
    Rule,
    ShaText,
    between,
    complain,
    line,
    not_empty,
    quoted,
)

INPUT_HINT = "Write one of them; quote a text."
_UNIQUE = Field(json_schema_extra={"uniqueItems": True})


def _in_one_sentence(wanted: str, hint: str) -> WrapValidator:
    """Say what may stand somewhere, instead of why each of several types does not fit."""

    def check(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:  # noqa: ANN401
        try:
            return handler(value)
        except ValidationError as error:
            contexts = (detail.get("ctx", {}) for detail in error.errors())
            said = next((ctx for ctx in contexts if "sentence" in ctx), None)
            if said is not None:
                raise complain(said["sentence"], said["hint"]) from None
            raise complain(f"{wanted} must stand here", hint) from None

    return WrapValidator(check)


def _merge_request(value: int | str) -> Complaint | None:
    if isinstance(value, int) or re.fullmatch(MERGE_REQUEST_PATTERN, value):
        return None
    found = re.fullmatch(r"https?://[^/]+/(.+?)/-/merge_requests/([1-9][0-9]*)/?.*", value)
    if found:
        return f"{quoted(value)} is an address", f"Write `{found[1]}!{found[2]}`."
    found = re.fullmatch(r"!?([1-9][0-9]{0,8})", value)
    if found:
        return f"{quoted(value)} is a text, not an iid", f"Write `{found[1]}` without quotes."
    return (
        f"{quoted(value)} is no merge request",
        "Write its iid, such as `812`, or `group/project!812`.",
    )


def _placeholders(value: str) -> Complaint | None:
    unknown = re.search(_UNKNOWN_PLACEHOLDER + r"[^}]*\}?", value)
    if unknown is None:
        return None
    return (
        f"{quoted(unknown[0])} is not known here",
        "Write `{path}` for the full path, `{name}` for its last part, or a fixed text.",
    )


def _label(value: str) -> Complaint | None:
    if "," in value:
        return f"the label {quoted(value)} has a comma", "Write two labels."
    return None


def _username(value: str) -> Complaint | None:
    if re.fullmatch(_USERNAME, value):
        return None
    return f"{quoted(value)} is no user name", "Write the name alone, without `@`."


def _version(value: int) -> Complaint | None:
    if value == 1:
        return None
    return f"version {quoted(value)} is not known", "Write `version: 1`."


MERGE_REQUEST_PATTERN = PROJECT_PATTERN.removesuffix("$") + "![1-9][0-9]{0,8}$"
_UNKNOWN_PLACEHOLDER = r"\{(?!path\}|name\})"
_PLACEHOLDERS = {"not": {"pattern": _UNKNOWN_PLACEHOLDER}}
_USERNAME = r"^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}$"

SentProject = Annotated[ProjectPath, SENT]
SentBranch = Annotated[BranchName, SENT]
Job = Annotated[str, line("name of the job"), SENT]
MergeRequestKey = Annotated[
    Annotated[int, between(1, 2**31 - 1, "the iid")]
    | Annotated[str, Rule(_merge_request, {"pattern": MERGE_REQUEST_PATTERN})],
    _in_one_sentence("a merge request", "Write its iid, such as `812`, or `group/project!812`."),
    SENT,
]
InputName = Annotated[str, line("name of the input"), SENT]
Input = Annotated[
    InputValue,
    _in_one_sentence("a text, a number, true, false or a list of texts", INPUT_HINT),
    SENT,
]
Version = Annotated[int, Rule(_version, {"const": 1})]
Label = Annotated[str, line("label"), Rule(_label, {"not": {"pattern": ","}}), SENT]
Username = Annotated[str, Rule(_username, {"pattern": _USERNAME}), SENT]


class TargetOrchestrationDocument(Frozen):
    """What the guided pipeline is told for one target."""

    project_value: (
        Annotated[str, line("value"), Rule(_placeholders, _PLACEHOLDERS), SENT] | None
    ) = Field(
        default=None,
        description="How the target is named in the input `project`: {path}, {name} or a fixed "
        "text; {path} when left out.",
        examples=["{name}"],
    )
    inputs: Mapping[InputName, Input] = Field(
        default_factory=dict,
        description="Inputs of the guided pipeline, merged key by key over the defaults, each as "
        "the type that the orchestrator declares.",
        examples=[{"action": "deploy-release-branch-to-staging", "confirm": True}],
    )

    model_config = ConfigDict(
        json_schema_extra={
            "not": {
                "required": ["project_value", "inputs"],
                "properties": {"inputs": {"required": ["project"]}},
            }
        }
    )


class OrchestrationDocument(TargetOrchestrationDocument):
    """Where the guided pipeline runs, and what it is told."""

    project: SentProject | None = Field(
        default=None,
        description="The project whose pipeline is the guided one; must be set here or in the "
        "defaults.",
        examples=["evenergi/develop"],
    )
    ref: SentBranch | None = Field(
        default=None,
        description="The branch or tag that the pipeline runs on; the project's default branch "
        "when left out.",
        examples=["main"],
    )
    send_as: Literal["inputs", "variables"] | None = Field(
        default=None,
        description="Whether the inputs are sent as pipeline inputs (the default) or as variables.",
    )
    operation_input: InputName | None = Field(
        default=None,
        description="An input that also gets the run's unique key.",
        examples=["operation"],
    )


class DeployDocument(Frozen):
    """How production is deployed in the downstream pipeline."""

    job: Job | None = Field(
        default=None,
        description="The manual production job; when left out, the one that made the "
        "environment's last successful deployment.",
        examples=["deploy-production"],
    )


class IncidentDocument(Frozen):
    """The incident that records the hotfix: one that exists (`iid`), or a new one (`create`)."""

    project: SentProject | None = Field(
        default=None, description="Where it is kept; the orchestration's project when left out."
    )
    iid: Iid | None = Field(default=None, description="The number of an incident that exists.")
    create: bool | None = Field(
        default=None, description="Create a new one; so it is when no iid is given."
    )
    template: Annotated[str, line("name of the template"), SENT] | None = Field(
        default=None,
        description="The description template of a new incident; `incident` when left out.",
    )
    severity: Severity | None = Field(default=None, description="How severe the incident is.")
    labels: Annotated[tuple[Label, ...], not_empty("labels"), _UNIQUE] | None = Field(
        default=None, description="Labels that it gets, beside those it has."
    )
    assignees: Annotated[tuple[Username, ...], not_empty("assignees"), _UNIQUE] | None = Field(
        default=None, description="User names of those it is assigned to, without @."
    )
    follow_ups: (
        Annotated[
            tuple[Annotated[str, line("follow-up", 1000)], ...], not_empty("follow-ups"), _UNIQUE
        ]
        | None
    ) = Field(default=None, description="What remains to be done afterwards, one line each.")

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"required": ["iid"]},
            "then": {"properties": {"create": {"const": False}}},
            "else": {"properties": {"create": {"const": True}}},
        }
    )


class CommitterDocument(Frozen):
    """Who makes the commits; never taken from the token, so that everybody plans the same ids."""

    name: PersonName | None = Field(
        default=None, description="The committer's name; `hotfix` when left out."
    )
    email: EmailAddress | None = Field(
        default=None,
        description="The committer's address; hotfix@noreply.<host of the GitLab> when left out.",
    )


class TargetSettings(Frozen):
    """What each target has, and defaults may say for all."""

    release_branch: SentBranch | None = Field(
        default=None, description="The release branch; `release` when left out."
    )
    environment: Annotated[str, line("environment"), SENT] | None = Field(
        default=None,
        description="The environment whose deployments are the truth; `production` when left out.",
    )
    restore_message: Annotated[str, line("message")] | None = Field(
        default=None,
        description="The subject of the restore commit; `fix: restore release to last production "
        "state` when left out.",
    )
    deploy: DeployDocument = Field(
        default_factory=DeployDocument, description="How production is deployed."
    )
    merge_attributes: str | None = Field(
        default=None,
        description="Lines as in Git's `info/attributes` that the picks are merged by (`-merge`, "
        "`binary`, `merge=union`); none when left out, and `.gitattributes` is never read, as by "
        "`git merge-tree` in a bare repository.",
        examples=["*.lock -merge\nCHANGELOG.md merge=union\n"],
    )
    lock: LockKind | None = Field(
        default=None,
        description="What keeps two runs on one target apart: a ref in the target's repository "
        "(`ref`, when left out), or the lock of a Terraform state in the target's project "
        "(`terraform-state`), which needs the role Maintainer and has no lease.",
    )


class TargetRequest(Frozen):
    """What the operator asks for in one repository, in the runbook's own four words."""

    project: SentProject = Field(
        description="The full path of the repository's project.",
        examples=["evenergi/bf-manage-core"],
    )
    production_sha: ShaText = Field(
        description="The commit that production runs now, all 40 digits; read it from Operate > "
        "Environments.",
        examples=["5f2c0d0c8f0b5f8a3a2e6f9f0c1d2e3f4a5b6c7d"],
    )
    merge_requests: Annotated[
        tuple[MergeRequestKey, ...], not_empty("merge requests", hint="Name at least one."), _UNIQUE
    ] = Field(
        description="The merged merge requests to bring: iids of the target's project, or "
        "group/project!iid.",
        examples=[[812, 815]],
    )
    order: PickOrder | None = Field(
        default=None,
        description="Whether the merge requests are picked in the order in which they were merged "
        "(`merged`, when left out) or in the spec's own (`as-written`).",
    )
    smoke_checks: Annotated[
        tuple[SmokeCheck, ...], not_empty("smoke checks", hint="Name at least one.")
    ] = Field(
        description="What is looked at in production after the deployment.",
        examples=[[{"name": "health", "http": {"url": "https://core.example.com/health"}}]],
    )
    resolutions: Annotated[tuple[Resolution, ...], not_empty("resolutions"), _UNIQUE] | None = (
        Field(
            default=None,
            description="Commits that a person made of picks that conflict, reviewed here.",
        )
    )
    production_version: ProductionVersion | None = Field(
        default=None,
        description="Where the running service says which commit it is: one more source of what "
        "production runs, which must agree with GitLab's records if it answers.",
        examples=[{"url": "https://core.example.com/version", "json": "git.sha"}],
    )
    after: Annotated[tuple[SentProject, ...], not_empty("projects"), _UNIQUE] | None = Field(
        default=None,
        description="Projects among the targets that must be verified in production first.",
    )


class TargetDocument(TargetRequest, TargetSettings):
    """One repository among several."""

    orchestration: TargetOrchestrationDocument = Field(
        default_factory=TargetOrchestrationDocument,
        description="What the guided pipeline is told for this target.",
    )


class Settings(TargetSettings):
    """What a spec may say itself, and the team's defaults for it."""

    gitlab: GitLabUrl | None = Field(
        default=None,
        description="Base URL of the GitLab, https; the environment's when left out.",
        examples=["https://gitlab.com"],
    )
    orchestration: OrchestrationDocument = Field(
        default_factory=OrchestrationDocument, description="The guided pipeline."
    )
    incident: IncidentDocument = Field(
        default_factory=IncidentDocument, description="The incident that records the hotfix."
    )
    committer: CommitterDocument = Field(
        default_factory=CommitterDocument, description="Who makes the commits."
    )
    policy: PolicyDocument = Field(
        default_factory=PolicyDocument,
        description="The rules that must hold before the hotfix may go out.",
    )


class Header(Frozen):
    """What names a hotfix."""

    version: Version = Field(description="The version of this format: 1.", examples=[1])
    id: IdText = Field(
        description="The hotfix's name: a folder, a ref and a trailer; lower-case letters, digits "
        "and `-`.",
        examples=["inc-1042-ocpp-timeout"],
    )
    title: Annotated[str, line("title")] = Field(
        description="What it is about, in one line; the incident's title.",
        examples=["OCPP heartbeats are dropped after 30 s"],
    )
    requested_at: Moment | None = Field(
        default=None,
        description="The committer date of the first new commit, in UTC; derived when left out.",
        examples=["2026-11-22T03:00:00Z"],
    )


class SingleDocument(Settings, TargetRequest, Header):
    """A hotfix of one repository."""


class TargetsDocument(Settings, Header):
    """A hotfix of several repositories, in order."""

    targets: Annotated[
        tuple[TargetDocument, ...], not_empty("targets", hint="Name at least one.")
    ] = Field(description="The repositories, in the order in which they are released.")


class DefaultsDocument(Settings):
    """What a team sets once for all its hotfixes."""

    version: Version = Field(description="The version of this format: 1.", examples=[1])
    policy: DefaultsPolicyDocument = Field(
        default_factory=DefaultsPolicyDocument,
        description="The rules that must hold before any hotfix may go out.",
    )


SpecDocument = SingleDocument | TargetsDocument
"""A spec in one of its two forms; which one it is, the key ``targets`` decides."""
