"""What the benchmarks' GitLab tells of synthetic repositories: production, merge requests, jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hotfix.identifiers import Sha
from hotfix.rehearsal.stage import SeenMergeRequest
from hotfix.sandbox.builder import WorldBuilder
from hotfix.sandbox.ci import Configuration, JobDefinition
from hotfix.sandbox.deployments import Deployment, Environment
from hotfix.sandbox.repositories import Repository
from hotfix.sandbox.seed_files import orchestrator
from hotfix.sandbox.users import DEVELOPER, MAINTAINER

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from costs.repository import Synthetic
    from dulwich.objects import ShaFile

    from hotfix.sandbox.projects import Project
    from hotfix.sandbox.world import World

TOKEN = "glpat-benchmark-0001"  # noqa: S105 - opens what is served here alone
ORCHESTRATOR = "develop"
_DEPLOY = "deploy-production"
_JOBS = (
    JobDefinition("deploy-staging", "staging"),
    JobDefinition(_DEPLOY, "production", manual=True, environment="production"),
)

_SPEC = """\
version: 1
id: inc-1042-ocpp-timeout
title: OCPP heartbeats are dropped after 30 s
gitlab: {url}
orchestration: {{project: {group}/{orchestrator}}}
targets:
"""

_TARGET = """\
  - project: {project}
    production_sha: {production}
    merge_requests: [{merge_requests}]
    deploy: {{job: {job}}}
    smoke_checks:
      - name: health
        http: {{url: "{url}/-/services/{project}/health", status: 200}}
"""


def spec_of(url: str, repositories: Sequence[Synthetic]) -> str:
    """Write the spec of a hotfix with a target for each repository."""
    group = repositories[0].shape.group
    targets = (
        _TARGET.format(
            url=url,
            project=each.shape.path,
            production=each.production,
            merge_requests=", ".join(str(pick.iid) for pick in each.picks),
            job=_DEPLOY,
        )
        for each in repositories
    )
    return _SPEC.format(url=url, group=group, orchestrator=ORCHESTRATOR) + "".join(targets)


def world_of(repositories: Collection[Synthetic], known: Mapping[str, Sequence[ShaFile]]) -> World:
    """Return the world in which production runs what it runs in these repositories.

    ``known`` has by project the commits that the API can tell of. Jobs take no time.
    """
    builder = WorldBuilder()
    operator = builder.user("operator", "Olive Operator")
    builder.user("author", "Arthur Author")
    reviewer = builder.user("reviewer", "Rita Reviewer")
    builder.token(TOKEN, operator, "api", "write_repository")
    group_path = next(iter(repositories)).shape.group
    group = builder.group(group_path, {operator: MAINTAINER, reviewer: DEVELOPER})
    paths = [each.shape.path for each in repositories]
    builder.project(group, ORCHESTRATOR, orchestrator(paths), creator=operator)
    for each in repositories:
        project = builder.project(group, each.shape.project, {}, creator=operator)
        _tell(builder, project, each, known[each.shape.path])
    return builder.finish(pace=0)


def _tell(
    builder: WorldBuilder, project: Project, synthetic: Synthetic, known: Sequence[ShaFile]
) -> None:
    """Have a project with these commits, one deployment, and the merge requests to pick."""
    world, now = builder.world, builder.clock.now()
    project.repository = Repository()
    for commit in known:
        project.repository.add(commit)
    project.repository.refs = {
        "refs/heads/main": Sha(known[0].id.decode()),
        "refs/heads/release": Sha(synthetic.release),
    }
    project.stand_in = lambda _: Configuration(("staging", "production"), _JOBS, None, {})
    place = Environment(world.next_id("environment"), "production", now, now)
    project.environments.append(place)
    project.deployments.append(
        Deployment(
            id=world.next_id("deployment"),
            iid=1,
            environment=place,
            ref="release",
            sha=Sha(synthetic.production),
            user=project.creator,
            job=None,
            status="success",
            created_at=now,
            updated_at=now,
            finished_at=now,
            approvals=[],
        )
    )
    for pick in synthetic.picks:
        project.merge_requests[pick.iid] = _merge_request(world, project, pick.iid, Sha(pick.sha))


def _merge_request(world: World, project: Project, iid: int, merged: Sha) -> SeenMergeRequest:
    base, head = project.repository.parents(merged)
    when = world.clock.now() - timedelta(days=1)
    return SeenMergeRequest(
        id=world.next_id("merge_request"),
        iid=iid,
        project=project,
        title=f"Change {iid}",
        description="",
        author=world.user("author"),
        source_branch=f"change-{iid}",
        target_branch="main",
        created_at=when,
        updated_at=when,
        sha=head,
        base_sha=base,
        start_sha=base,
        state="merged",
        approvals=[(world.user("reviewer"), when)],
        merged_at=when,
        merge_user=world.user("reviewer"),
        merge_commit_sha=merged,
        source=(head,),
        brought={head, merged},
    )
