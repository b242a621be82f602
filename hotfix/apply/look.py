"""Where a run would end that began now: the same steps on the same facts, which may only look.

So what `status` says cannot differ from what `apply` does. Nothing is written, to GitLab or to
disk, no lock is taken, no check is made and no question is put: the first act that is still to do
ends the look, and is what comes next.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

from hotfix.apply.context import ToDoError
from hotfix.apply.ports import Pace, Stop
from hotfix.apply.run import apply
from hotfix.errors import LockedError
from hotfix.identifiers import short
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hotfix.apply.context import Request
    from hotfix.apply.events import Event
    from hotfix.apply.ports import Adoption, Press, Progress, Yes
    from hotfix.apply.run import Outcome
    from hotfix.clock import Clock
    from hotfix.forge.protocol import Forge, Repository
    from hotfix.forge.types import Project, StateLock
    from hotfix.git.objects import GitObject, ObjectReader
    from hotfix.identifiers import Sha
    from hotfix.plan.model import Finding, Plan

_ACTS: Final[Mapping[str, str]] = {
    "create_pipeline": "start the orchestration pipeline in {0}",
    "create_incident": "write the incident in {0}",
    "update_description": "bring incident {1} of {0} up to date",
    "add_timeline_event": "complete the timeline of the incident in {0}",
}
"""What a run does next, by the door that it would have gone through."""

_LOOKS: Final = frozenset(
    {
        "url",
        "current_user",
        "project",
        "merge_request",
        "merge_request_commits",
        "approvals",
        "merge_request_rules",
        "merge_request_versions",
        "approvals_reset_on_push",
        "commit",
        "commit_merge_requests",
        "environment",
        "deployments",
        "successful_jobs",
        "tags",
        "file",
        "pipelines",
        "pipeline",
        "pipeline_variables",
        "bridges",
        "jobs",
        "job",
        "trace",
        "is_manual",
        "protections",
        "deployment_approvals",
        "members",
        "freeze_periods",
        "resource_groups",
        "current_job",
        "upcoming_jobs",
        "issue",
        "find_issues",
        "issue_template",
        "timeline",
        "notes",
        "account",
        "role",
        "is_direct_member",
        "locked_states",
        "token",
        "branch_rules",
        "push_rule",
        "server",
    }
)
"""The doors that only show; whatever is not named here is not gone through."""


def look(request: Request, *, forge: Forge, clock: Clock, progress: Progress) -> Outcome:
    """Go the steps as far as looking goes; returns and raises what ``apply`` would.

    ``ToDoError`` says what a run would do next, ``WaitingError`` what it would wait for.
    """
    try:
        return apply(
            replace(request, looks_only=True, pace=Pace(poll=0.1, longest=0.0, grace=0.0)),
            forge=cast("Forge", Onlooker(forge)),
            clock=clock,
            operator=Nobody(),
            progress=progress,
            stop=Stop(),
        )
    except ToDoError as error:
        error.hint = f"Go on with: {request.command}"
        raise


class Onlooker:
    """GitLab through a window: what would change it says what it would be, and is not done."""

    def __init__(self, forge: Forge) -> None:
        self._forge = forge

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (any of the Protocol's methods)
        """Pass on what looks, and end at what acts."""
        if name in _LOOKS:
            return getattr(self._forge, name)
        return _acting(_ACTS.get(name, name.replace("_", " ")))

    def lock_state(self, project: str, name: str, lock: str, *, info: str) -> StateLock:
        """Say that a state is locked: by whom, GitLab tells those alone who ask for the lock."""
        del lock, info
        raise LockedError(
            "locked",
            f"The lock {one_line(name, 80)} of {project} is held.",
            hint="Its page under Operate > Terraform states says by whom.",
        )

    def repository(self, project: Project) -> Repository:
        """Open the Git side, through a window as well."""
        return _Window(self._forge.repository(project), project.path)


class Nobody:
    """Answers nothing, so that every question is where it waits."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[], None] = lambda: None

    def approve_plan(self, plan: Plan) -> Yes | None:
        """Leave the plan to whoever applies it."""

    def answer_for(self, warnings: Sequence[Finding], digest: str) -> Yes | None:
        """Leave the warnings to whoever applies the plan."""

    def adopt_pipeline(self, adoption: Adoption) -> Yes | None:
        """Leave the pipeline to whoever applies the plan."""

    def approve_press(self, press: Press) -> Yes | None:
        """Leave the press to whoever applies the plan."""

    def ask(self, question: str) -> bool | None:
        """Leave the check to whoever applies the plan."""


class Remembering:
    """Keeps the last thing that a run said it waits for."""

    def __init__(self) -> None:
        self.last: Event | None = None

    def emit(self, event: Event) -> None:
        """Note an event."""
        self.last = event


class _Window:
    def __init__(self, repository: Repository, project: str) -> None:
        self._repository = repository
        self._project = project

    def refs(self, prefix: str = "refs/heads/") -> Mapping[str, Sha]:
        """List refs by full name."""
        return self._repository.refs(prefix)

    def fetch(self, commits: Sequence[Sha]) -> ObjectReader:
        """Open commits for reading."""
        return self._repository.fetch(commits)

    def push(self, ref: str, *, old: Sha, new: Sha, objects: Sequence[GitObject]) -> None:
        """Say which ref would be moved."""
        del old, objects
        name = one_line(ref.removeprefix("refs/heads/"), 80)
        raise ToDoError(f"push {short(new)} to {name} of {self._project}")


def _acting(what: str) -> Callable[..., Any]:
    def act(*given: object, **named: object) -> None:
        del named
        raise ToDoError(what.format(*(one_line(str(each), 120) for each in given)))

    return act
