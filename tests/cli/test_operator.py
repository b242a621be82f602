from __future__ import annotations

import contextlib
import os
import pty
import sys
from typing import TYPE_CHECKING

import pytest

from hotfix.apply.ports import Adoption, Press, Stop, Yes
from hotfix.cli import operator
from hotfix.cli.operator import Operator, TerminalAnswers
from hotfix.cli.screen import Screen
from hotfix.cli.signals import Interrupts
from hotfix.errors import LockedError
from hotfix.plan.model import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hotfix.plan.model import Plan

PRESS = Press(
    project="evenergi/bf-manage-core",
    job="deploy-production",
    job_id=85,
    commit="9fdb0807" * 5,
    url="https://gitlab.example.com/evenergi/bf-manage-core/-/jobs/85",
    environment="production",
)


FOUND = Adoption(
    project="evenergi/develop",
    pipeline_id=17,
    url="https://gitlab.example.com/evenergi/develop/-/pipelines/17",
    target="evenergi/bf-manage-core",
    commit="9fdb0807" * 5,
    started="by rita at 2026-11-22T12:00:00Z, source web",
    inputs="GitLab does not give its inputs back",
)


class Script:
    """Answers from a list; None, and for ever after, where nobody is there."""

    source = "typed"

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.questions: list[str] = []

    def read(self, question: str, wanted: str, meanwhile: Callable[[], None]) -> str | None:
        del wanted
        meanwhile()
        self.questions.append(question)
        return self.answers.pop(0) if self.answers else None


WARNING = Finding(
    code="deploy-freeze",
    target=PRESS.project,
    message="A deploy freeze is in force.",
    hint="Wait.",
    decision="ask",
    rule="Nothing is deployed in a deploy freeze.",
)
LIST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("flag", "answers", "source"),
    [
        (LIST, [], "--acknowledge"),
        (LIST, ["no"], "--acknowledge"),
        ("sha256:" + "cd" * 32, [], None),
        (None, ["yes"], "typed"),
        (None, ["y"], None),
        (None, [], None),
    ],
)
def test_warnings_are_gone_past_by_a_full_yes_or_by_the_hash_of_their_list(
    flag: str | None, answers: list[str], source: str | None
) -> None:
    script = Script(*answers)
    asked = Operator(script, show_plan=lambda _: None, auto_approve=True, acknowledge=flag)

    answer = asked.answer_for([WARNING], LIST)

    assert (answer.source if answer else None) == source
    assert (script.questions == []) == (flag == LIST)
    assert all(WARNING.rule in question for question in script.questions)


def _operator(script: Script, *, auto_approve: bool = False, promote: bool = False) -> Operator:
    return Operator(
        script,
        show_plan=lambda _: script.questions.append("PLAN"),
        auto_approve=auto_approve,
        promote=promote,
    )


@pytest.mark.parametrize(
    ("answer", "source"),
    [("yes", "typed"), ("y", None), ("YES", None), ("", None), ("no", None), ("yes!", None)],
)
def test_only_a_full_yes_approves_the_plan(answer: str, source: str | None) -> None:
    script = Script(answer)
    plan: Plan = object()  # type: ignore[assignment]  # only handed on

    found = _operator(script).approve_plan(plan)

    assert found == (Yes(source) if source else None)
    assert script.questions == ["PLAN", "Apply exactly these changes? Type yes:"]


def test_a_flag_answers_the_first_question_and_not_the_gate() -> None:
    script = Script()
    operator = _operator(script, auto_approve=True)
    plan: Plan = object()  # type: ignore[assignment]  # only handed on

    assert operator.approve_plan(plan) == Yes("--auto-approve")
    assert operator.approve_press(PRESS) is None
    assert len(script.questions) == 2


def test_promote_answers_the_gate() -> None:
    assert _operator(Script(), promote=True).approve_press(PRESS) == Yes("--promote")


@pytest.mark.parametrize("answer", ["bf-manage-core", "evenergi/bf-manage-core"])
def test_the_gate_is_opened_by_the_project_s_name(answer: str) -> None:
    script = Script(answer)

    assert _operator(script).approve_press(PRESS) == Yes("typed")
    assert (
        f"deploy-production in evenergi/bf-manage-core for commit {PRESS.commit}?"
        in (script.questions[0])
    )


