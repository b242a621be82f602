"""A project as GitLab shows it, made of values: histories in a dict, and what was seen of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from dulwich.objects import Blob, Commit, ShaFile, Tree

from hotfix.forge.types import (
    Approval,
    Approvals,
    Deployment,
    Environment,
    Job,
    MergeRequest,
    Pipeline,
    Project,
    User,
)
from hotfix.identifiers import ZERO, Sha
from hotfix.plan.build import Built, build
from hotfix.plan.draft import TargetObjects
from hotfix.plan.observe import (
    Seen,
    SeenElsewhere,
    SeenMergeRequest,
    SeenOrchestrator,
    SeenTarget,
)
from hotfix.spec.model import (
    ApprovalPolicy,
    Committer,
    Deploy,
    Incident,
    MergeRequestRef,
    Orchestration,
    Policy,
    Resolution,
    SmokeCheck,
    Spec,
    Target,
    TargetOrchestration,
    TcpCheck,
)

if TYPE_CHECKING:
    from hotfix.spec.model import PickOrder

PROJECT = "evenergi/bf-manage-core"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
AUTHOR = User(7, "author", "An Author")
REVIEWER = User(8, "reviewer", "A Reviewer")
OPERATOR = User(9, "operator", "An Operator")
CI_FILE = b"""spec:
  inputs:
    action:
      options: [deploy-release-branch-to-staging, bring-all-code-to-release-branch]
    project:
      options: [evenergi/bf-manage-core]
    confirm: {type: boolean}
