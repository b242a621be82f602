"""What GitLab tells us, in frozen types of our own.

Only what a rule or a reader needs is kept. Times are aware datetimes in UTC; ``None`` means that
GitLab did not say. Text fields hold what people wrote, untouched: views make it safe.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from datetime import date, datetime

    from hotfix.identifiers import Sha

PIPELINE_ENDED: Final = frozenset({"success", "failed", "canceled", "skipped"})
"""A pipeline or job in one of these states moves no further by itself."""

DEVELOPER: Final = 30
"""The role that may push, start pipelines and edit incidents where nothing is protected."""

MAINTAINER: Final = 40
"""The role that protected branches ask for by default."""


@dataclass(frozen=True, slots=True)
class User:
    """A GitLab account."""

    id: int
    username: str
    name: str
    emails: frozenset[str] = field(default=frozenset(), compare=False)
    """Told of the caller alone: the main address, and that of commits made in the browser."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project as far as a hotfix touches it."""

    id: int
    path: str
    default_branch: str
    http_url_to_repo: str
    web_url: str
    merge_method: str
    archived: bool
    access_level: int | None
    """The caller's role, 10 to 50; ``None`` where GitLab does not say."""
    refuses_outdated: bool | None = None
    """GitLab's "Prevent outdated deployment jobs"; it tells Maintainers only, others ``None``."""
    reruns_outdated: bool | None = None
    """Whether an old deployment job may run again all the same; told to Maintainers only."""
    variables_role: str | None = None
    """The least role that may send pipeline variables; told to Maintainers only."""


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """A merge request and where it ended."""

    iid: int
    title: str
    state: str
    author: User
    target_branch: str
    web_url: str
    sha: Sha | None
    """The head of the source branch."""
    merge_commit_sha: Sha | None
    squash_commit_sha: Sha | None
    merged_at: datetime | None


@dataclass(frozen=True, slots=True)
class CommitSummary:
    """A commit as GitLab's pages show it; names and title are whatever its makers wrote."""

    sha: Sha
    title: str
    author_name: str
    committer_name: str
    committed_at: datetime | None
    web_url: str


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's approval of a merge request."""

    user: User
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Approvals:
    """Who approved, and how many approvals GitLab's own rules still ask for."""

    approved_by: tuple[Approval, ...]
    approvals_left: int | None
    """``None`` on a tier without approval rules."""


@dataclass(frozen=True, slots=True)
class MergeRequestRule:
    """A rule of GitLab's that a merge request is approved by."""

    name: str
    kind: str
    """GitLab's ``rule_type``, such as ``any_approver``, ``regular`` or ``code_owner``."""
    required: int
    approved: bool
    approved_by: tuple[str, ...]
    """Usernames."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a merge request was after a push."""

    head: Sha
    created_at: datetime
    patch: str | None
    """Git's patch id of the whole change; a rebase leaves it as it is."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline."""

    id: int
    project_id: int
    ref: str
    sha: Sha
    status: str
    source: str
    web_url: str
    created_at: datetime | None
    user: User | None
    """Only told for a single pipeline, not in a list."""
    name: str | None


@dataclass(frozen=True, slots=True)
class Job:
    """A job of a pipeline."""

    id: int
    name: str
    stage: str
    status: str
    allow_failure: bool
    web_url: str
    pipeline_id: int | None
    user: User | None
    """Who started it, or, of a manual job nobody pressed yet, who started the pipeline."""
    started_at: datetime | None
    finished_at: datetime | None
    failure_reason: str | None
    sha: Sha | None = None
    """The commit that it runs on."""
    artifacts_expire_at: datetime | None = None
    has_archive: bool = False
    """Whether its artifacts are still there."""
    pipeline_sha: Sha | None = None
    """The commit that its pipeline was made for."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A trigger job, and the pipeline that it started in another project."""

    id: int
    name: str
    status: str
    failure_reason: str | None
    downstream: Pipeline | None
    """``None`` where it is not created yet, or never will be because the bridge failed."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment record of an environment."""

    id: int
    iid: int
    ref: str
    sha: Sha
    status: str
    created_at: datetime | None
    finished_at: datetime | None
    """When the deployment job ended; GitLab names it on the job (``deployable``)."""
    job: Job | None
    """``None`` where the record was made through the API, by no job of GitLab's."""
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """Whom a protection rule lets in: a role, a person or a group."""

    description: str
    """GitLab's own words: ``Maintainers``, or the name of the person or the group."""
    access_level: int | None
    user_id: int | None
    group_id: int | None


