"""A GitLab for benchmarks: the embedded one's API, and ``git http-backend`` for its repositories.

The embedded GitLab holds its repositories in memory and serves them in Python, which would be
measured as well. Here it holds the commits since production, which its API tells of, and the rest
stays with git.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from costs.server import serving
from dulwich.repo import Repo

from hotfix.identifiers import Sha
from hotfix.sandbox.application import Application
from hotfix.sandbox.builder import WorldBuilder
from hotfix.sandbox.deployments import Deployment, Environment
from hotfix.sandbox.merge_requests import MergeRequest
from hotfix.sandbox.repositories import Repository
from hotfix.sandbox.seed_files import orchestrator
from hotfix.sandbox.users import DEVELOPER, MAINTAINER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from costs.lab import Lab
    from costs.repository import Synthetic
    from costs.server import Server

    from hotfix.sandbox.projects import Project
    from hotfix.sandbox.repositories import Entry
    from hotfix.sandbox.users import User

TOKEN = "glpat-benchmark-0001"  # noqa: S105 - opens what is served here alone
_DEPLOY = "deploy-production"

_SPEC = """\
version: 1
id: inc-1042-ocpp-timeout
title: OCPP heartbeats are dropped after 30 s
gitlab: {url}
orchestration: {{project: bench/develop}}
targets:
"""

_TARGET = """\
  - project: {project}
    production_sha: {production}
    merge_requests: [{merge_requests}]
    deploy: {{job: {job}}}
    smoke_checks:
      - name: health
        http: {{url: "https://app.example.com/health", status: 200}}
"""


@contextmanager
def gitlab(lab: Lab, repositories: Sequence[Synthetic]) -> Iterator[Server]:
    """Serve repositories with the projects, deployments and merge requests that they belong to."""
    told = _Told(lab, repositories)
    with serving(*repositories) as server:
        told.world.url = server.url
        server.application = Application(told.world)
        yield server


def move(server: Server, url: str) -> None:
    """Have the GitLab give out addresses at another URL, behind which it is reached."""
    server.application.world.url = url  # type: ignore[attr-defined]


def write_spec(path: Path, url: str, repositories: Sequence[Synthetic]) -> None:
    """Write the spec of a hotfix with a target for each repository."""
    targets = (
        _TARGET.format(
            project=each.shape.path,
            production=each.production,
            merge_requests=", ".join(str(pick.iid) for pick in each.picks),
            job=_DEPLOY,
        )
        for each in repositories
    )
    path.write_text(_SPEC.format(url=url) + "".join(targets), encoding="utf-8")


class _Commits(Repository):
    """A repository without files: of them the API tells how many changed, which no plan reads."""

    def files(self, commit: str) -> Mapping[str, Entry]:
        """Return none."""
        del commit
        return {}


class _Told:
    """The world in which these repositories are what production runs."""

    def __init__(self, lab: Lab, repositories: Sequence[Synthetic]) -> None:
        self._lab = lab
        self._builder = builder = WorldBuilder()
        self._author = builder.user("author", "Arthur Author")
        self._reviewer = builder.user("reviewer", "Rita Reviewer")
        operator = builder.user("operator", "Olive Operator")
        builder.token(TOKEN, operator, "read_api", "read_repository")
        roles: Mapping[User, int] = {operator: MAINTAINER, self._author: DEVELOPER}
        self._group = builder.group("bench", roles)
        paths = [each.shape.path for each in repositories]
        builder.project(self._group, "develop", orchestrator(paths), creator=operator)
        for each in repositories:
            project = builder.project(
                self._group, each.shape.project, {"README.md": "# App\n"}, creator=operator
            )
            self._tell(project, each)
        self.world = builder.finish()

    def _tell(self, project: Project, synthetic: Synthetic) -> None:
        self._lab.reset(synthetic)
        project.repository = self._commits(synthetic)
        now, production = self._builder.clock.now(), Sha(synthetic.production)
        world = self._builder.world
        place = Environment(world.next_id("environment"), "production", now, now)
        number = world.next_id("deployment")
        project.environments.append(place)
        project.deployments.append(
            Deployment(
                number, 1, place, "release", production, self._author, None, "success",
                now, now, now, [],
            )
        )  # fmt: skip
        for pick in synthetic.picks:
            sha, parents = Sha(pick.sha), project.repository.parents(pick.sha)
            project.merge_requests[pick.iid] = MergeRequest(
                id=world.next_id("merge_request"),
                iid=pick.iid,
                project=project,
                title=f"Change {pick.iid}",
                description="",
                author=self._author,
                source_branch="topic",
                target_branch="main",
                created_at=now,
                updated_at=now,
                sha=parents[1],
                base_sha=parents[0],
                start_sha=parents[0],
                state="merged",
                approvals=[(self._reviewer, now)],
                merged_at=now,
                merge_user=self._reviewer,
                merge_commit_sha=sha,
            )

    def _commits(self, synthetic: Synthetic) -> Repository:
        """Load the commits since production, and production itself."""
        repository = _Commits()
        listed = self._lab.git(synthetic.path, "rev-list", "main", f"^{synthetic.production}~1")
        with Repo(str(synthetic.path)) as bare:
            for sha in listed.split():
                repository.add(bare[sha.encode()])
        main = Sha(self._lab.git(synthetic.path, "rev-parse", "main"))
        repository.refs = {
            "refs/heads/main": main,
            "refs/heads/release": Sha(synthetic.release),
        }
        return repository
