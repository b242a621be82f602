"""Building a world by telling its story: who pushed, merged, released and pressed what, and when.

Everything that a builder does goes through the same rules as the requests of a client: commits are
merged in the project's way, pipelines run, deployments come of jobs. Only the clock is the story's,
so the same story gives the same commit ids, to the byte.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from hotfix.identifiers import ZERO, Sha
from hotfix.sandbox import issue_edits, issues, jobs, merge_requests
from hotfix.sandbox.clocks import StoryClock
from hotfix.sandbox.history import merge_base
from hotfix.sandbox.merging import merge_trees
from hotfix.sandbox.pipelines import Order, create
from hotfix.sandbox.projects import MergeMethod, Project, ProtectedBranch, Settings
from hotfix.sandbox.repositories import File, Signature
from hotfix.sandbox.users import DEVELOPER, MAINTAINER, NO_ACCESS, Group, Token, User
from hotfix.sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotfix.clock import Clock
    from hotfix.sandbox.issues import Issue
    from hotfix.sandbox.merge_requests import MergeRequest
    from hotfix.sandbox.pipelines import Job, Pipeline

BEGINNING: Final = datetime(2025, 6, 2, 8, 0, tzinfo=UTC)
STORY_PACE: Final = 240.0


class WorldBuilder:
    """Tells a story; ``finish`` gives the world, at the present."""

    def __init__(self, start: datetime = BEGINNING) -> None:
        """Begin at a moment in the past."""
        self.clock = StoryClock(start)
        self.world = World(clock=self.clock, pace=STORY_PACE)

    def finish(self, clock: Clock | None = None, pace: float = 0.05) -> World:
        """Let all that runs come to its end, and hand the world over to the present."""
        self.run()
        world = self.world
        world.clock = clock if clock is not None else World().clock
        world.pace = pace
        return world

    # time
    def wait(self, **units: float) -> None:
        """Let time go by, as ``timedelta`` names it."""
        self.clock.sleep(timedelta(**units).total_seconds())

    def run(self) -> None:
        """Let time go by until nothing moves by itself any more."""
        while any(job.due is not None for job in self.world.moving):
            self.clock.set(min(job.due for job in self.world.moving if job.due is not None))
            self.world.advance()

    # people
    def user(self, username: str, name: str) -> User:
        """Make an account."""
        number = self.world.next_id("user")
        user = User(number, username, name, f"{username}@example.com", self.clock.now())
        self.world.users[number] = user
        return user

    def token(
        self,
        secret: str,
        user: User,
        *scopes: str,
        name: str = "hotfix",
        expires_at: datetime | None = None,
    ) -> Token:
        """Make a personal access token."""
        number = self.world.next_id("token")
        token = Token(number, name, user, frozenset(scopes), self.clock.now(), expires_at)
        self.world.tokens[secret] = token
        return token

    def group(self, path: str, members: Mapping[User, int]) -> Group:
        """Make a group with its members and their roles."""
        roles = {user.id: level for user, level in members.items()}
        group = Group(self.world.next_id("group"), path, roles)
        self.world.groups[path] = group
        return group

    # projects
    def project(
        self,
        group: Group,
        name: str,
        files: Mapping[str, str | bytes | File],
        *,
        creator: User,
        description: str = "",
        merge_method: MergeMethod = "merge",
    ) -> Project:
        """Make a project whose default branch holds the files.

        As in most GitLabs nobody pushes to the default branch, Developers merge into it, and only
        Maintainers touch ``release``.
        """
        project = Project(
            id=100 + self.world.next_id("project"),
            group=group,
            name=name,
            description=description,
            created_at=self.clock.now(),
            creator=creator,
            settings=Settings(merge_method=merge_method),
        )
        project.protected_branches += [
            self._protection("main", NO_ACCESS, DEVELOPER),
            self._protection("release", MAINTAINER, MAINTAINER),
        ]
        self.world.projects[project.id] = project
        self.commit(project, "main", files, "chore: begin", creator)
        return project

    def _protection(self, name: str, push: int, merge: int) -> ProtectedBranch:
        return ProtectedBranch(self.world.next_id("protected_branch"), name, push, merge)

    # commits
    def branch(self, project: Project, name: str, start: str = "main") -> Sha:
        """Make a branch where another stands, or at a commit."""
        sha = project.repository.resolve(start)
        if sha is None:
            raise KeyError(start)
        project.repository.update_ref(f"refs/heads/{name}", ZERO, sha)
        return sha

    def commit(
        self,
        project: Project,
        branch: str,
        changes: Mapping[str, str | bytes | File | None],
        message: str,
        author: User,
    ) -> Sha:
        """Commit changes to a branch; ``None`` deletes a file."""
        self.wait(minutes=7)
        repository = project.repository
        head = repository.branch(branch)
        tree = repository.edited(head, {path: _file(what) for path, what in changes.items()})
        sha = repository.write_commit(
            tree, [head] if head else [], f"{message}\n", self._signature(author)
        )
        repository.update_ref(f"refs/heads/{branch}", head or ZERO, sha)
        return sha

    def merge_branch(self, project: Project, source: str, into: str, by: User) -> Sha:
        """Merge one branch into another with a merge commit, as the weekly cut-off does."""
        self.wait(minutes=20)
        repository = project.repository
        ours, theirs = (repository.refs[f"refs/heads/{name}"] for name in (into, source))
        base = merge_base(repository, ours, theirs)
        if base is None:
            raise KeyError(source)
        tree = merge_trees(repository, *(repository.tree(sha) for sha in (base, ours, theirs)))
        message = f"Merge branch '{source}' into '{into}'\n"
        sha = repository.write_commit(tree, [ours, theirs], message, self._signature(by))
        repository.update_ref(f"refs/heads/{into}", ours, sha)
        return sha

    def _signature(self, user: User) -> Signature:
        return Signature(user.name, user.email, self.clock.now())

    # merge requests
    def merge_request(
        self,
        project: Project,
        iid: int,
        title: str,
        commits: Mapping[str, Mapping[str, str | bytes | File | None]],
        *,
        author: User,
        description: str = "",
        squash: bool = False,
    ) -> MergeRequest:
        """Open a merge request whose branch has these commits, by message."""
        self.wait(hours=1)
        branch = f"{iid}-{'-'.join(title.lower().split(':')[-1].split())}"
        self.branch(project, branch)
        for message, changes in commits.items():
            self.commit(project, branch, changes, message, author)
        head, base, start = merge_requests.start(project, branch, project.default_branch)
        request = merge_requests.MergeRequest(
            id=5000 + self.world.next_id("merge_request"),
            iid=iid,
            project=project,
            title=title,
            description=description,
            author=author,
            source_branch=branch,
            target_branch=project.default_branch,
            created_at=self.clock.now(),
            updated_at=self.clock.now(),
            sha=head,
            base_sha=base,
            start_sha=start,
            squash=squash,
        )
        request.pushed(self.world.next_id("version"), self.clock.now())
        project.merge_requests[iid] = request
        project.repository.refs[f"refs/merge-requests/{iid}/head"] = head
        return request

    def push(
        self,
        request: MergeRequest,
        changes: Mapping[str, str | bytes | File | None],
        message: str,
    ) -> None:
        """Push another commit to a merge request; approvals stay, as GitLab has it by itself."""
        self.wait(hours=1)
        project, branch = request.project, request.source_branch
        self.commit(project, branch, changes, message, request.author)
        request.sha, request.base_sha, request.start_sha = merge_requests.start(
            project, branch, request.target_branch
        )
        request.pushed(self.world.next_id("version"), self.clock.now())
        project.repository.refs[f"refs/merge-requests/{request.iid}/head"] = request.sha

    def approve(self, request: MergeRequest, *people: User) -> None:
        """Have a merge request approved."""
        for person in people:
            self.wait(minutes=35)
            request.reviewers.append(person)
            merge_requests.approve(request, person, self.clock.now())

    def merge(self, request: MergeRequest, by: User) -> Sha:
        """Merge a merge request in the project's way; its branch is deleted."""
        self.wait(minutes=10)
        head = merge_requests.merge(request, by, self.clock.now())
        request.project.repository.refs.pop(f"refs/heads/{request.source_branch}", None)
        return head

    # releases
    def orchestrate(self, orchestrator: Project, target: Project, by: User) -> Pipeline:
        """Start the guided pipeline; returns the pipeline that it starts in the target."""
        self.wait(minutes=15)
        inputs = {
            "action": "deploy-release-branch-to-staging",
            "project": target.path,
            "confirm": True,
        }
        order = Order(orchestrator.default_branch, "api", inputs)
        create(self.world, orchestrator, by, order, self.clock.now())
        self.run()
        return target.pipelines[-1]

    def pipeline(self, project: Project, branch: str, by: User, source: str = "web") -> Pipeline:
        """Start a pipeline by hand and let it run."""
        self.wait(minutes=15)
        made = create(self.world, project, by, Order(branch, source), self.clock.now())
        self.run()
        return made

    def deploy(self, pipeline: Pipeline, by: User, job: str = "deploy-production") -> Job:
        """Press a pipeline's manual job and let it run."""
        self.wait(minutes=30)
        found = next(one for one in pipeline.latest_jobs() if one.name == job)
        jobs.play(self.world, found, by)
        self.run()
        return found

    def redeploy(self, pipeline: Pipeline, by: User, job: str = "deploy-production") -> Job:
        """Roll back with GitLab's own button: the old deployment job is run again."""
        self.wait(minutes=30)
        found = next(one for one in pipeline.latest_jobs() if one.name == job)
        again = jobs.retry(self.world, found, by)
        self.run()
        return again

    def tag(self, project: Project, name: str, sha: Sha, *, release: bool = True) -> None:
        """Tag a commit, and make a release of the tag."""
        self.wait(minutes=5)
        project.repository.update_ref(f"refs/tags/{name}", ZERO, sha)
        if release:
            project.releases[name] = self.clock.now()

    # incidents
    def incident(
        self, project: Project, iid: int, title: str, description: str, *, author: User
    ) -> Issue:
        """Open an incident with a number."""
        self.wait(minutes=5)
        issue = issues.create(self.world, project, author, title=title, issue_type="incident")
        del project.issues[issue.iid]
        issue.iid = iid
        project.issues[iid] = issue
        issue_edits.update(self.world, issue, author, {"description": description})
        return issue


def _file(what: str | bytes | File | None) -> File | None:
    if what is None or isinstance(what, File):
        return what
    return File(what.encode() if isinstance(what, str) else what)
