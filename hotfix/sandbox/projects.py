"""A project: its repository, its settings, and everything that happens in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from hotfix.sandbox.repositories import Repository
from hotfix.sandbox.users import DEVELOPER, MAINTAINER, NO_ACCESS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from hotfix.identifiers import Sha
    from hotfix.sandbox.ci import Configuration
    from hotfix.sandbox.deployments import Deployment, Environment
    from hotfix.sandbox.issues import Issue
    from hotfix.sandbox.merge_requests import MergeRequest
    from hotfix.sandbox.pipelines import Job, Order, Pipeline
    from hotfix.sandbox.users import Group, User

MergeMethod = Literal["merge", "rebase_merge", "ff"]
Downstream = Literal["bridge", "api", "trigger"]


@dataclass(eq=False, slots=True)
class ProtectedBranch:
    """A rule for branches whose name matches; ``*`` is a wildcard."""

    id: int
    name: str
    push_level: int = MAINTAINER
    merge_level: int = DEVELOPER
    allow_force_push: bool = False


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """So many approvals from those of a role, or from one person."""

    required: int
    by: int | User


@dataclass(eq=False, slots=True)
class ProtectedEnvironment:
    """Who may deploy to an environment, and how many approvals a deployment needs (Premium)."""

    name: str
    deploy_level: int = MAINTAINER
    required_approvals: int = 0
    """From anybody who may deploy; with ``approval_rules`` GitLab looks at these instead."""
    deployers: tuple[User, ...] = ()
    """Who may deploy beside those of the role."""
    approval_rules: tuple[ApprovalRule, ...] = ()

    def may_deploy(self, user: User, level: int) -> bool:
        """Tell whether a user of this role may deploy here."""
        return level >= self.deploy_level or user in self.deployers


@dataclass(eq=False, slots=True)
class FreezePeriod:
    """A time in which deployments should rest, as two cron expressions."""

    id: int
    freeze_start: str
    freeze_end: str
    cron_timezone: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StateLock:
    """What GitLab keeps of a lock on a Terraform state."""

    id: str
    user: User
    since: datetime


@dataclass(eq=False, slots=True)
class Settings:
    """A project's settings, by the names of GitLab's API."""

    merge_method: MergeMethod = "merge"
    squash_option: str = "default_off"
    archived: bool = False
    ci_pipeline_variables_minimum_override_role: str = "no_one_allowed"
    ci_forward_deployment_enabled: bool = True
    ci_forward_deployment_rollback_allowed: bool = True
    reset_approvals_on_push: bool = False
    pipelines_on_push: bool = False
    """Not a setting of GitLab: whether a push to a branch starts a pipeline of its own."""
    downstream: Downstream = "bridge"
    """Not a setting of GitLab: how trigger jobs start the other project's pipeline; a script that
    calls the API leaves no bridge."""


@dataclass(eq=False, slots=True)
class Project:
    """A project of a group."""

    id: int
    group: Group
    name: str
    description: str
    created_at: datetime
    creator: User
    repository: Repository = field(default_factory=Repository)
    settings: Settings = field(default_factory=Settings)
    members: dict[int, int] = field(default_factory=dict)
    protected_branches: list[ProtectedBranch] = field(default_factory=list)
    protected_environments: list[ProtectedEnvironment] = field(default_factory=list)
    freeze_periods: list[FreezePeriod] = field(default_factory=list)
    push_rule: dict[str, object] | None = None
    environments: list[Environment] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    pipelines: list[Pipeline] = field(default_factory=list)
    merge_requests: dict[int, MergeRequest] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    terraform_states: dict[str, StateLock | None] = field(default_factory=dict)
    """The states by name, each with who holds its lock; a state stays when its lock is gone."""
    releases: dict[str, datetime] = field(default_factory=dict)
    """The tags that releases were made of, and when."""
    trigger_tokens: dict[str, User] = field(default_factory=dict)
    service_status: str = "ok"
    """What the project's own service answers when asked for its health."""
    service_version: Sha | None = None
    """The commit that the service says it is; ``None`` is the one that was deployed."""
    last_activity_at: datetime | None = None
    stand_in: Callable[[Order], Configuration] | None = None
    """What pipelines consist of where the repository's own CI file is not read for it."""

    @property
    def path(self) -> str:
        """The whole path, group included."""
        return f"{self.group.path}/{self.name}"

    @property
    def default_branch(self) -> str:
        """The branch that merge requests go to."""
        return self.repository.default_branch

    def access_level(self, user: User) -> int:
        """Tell a user's role, the higher of the project's and the group's."""
        return max(self.members.get(user.id, NO_ACCESS), self.group.members.get(user.id, NO_ACCESS))

    def protections(self, branch: str) -> list[ProtectedBranch]:
        """List the rules that hold for a branch."""
        return [rule for rule in self.protected_branches if fnmatchcase(branch, rule.name)]

    def may_push(self, user: User, branch: str) -> bool:
        """Tell whether a user may push to a branch; of several rules the most generous holds."""
        level = self.access_level(user)
        rules = self.protections(branch)
        if not rules:
            return level >= DEVELOPER
        return any(rule.push_level and level >= rule.push_level for rule in rules)

    def may_update(self, user: User, branch: str) -> bool:
        """Tell whether a user may push to a branch or merge into it: who may also run its jobs."""
        level = self.access_level(user)
        rules = self.protections(branch)
        return self.may_push(user, branch) or any(
            rule.merge_level and level >= rule.merge_level for rule in rules
        )

    def environment(self, name: str) -> Environment | None:
        """Return the environment of exactly that name."""
        return next((found for found in self.environments if found.name == name), None)

    def jobs(self) -> list[Job]:
        """List all jobs of all pipelines, the oldest first; trigger jobs, too."""
        return sorted(
            (job for pipeline in self.pipelines for job in pipeline.jobs), key=lambda job: job.id
        )
