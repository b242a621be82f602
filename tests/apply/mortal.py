"""A run as a process of its own, which a real SIGKILL ends before, during or after an effect."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from unittest import mock

from hotfix import files
from hotfix.apply.journal import Journal
from hotfix.apply.ports import Pace, Press, Stop, Yes
from hotfix.apply.run import Request, apply
from hotfix.errors import HotfixError
from hotfix.forge.gitlab import GitLabForge
from hotfix.spec.load import load_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext
    from pathlib import Path

    from hotfix.apply.events import Event
    from hotfix.plan.model import Plan

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
When = Literal["before", "during", "after"]

WRITES = (
    "create_pipeline",
    "play",
    "create_incident",
    "update_description",
    "add_timeline_event",
)
"""The forge's calls that change something; a repository has one, ``push``."""


@dataclass(frozen=True, slots=True)
class Doom:
    """Where a run is killed: at which of its effects, counted from 0, and when."""

    number: int
    when: When


class SharedClock:
    """A clock of several processes that only moves when one of them waits."""

    def __init__(self, context: ForkServerContext) -> None:
        self._elapsed = context.Value("d", 0.0)

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return self._elapsed.value

    def sleep(self, seconds: float) -> None:
        with self._elapsed.get_lock():
            self._elapsed.value += seconds


@dataclass(frozen=True, slots=True)
class Orders:
    """What a process applies, and as whom."""

    url: str
    token: str
    spec: Path
    lockfile: Path
    clock: SharedClock


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: ``killed``, ``done``, or the code of its refusal; its effects so far."""

    how: str
    said: str
    effects: tuple[str, ...]


def server() -> ForkServerContext:
    """Return what starts processes quickly: a server that has imported all that a run needs."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def apply_in_a_process(
    context: ForkServerContext, orders: Orders, doom: Doom | None = None
) -> Ended:
    """Apply in a process, wait for its end, and tell how it was."""
    return finish(*start(context, orders, doom))


def start(
    context: ForkServerContext, orders: Orders, doom: Doom | None = None
) -> tuple[Any, Connection]:
    """Start a process that applies."""
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_apply, args=(orders, doom, theirs), daemon=True)
    process.start()
    theirs.close()
    return process, ours


def finish(process: Any, said: Connection) -> Ended:  # noqa: ANN401  (a private type's)
    """Wait for a process, and tell how it ended."""
    effects: list[str] = []
    how, message = "killed", ""
    with contextlib.suppress(EOFError):
        while True:
            kind, text = said.recv()
            if kind == "effect":
                effects.append(text)
            else:
                how, message = kind, text
    process.join()
    if how == "killed":
        assert process.exitcode == -signal.SIGKILL, process.exitcode
    said.close()
    process.close()
    return Ended(how, message, tuple(effects))


def _apply(orders: Orders, doom: Doom | None, parent: Connection) -> None:
    fate = Fate(doom, parent)
    request = Request(
        spec=load_spec(orders.spec, gitlab=orders.url).spec,
        saved=None,
        lockfile=orders.lockfile,
        command=f"hotfix apply {orders.spec.name}",
        plan_command=f"hotfix plan {orders.spec.name}",
        until=None,
        pace=Pace(poll=1.0, longest=600.0),
        tool_version="0.1.0",
    )
    with fate.over_the_journal():
        try:
            forge = GitLabForge(orders.url, orders.token, clock=orders.clock)
            outcome = apply(
                request,
                forge=Doomed(forge, fate, WRITES),
                clock=orders.clock,
                operator=Willing(),
                progress=Blind(),
                stop=Stop(),
            )
        except HotfixError as error:
            parent.send((error.code, error.message))
        else:
            parent.send(("done", outcome.message))


class Fate:
    """Counts the effects of a run and kills its process at one of them."""

    def __init__(self, doom: Doom | None, parent: Connection) -> None:
        self._doom = doom
        self._parent = parent
        self._met = 0

    def meet(self, name: str, effect: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Let an effect happen, unless the process dies before it."""
        number, self._met = self._met, self._met + 1
        self._parent.send(("effect", name))
        if self._doom is None or self._doom.number != number:
            return effect()
        if self._doom.when == "before":
            _die()
        with _dying_at_the_rename(self._doom.when):
            effect()
        _die()
        return None

    @contextlib.contextmanager
    def over_the_journal(self) -> Iterator[None]:
        """Count each write of the lockfile as an effect."""
        write = Journal._write

        def fatal(journal: Journal) -> None:
            self.meet("journal", lambda: write(journal))

        with mock.patch.object(Journal, "_write", fatal):
            yield


class Doomed:
    """A door whose effects are counted, and may be the last."""

    def __init__(self, inner: Any, fate: Fate, writes: Sequence[str]) -> None:  # noqa: ANN401
        self._inner = inner
        self._fate = fate
        self._writes = writes

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        found = getattr(self._inner, name)
        if name == "repository":
            return lambda project: Doomed(found(project), self._fate, ("push",))
        if name not in self._writes:
            return found
        return lambda *args, **named: self._fate.meet(name, lambda: found(*args, **named))


class Willing:
    """Somebody who says yes to everything."""

    def approve_plan(self, plan: Plan) -> Yes:
        assert plan.blockers == ()
        return Yes("typed")

    def approve_press(self, press: Press) -> Yes:
        assert press.commit
        return Yes("typed")

    def ask(self, question: str) -> bool:
        return bool(question)


class Blind:
    """No screen."""

    def emit(self, event: Event) -> None:
        pass


@contextlib.contextmanager
def _dying_at_the_rename(when: When) -> Iterator[None]:
    """Die when the new lockfile is written and the old one still bears the name."""
    if when != "during":
        yield
        return
    with mock.patch.object(files.Path, "replace", side_effect=_die):
        yield


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
