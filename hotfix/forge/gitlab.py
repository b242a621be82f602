"""GitLab behind the Protocol ``Forge``: one method, one request, one type of our own.

The only module that knows python-gitlab, which is loaded with the first request. What a route is
called and what it answers: GitLab docs, "REST API resources"; the rules of sending are in ``api``
and ``session``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.clock import SystemClock
from hotfix.forge import convert, gates, manual_jobs, review, rights, state_locks, timeline
from hotfix.forge.api import Api, readable, route
from hotfix.forge.inputs import pipeline_body
from hotfix.forge.network import ca_bundle, check_base_url, check_token, origin, trusted
from hotfix.forge.protocol import ForgeError, NotFoundError
from hotfix.parallel import Once
from hotfix.text import one_line

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from gitlab import Gitlab

    from hotfix.clock import Clock
    from hotfix.forge.cache import Cache
    from hotfix.forge.protocol import Repository, Telling
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
    from hotfix.identifiers import Sha

TIMEOUT_SECONDS = 60.0
"""How long GitLab may be silent in the middle of an answer; a pipeline's creation takes seconds."""

_NEWEST = 200
"""How many incidents are looked through for a marker; GitLab lists the newest first."""

_SINCE_EVER = "1970-01-01T00:00:00Z"


class GitLabForge:
    """GitLab's API with a token. ``InputError`` for an address or a token that cannot be used.

    Proxies (``https_proxy``, ``no_proxy``) and trusted certificates (``REQUESTS_CA_BUNDLE``,
    ``SSL_CERT_FILE``) are those of the environment.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float = TIMEOUT_SECONDS,
        clock: Clock | None = None,
        cache: Path | None = None,
        telling: Telling | None = None,
    ) -> None:
        """Open it; ``cache`` is the folder in which Git's objects are kept between runs."""
        self.url = check_base_url(url)
        self._token = check_token(token)
        self._timeout = timeout
        clock = clock or SystemClock()
        self._sleep = clock.sleep
        self._api = Api(self._client, self.url, clock)
        self._trust: Once[None, ssl.SSLContext] = Once()
        self._user: Once[None, User] = Once()
        self._projects: Once[str, Project] = Once()
        self._repositories: Once[str, Repository] = Once()
        self._cache: Once[None, Cache] = Once()
        self._cache_folder = cache
        self._telling = telling

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def _client(self) -> Gitlab:
        """Make a client with a session of its own; one thread at a time uses it."""
        from gitlab import Gitlab  # noqa: PLC0415  (0.25 s, for the commands that ask GitLab)

        from hotfix.forge.session import GuardedSession  # noqa: PLC0415  (as above: requests)

        trust = self._trusted() if origin(self.url).scheme == "https" else None
        session = GuardedSession(self.url, self._token, timeout=self._timeout, trust=trust)
        return Gitlab(self.url, private_token=self._token, session=session)

    def _trusted(self) -> ssl.SSLContext:
        return self._trust.get(None, lambda: trusted(ca_bundle()))

    def current_user(self) -> User:
        """Tell whose token this is; asked once."""
        return self._user.get(None, lambda: convert.user(self._api.get("/user")))

    def project(self, project: str) -> Project:
        """Get a project; asked once."""
        return self._projects.get(
            project, lambda: convert.project(self._api.get(route("projects", project)))
        )

    def merge_request(self, project: str, iid: int) -> MergeRequest:
        """Get a merge request as it stands now."""
        return convert.merge_request(
            self._api.get(route("projects", project, "merge_requests", iid))
        )

    def merge_request_commits(self, project: str, iid: int) -> tuple[Sha, ...]:
        """List the commits of the source branch, oldest first; GitLab gives the newest first."""
        rows = self._api.rows(route("projects", project, "merge_requests", iid, "commits"))
        return tuple(row.sha("id") for row in reversed(rows))

    def approvals(self, project: str, iid: int) -> Approvals:
        """Tell who approved a merge request."""
        path = route("projects", project, "merge_requests", iid, "approvals")
        return convert.approvals(self._api.get(path))

    def merge_request_rules(self, project: str, iid: int) -> tuple[MergeRequestRule, ...] | None:
        """List GitLab's own rules of approval of a merge request."""
        return review.merge_request_rules(self._api, project, iid)

    def merge_request_versions(self, project: str, iid: int) -> tuple[Version, ...] | None:
        """List what a merge request was after each push, the newest first."""
        return review.merge_request_versions(self._api, project, iid)

    def approvals_reset_on_push(self, project: str) -> bool | None:
        """Tell whether a push to a merge request takes its approvals off."""
        return review.approvals_reset_on_push(self._api, project)

    def commit(self, project: str, sha: Sha) -> CommitSummary:
        """Get who made a commit, when, and how it is called."""
        path = route("projects", project, "repository", "commits", sha)
        return convert.commit(self._api.get(path))

    def commit_merge_requests(self, project: str, sha: Sha) -> tuple[MergeRequest, ...]:
        """List the merge requests that brought a commit."""
        path = route("projects", project, "repository", "commits", sha, "merge_requests")
        return tuple(map(convert.merge_request, self._api.rows(path)))

    def environment(self, project: str, name: str) -> Environment:
        """Get the one environment of exactly that name, in two requests.

        The list has no ``last_deployment``, which the single environment has.
        """
        path = route("projects", project, "environments")
        found = [row for row in self._api.rows(path, {"name": name}) if row.text("name") == name]
        if not found:
            raise NotFoundError(
                f"{project} has no environment {one_line(name)!r}, or the token may not see it",
                status=404,
                hint="Operate > Environments shows the names; set `environment` in the spec.",
            )
        if len(found) > 1:
            ids = ", ".join(str(row.number("id")) for row in found)
            raise ForgeError(
                f"{project} has {len(found)} environments {one_line(name)!r} (ids {ids})",
                code="environment-ambiguous",
                hint="Ask the project's maintainer which of them is production.",
            )
        answer = self._api.get(f"{path}{route(found[0].number('id'))}")
        return convert.environment(answer, f"{self.url}/{project}")

    def deployments(
        self,
        project: str,
        environment: str | None,
        *,
        status: str | None = None,
        order_by: str = "finished_at",
        limit: int = 20,
    ) -> tuple[Deployment, ...]:
        """List deployments, newest first by ``order_by``.

        GitLab takes ``order_by=finished_at`` only together with a ``finished_after`` or
        ``finished_before`` and with ``status=success``, and answers 400 otherwise (its
        ``DeploymentsFinder``); so all that ever finished is asked for.
        """
        finished_after = None
        if order_by == "finished_at":
            if status not in {None, "success"}:
                raise ValueError(f"GitLab does not order {status} deployments by finished_at")
            status, finished_after = "success", _SINCE_EVER
        rows = self._api.rows(
            route("projects", project, "deployments"),
            {
                "environment": environment,
                "status": status,
                "order_by": order_by,
                "sort": "desc",
                "finished_after": finished_after,
            },
            limit=limit,
        )
        return tuple(map(convert.deployment, rows))

    def successful_jobs(
        self, project: str, *, ref: str | None = None, limit: int = 100
    ) -> tuple[Job, ...]:
        """List jobs that succeeded, the newest id first."""
        query = {"scope[]": "success", "ref": ref}
        rows = self._api.rows(route("projects", project, "jobs"), query, limit=limit)
        return tuple(map(convert.job, rows))

    def tags(self, project: str, *, limit: int = 100) -> tuple[Tag, ...]:
        """List tags, those of the newest commits first."""
        path = route("projects", project, "repository", "tags")
        query = {"order_by": "updated", "sort": "desc"}
        rows = self._api.rows(path, query, limit=limit, key="name")
        return tuple(convert.tag(row, f"{self.url}/{project}") for row in rows)

    def file(self, project: str, path: str, ref: str) -> bytes:
        """Read a file of a repository."""
        where = route("projects", project, "repository", "files", path)
        return convert.file(self._api.get(where, {"ref": ref}))

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
        rows = self._api.rows(
            route("projects", project, "pipelines"),
            {
                "ref": ref,
                "sha": sha,
                "source": source,
                "username": username,
                "order_by": "id",
                "sort": "desc",
            },
            limit=limit,
        )
        return tuple(map(convert.pipeline, rows))

    def pipeline(self, project: str, pipeline_id: int) -> Pipeline:
        """Get a pipeline as it stands now."""
        return convert.pipeline(self._api.get(route("projects", project, "pipelines", pipeline_id)))

    def pipeline_variables(self, project: str, pipeline_id: int) -> Mapping[str, str] | None:
        """Read the variables that a pipeline was started with."""
        path = route("projects", project, "pipelines", pipeline_id, "variables")
        rows = readable(lambda: self._api.get(path).rows())
        if rows is None:
            return None
        return {row.text("key"): row.maybe_text("value") or "" for row in rows}

    def bridges(self, project: str, pipeline_id: int) -> tuple[Bridge, ...]:
        """List the trigger jobs of a pipeline."""
        path = route("projects", project, "pipelines", pipeline_id, "bridges")
        return tuple(map(convert.bridge, self._api.rows(path)))

    def jobs(self, project: str, pipeline_id: int) -> tuple[Job, ...]:
        """List the jobs of a pipeline, retried ones included, the newest id first."""
        path = route("projects", project, "pipelines", pipeline_id, "jobs")
        found = map(convert.job, self._api.rows(path, {"include_retried": "true"}))
        return tuple(sorted(found, key=lambda job: -job.id))

    def job(self, project: str, job_id: int) -> Job:
        """Get a job as it stands now."""
        return convert.job(self._api.get(route("projects", project, "jobs", job_id)))

    def trace(self, project: str, job_id: int) -> str:
        """Read a job's log; hostile text."""
        return self._api.text(route("projects", project, "jobs", job_id, "trace"))

    def create_pipeline(
        self,
        project: str,
        ref: str,
        *,
        inputs: Mapping[str, object] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Pipeline:
        """Start a pipeline; refuses the forbidden action before anything is sent."""
        body = pipeline_body(ref, inputs, variables)
        return self._api.write(
            "post", route("projects", project, "pipeline"), body, convert.pipeline
        )

    def is_manual(self, project: str, job_id: int) -> bool | None:
        """Tell whether a job waits for a person by its definition."""
        return manual_jobs.is_manual(self._api, project, job_id)

    def protections(self, project: str) -> tuple[Protection, ...] | None:
        """List the project's own protected environments."""
        return gates.protections(self._api, project)

    def deployment_approvals(self, project: str, deployment_id: int) -> DeploymentApprovals | None:
        """Tell who approved a deployment, and how many approvals are still missing."""
        return gates.deployment_approvals(self._api, project, deployment_id)

    def members(self, project: str) -> tuple[Member, ...] | None:
        """List a project's members, inherited ones included."""
        return gates.members(self._api, project)

    def freeze_periods(self, project: str) -> tuple[FreezePeriod, ...] | None:
        """List a project's deploy freezes, in force or not."""
        return gates.freeze_periods(self._api, project)

    def resource_groups(self, project: str) -> tuple[str, ...] | None:
        """List the resource groups by key."""
        return gates.resource_groups(self._api, project)

    def current_job(self, project: str, key: str) -> Job | None:
        """Tell which job has a resource group now."""
        return gates.current_job(self._api, project, key)

    def upcoming_jobs(self, project: str, key: str) -> tuple[Job, ...]:
        """List the jobs that wait for a resource group."""
        return gates.upcoming_jobs(self._api, project, key)

    def play(self, project: str, job_id: int) -> Job:
        """Press a manual job, with no variables: what runs is what the pipeline says."""
        path = route("projects", project, "jobs", job_id, "play")
        return self._api.write("post", path, {}, convert.job)

    def issue(self, project: str, iid: int) -> Issue:
        """Get an issue or incident as it stands now."""
        return convert.issue(self._api.get(route("projects", project, "issues", iid)))

    def find_issues(self, project: str, text: str) -> tuple[Issue, ...]:
        """Find incidents by a text in their description, such as a marker left there.

        GitLab's search takes words apart, so only what holds the very text counts. And it knows
        nothing of HTML comments, since PostgreSQL's text search passes over them; so where it
        finds nothing the newest incidents are looked through as well.
        """
        found = self._incidents(project, text, {"search": text, "in": "description"}, None)
        return found or self._incidents(project, text, {}, _NEWEST)

    def _incidents(
        self, project: str, text: str, query: Mapping[str, object], limit: int | None
    ) -> tuple[Issue, ...]:
        query = {"issue_type": "incident", "state": "all", "scope": "all", **query}
        rows = self._api.rows(route("projects", project, "issues"), query, limit=limit)
        return tuple(issue for issue in map(convert.issue, rows) if text in issue.description)

    def issue_template(self, project: str, name: str) -> str:
        """Read an issue template's text; GitLab's API takes no template on creation."""
        return self._api.get(route("projects", project, "templates", "issues", name)).text(
            "content"
        )

    def create_incident(self, project: str, incident: NewIncident) -> Issue:
        """Create an incident; ``severity`` of the result says what GitLab stored."""
        body: dict[str, object] = {
            "issue_type": "incident",
            "title": incident.title,
            "description": incident.description,
        }
        if incident.labels:
            body["labels"] = ",".join(incident.labels)
        if incident.assignees:
            body["assignee_ids"] = [self._user_id(name) for name in incident.assignees]
        if incident.severity:
            body["severity"] = incident.severity.lower()
        created = self._api.write("post", route("projects", project, "issues"), body, convert.issue)
        return self._with_severity(project, created, incident.severity)

    def _with_severity(self, project: str, created: Issue, wanted: str | None) -> Issue:
        """Set the severity where REST left it; the incident stands, whether that works or not."""
        if not wanted or created.severity == wanted.lower():
            return created
        try:
            timeline.set_severity(self._api, project, created, wanted)
            return self.issue(project, created.iid)
        except ForgeError:
            return created

    def _user_id(self, username: str) -> int:
        rows = self._api.rows("/users", {"username": username})
        found = [row for row in rows if row.text("username").casefold() == username.casefold()]
        if not found:
            raise NotFoundError(f"GitLab knows no user {one_line(username)!r}", status=404)
        return found[0].number("id")

    def update_description(self, project: str, iid: int, description: str) -> Issue:
        """Replace a description and return the issue as GitLab stored it."""
        path = route("projects", project, "issues", iid)
        return self._api.write("put", path, {"description": description}, convert.issue)

    def timeline(self, project: str, issue: Issue) -> tuple[TimelineEvent, ...]:
        """List an incident's timeline, the earliest event first."""
        return timeline.events(self._api, project, issue)

    def add_timeline_event(
        self,
        project: str,  # noqa: ARG002  (the Protocol's; GitLab finds the incident by its id alone)
        issue: Issue,
        *,
        occurred_at: datetime,
        note: str,
    ) -> None:
        """Add an event to an incident's timeline."""
        timeline.add_event(self._api, issue, occurred_at, note)

    def notes(self, on: Noteable) -> tuple[Note, ...]:
        """List the comments, the oldest first."""
        query = {"order_by": "created_at", "sort": "asc"}
        return tuple(map(convert.note, self._api.rows(_notes(on), query)))

    def add_note(self, on: Noteable, body: str) -> Note:
        """Comment, once."""
        return self._api.write("post", _notes(on), {"body": body}, convert.note)

    def account(self, user_id: int) -> Account:
        """Tell what an account is."""
        return convert.account(self._api.get(route("users", user_id)))

    def role(self, project: str, user_id: int) -> int | None:
        """Tell somebody's role in a project, inherited or not."""
        try:
            found = self._api.get(route("projects", project, "members", "all", user_id))
        except NotFoundError:
            return None
        return found.number("access_level")

    def is_direct_member(self, group: str, user_id: int) -> bool:
        """Tell whether somebody is a member of the group itself."""
        try:
            self._api.get(route("groups", group, "members", user_id))
        except NotFoundError:
            return False
        return True

    def locked_states(self, project: str) -> tuple[str, ...]:
        """List the Terraform states that are locked."""
        return state_locks.locked(self._api, project)

    def lock_state(self, project: str, name: str, lock: str, *, info: str) -> StateLock:
        """Lock a Terraform state under this id, or tell whose it is already."""
        return state_locks.lock(self._api, project, name, lock, info)

    def unlock_state(self, project: str, name: str, lock: str) -> bool:
        """Unlock a Terraform state; False where it is not locked under this id any more."""
        return state_locks.unlock(self._api, project, name, lock)

    def token(self) -> Token | None:
        """Tell what the token may do and until when; of access tokens only."""
        return rights.token(self._api)

    def server(self) -> Server | None:
        """Tell which edition of GitLab it is, and what its clock says."""
        return rights.server(self._api)

    def branch_rules(self, project: str) -> tuple[BranchRule, ...] | None:
        """List the protection rules of branches, wildcards as they are written."""
        return rights.branch_rules(self._api, project)

    def push_rule(self, project: str) -> PushRule | None:
        """Tell what is asked of pushed commits (Premium)."""
        return rights.push_rule(self._api, project)

    def repository(self, project: Project) -> Repository:
        """Open the Git side of a project; the same one each time, with what it fetched."""
        url = project.http_url_to_repo
        return self._repositories.get(url, lambda: self._open(url))

    def _open(self, url: str) -> Repository:
        from hotfix.forge.transport import HttpRepository  # noqa: PLC0415  (dulwich's client)

        return HttpRepository(
            url,
            self._token,
            gitlab=self.url,
            timeout=self._timeout,
            sleep=self._sleep,
            trust=self._trusted,
            cache=self._shared_cache(),
            telling=self._telling,
        )

    def _shared_cache(self) -> Cache | None:
        from hotfix.forge.cache import Cache  # noqa: PLC0415  (a database)

        folder = self._cache_folder
        return None if folder is None else self._cache.get(None, lambda: Cache(folder))


def _notes(on: Noteable) -> str:
    return route("projects", on.project, on.kind, on.iid, "notes")