def test_a_wrong_name_is_asked_again_up_to_three_times() -> None:
    script = Script("yes", "no", "bf-manage-core")
    assert _operator(script).approve_press(PRESS) == Yes("typed")

    script = Script("yes", "bf-billing", "", "bf-manage-core")
    assert _operator(script).approve_press(PRESS) is None
    assert len(script.questions) == 3
    assert script.questions[2].startswith("  That is not the project's name; nothing was pressed.")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (("yes",), True),
        (("no",), False),
        (("maybe", "Yes"), True),
        (("a", "b", "c"), None),
        ((), None),
    ],
)
def test_a_check_s_question_is_answered_by_yes_or_no(
    answers: tuple[str, ...],
    expected: bool | None,  # noqa: FBT001  (what is expected)
) -> None:
    assert _operator(Script(*answers)).ask("Do chargers stay connected?") is expected


def test_hostile_names_do_not_act_in_the_question() -> None:
    script = Script()
    operator = _operator(script)
    operator.approve_press(Press("g/\x1b[2Jp", "\x1b]0;x\x07", 1, "a" * 40, "\r\nx", "\x9b"))
    operator.ask("\x1b[2J?")

    assert len(script.questions) == 2
    assert not {"\x1b", "\x07", "\r", "\x9b"} & set("".join(script.questions))


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Sit at a terminal whose other end is returned: what is written there is typed."""
    master, slave = pty.openpty()
    with os.fdopen(slave, encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(operator, "MEANWHILE_SECONDS", 0.01)
        yield master
    os.close(master)


def test_what_must_not_run_out_is_kept_alive_while_a_person_thinks(terminal: int) -> None:
    called: list[int] = []

    def meanwhile() -> None:
        called.append(len(called))
        if len(called) == 3:
            os.write(terminal, b" yes \n")

    answers = TerminalAnswers(Screen(), Interrupts(Stop()))

    assert answers.read("Go?", "yes", meanwhile) == "yes"
    assert called == [0, 1, 2]


def test_a_signal_meanwhile_ends_the_question_after_what_it_found_at_work(terminal: int) -> None:
    assert terminal
    stop = Stop()
    called: list[str] = []

    def meanwhile() -> None:
        stop.requested = True
        called.append("to its end")

    assert TerminalAnswers(Screen(), Interrupts(stop)).read("Go?", "yes", meanwhile) is None
    assert called == ["to its end"]


def test_what_meanwhile_finds_lost_ends_the_question(terminal: int) -> None:
    assert terminal

    def meanwhile() -> None:
        raise LockedError("lock-lost", "The lock was taken.")

    with pytest.raises(LockedError):
        TerminalAnswers(Screen(), Interrupts(Stop())).read("Go?", "yes", meanwhile)


def test_the_run_says_what_is_done_while_a_person_thinks() -> None:
    kept: list[str] = []
    asked = _operator(Script("bf-manage-core"))
    asked.meanwhile = lambda: kept.append("alive")

    assert asked.approve_press(PRESS)
    assert kept == ["alive"]


def test_the_terminal_is_free_while_something_is_asked() -> None:
    paused: list[str] = []

    @contextlib.contextmanager
    def pause() -> Iterator[None]:
        paused.append("begin")
        yield
        paused.append("end")

    script = Script("yes")
    operator = Operator(script, show_plan=lambda _: paused.append("PLAN"), pause=pause)
    plan: Plan = object()  # type: ignore[assignment]  # only handed on
    operator.approve_plan(plan)

    assert paused == ["begin", "PLAN", "end"]


def test_why_it_is_rolled_back_is_asked_until_somebody_says() -> None:
    assert _operator(Script("", "heartbeats are lost")).reason() == "heartbeats are lost"
    assert _operator(Script("", "", "")).reason() is None
    assert _operator(Script()).reason() is None


@pytest.mark.parametrize(
    ("answer", "source"), [("yes", "typed"), ("17", None), ("y", None), ("", None), ("no", None)]
)
def test_a_pipeline_started_by_hand_is_adopted_by_a_full_yes(
    answer: str, source: str | None
) -> None:
    script = Script(answer)

    given = _operator(script, auto_approve=True, promote=True).adopt_pipeline(FOUND)

    assert given == (Yes(source) if source else None)
    (question,) = script.questions
    for told in ("Pipeline 17 of evenergi/develop", FOUND.commit, "by rita at", FOUND.url):
        assert told in question


def test_no_flag_but_its_own_adopts_a_pipeline() -> None:
    assert _operator(Script(), auto_approve=True, promote=True).adopt_pipeline(FOUND) is None
