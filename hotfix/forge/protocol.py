"""The two doors to GitLab: its API and its Git repositories.

Reads raise ``NotFoundError`` for what is absent or hidden (GitLab does not tell these apart) and
may be repeated. Writes are sent exactly once: when the answer is lost they raise
``UnknownOutcomeError``, and the caller looks before it does anything else. Every other refusal is a
``ForgeError`` with GitLab's own sentence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hotfix.errors import FailedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from hotfix.forge.types import (
        Account,
        Approvals,
        BranchRule,
        Bridge,
        CommitSummary,
        Deployment,
        DeploymentApprovals,
        Environment,
        Issue,
        Job,
        Member,
        MergeRequest,
        MergeRequestRule,
        NewIncident,
        Note,
        Noteable,
        Pipeline,
        Project,
        Protection,
        PushRule,
        Server,
        StateLock,
        Tag,
        TimelineEvent,
        Token,
        User,
        Version,
    )
    from hotfix.freeze import FreezePeriod
    from hotfix.git.objects import GitObject, ObjectReader
    from hotfix.identifiers import Sha


class ForgeError(FailedError):
    """GitLab refused or could not be reached; ``status`` is the HTTP status, 0 without an answer.

    ``retry_after`` is the number of seconds that GitLab asked to wait, where it did.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        code: str = "gitlab-refused",
        hint: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(code, message, hint=hint)
        self.status = status
        self.retry_after = retry_after


class NotFoundError(ForgeError):
    """GitLab answered 404: the thing is absent, or the token may not see it."""


class ConflictError(ForgeError):
    """GitLab answered 409: what stands there already is in the way; ``body`` tells it."""

    def __init__(self, message: str, body: bytes) -> None:
        super().__init__(message, status=409)
        self.body = body


class UnknownOutcomeError(ForgeError):
    """A write was sent and no answer came: it may have happened, so look before doing it again."""


class StaleRefError(ForgeError):
    """A ref did not stand where the push expected it; nothing was changed."""


class Telling(Protocol):
    """Tells the operator what takes long or goes otherwise than it should."""

    def notice(self, text: str) -> None:
        """Say something that the operator may want to mend."""
        ...

    def waiting(self, what: str) -> AbstractContextManager[None]:
        """Show what is waited for while it lasts, if that is long."""
        ...


