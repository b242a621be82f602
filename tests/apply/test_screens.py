"""What the operator sees at each gate and at each failure, as files to be read in ``golden/``.

Each screen is what a log or a pipe gets, with the answers that were typed. It ends with the exact
next command; the exit code stands in its last line. ``HOTFIX_UPDATE_GOLDEN=1`` writes them anew.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from hotfix.apply.run import apply
from hotfix.cli.boundary import refuse
from hotfix.cli.operator import Operator
from hotfix.cli.screen import Screen
from hotfix.errors import HotfixError
from hotfix.forge.gitlab import GitLabForge
from hotfix.sandbox import jobs, pipelines, seed
from hotfix.sandbox.faults import Fault
from hotfix.sandbox.pipelines import Order, create
from hotfix.sandbox.projects import ApprovalRule, FreezePeriod, ProtectedEnvironment
from hotfix.sandbox.users import DEVELOPER, MAINTAINER
from hotfix.views.progress import PlainProgress

from .conftest import CORE, Rehearsal, somebody_pushes

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.apply.events import Event

_UPDATE: Final = os.environ.get("HOTFIX_UPDATE_GOLDEN") == "1"
GOLDEN: Final = Path(__file__).parent / "golden"
NEXT: Final = re.compile(
    r"hotfix (apply|plan|rollback) \S+( --apply| --acknowledge sha256:[0-9a-f]{64})?$"
)
NAME: Final = "bf-manage-core"
CAUTIOUS: Final = "  artifacts: {expire_in: 1 hour, paths: [dist]}\n"


class Typed:
    """Answers that somebody types, seen on the screen as a terminal shows them."""

    source = "typed"

    def __init__(self, screen: Screen, answers: list[str]) -> None:
        self._screen = screen
        self._answers = answers

    def read(self, question: str, wanted: str, meanwhile: Callable[[], None]) -> str | None:
        del wanted
        meanwhile()
        if not self._answers:
            return None
        self._screen.err(f"{question} {self._answers[0]}\n")
        return self._answers.pop(0)


class Terminal:
    """Runs `hotfix apply` in this process and keeps its screen."""

    def __init__(self, rehearsal: Rehearsal, capsys: pytest.CaptureFixture[str]) -> None:
        self.rehearsal = rehearsal
        self._capsys = capsys

    def apply(self, *answers: str, **more: Any) -> str:  # noqa: ANN401  (of a request)
        """Apply with these answers; returns the screen, what varies by machine made fixed."""
        reason = more.pop("break_glass", None)
        rehearsal, screen = self.rehearsal, Screen()
        self._capsys.readouterr()
        operator = Operator(
            self.typed(screen, list(answers)), show_plan=lambda _: None, auto_approve=not answers
        )
        forge = GitLabForge(rehearsal.sandbox.url, rehearsal.token, clock=rehearsal.clock)
        try:
            outcome = apply(
                replace(rehearsal.request(**more), break_glass=reason),
                forge=forge,
                clock=rehearsal.clock,
                operator=operator,
                progress=_Watched(PlainProgress(screen.err), self.when),
                stop=rehearsal.stop,
            )
            code = 0
            screen.err(f"{outcome.message}\n")
        except HotfixError as error:
            code = refuse(screen, error)
        return self._fixed(f"{self._capsys.readouterr().err}[exit {code}]\n")

    typed: type[Typed] = Typed
    when: Callable[[Event], None] = staticmethod(lambda _: None)
    """What happens meanwhile, by what was just shown."""

    def _fixed(self, text: str) -> str:
        text = text.replace(self.rehearsal.sandbox.url, "https://gitlab.example.com")
        text = text.replace(str(self.rehearsal.lockfile.parent), "plans/inc-1042")
        text = re.sub(r"sha256:[0-9a-f]{64}", f"sha256:{'0123456789abcdef' * 4}", text)
        return re.sub(r"by operator on \S+ since", "by operator on laptop since", text)


class _Watched:
    def __init__(self, progress: PlainProgress, when: Callable[[Event], None]) -> None:
        self._progress = progress
        self._when = when

    def emit(self, event: Event) -> None:
        self._progress.emit(event)
        self._when(event)


@pytest.fixture
def terminal(rehearsal: Rehearsal, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(rehearsal, capsys)


def hold(name: str, screen: str) -> None:
    """Hold a screen to its golden file, and to the rule that it ends with the next command."""
    body, _, code = screen.rstrip("\n").rpartition("\n")
    assert re.fullmatch(r"\[exit \d+\]", code)
    if code != "[exit 0]":
        assert NEXT.search(body), body
    path = GOLDEN / f"{name}.txt"
    if _UPDATE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(screen, encoding="utf-8")
    assert screen == path.read_text(encoding="utf-8")


# gates
def test_the_first_question(terminal: Terminal) -> None:
    hold("plan-not-approved", terminal.apply("no"))


def test_the_production_question_and_the_way_to_the_end(terminal: Terminal) -> None:
    hold("production-question", terminal.apply("yes", NAME))


def test_the_production_gate_without_a_terminal(terminal: Terminal) -> None:
    hold("production-gate", terminal.apply())


def test_the_production_question_with_all_that_speaks_against_it(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = terminal.rehearsal.sandbox.world
    _edit_ci(monkeypatch, "    - make build\n", f"    - make build\n{CAUTIOUS}")
    _protect(terminal, "production", deploy_level=50, deployers=(world.user("reviewer"),))
    terminal.apply(until="staging")
    terminal.rehearsal.clock.sleep(timedelta(hours=2).total_seconds())
    _freeze(terminal)

    hold("production-cautions", terminal.apply("yes", "other-name", "no", "no"))


def test_warnings_that_somebody_has_to_go_past(terminal: Terminal) -> None:
    _freeze(terminal)

    hold("warnings-question", terminal.apply("yes", "no"))


def test_warnings_without_a_terminal(terminal: Terminal) -> None:
    _freeze(terminal)

    hold("warnings-not-answered", terminal.apply())


def test_what_the_policy_denies(terminal: Terminal) -> None:
    _deny_freezes(terminal)
    _freeze(terminal)

    hold("policy-denies", terminal.apply())


def test_a_denied_freeze_that_began_before_the_press(terminal: Terminal) -> None:
    _deny_freezes(terminal)
    begun: list[None] = []

    def begin(event: Event) -> None:
        if event.step == "orchestrate" and event.phase == "done" and not begun:
            begun.append(_freeze(terminal))

    terminal.when = begin

    hold("gate-denied", terminal.apply("yes"))


def test_broken_glass(terminal: Terminal) -> None:
    _deny_freezes(terminal)
    _freeze(terminal)

    screen = terminal.apply("yes", NAME, break_glass="chargers are offline in three countries")
    hold("glass-broken", screen)


def test_approvals_that_are_missing(terminal: Terminal) -> None:
    world = terminal.rehearsal.sandbox.world
    rules = (ApprovalRule(1, world.user("reviewer")), ApprovalRule(1, MAINTAINER))
    _protect(terminal, "production", approval_rules=rules)

    hold("deployment-approval", terminal.apply())


def test_a_deployment_that_came_later(terminal: Terminal) -> None:
    world = terminal.rehearsal.sandbox.world
    project = world.project(CORE)
    project.settings.ci_forward_deployment_enabled = True
    terminal.apply(until="staging")
    runs = world.production_sha(CORE)
    last = [each for each in project.deployments if (each.sha, each.status) == (runs, "success")][
        -1
    ]
    last.id, last.iid = world.next_id("deployment"), len(project.deployments) + 1

    hold("deployment-outdated", terminal.apply())


def test_the_staging_gate(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = "deploy-staging:\n  stage: staging\n"
    _edit_ci(monkeypatch, stage, f"{stage}  when: manual\n  allow_failure: false\n")
    _protect(terminal, "staging", deploy_level=DEVELOPER)

    hold("staging-gate", terminal.apply(longest=20.0))


def test_a_pipeline_started_by_hand(terminal: Terminal) -> None:
    terminal.apply(until="branch")
    _by_hand(terminal)

    hold("pipeline-found", terminal.apply())
    hold("pipeline-question", terminal.apply("no"))


def test_two_pipelines_started_by_hand(terminal: Terminal) -> None:
    terminal.apply(until="branch")
    _by_hand(terminal)
    _by_hand(terminal)

    hold("pipeline-ambiguous", terminal.apply())


# waits
def test_a_wait_that_ran_out(terminal: Terminal) -> None:
    terminal.rehearsal.sandbox.world.script(CORE, "deploy-staging", seconds=300.0)

    hold("wait-expired", terminal.apply(longest_of={"staging": 20.0}))


def test_a_production_job_that_waits_in_a_queue(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    rehearsal = terminal.rehearsal
    world = rehearsal.sandbox.world
    terminal.apply(until="staging")
    migrate = "build:\n  stage: build\n  resource_group: production\n"
    _edit_ci(monkeypatch, "build:\n  stage: build\n", migrate)
    world.script(CORE, "build", seconds=600.0)
    create(
        world,
        world.project(CORE),
        world.user("author"),
        Order("main", "web"),
        rehearsal.clock.now(),
    )
    rehearsal.clock.sleep(150)

    hold("queue", terminal.apply("bf-manage-core", longest_of={"verify-production": 10.0}))


def test_somebody_who_stops_the_run(terminal: Terminal) -> None:
    def stop(event: Event) -> None:
        terminal.rehearsal.stop.requested |= event.step == "staging"

    terminal.when = stop

    hold("interrupted", terminal.apply())


# failures
def test_a_job_that_fails_before_production(terminal: Terminal) -> None:
    terminal.rehearsal.sandbox.world.script(CORE, "deploy-staging", outcome="failed")

    hold("staging-failed", terminal.apply())


def test_an_orchestration_that_fails(terminal: Terminal) -> None:
    terminal.rehearsal.sandbox.world.script(seed.ORCHESTRATOR, "confirm", outcome="failed")

    hold("orchestration-failed", terminal.apply())


def test_a_production_job_that_fails(terminal: Terminal) -> None:
    terminal.rehearsal.sandbox.world.script(CORE, "deploy-production", outcome="failed")

    hold("production-failed", terminal.apply("yes", NAME))


def test_a_second_press(terminal: Terminal) -> None:
    world = terminal.rehearsal.sandbox.world
    world.script(CORE, "deploy-production", outcome="failed", times=1)
    terminal.apply("yes", NAME)
    failed = [each for each in world.project(CORE).jobs() if each.name == "deploy-production"][-1]
    again = jobs.retry(world, failed, world.user("operator"))
    again.status, again.due = "manual", None
    world.moving.remove(again)

    hold("production-again", terminal.apply("no", "no", "no"))


def test_a_red_smoke_check(terminal: Terminal) -> None:
    terminal.rehearsal.sandbox.world.project(CORE).service_status = "down"

    hold("smoke-failed", terminal.apply("yes", NAME))


def test_a_stale_plan(terminal: Terminal) -> None:
    plan = terminal.rehearsal.plan()
    target = plan.targets[0]
    assert target.pipeline
    pipeline = target.pipeline.model_copy(update={"ref": "last-week"})
    edited = {"targets": (target.model_copy(update={"pipeline": pipeline}),), "digest": "sha256:0"}

    hold("plan-stale", terminal.apply(saved=plan.model_copy(update=edited)))


def test_somebody_who_pressed_meanwhile(terminal: Terminal) -> None:
    world = terminal.rehearsal.sandbox.world

    class Slow(Typed):
        def read(self, question: str, wanted: str, meanwhile: Callable[[], None]) -> str | None:
            if "production job" in question:
                gate = [e for e in world.project(CORE).jobs() if e.name == "deploy-production"][-1]
                jobs.play(world, gate, world.user("operator"))
            return super().read(question, wanted, meanwhile)

    terminal.typed = Slow

    hold("job-moved", terminal.apply("yes", NAME))


def test_a_release_that_moved(terminal: Terminal) -> None:
    terminal.apply(until="branch")
    somebody_pushes(terminal.rehearsal)

    hold("branch-moved", terminal.apply())


def test_a_production_that_moved(terminal: Terminal) -> None:
    terminal.apply(until="staging")
    world = terminal.rehearsal.sandbox.world
    staging = [each for each in world.project(CORE).deployments if each.status == "success"][-1]
    staging.environment = next(
        each for each in world.project(CORE).environments if each.name == "production"
    )
    staging.sha = world.release_sha("evenergi/bf-manage-core", "main")
    staging.job = None  # by a tool of somebody's own

    hold("production-moved", terminal.apply())


def test_a_lock_that_is_held(terminal: Terminal) -> None:
    rehearsal = terminal.rehearsal
    own = rehearsal.lockfile
    screens: list[str] = []

    def second(event: Event) -> None:
        if event.step == "preflight" and not screens:
            screens.append("")
            terminal.when = lambda _: None
            rehearsal.lockfile = own.with_name("other.lock.json")
            screens[0] = terminal.apply()
            rehearsal.lockfile = own

    terminal.when = second
    terminal.apply()

    hold("locked", screens[0])


def test_a_blocked_plan(terminal: Terminal) -> None:
    terminal.rehearsal.write(terminal.rehearsal.target(CORE, 817))

    hold("blocked", terminal.apply())


def test_a_connection_that_is_lost(terminal: Terminal) -> None:
    def lose(event: Event) -> None:
        if event.step == "orchestrate" and event.phase == "done":
            faults.plan([Fault("GET /projects/:id/pipelines/:id", "reset", times=None)])

    faults = terminal.rehearsal.sandbox.faults
    terminal.when = lose

    hold("connection-lost", terminal.apply())


def test_an_answer_that_is_lost_and_a_pipeline_that_never_came(terminal: Terminal) -> None:
    fault = Fault("POST /projects/:id/pipeline", "reset", when="before")
    terminal.rehearsal.sandbox.faults.plan([fault])

    hold("pipeline-not-started", terminal.apply())


def test_a_token_that_expires(terminal: Terminal) -> None:
    def expire(event: Event) -> None:
        if event.step == "orchestrate" and event.phase == "done":
            token.expires_at = terminal.rehearsal.clock.now()

    token = terminal.rehearsal.sandbox.world.tokens[terminal.rehearsal.token]
    terminal.when = expire

    hold("token-expired", terminal.apply())


def _edit_ci(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> None:
    real = pipelines._ci_file
    monkeypatch.setattr(pipelines, "_ci_file", lambda *given: real(*given).replace(old, new, 1))


def _protect(terminal: Terminal, name: str, **rule: Any) -> None:  # noqa: ANN401  (of the rule)
    world = terminal.rehearsal.sandbox.world
    world.tier = "premium"
    world.project(CORE).protected_environments.append(ProtectedEnvironment(name, **rule))


def _freeze(terminal: Terminal) -> None:
    period = FreezePeriod(1, "0 0 * * *", "59 23 * * *", "UTC", terminal.rehearsal.clock.now())
    terminal.rehearsal.sandbox.world.project(CORE).freeze_periods.append(period)


def test_three_repositories_and_a_failure_in_the_second(terminal: Terminal) -> None:
    rehearsal = terminal.rehearsal
    ledger, portal = "evenergi/bf-ledger", "evenergi/bf-portal"
    rehearsal.write(
        rehearsal.target(ledger, 54),
        rehearsal.target(CORE, 812, 815, after=[ledger]),
        rehearsal.target(portal, 233, after=[CORE]),
    )
    rehearsal.sandbox.world.script(CORE, "deploy-staging", outcome="failed")

    hold("several", terminal.apply("yes", "bf-ledger"))


def _deny_freezes(terminal: Terminal) -> None:
    rehearsal = terminal.rehearsal
    policy = {"decisions": {"deploy-freeze": "deny"}}
    rehearsal.write(rehearsal.target(CORE, 812, 815), policy=policy)


def _by_hand(terminal: Terminal) -> None:
    rehearsal = terminal.rehearsal
    world = rehearsal.sandbox.world
    inputs = {"action": "deploy-release-branch-to-staging", "project": CORE, "confirm": True}
    orchestrator, somebody = world.project(seed.ORCHESTRATOR), world.user("reviewer")
    orchestrator.group.members[somebody.id] = MAINTAINER
    create(world, orchestrator, somebody, Order("main", "web", inputs), rehearsal.clock.now())
    rehearsal.clock.sleep(30)
    world.advance()
