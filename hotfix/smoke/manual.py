"""Ask the operator, and record who answered what and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hotfix.clock import timestamp
from hotfix.errors import WaitingError
from hotfix.smoke.result import Finding
from hotfix.text import one_line

if TYPE_CHECKING:
    from hotfix.clock import Clock
    from hotfix.spec.model import ManualCheck


class Ask(Protocol):
    """How a question reaches the operator."""

    def __call__(self, question: str) -> bool | None:
        """Return the answer, or None where nobody is there to give one."""
        ...


class UnansweredError(WaitingError):
    """Nobody was there to answer; the run stops at this gate, and the same command resumes."""


def observe(check: ManualCheck, clock: Clock, ask: Ask | None, operator: str) -> Finding:
    """Ask once: a person who said no is not asked until the answer is yes.

    Raises ``UnansweredError`` where nobody answers; no answer is ever taken for one.
    """
    answer = ask(check.question) if ask is not None else None
    question = one_line(check.question)
    if answer is None:
        raise UnansweredError(
            "smoke-unanswered",
            f"A smoke check asks `{question}`, and nobody is there to answer.",
            hint="Run the same command again on a terminal.",
        )
    said = "yes" if answer else "no"
    return Finding(
        passed=answer,
        detail=f"{one_line(operator, 80)} answered {said}" + ("" if answer else ", expected yes"),
        facts={
            "question": check.question,
            "answer": said,
            "answered_by": operator,
            "answered_at": timestamp(clock.now()),
        },
    )