class Forge(Protocol):
    """GitLab's API, as far as a hotfix needs it. ``project`` is a full path."""

    url: str

    # who and where
    def current_user(self) -> User:
        """Tell whose token this is; asked once."""
        ...

    def project(self, project: str) -> Project:
        """Get a project; asked once, so that its path and branch hold for the whole run."""
        ...

    # what shall be released
    def merge_request(self, project: str, iid: int) -> MergeRequest:
        """Get a merge request as it stands now."""
        ...

    def merge_request_commits(self, project: str, iid: int) -> tuple[Sha, ...]:
        """List the commits of the source branch, oldest first."""
        ...

    def approvals(self, project: str, iid: int) -> Approvals:
        """Tell who approved a merge request.

        The names count, not GitLab's ``approved``: on the free tier that is true with nobody
        in it.
        """
        ...

    def merge_request_rules(self, project: str, iid: int) -> tuple[MergeRequestRule, ...] | None:
        """List GitLab's own rules of approval; ``None`` where it shows none to this token."""
        ...

    def merge_request_versions(self, project: str, iid: int) -> tuple[Version, ...] | None:
        """List what a merge request was after each push, the newest first."""
        ...

    def approvals_reset_on_push(self, project: str) -> bool | None:
        """Tell whether a push takes approvals off; ``None`` where GitLab does not say."""
        ...

    def commit(self, project: str, sha: Sha) -> CommitSummary:
        """Get who made a commit, when, and how it is called."""
        ...

    def commit_merge_requests(self, project: str, sha: Sha) -> tuple[MergeRequest, ...]:
        """List the merge requests that brought a commit."""
        ...

    # what is deployed
    def environment(self, project: str, name: str) -> Environment:
        """Get the one environment of exactly that name; several are refused as ambiguous."""
        ...

    def deployments(
        self,
        project: str,
        environment: str | None,
        *,
        status: str | None = None,
        order_by: str = "finished_at",
        limit: int = 20,
    ) -> tuple[Deployment, ...]:
        """List deployments, of all environments for ``None``, newest first by ``order_by``.

        GitLab orders by ``finished_at`` only what succeeded: no ``status`` means ``success``
        then, and any other is a ``ValueError``. To see what runs or failed, order by ``id``.
        """
        ...

    def successful_jobs(
        self, project: str, *, ref: str | None = None, limit: int = 100
    ) -> tuple[Job, ...]:
        """List jobs that succeeded, of all pipelines, the newest id first.

        A manual job has its id from the day its pipeline was made, so the newest id is not the job
        that ended last. A GitLab that does not know ``ref`` here lists the jobs of all branches.
        """
        ...

    def tags(self, project: str, *, limit: int = 100) -> tuple[Tag, ...]:
        """List tags, those of the newest commits first, each with whether it is a release."""
        ...

    # pipelines and jobs
    def file(self, project: str, path: str, ref: str) -> bytes:
        """Read a file of a repository."""
        ...

    def pipelines(
        self,
        project: str,
        *,
        ref: str | None = None,
        sha: Sha | None = None,
        source: str | None = None,
        username: str | None = None,
        limit: int = 50,
    ) -> tuple[Pipeline, ...]:
        """List pipelines, the newest id first."""
        ...

    def pipeline(self, project: str, pipeline_id: int) -> Pipeline:
        """Get a pipeline as it stands now."""
        ...

    def pipeline_variables(self, project: str, pipeline_id: int) -> Mapping[str, str] | None:
        """Read the variables that a pipeline was started with; its inputs GitLab does not give.

        ``None`` where the token may not read them: that takes a Maintainer, or who started it.
        """
        ...

    def bridges(self, project: str, pipeline_id: int) -> tuple[Bridge, ...]:
        """List the trigger jobs of a pipeline; they are not among its ``jobs``."""
        ...

    def jobs(self, project: str, pipeline_id: int) -> tuple[Job, ...]:
        """List the jobs of a pipeline, retried ones included, the newest id first."""
        ...

    def job(self, project: str, job_id: int) -> Job:
        """Get a job as it stands now."""
        ...

    def trace(self, project: str, job_id: int) -> str:
        """Read a job's log; hostile text."""
        ...

    def create_pipeline(
        self,
        project: str,
        ref: str,
        *,
        inputs: Mapping[str, object] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Pipeline:
        """Start a pipeline; refuses the forbidden action before anything is sent."""
        ...

    def is_manual(self, project: str, job_id: int) -> bool | None:
        """Tell whether a job waits for a person by its definition; ``None`` where GitLab does not.

        A job that started by itself shows the same status as one that somebody pressed.
        """
        ...

    # what stands before a gate; ``None`` is what GitLab does not show: a tier, or too low a role
    def protections(self, project: str) -> tuple[Protection, ...] | None:
        """List the project's own protected environments; a group's rules are not shown here."""
        ...

    def deployment_approvals(self, project: str, deployment_id: int) -> DeploymentApprovals | None:
        """Tell who approved a deployment, and how many approvals are still missing."""
        ...

    def members(self, project: str) -> tuple[Member, ...] | None:
        """List a project's members, inherited ones included."""
        ...

    def freeze_periods(self, project: str) -> tuple[FreezePeriod, ...] | None:
        """List a project's deploy freezes, in force or not."""
        ...

    def resource_groups(self, project: str) -> tuple[str, ...] | None:
        """List the resource groups by key; GitLab does not tell of a job which one is its."""
        ...

    def current_job(self, project: str, key: str) -> Job | None:
        """Tell which job has a resource group now."""
        ...

    def upcoming_jobs(self, project: str, key: str) -> tuple[Job, ...]:
        """List the jobs that wait for a resource group, the next one first."""
        ...

    def play(self, project: str, job_id: int) -> Job:
        """Press a manual job. Never call it on a job that is not ``manual``: GitLab retries it."""
        ...

    # the incident
    def issue(self, project: str, iid: int) -> Issue:
        """Get an issue or incident as it stands now."""
        ...

    def find_issues(self, project: str, text: str) -> tuple[Issue, ...]:
        """Find incidents, open or closed, whose description holds a text."""
        ...

    def issue_template(self, project: str, name: str) -> str:
        """Read an issue template's text."""
        ...

    def create_incident(self, project: str, incident: NewIncident) -> Issue:
        """Create an incident; put a marker into its description to find it again by.

        Where GitLab does not take the severity on creation it is set by a second request; should
        that one fail, the incident stands all the same and ``severity`` says what is stored.
        """
        ...

    def update_description(self, project: str, iid: int, description: str) -> Issue:
        """Replace a description; compare what is returned, since GitLab runs quick actions in it.

        The last writer wins: read the issue just before, and change an own section only.
        """
        ...

    def timeline(self, project: str, issue: Issue) -> tuple[TimelineEvent, ...]:
        """List an incident's timeline, the earliest event first."""
        ...

    def add_timeline_event(
        self, project: str, issue: Issue, *, occurred_at: datetime, note: str
    ) -> None:
        """Add an event to an incident's timeline; GitLab does not keep it from standing twice."""
        ...

    # approvals of a plan
    def notes(self, on: Noteable) -> tuple[Note, ...]:
        """List the comments, the oldest first."""
        ...

    def add_note(self, on: Noteable, body: str) -> Note:
        """Comment; GitLab does not keep a comment from standing twice.

        Compare what is returned, since GitLab runs quick actions in it.
        """
        ...

    def account(self, user_id: int) -> Account:
        """Tell what an account is."""
        ...

    def role(self, project: str, user_id: int) -> int | None:
        """Tell somebody's role in a project, inherited or not; ``None`` for no member."""
        ...

    def is_direct_member(self, group: str, user_id: int) -> bool:
        """Tell whether somebody is a member of the group itself, not of one above it.

        False as well where the token may not see the group: GitLab does not tell these apart.
        """
        ...

    # locks
    def locked_states(self, project: str) -> tuple[str, ...]:
        """List the Terraform states that are locked; none where the token may not read states."""
        ...

    def lock_state(self, project: str, name: str, lock: str, *, info: str) -> StateLock:
        """Lock a Terraform state under the id ``lock``, or tell whose it is already.

        It is ours if the id is, also where it was so before: the same call may be sent again.
        ``info`` is for people; GitLab keeps of a lock its id, its user and its time alone.
        """
        ...

    def unlock_state(self, project: str, name: str, lock: str) -> bool:
        """Unlock a Terraform state; False where it is not locked under this id any more."""
        ...

    # who may do what, for the doctor; ``None`` is what GitLab does not show to this token
    def token(self) -> Token | None:
        """Tell what the token may do and until when; of access tokens only."""
        ...

    def server(self) -> Server | None:
        """Tell which edition of GitLab it is, and what its clock says."""
        ...

    def branch_rules(self, project: str) -> tuple[BranchRule, ...] | None:
        """List the protection rules of branches, wildcards as they are written."""
        ...

    def push_rule(self, project: str) -> PushRule | None:
        """Tell what is asked of pushed commits (Premium)."""
        ...

    # git
    def repository(self, project: Project) -> Repository:
        """Open the Git side of a project; refuses a URL on another host than GitLab's own."""
        ...


class Repository(Protocol):
    """The Git side of one project, over HTTPS, with no working tree."""

    def refs(self, prefix: str = "refs/heads/") -> Mapping[str, Sha]:
        """List refs by full name."""
        ...

    def fetch(self, commits: Sequence[Sha]) -> ObjectReader:
        """Open commits for reading; raises ``NotFoundError`` naming the missing, and only these.

        Their history and files are fetched when they are read; ``hotfix.git.lazy`` tells how many
        are asked for at once. What was fetched before through the same repository is not fetched
        again, and readers given out earlier see what comes later.
        """
        ...

    def push(self, ref: str, *, old: Sha, new: Sha, objects: Sequence[GitObject]) -> None:
        """Move one ref from ``old`` to ``new``, or raise ``StaleRefError`` and change nothing.

        ``objects`` are all that the server lacks. ``ZERO`` as ``old`` creates the ref, as ``new``
        deletes it. The server's own refusal is shown; a lost answer raises
        ``UnknownOutcomeError``.
        """
        ...