@dataclass(frozen=True, slots=True)
class Protection:
    """A project's protection rule of an environment."""

    environment: str
    deployers: tuple[Grant, ...]
    required_approvals: int
    rules: tuple[ApprovalRule, ...] = ()
    """How many approvals each deployment needs of whom; ``given`` is empty."""


@dataclass(frozen=True, slots=True)
class DeploymentApproval:
    """One person's word on a deployment: ``approved`` or ``rejected``."""

    user: User
    status: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """How many approvals a deployment needs of whom, and who gave one."""

    by: Grant
    required: int
    given: tuple[str, ...]
    """Usernames."""


@dataclass(frozen=True, slots=True)
class DeploymentApprovals:
    """Where the approvals of a deployment stand."""

    pending: int
    given: tuple[DeploymentApproval, ...]
    rules: tuple[ApprovalRule, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a project, inherited or not."""

    user: User
    access_level: int


@dataclass(frozen=True, slots=True)
class BranchRule:
    """A protection rule of branches; its name may have ``*``."""

    name: str
    pushers: tuple[Grant, ...]
    mergers: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class PushRule:
    """What GitLab asks of the commits that are pushed (Premium); patterns are RE2's."""

    message: str | None = None
    message_not: str | None = None
    author_email: str | None = None
    branch_name: str | None = None
    file_name_not: str | None = None
    max_file_megabytes: int = 0
    """No limit where it is 0."""
    only_own_commits: bool = False
    """The committer's address must be one of the pusher's."""
    only_own_name: bool = False
    only_members: bool = False
    """The author's address must be that of a user of this GitLab."""
    only_signed: bool = False
    only_signed_off: bool = False


@dataclass(frozen=True, slots=True)
class Token:
    """The token that everything is asked with."""

    scopes: frozenset[str]
    expires_on: date | None
    """It is refused from the beginning of that day on, in UTC; ``None`` never ends."""


@dataclass(frozen=True, slots=True)
class Server:
    """A GitLab server."""

    is_enterprise: bool | None
    """Whether it is the Enterprise Edition, of whatever tier; ``None`` where it does not say."""
    now: datetime | None
    """Its clock as it answered, in whole seconds."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag, and whether a release was made of it."""

    name: str
    sha: Sha
    """The commit that it leads to, also where it is an annotated one."""
    created_at: datetime | None
    """``None`` where GitLab does not say: a tag without a message bears no time."""
    is_release: bool
    web_url: str


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment with its last successful deployment."""

    id: int
    name: str
    slug: str
    web_url: str
    external_url: str | None
    last_deployment: Deployment | None

    @property
    def deployed_sha(self) -> Sha | None:
        """The commit of the last successful deployment, ``None`` where there was none."""
        return self.last_deployment.sha if self.last_deployment else None


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue or incident."""

    id: int
    """Unique on the whole GitLab, what GraphQL's global id is made of."""
    iid: int
    title: str
    description: str
    state: str
    web_url: str
    updated_at: datetime | None
    severity: str | None = None
    """``unknown``, ``low``, ``medium``, ``high`` or ``critical``, of incidents only."""


@dataclass(frozen=True, slots=True)
class Account:
    """What an account is: whether a person's, and whether GitLab lets it in."""

    user: User
    is_bot: bool
    is_active: bool


@dataclass(frozen=True, slots=True)
class Noteable:
    """What can be commented on: a merge request or an issue, an incident among them."""

    kind: Literal["merge_requests", "issues"]
    project: str
    iid: int

    def __str__(self) -> str:
        """Write it as GitLab does across projects: ``group/project!7``, ``group/project#7``."""
        return f"{self.project}{'!' if self.kind == 'merge_requests' else '#'}{self.iid}"


@dataclass(frozen=True, slots=True)
class Note:
    """A comment; who wrote it and when is GitLab's own word."""

    id: int
    body: str
    author: User
    created_at: datetime
    updated_at: datetime
    is_system: bool
    """Written by GitLab in somebody's name, such as "approved this merge request"."""
    is_imported: bool
    """Brought by an import, whose maker may have chosen the author."""


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """An entry of an incident's timeline."""

    id: str
    occurred_at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class StateLock:
    """A lock on a Terraform state: all that GitLab keeps of it."""

    id: str
    who: str
    """The user's name."""
    since: datetime
    is_new: bool
    """Whether it was made by the very request that is answered."""


@dataclass(frozen=True, slots=True)
class NewIncident:
    """What a new incident shall hold."""

    title: str
    description: str
    severity: str | None
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    """Usernames."""
