"""What ends a run from outside: a wish to stop, a disk, a file that changed, a clock set back."""

from __future__ import annotations

import errno
import os
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from hotfix.apply.journal import Journal
from hotfix.apply.lease import LEASE
from hotfix.apply.locks import open_lock
from hotfix.apply.ports import Yes
from hotfix.clock import timestamp
from hotfix.errors import FailedError, InputError, InterruptedRunError
from hotfix.evidence.audit import audit
from hotfix.evidence.lockfile import parse

from .conftest import CORE, ONCE, Rehearsal, Screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.apply.events import Event
    from hotfix.apply.locks import TargetLock

COMMAND = "hotfix apply hotfix.yaml"


def opened(rehearsal: Rehearsal) -> TargetLock:
    return open_lock(rehearsal.forge(), rehearsal.load().targets[0], rehearsal.clock)


# stopped


class At(Screen):
    """Does something at the first event of a step."""

    def __init__(self, step: str, phase: str, act: Callable[[], object]) -> None:
        super().__init__()
        self._at = (step, phase)
        self._act = act

    def emit(self, event: Event) -> None:
        is_first = self._at not in {(each.step, each.phase) for each in self.events}
        super().emit(event)
        if is_first and (event.step, event.phase) == self._at:
            self._act()


def ask_to_stop(rehearsal: Rehearsal) -> None:
    rehearsal.stop.requested = True


@pytest.mark.parametrize(
    ("step", "phase", "told"),
    [
        ("pick", "done", None),
        ("staging", "waiting", "the pipeline goes on, see {url}/evenergi/develop/-/pipelines/27"),
        (
            "staging",
            "done",
            "the pipeline waits at the production gate, see {url}/{core}/-/pipelines/28",
        ),
        (
            "verify-production",
            "waiting",
            "the production job deploy-production was pressed, see {url}/{core}/-/pipelines/28",
        ),
    ],
)
def test_a_stop_says_what_goes_on_in_gitlab_and_which_command_goes_on(
    rehearsal: Rehearsal, step: str, phase: str, told: str | None
) -> None:
    rehearsal.screen = At(step, phase, lambda: ask_to_stop(rehearsal))

    with pytest.raises(InterruptedRunError) as caught:
        rehearsal.apply()

    said = (told or "").format(url=rehearsal.sandbox.url, core=CORE)
    goes_on = [f"In GitLab, of {CORE}: {said}"] if said else []
    assert caught.value.hint.splitlines() == [*goes_on, f"Go on with: {COMMAND}"]
    assert rehearsal.lock.state == "waiting"
    rehearsal.stop.requested = False
    rehearsal.apply()
    assert rehearsal.effects() == ONCE


def test_the_effect_in_flight_is_finished_and_recorded_before_a_stop(rehearsal: Rehearsal) -> None:
    rehearsal.screen = At("promote", "started", lambda: ask_to_stop(rehearsal))

    with pytest.raises(InterruptedRunError):
        rehearsal.apply()

    promote = [entry.phase for entry in rehearsal.lock.entries if entry.step == "promote"]
    assert (promote, rehearsal.effects()["press"]) == (["intent", "done"], 1)