---
deploy: {script: ./deploy}
"""


class History:
    """Commits in a dict, one minute after another."""

    def __init__(self) -> None:
        self.objects: dict[bytes, ShaFile] = {}
        self._minutes = 0

    def __getitem__(self, oid: bytes, /) -> ShaFile:
        """Return an object made of its bytes anew, as readers of a repository do."""
        found = self.objects[oid]
        return ShaFile.from_raw_string(found.type_num, found.as_raw_string())

    def __contains__(self, oid: bytes, /) -> bool:
        return oid in self.objects

    def add(self, made: ShaFile) -> Sha:
        self.objects[made.id] = made
        return Sha(made.id.decode())

    def tree(self, files: dict[str, str]) -> Sha:
        """Add a tree of files, those with a slash in folders."""
        tree, folders = Tree(), dict[str, dict[str, str]]()
        for name, text in files.items():
            folder, slash, rest = name.partition("/")
            if slash:
                folders.setdefault(folder, {})[rest] = text
                continue
            blob = Blob.from_string(text.encode())
            self.add(blob)
            tree.add(name.encode(), 0o100644, blob.id)
        for name, below in folders.items():
            tree.add(name.encode(), 0o040000, self.tree(below).encode())
        return self.add(tree)

    def commit(self, files: dict[str, str], *parents: str, message: str = "work\n") -> Sha:
        tree = self.tree(files)
        commit = Commit()
        commit.tree = tree.encode()
        commit.parents = [parent.encode() for parent in parents]  # type: ignore[misc]
        commit.author = commit.committer = b"An Author <author@example.com>"
        self._minutes += 1
        moment = NOON - timedelta(days=1) + timedelta(minutes=self._minutes)
        commit.author_time = commit.commit_time = int(moment.timestamp())
        commit.author_timezone = commit.commit_timezone = 0
        commit.message = message.encode()
        return self.add(commit)


@dataclass
class Case:
    """A target before it is planned; tests change what they are about."""

    history: History = field(default_factory=History)
    heads: dict[str, Sha] = field(default_factory=dict)
    production: Sha = ZERO
    deployed: Sha | None = None
    merge_requests: list[SeenMergeRequest] = field(default_factory=list)
    resolutions: tuple[Resolution, ...] = ()
    brought_by: dict[Sha, int] = field(default_factory=dict)
    config: bytes | None = CI_FILE
    inputs: dict[str, Any] = field(
        default_factory=lambda: {
            "action": "deploy-release-branch-to-staging",
            "project": PROJECT,
            "confirm": True,
        }
    )
    requested_at: str | None = None
    deploy_job: str | None = None
    last_job: str | None = "deploy-production"
    minimum: int = 1
    merge_attributes: str | None = None
    order: PickOrder = "merged"
    at: datetime = NOON
    policy: Policy | None = None
    elsewhere: SeenElsewhere = field(default_factory=SeenElsewhere)
    deployed_ref: str = "release"

    def merge_request(self, iid: int, **changes: Any) -> SeenMergeRequest:  # noqa: ANN401
        """Add a merged and approved merge request."""
        found = MergeRequest(
            iid=iid,
            title=f"Fix {iid}",
            state="merged",
            author=AUTHOR,
            target_branch="main",
            web_url=f"https://gitlab.example.com/{PROJECT}/-/merge_requests/{iid}",
            sha=None,
            merge_commit_sha=None,
            squash_commit_sha=None,
            merged_at=NOON,
        )
        commits = changes.pop("commits", ())
        status = changes.pop("pipeline", None)
        url = f"https://gitlab.example.com/{PROJECT}/-/pipelines/50"
        pipeline = Pipeline(50, 1, "main", ZERO, status, "push", url, NOON, None, None)
        seen = SeenMergeRequest(
            MergeRequestRef(project=changes.pop("project", PROJECT), iid=iid),
            replace(found, **changes),
            Approvals((Approval(REVIEWER, NOON),), None),
            commits,
            pipeline if status else None,
        )
        self.merge_requests.append(seen)
        return seen

    def spec(self) -> Spec:
        target = Target(
            project=PROJECT,
            production_sha=self.production,
            merge_requests=tuple(seen.ref for seen in self.merge_requests),
            smoke_checks=(
                SmokeCheck(name="port", tcp=TcpCheck(host="core.example.com", port=443)),
            ),
            release_branch="release",
            environment="production",
            restore_message="fix: restore release to last production state",
            resolutions=self.resolutions,
            orchestration=TargetOrchestration(project_value="{path}", inputs=self.inputs),
            deploy=Deploy(job=self.deploy_job),
            after=(),
            merge_attributes=self.merge_attributes,
            order=self.order,
        )
        return Spec(
            version=1,
            id="inc-1042-ocpp-timeout",
            title="OCPP heartbeats are dropped after 30 s",
            targets=(target,),
            orchestration=Orchestration(
                project="evenergi/develop", ref=None, send_as="inputs", operation_input=None
            ),
            incident=Incident(
                project="evenergi/develop",
                iid=None,
                create=True,
                template="incident",
                severity=None,
                labels=(),
                assignees=(),
                follow_ups=(),
            ),
            committer=Committer(name="hotfix", email="hotfix@noreply.gitlab.example.com"),
            requested_at=self.requested_at,
            policy=self.policy
            or Policy(
                approvals=ApprovalPolicy(minimum=self.minimum, not_author=True),
                allow_commands=False,
            ),
        )

    def plan(self) -> Built:
        spec = self.spec()
        runs = self.deployed or self.production
        job = self.last_job and Job(
            id=70,
            name=self.last_job,
            stage="deploy",
            status="success",
            allow_failure=False,
            web_url="https://gitlab.example.com/job/70",
            pipeline_id=60,
            user=OPERATOR,
            started_at=NOON,
            finished_at=NOON,
            failure_reason=None,
        )
        deployment = Deployment(5, 3, self.deployed_ref, runs, "success", NOON, NOON, job or None)
        target = SeenTarget(
            target=spec.targets[0],
            project=_project(1, PROJECT),
            heads=self.heads,
            environment=Environment(
                4, "production", "production", "https://gitlab.example.com/env/4", None, deployment
            ),
            deployments=(deployment,),
            merge_requests=tuple(self.merge_requests),
            elsewhere=self.elsewhere,
        )
        develop = _project(2, "evenergi/develop")
        seen = Seen(
            at=self.at,
            user=OPERATOR,
            orchestrator=SeenOrchestrator(develop, "main", self.config),
            incident=None,
            targets=(target,),
        )
        objects = {PROJECT: TargetObjects(self.history, self.brought_by)}
        return build(spec, seen, objects, gitlab="https://gitlab.example.com", tool_version="0.1.0")


def _project(number: int, path: str) -> Project:
    url = f"https://gitlab.example.com/{path}"
    return Project(
        id=number,
        path=path,
        default_branch="main",
        http_url_to_repo=f"{url}.git",
        web_url=url,
        merge_method="merge",
        archived=False,
        access_level=40,
    )


BASE = {"app.py": "one\ntwo\nthree\nfour\nfive\n", "timeout.py": "TIMEOUT = 30\n"}
FIXED = {**BASE, "timeout.py": "TIMEOUT = 300\n"}
STAGED = {**BASE, "app.py": "one\ntwo\nthree\nfour\nfive and more\n"}


@pytest.fixture
def case() -> Case:
    """Production, unreleased work on main and release, and one merged fix, !812."""
    case = Case()
    history = case.history
    case.production = history.commit(BASE, message="release 41\n")
    staged = history.commit(STAGED, case.production, message="feature\n")
    merged = history.commit(
        STAGED,
        case.production,
        staged,
        message=f"Merge branch 'feature' into 'main'\n\nSee merge request {PROJECT}!799",
    )
    fix = history.commit({**STAGED, "timeout.py": "TIMEOUT = 300\n"}, merged, message="fix\n")
    main = history.commit(
        {**STAGED, "timeout.py": "TIMEOUT = 300\n"},
        merged,
        fix,
        message="Merge branch 'fix'\n\nfix: wait longer\n\nSee merge request ...!812\n",
    )
    release = history.commit(STAGED, case.production, merged, message="Merge main into release\n")
    case.heads = {"main": main, "release": release}
    case.merge_request(812, merge_commit_sha=main)
    return case
