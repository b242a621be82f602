"""A hotfix on the embedded GitLab, in one process; the clock only moves when somebody waits."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.apply.context import WayBack
from hotfix.apply.ports import Adoption, Pace, Press, Stop, Yes
from hotfix.apply.rollback import rollback
from hotfix.apply.run import Outcome, Request, apply
from hotfix.evidence.lockfile import parse
from hotfix.forge.gitlab import GitLabForge
from hotfix.plan.make import make_plan
from hotfix.plan.policy import is_denied
from hotfix.plan.rollback import make_rollback
from hotfix.sandbox import Sandbox, pipelines, seed
from hotfix.sandbox.repositories import File, Signature
from hotfix.spec.load import load_spec
from tests.contract import Contract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from hotfix.apply.events import Event
    from hotfix.clock import Clock
    from hotfix.evidence.model import Lock
    from hotfix.plan.model import Finding, Plan
    from hotfix.spec.model import Spec

CORE = "evenergi/bf-manage-core"
RELEASE = re.compile(rb"^[0-9a-f]{4}([0-9a-f]{40}) ([0-9a-f]{40}) refs/heads/release")


class Person:
    """Answers as told: yes to the plan, yes to the press, unless a test says otherwise."""

    def __init__(self) -> None:
        self.plan: Yes | None = Yes("typed")
        self.press: Yes | None = Yes("typed")
        self.answer: bool | None = True
        self.past: Yes | None = Yes("typed")
        self.warned: list[tuple[Finding, ...]] = []
        self.adopts: Yes | None = None
        self.pressed: list[Press] = []
        self.found: list[Adoption] = []
        self.asked = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def approve_plan(self, plan: Plan) -> Yes | None:
        assert all(is_denied(blocker) for blocker in plan.blockers)
        self.asked += 1
        return self.plan

    def answer_for(self, warnings: Sequence[Finding], digest: str) -> Yes | None:
        assert digest.startswith("sha256:")
        self.warned.append(tuple(warnings))
        return self.past

    def adopt_pipeline(self, adoption: Adoption) -> Yes | None:
        self.found.append(adoption)
        return self.adopts

    def approve_press(self, press: Press) -> Yes | None:
        self.pressed.append(press)
        return self.press

    def ask(self, question: str) -> bool | None:
        assert question
        return self.answer


@dataclass
class Screen:
    """Keeps every event."""

    events: list[Event] = field(default_factory=list)

    def emit(self, event: Event) -> None:
        self.events.append(event)


class Rehearsal:
    """The embedded GitLab with its example, an operator, and a folder with a spec."""

    def __init__(self, sandbox: Sandbox, clock: Clock, folder: Path) -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.person = Person()
        self.screen = Screen()
        self.stop = Stop()
        self.spec = folder / "hotfix.yaml"
        self.lockfile = folder / "hotfix.lock.json"
        self.rollback_lockfile = folder / "hotfix.rollback.lock.json"
        self.token = seed.TOKENS["operator"]
        self.effects_at_first: Counter[str] = Counter()

    def target(self, project: str, *merge_requests: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401
        health = f"{self.sandbox.url}/-/services/{project}/health"
        return {
            "project": project,
            "production_sha": self.sandbox.world.production_sha(project),
            "merge_requests": list(merge_requests),
            "smoke_checks": [{"name": "health", "http": {"url": health, "json": {"status": "ok"}}}],
            **more,
        }

    def write(self, *targets: dict[str, Any], **more: Any) -> None:  # noqa: ANN401
        document = {
            "version": 1,
            "id": "inc-1042-ocpp-timeout",
            "title": "OCPP heartbeats are dropped after 30 s",
            "orchestration": {"project": seed.ORCHESTRATOR},
            "targets": list(targets),
            **more,
        }
        self.spec.write_text(json.dumps(document), encoding="utf-8")

    def load(self) -> Spec:
        return load_spec(self.spec, gitlab=self.sandbox.url).spec

    def forge(self) -> GitLabForge:
        return GitLabForge(self.sandbox.url, self.token, clock=self.clock)

    def plan(self) -> Plan:
        return make_plan(self.load(), self.forge(), self.clock, tool_version="0.1.0").plan

    def request(
        self,
        *,
        until: Any = None,  # noqa: ANN401
        saved: Plan | None = None,
        job: str | None = None,
        adopt: int | None = None,
        **pace: Any,  # noqa: ANN401
    ) -> Request:
        return Request(
            spec=saved.spec if saved else self.load(),
            saved=saved,
            lockfile=self.lockfile,
            command=f"hotfix apply {self.spec.name}",
            plan_command=f"hotfix plan {self.spec.name}",
            until=until,
            pace=Pace(**{"poll": 1.0, "longest": 600.0, **pace}),
            tool_version="0.1.0",
            job=job,
            adopt=adopt,
            way_back=f"hotfix rollback {self.lockfile.name} --apply",
        )

    def apply(
        self,
        *,
        until: Any = None,  # noqa: ANN401
        saved: Plan | None = None,
        job: str | None = None,
        adopt: int | None = None,
        **pace: Any,  # noqa: ANN401
    ) -> Outcome:
        request = self.request(until=until, saved=saved, job=job, adopt=adopt, **pace)
        return apply(
            request,
            forge=self.forge(),
            clock=self.clock,
            operator=self.person,
            progress=self.screen,
            stop=self.stop,
        )

    def plan_back(self) -> Plan:
        return make_rollback(self.lock.plan, self.forge(), self.clock, tool_version="0.1.0").plan

    def roll_back(
        self,
        *,
        reason: str | None = "heartbeats are still lost",
        until: Any = None,  # noqa: ANN401
        saved: Plan | None = None,
    ) -> Outcome:
        request = Request(
            spec=self.lock.plan.spec,
            saved=saved,
            lockfile=self.rollback_lockfile,
            command=f"hotfix rollback {self.lockfile.name} --apply",
            plan_command=f"hotfix rollback {self.lockfile.name}",
            until=until,
            pace=Pace(poll=1.0, longest=600.0),
            tool_version="0.1.0",
        )
        return rollback(
            request,
            WayBack(self.lockfile, self.lock, lambda: reason),
            forge=self.forge(),
            clock=self.clock,
            operator=self.person,
            progress=self.screen,
            stop=self.stop,
        )

    @property
    def lock(self) -> Lock:
        return parse(self.lockfile.read_bytes(), str(self.lockfile)).lock

    @property
    def rollback_lock(self) -> Lock:
        data = self.rollback_lockfile.read_bytes()
        return parse(data, str(self.rollback_lockfile)).lock

    def checks(self) -> dict[str, str]:
        return {f"{check.target} {check.id}": check.outcome for check in self.lock.checks}

    def effects(self) -> dict[str, int]:
        """Count what GitLab really took: refused requests are no effects."""
        counted = dict.fromkeys(("push", "pipeline", "press", "incident", "event"), 0)
        patterns = {
            "pipeline": r"/pipeline$",
            "press": r"/jobs/\d+/(play|retry)$",
            "incident": r"/issues$",
        }
        for request in self.sandbox.requests:
            if request.method != "POST":
                continue
            for name, pattern in patterns.items():
                counted[name] += bool(re.search(pattern, request.path))
            if request.path.endswith("/git-receive-pack"):
                counted["push"] += bool(RELEASE.match(request.body))
            counted["event"] += b"timelineEventCreate" in request.body
        return counted


@pytest.fixture
def rehearsal(clock: Clock, tmp_path: Path) -> Iterator[Rehearsal]:
    """Write down the example's hotfix, !812 and !815 of bf-manage-core."""
    with Sandbox(seed.example(clock, pace=2.0)) as sandbox:
        made = Rehearsal(sandbox, clock, tmp_path)
        made.write(made.target(CORE, 812, 815))
        yield made
        contract = Contract()
        for request in list(sandbox.requests):
            contract.check(request)


@pytest.fixture
def ci(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[str], str]], None]:
    """Change the CI file of a project, as its pipelines are made of it."""

    def change(path: str, edit: Callable[[str], str]) -> None:
        real = pipelines._ci_file

        def edited(project: pipelines.Project, sha: str) -> str:
            text = real(project, sha)
            return edit(text) if project.path == path else text

        monkeypatch.setattr(pipelines, "_ci_file", edited)

    return change


ONCE = {"push": 2, "pipeline": 1, "press": 1, "incident": 1, "event": 5}
"""What the example's hotfix does to GitLab, however often it was interrupted."""


def somebody_pushes(rehearsal: Rehearsal, path: str = CORE) -> str:
    """Put a commit of somebody else onto release."""
    repository = rehearsal.sandbox.world.project(path).repository
    head = repository.branch("release")
    assert head
    other = repository.write_commit(
        repository.edited(head, {"README.md": File(b"something else\n")}),
        [head],
        "something else\n",
        Signature("Somebody", "somebody@example.com", rehearsal.clock.now()),
    )
    repository.update_ref("refs/heads/release", head, other)
    return other
