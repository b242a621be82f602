"""The world of the embedded GitLab: everything there is, and the one lock around it.

The world knows GitLab's rules and nothing of HTTP; the topics have modules of their own. Whoever
touches it from several threads holds ``lock``; every look at it through the server begins with
``advance``, so that jobs have moved as far as the clock says.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Literal

from hotfix.clock import Clock, SystemClock
from hotfix.sandbox import jobs
from hotfix.sandbox.deployments import last_deployment

if TYPE_CHECKING:
    from datetime import datetime

    from hotfix.identifiers import Sha
    from hotfix.sandbox.jobs import Outcome, Script
    from hotfix.sandbox.pipelines import Job, Pipeline
    from hotfix.sandbox.projects import Project
    from hotfix.sandbox.users import Group, Token, User

Tier = Literal["free", "premium"]


class World:
    """All users, tokens, groups and projects of one GitLab."""

    def __init__(
        self, *, clock: Clock | None = None, pace: float = 0.05, tier: Tier = "free"
    ) -> None:
        """Make an empty world; ``pace`` is how many seconds a job runs."""
        self.clock: Clock = clock or SystemClock()
        self.pace = pace
        self.tier = tier
        self.url = "http://gitlab.example.com"
        self.lock = threading.RLock()
        self.users: dict[int, User] = {}
        self.tokens: dict[str, Token] = {}
        self.groups: dict[str, Group] = {}
        self.projects: dict[int, Project] = {}
        self.moving: list[Job] = []
        self._scripts: list[Script] = []
        self._ids: Counter[str] = Counter()

    def next_id(self, kind: str) -> int:
        """Return the next id of a kind; ids are counted on the whole GitLab."""
        self._ids[kind] += 1
        return self._ids[kind]

    # finding
    def find_user(self, username: str) -> User | None:
        """Return a user by name."""
        return next((user for user in self.users.values() if user.username == username), None)

    def find_project(self, project: str | int) -> Project | None:
        """Return a project by id or full path."""
        if str(project).isdecimal():
            return self.projects.get(int(project))
        return next((found for found in self.projects.values() if found.path == project), None)

    def sees(self, user: User, group: Group) -> bool:
        """Tell whether a private group shows to a user: to its members, and to those above it."""
        path = f"{group.path}/"
        above = (one for one in self.groups.values() if path.startswith(f"{one.path}/"))
        return any(user.id in one.members for one in above)

    def project(self, path: str) -> Project:
        """Return a project by its full path; ``KeyError`` where there is none."""
        found = self.find_project(path)
        if found is None:
            raise KeyError(path)
        return found

    def user(self, username: str) -> User:
        """Return a user by name; ``KeyError`` where there is none."""
        found = self.find_user(username)
        if found is None:
            raise KeyError(username)
        return found

    def production_sha(self, project: str, environment: str = "production") -> Sha:
        """Return the commit that an environment runs; ``KeyError`` where nothing is deployed."""
        found = self.project(project)
        with self.lock:
            self.advance()
            place = found.environment(environment)
            deployment = last_deployment(found, place) if place is not None else None
        if deployment is None:
            raise KeyError(environment)
        return deployment.sha

    def release_sha(self, project: str, branch: str = "release") -> Sha:
        """Return where a branch stands; ``KeyError`` where there is none."""
        return self.project(project).repository.refs[f"refs/heads/{branch}"]

    # moving
    def advance(self) -> None:
        """Let everything happen that is due by now."""
        jobs.advance(self)

    def process(self, pipeline: Pipeline, at: datetime) -> None:
        """Start the jobs of a pipeline whose turn has come."""
        jobs.process(self, pipeline, at)

    # scripting
    def script(
        self,
        project: str,
        job: str,
        outcome: Outcome = "success",
        *,
        seconds: float | None = None,
        times: int | None = None,
    ) -> None:
        """Decide how jobs of a name end, how long they run, and for how many runs that holds."""
        self._scripts.insert(0, jobs.Script(project, job, outcome, seconds, times))

    def scripted(self, job: Job) -> Script | None:
        """Return what was decided about a job, the latest decision first."""
        for script in self._scripts:
            same = (script.project, script.job) == (job.pipeline.project.path, job.name)
            if same and script.times != 0:
                return script
        return None