def test_a_run_that_leaves_at_once_asks_nothing_more_and_is_gone_on_with(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def leave() -> NoReturn:
        asked.append(len(rehearsal.sandbox.requests))
        raise KeyboardInterrupt

    monkeypatch.setattr("hotfix.apply.holder.process", lambda: f"{os.getpid()}:gone")
    rehearsal.screen = At("promote", "started", leave)
    with pytest.raises(InterruptedRunError) as caught:
        rehearsal.apply()

    assert len(rehearsal.sandbox.requests) == asked[0]
    assert caught.value.hint.endswith(f": {COMMAND}")
    assert rehearsal.lock.entries[-1].phase == "intent"
    rehearsal.screen = Screen()
    rehearsal.apply()
    assert (rehearsal.lock.state, rehearsal.effects()) == ("complete", ONCE)


# the file


def fails(number: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(
    ("what", "write"),
    [
        ("tempfile.mkstemp", 0),
        ("os.fsync", 1),
        ("Path.replace", 9),
        ("os.fchmod", 10),
        ("os.fsync", 14),
    ],
)
def test_a_full_disk_ends_the_run_before_its_next_effect_and_loses_nothing(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, what: str, write: int
) -> None:
    whole = Journal._write
    written: list[bytes] = []

    def fills_up(journal: Journal) -> None:
        if len(written) < write:
            whole(journal)
            written.append(rehearsal.lockfile.read_bytes())
            return
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"hotfix.files.{what}", fails(errno.ENOSPC))
            whole(journal)

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_write", fills_up)
        with pytest.raises(FailedError) as caught:
            rehearsal.apply()

    assert caught.value.code == "lock-not-written"
    assert "No space left on device" in caught.value.message
    assert caught.value.hint.endswith(f"Go on with: {COMMAND}")
    assert [path.name for path in rehearsal.spec.parent.iterdir() if path.suffix != ".yaml"] == (
        [rehearsal.lockfile.name] if written else []
    )
    assert written == [] or rehearsal.lockfile.read_bytes() == written[-1]
    assert opened(rehearsal).lease.look() is None
    rehearsal.apply()
    assert (rehearsal.lock.state, rehearsal.effects()) == ("complete", ONCE)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written_is_told_before_gitlab_is_asked(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr("hotfix.apply.alone.os.open", fails(number))

    with pytest.raises(FailedError) as caught:
        rehearsal.apply()

    assert str(rehearsal.lockfile.parent) in caught.value.message
    assert "--lock FILE" in caught.value.hint
    assert len(rehearsal.sandbox.requests) == 0


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_lockfile_that_was_cut_off_is_neither_taken_up_nor_overwritten(
    rehearsal: Rehearsal, share: float
) -> None:
    rehearsal.apply(until="branch")
    whole = rehearsal.lockfile.read_bytes()
    cut = whole[: int(len(whole) * share)]
    rehearsal.lockfile.write_bytes(cut)
    asked = len(rehearsal.sandbox.requests)

    with pytest.raises(InputError) as caught:
        rehearsal.apply()

    assert caught.value.code == "lock-invalid"
    assert "Take the file back from version control." in caught.value.hint
    assert caught.value.hint.endswith(f"Go on with: {COMMAND}")
    assert rehearsal.lockfile.read_bytes() == cut
    assert len(rehearsal.sandbox.requests) == asked
    rehearsal.lockfile.write_bytes(whole)
    rehearsal.apply()
    assert rehearsal.effects() == ONCE


def test_a_lockfile_that_cannot_be_read_is_not_begun_anew(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    rehearsal.apply(until="branch")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", fails(errno.EACCES))
        with pytest.raises(InputError) as caught:
            rehearsal.apply()

    assert caught.value.code == "lock-unreadable"
    assert caught.value.hint.endswith(f"Go on with: {COMMAND}")


def test_a_lockfile_only_ever_grows(rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[str, ...]] = [()]
    whole = Journal._write

    def note(journal: Journal) -> None:
        whole(journal)
        written.append(tuple(entry.digest for entry in rehearsal.lock.entries))

    monkeypatch.setattr(Journal, "_write", note)
    rehearsal.apply(until="branch")
    rehearsal.apply()

    assert len(written) > 20
    for before, after in pairwise(written):
        assert after[: len(before)] == before


# the clock


class Wall:
    """This machine's clock, set back while GitLab's goes on, as does the time that passes."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._true = rehearsal.clock
        self._slow = timedelta()
        rehearsal.clock = self
        self.monotonic, self.sleep = self._true.monotonic, self._true.sleep

    def now(self) -> datetime:
        return self._true.now() - self._slow

    def set_back(self) -> None:
        self._slow = timedelta(hours=1)


@pytest.mark.parametrize("write", [3, 11, 19])
def test_a_clock_that_is_set_back_changes_nothing_that_is_done(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, write: int
) -> None:
    wall = Wall(rehearsal)
    whole = Journal._write
    writes: list[Journal] = []

    def set_back(journal: Journal) -> None:
        writes.append(journal)
        if len(writes) == write:
            wall.set_back()
        whole(journal)

    monkeypatch.setattr(Journal, "_write", set_back)
    rehearsal.apply()

    assert rehearsal.effects() == ONCE
    assert audit(parse(rehearsal.lockfile.read_bytes(), "x")).verdict == "passed"


def test_a_lease_is_written_anew_once_the_clock_was_set_back(rehearsal: Rehearsal) -> None:
    wall = Wall(rehearsal)

    def think(_: object) -> Yes:
        wall.set_back()
        rehearsal.person.meanwhile()
        held = opened(rehearsal).lease.look()
        assert held is not None
        assert held.holder.until == timestamp(wall.now() + LEASE)
        return Yes("typed")

    rehearsal.person.approve_press = think  # type: ignore[method-assign]
    rehearsal.apply(until="production")
