"""What a run needs from outside: a person who answers, a screen, a wish to stop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hotfix.apply.events import Event
    from hotfix.clock import Clock
    from hotfix.plan.model import Finding, Plan
    from hotfix.smoke.manual import Ask
    from hotfix.smoke.result import SmokeResult
    from hotfix.spec.model import SmokeCheck

Until = Literal["restore", "branch", "staging", "production"]


@dataclass(frozen=True, slots=True)
class Press:
    """The production job that waits for a human's yes."""

    project: str
    job: str
    job_id: int
    commit: str
    url: str
    environment: str
    earlier: tuple[str, ...] = ()
    """What became of it when it was pressed before; then this is another press."""
    told: tuple[str, ...] = ()
    """What stands around the gate: who may press, what is not known."""
    cautions: tuple[str, ...] = ()
    """What speaks against the press; a person may go past it, a flag may not."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """A pipeline at work on the planned commit that this run did not start."""

    project: str
    pipeline_id: int
    url: str
    target: str
    commit: str
    started: str
    """By whom, when and how."""
    inputs: str
    """What is known of them, as a sentence without its stop."""


@dataclass(frozen=True, slots=True)
class Yes:
    """An answer, and how it was given: ``typed``, or by the name of the flag that gave it."""

    source: str


class Operator(Protocol):
    """The person at the terminal. Without one, and without the flag that answers: ``None``."""

    meanwhile: Callable[[], None]
    """Set by the run, and called now and then while a question is open, by whoever asks it.

    A person may think for longer than a lease lasts. What it raises ends the question.
    """

    def approve_plan(self, plan: Plan) -> Yes | None:
        """Ask once, before anything is changed, whether this plan shall be carried out."""
        ...

    def answer_for(self, warnings: Sequence[Finding], digest: str) -> Yes | None:
        """Ask whether somebody goes past these warnings knowingly.

        ``digest`` is of their list: a flag answers for exactly the list that it names.
        """
        ...

    def adopt_pipeline(self, adoption: Adoption) -> Yes | None:
        """Ask whether a pipeline that somebody started by hand is this hotfix's own."""
        ...

    def approve_press(self, press: Press) -> Yes | None:
        """Ask for the production gate; the question names project, job and commit."""
        ...

    def ask(self, question: str) -> bool | None:
        """Ask a manual smoke check's question."""
        ...


class Progress(Protocol):
    """The screen, or nothing."""

    def emit(self, event: Event) -> None:
        """Show an event; never raises, never waits."""
        ...


class CheckSmoke(Protocol):
    """Tries a smoke check until it is green or its retries are used up."""

    def __call__(
        self, check: SmokeCheck, *, clock: Clock, ask: Ask | None, operator: str, deployed: str
    ) -> SmokeResult:
        """Return what the last try found; a red check is a result, never an exception.

        ``deployed`` is the commit that production shall run.
        """
        ...


class Stop:
    """The operator's wish to stop, set by a signal and looked at where stopping is safe."""

    def __init__(self) -> None:
        self.requested = False


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait: seconds between looks, and the most that any one wait may take."""

    poll: float = 5.0
    longest: float | None = None
    longest_of: Mapping[str, float] = field(default_factory=dict)
    """The same by step, where one shall wait longer or shorter than the others."""
    grace: float = 60.0
    """How long a lost answer may still take effect; not a matter of how often one looks."""
