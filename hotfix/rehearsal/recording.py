"""The real GitLab, read and nothing else; what it answered is kept to build the embedded one of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from hotfix.forge.protocol import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hotfix.forge.protocol import Forge, Repository
    from hotfix.forge.types import Project
    from hotfix.git.objects import ObjectReader
    from hotfix.identifiers import Sha

_READS: Final = frozenset(
    {
        "approvals",
        "merge_request_rules",
        "merge_request_versions",
        "approvals_reset_on_push",
        "commit_merge_requests",
        "current_user",
        "deployments",
        "environment",
        "file",
        "freeze_periods",
        "issue",
        "issue_template",
        "jobs",
        "merge_request",
        "merge_request_commits",
        "pipelines",
        "project",
        "successful_jobs",
        "tags",
    }
)
"""What a plan asks, and what its copy is made of beside that: reads, each of them.

What is not here cannot be sent to the real GitLab by a rehearsal.
"""

Answers = dict[tuple[Any, ...], Any]
"""By the arguments of the question."""


class Recorder:
    """Passes a plan's questions on to a forge, and keeps what was answered."""

    def __init__(self, forge: Forge) -> None:
        self._forge = forge
        self._answers: dict[str, Answers] = {name: {} for name in _READS}
        self.heads: dict[str, Mapping[str, Sha]] = {}
        """By project: its branches, by full ref."""

    @property
    def url(self) -> str:
        """Where the real GitLab is."""
        return self._forge.url

    def answers(self, question: str) -> Answers:
        """Return what was answered to a question that had an answer, by its arguments."""
        return self._answers[question]

    def as_forge(self) -> Forge:
        """Return this as the forge that a plan is made with."""
        return cast("Forge", self)

    def repository(self, project: Project) -> Repository:
        """Open the Git side for reading."""
        return _ReadOnly(project.path, self._forge.repository(project), self.heads)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in _READS:
            raise AttributeError(f"a rehearsal only reads the real GitLab; `{name}` it does not")
        ask = getattr(self._forge, name)

        def recorded(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - passed on
            answer = ask(*arguments, **named)
            self._answers[name][(*arguments, *named.values())] = answer
            return answer

        return recorded

    def look(self, name: str, *arguments: Any) -> Any:  # noqa: ANN401 - passed on
        """Ask one more thing; ``None`` where it is not there."""
        try:
            return getattr(self, name)(*arguments)
        except NotFoundError:
            return None


class _ReadOnly:
    """A repository that is fetched from and never pushed to."""

    def __init__(
        self, project: str, inner: Repository, heads: dict[str, Mapping[str, Sha]]
    ) -> None:
        self._project = project
        self._inner = inner
        self._heads = heads

    def refs(self, prefix: str = "refs/heads/") -> Mapping[str, Sha]:
        """List refs by full name."""
        found = self._inner.refs(prefix)
        self._heads[self._project] = found
        return found

    def fetch(self, commits: Sequence[Sha]) -> ObjectReader:
        """Open commits for reading."""
        return self._inner.fetch(commits)

    def push(self, ref: str, **_: object) -> None:
        """Refuse: that would be the real thing."""
        raise AssertionError(f"a rehearsal pushes nothing to the real GitLab, and not {ref}")
