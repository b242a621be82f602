"""The person at the terminal, and what they are asked."""

from __future__ import annotations

import contextlib
import select
import sys
import termios
from typing import TYPE_CHECKING, Final, Protocol

from hotfix.apply.ports import Yes
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from hotfix.apply.ports import Adoption, Press
    from hotfix.cli.screen import Screen
    from hotfix.cli.signals import Interrupts
    from hotfix.plan.model import Finding, Plan

_TRIES: Final = 3

MEANWHILE_SECONDS = 15.0
"""How often a person who thinks is looked away from, to keep alive what must not run out."""


class Answers(Protocol):
    """Where answers come from."""

    source: str
    """How they were given, for the record: ``typed`` at a terminal."""

    def read(self, question: str, wanted: str, meanwhile: Callable[[], None]) -> str | None:
        """Put a question and return the answer; None where nobody is there to answer.

        ``wanted`` is what a yes would be, for those who answer by themselves; ``meanwhile`` is
        called now and then while nobody has answered yet.
        """
        ...


class TerminalAnswers:
    """Answers that somebody types; none where standard input is no terminal."""

    source = "typed"

    def __init__(self, screen: Screen, interrupts: Interrupts) -> None:
        """Ask on standard error."""
        self._screen = screen
        self._interrupts = interrupts

    def read(self, question: str, wanted: str, meanwhile: Callable[[], None]) -> str | None:
        """Put a question; end of input counts as nobody there, Ctrl-C as a wish to stop."""
        del wanted
        if not somebody_is_there():
            return None
        _forget_what_was_typed_before()
        self._screen.err(question + " ")
        try:
            line = self._line(meanwhile)
        except KeyboardInterrupt:
            line = ""
        if not line:
            self._screen.err("\n")
        return line.strip() if line else None

    def _line(self, meanwhile: Callable[[], None]) -> str:
        """Wait for a line, and do what is due meanwhile: here, so that it is never cut short.

        A terminal gives one line at a time, so none waits in Python's own buffer.
        """
        while True:
            with self._interrupts.asking():
                if select.select([sys.stdin], [], [], MEANWHILE_SECONDS)[0]:
                    return sys.stdin.readline()
            meanwhile()


def somebody_is_there() -> bool:
    """Tell whether standard input is a terminal, so that a question can be answered."""
    return sys.stdin is not None and sys.stdin.isatty()


def _forget_what_was_typed_before() -> None:
    """Drop type-ahead: an answer counts only if its question was on the screen."""
    with contextlib.suppress(termios.error, OSError):
        termios.tcflush(sys.stdin, termios.TCIFLUSH)


def typed_name(
    read: Callable[[str, str], str | None], project: str, *, act: str, again: str
) -> bool:
    """Ask for a project's name, a few times: an act that must not be a slip of the finger.

    ``act`` says before the question what will be done, ``again`` that it was not.
    """
    name = project.rpartition("/")[2]
    for before in (act, *[again] * (_TRIES - 1)):
        answer = read(f"{before}Type the project's name, {one_line(name)}:", name)
        if answer is None:
            return False
        if answer in {name, project}:
            return True
    return False


class Operator:
    """Puts the questions of a run; flags answer the two gates, nothing but a person the checks."""

    def __init__(
        self,
        answers: Answers,
        *,
        show_plan: Callable[[Plan], None],
        pause: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
        auto_approve: bool = False,
        promote: bool = False,
        acknowledge: str | None = None,
    ) -> None:
        """Answer by flags where they are given, else by ``answers``.

        ``pause`` frees the terminal from whatever moves there.
        """
        self._answers = answers
        self._show_plan = show_plan
        self._pause = pause
        self._auto_approve = auto_approve
        self._promote = promote
        self._acknowledge = acknowledge
        self.meanwhile: Callable[[], None] = lambda: None

    def approve_plan(self, plan: Plan) -> Yes | None:
        """Show the plan and ask for exactly these changes; only a full ``yes`` counts."""
        with self._pause():
            self._show_plan(plan)
            if self._auto_approve:
                return Yes("--auto-approve")
            answer = self._read("Apply exactly these changes? Type yes:", "yes")
        return Yes(self._answers.source) if answer == "yes" else None

    def answer_for(self, warnings: Sequence[Finding], digest: str) -> Yes | None:
        """Ask whether somebody goes past these warnings; the flag answers for their list alone."""
        if self._acknowledge == digest:
            return Yes("--acknowledge")
        lines = [
            f"\n  {one_line(each.code)}: {one_line(each.message, 1000)}\n"
            f"    The rule: {one_line(each.rule or '', 300)} {one_line(each.hint, 500)}"
            for each in warnings
        ]
        few = "this warning" if len(warnings) == 1 else f"these {len(warnings)} warnings"
        question = f"{''.join(lines)}\nGo past {few} knowingly? Type yes:"
        with self._pause():
            answer = self._read(question, "yes")
        return Yes(self._answers.source) if answer == "yes" else None

    def reason(self) -> str | None:
        """Ask why a hotfix is rolled back, until somebody says; None where nobody is there."""
        with self._pause():
            for _ in range(_TRIES):
                answer = self._read("Why is it rolled back? One line for the record:", "-")
                if answer is None or answer:
                    return answer
        return None

    def adopt_pipeline(self, adoption: Adoption) -> Yes | None:
        """Ask whether a pipeline that somebody started by hand is meant; only ``yes`` counts."""
        question = (
            f"\nPipeline {adoption.pipeline_id} of {one_line(adoption.project)} deploys commit "
            f"{adoption.commit} of {one_line(adoption.target)} already.\n"
            f"  It was started {one_line(adoption.started, 1000)}.\n"
            f"  {one_line(adoption.inputs, 1000)}.\n"
            f"  {one_line(adoption.url, 1000)}\n"
            "Go on with it as this hotfix's own, instead of starting one? Type yes:"
        )
        with self._pause():
            answer = self._read(question, "yes")
        return Yes(self._answers.source) if answer == "yes" else None

    def approve_press(self, press: Press) -> Yes | None:
        """Ask for the production gate: the question names the act, the answer the project.

        A flag was given before it was known that the job fails, or that a freeze is in force: it
        answers for neither.
        """
        if self._promote and not press.earlier and not press.cautions:
            return Yes("--promote")
        act = (
            f"\nRun production job {one_line(press.job)} in {one_line(press.project)} "
            f"for commit {press.commit}?\n"
            f"  environment {one_line(press.environment)}, job {one_line(press.url, 1000)}\n"
        )
        act += "".join(
            f"  It was pressed before: {one_line(each, 1000)}. This is another press.\n"
            for each in press.earlier
        )
        act += "".join(f"  Caution: {one_line(each, 1000)}.\n" for each in press.cautions)
        act += "".join(f"  {one_line(each, 1000)}.\n" for each in press.told)
        again = "  That is not the project's name; nothing was pressed.\n"
        with self._pause():
            is_meant = typed_name(self._read, press.project, act=act, again=again)
        return Yes(self._answers.source) if is_meant else None

    def ask(self, question: str) -> bool | None:
        """Ask a manual smoke check's question until it is answered by yes or no."""
        with self._pause():
            for _ in range(_TRIES):
                answer = self._read(f"{one_line(question, 1000)} Type yes or no:", "yes")
                if answer is None:
                    return None
                with contextlib.suppress(KeyError):
                    return {"yes": True, "no": False}[answer.lower()]
        return None

    def _read(self, question: str, wanted: str) -> str | None:
        return self._answers.read(question, wanted, self.meanwhile)
