"""The lock of a target: held by one, renewed while a person thinks, taken over, broken."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.apply import holder
from hotfix.apply.await_lock import await_lock
from hotfix.apply.holder import Holder, why_dead
from hotfix.apply.lease import LEASE
from hotfix.apply.lock_notes import LockNotes, note
from hotfix.apply.locks import open_lock
from hotfix.apply.ports import Stop, Yes
from hotfix.apply.unlock import break_lock, find_locks
from hotfix.errors import FailedError, InterruptedRunError, LockedError, WaitingError
from hotfix.evidence.audit import audit
from hotfix.evidence.lockfile import parse
from hotfix.identifiers import ZERO

from .conftest import CORE, ONCE, Person, Rehearsal, Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hotfix.apply.locks import TargetLock
    from hotfix.evidence.model import Entry, Lock
    from tests.conftest import FixedClock

TAKING = {"ref": "git-receive-pack", "terraform-state": "/terraform/state/"}
"""What is asked of GitLab to take a lock, by where it lies."""
KINDS = tuple(TAKING)
JOB = "https://gitlab.example.com/evenergi/develop/-/jobs/7"
LONGER_THAN_A_LEASE = LEASE.total_seconds() * 1.5


@contextlib.contextmanager
def machine(name: str) -> Iterator[None]:
    """Be another machine: what runs there is no process of this one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(holder, "place", lambda: name[:16])
        patch.setattr(holder, "host", lambda: name)
        yield


class Another:
    """Another person with the same spec and a lockfile of their own."""

    def __init__(self, rehearsal: Rehearsal, name: str = "other") -> None:
        self.rehearsal = rehearsal
        self.lockfile = rehearsal.lockfile.with_name(f"{name}.lock.json")
        self.person = Person()

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        mine = self.rehearsal.lockfile, self.rehearsal.person
        self.rehearsal.lockfile, self.rehearsal.person = self.lockfile, self.person
        try:
            yield
        finally:
            self.rehearsal.lockfile, self.rehearsal.person = mine

    def apply(self, **options: Any) -> None:  # noqa: ANN401
        with self.at_work():
            self.rehearsal.apply(**options)

    @property
    def lock(self) -> Lock:
        with self.at_work():
            return self.rehearsal.lock


def choose(rehearsal: Rehearsal, kind: str) -> None:
    rehearsal.write(rehearsal.target(CORE, 812, 815, lock=kind))


def opened(rehearsal: Rehearsal) -> TargetLock:
    return open_lock(rehearsal.forge(), rehearsal.load().targets[0], rehearsal.clock)


def die_at_the_gate(rehearsal: Rehearsal, *, on: str = "laptop-7") -> None:
    """Leave a run at the production gate as a crash would: its lock stays."""

    class Crash(BaseException):
        pass

    def crash(_: object) -> None:
        raise Crash

    def gone(*_: object) -> None:
        return

    with machine(on), pytest.MonkeyPatch.context() as patch:
        patch.setattr(rehearsal.person, "approve_press", crash)
        patch.setattr("hotfix.apply.locks.Locks.give_back", gone)
        with pytest.raises(Crash):
            rehearsal.apply(job=JOB)


def observed(lock: Lock) -> list[Entry]:
    return [entry for entry in lock.entries if (entry.step, entry.phase) == ("lock", "observed")]


def is_audited(lockfile: Any) -> bool:  # noqa: ANN401
    return audit(parse(lockfile.read_bytes(), "x")).verdict == "passed"


# held


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_takes_its_lock_and_gives_it_back_wherever_it_lies(
    rehearsal: Rehearsal, kind: str
) -> None:
    choose(rehearsal, kind)
    seen: list[Holder | None] = []

    def press(_: object) -> Yes:
        held = opened(rehearsal).lease.look()
        seen.append(held.holder if held else None)
        return Yes("typed")

    rehearsal.person.approve_press = press  # type: ignore[method-assign]
    rehearsal.apply(job=JOB)

    found = seen[0]
    assert found is not None
    assert (found.who, found.hotfix, found.job) == ("operator", "inc-1042-ocpp-timeout", JOB)
    assert rehearsal.lock.plan_digest.startswith(found.plan_digest)
    assert (found.until is None) is (kind == "terraform-state")
    assert opened(rehearsal).lease.look() is None
    assert rehearsal.effects() == ONCE
    assert is_audited(rehearsal.lockfile)


@pytest.mark.parametrize("kind", KINDS)
def test_a_held_lock_refuses_before_anything_is_asked_and_says_what_to_do(
    rehearsal: Rehearsal, kind: str
) -> None:
    choose(rehearsal, kind)
    die_at_the_gate(rehearsal)
    other = Another(rehearsal)

    with machine("desk-2"), pytest.raises(LockedError) as caught:
        other.apply()

    error = caught.value
    assert error.code == "locked"
    assert re.match(
        rf"The lock of {CORE} is held by operator on laptop-7 since 2026-", error.message
    )
    assert "hotfix  inc-1042-ocpp-timeout" in error.hint
    assert "plan    sha256:" in error.hint
    assert f"job     {JOB}" in error.hint
    unlock = f"hotfix unlock {CORE} --gitlab {rehearsal.sandbox.url} --reason 'WHY'"
    assert error.hint.splitlines()[-2:] == [
        f"If you know that it is dead: {unlock}",
        "Go on with: hotfix apply hotfix.yaml",
    ]
    assert other.person.asked == 0
    assert not other.lockfile.exists()


def test_a_lock_that_nobody_can_read_is_held_all_the_same(rehearsal: Rehearsal) -> None:
    repository = rehearsal.forge().repository(rehearsal.forge().project(CORE))
    head = repository.refs()["refs/heads/release"]
    repository.push("refs/hotfix/lock/release", old=ZERO, new=head, objects=())

    with pytest.raises(LockedError, match="is held by somebody whose record cannot be read"):
        rehearsal.apply()


def test_a_terraform_lock_of_another_tool_is_told_with_its_user(rehearsal: Rehearsal) -> None:
    choose(rehearsal, "terraform-state")
    rehearsal.forge().lock_state(CORE, "hotfix-release", "a1b2-of-terraform", info="")

    with pytest.raises(LockedError) as caught:
        rehearsal.apply()

    assert "is held by operator since 2026-" in caught.value.message
    assert "This lock has no lease" in caught.value.hint


def test_whatever_the_names_are_a_holder_fits_into_a_terraform_lock(rehearsal: Rehearsal) -> None:
    rehearsal.write(rehearsal.target(CORE, 812, 815, lock="terraform-state"), id="inc-" + "x" * 59)
    seen: list[Holder] = []

    def press(_: object) -> None:
        held = opened(rehearsal).lease.look()
        assert held is not None
        seen.append(held.holder)

    rehearsal.person.approve_press = press  # type: ignore[method-assign]
    with machine("ü" * 60), pytest.raises(WaitingError):
        rehearsal.apply(job=JOB * 3)

    assert (seen[0].hotfix, seen[0].place) == ("inc-" + "x" * 59, "ü" * 16)
    assert seen[0].job is None


# a person thinks


@pytest.mark.parametrize("kind", KINDS)
def test_a_person_may_think_for_longer_than_a_lease(
    rehearsal: Rehearsal, clock: FixedClock, kind: str
) -> None:
    choose(rehearsal, kind)
    refused: list[LockedError] = []

    def think(_: object) -> Yes:
        for _ in range(60):
            clock.advance(LONGER_THAN_A_LEASE / 60)
            rehearsal.person.meanwhile()
        with machine("desk-2"), pytest.raises(LockedError) as caught:
            Another(rehearsal).apply()
        refused.append(caught.value)
        return Yes("typed")

    rehearsal.person.approve_press = think  # type: ignore[method-assign]
    with machine("laptop-7"):
        rehearsal.apply()

    assert refused[0].code == "locked"
    assert rehearsal.lock.state == "complete"
    assert rehearsal.effects() == ONCE


def test_a_server_that_is_away_while_a_person_thinks_ends_nothing(
    rehearsal: Rehearsal, clock: FixedClock
) -> None:
    def think(_: object) -> Yes:
        clock.advance(LEASE.total_seconds() * 0.6)
        rehearsal.sandbox.faults.add("*", "git-receive-pack", times=2, status=503)
        rehearsal.person.meanwhile()
        rehearsal.sandbox.faults.clear()
        return Yes("typed")

    rehearsal.person.approve_press = think  # type: ignore[method-assign]
    rehearsal.apply()

    assert rehearsal.effects() == ONCE


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_renewal_whose_answer_is_lost_leaves_the_lock_with_its_run(
    rehearsal: Rehearsal,
    clock: FixedClock,
    when: Any,  # noqa: ANN401
) -> None:
    def think(_: object) -> Yes:
        clock.advance(LEASE.total_seconds() * 0.6)
        rehearsal.sandbox.faults.add("POST", "git-receive-pack", when=when, reset=True)
        rehearsal.person.meanwhile()
        return Yes("typed")

    rehearsal.person.approve_press = think  # type: ignore[method-assign]
    rehearsal.apply()

    assert opened(rehearsal).lease.look() is None
    assert [entry.phase for entry in rehearsal.lock.entries if entry.step == "unlock"] == ["done"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_taking_of_a_lock_may_lose_its_answer(
    rehearsal: Rehearsal,
    when: Any,  # noqa: ANN401
    kind: str,
) -> None:
    choose(rehearsal, kind)
    rehearsal.sandbox.faults.add("POST", TAKING[kind], when=when, reset=True)

    rehearsal.apply()

    assert rehearsal.effects() == ONCE
    assert opened(rehearsal).lease.look() is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_lock_that_was_taken_unseen_holds_up_nobody(rehearsal: Rehearsal, kind: str) -> None:
    choose(rehearsal, kind)
    rehearsal.sandbox.faults.add("POST", TAKING[kind], when="before", reset=True)
    rehearsal.sandbox.faults.add("POST", TAKING[kind], occurrence=2, when="after", status=502)

    with pytest.raises(FailedError) as caught:
        rehearsal.apply()

    assert "Go on with: hotfix apply hotfix.yaml" in caught.value.hint
    assert opened(rehearsal).lease.look() is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_yes_that_comes_after_the_lock_was_lost_presses_nothing(
    rehearsal: Rehearsal, clock: FixedClock, kind: str
) -> None:
    choose(rehearsal, kind)

    def sleep(_: object) -> Yes:
        clock.advance(LONGER_THAN_A_LEASE)
        with machine("desk-2"):
            lock = find_locks(rehearsal.forge(), CORE, clock)[0]
            break_lock(lock, by="maria", reason="the laptop is off", clock=clock)
        return Yes("typed")

    rehearsal.person.approve_press = sleep  # type: ignore[method-assign]
    with machine("laptop-7"), pytest.raises(LockedError) as caught:
        rehearsal.apply()

    assert caught.value.code == "lock-lost"
    assert caught.value.message == (
        f"The lock of {CORE} was taken from this run: it is not there any more."
    )
    assert caught.value.__notes__[0].endswith("by maria on desk-2: the laptop is off.")
    assert rehearsal.effects()["press"] == 0
    last, unlock = rehearsal.lock.entries[-2:]
    assert (last.facts["what"], last.facts["by"]) == ("unlocked", "maria")
    assert str(last.facts["message"]).endswith("was broken by maria on desk-2: the laptop is off")
    assert (unlock.phase, unlock.facts["error"]) == ("failed", "not-released")


# dead


def test_a_lease_that_ran_out_is_taken_over_and_both_lockfiles_say_so(
    rehearsal: Rehearsal, clock: FixedClock
) -> None:
    die_at_the_gate(rehearsal)
    other = Another(rehearsal)
    clock.advance(LONGER_THAN_A_LEASE)
    with machine("desk-2"), contextlib.suppress(FailedError):
        other.apply()  # evidence of the pipeline's inputs is in the other lockfile

    theirs = observed(other.lock)
    assert [(entry.facts["what"], entry.facts["host"]) for entry in theirs] == [
        ("taken-over", "laptop-7")
    ]
    with machine("laptop-7"), contextlib.suppress(FailedError):
        rehearsal.apply()

    mine = observed(rehearsal.lock)
    assert [entry.facts["message"] for entry in mine] == [theirs[0].facts["message"]]
    assert re.fullmatch(
        r"the lock of operator on laptop-7 for hotfix inc-1042-ocpp-timeout, held since \S+, was "
        r"taken over by operator on desk-2: its lease ran out at \S+",
        str(mine[0].facts["message"]),
    )
    assert rehearsal.effects()["press"] == 1
    assert notes_of(rehearsal) == ()


def test_a_dead_run_that_comes_again_while_another_is_at_work_writes_so_before_it_stops(
    rehearsal: Rehearsal, clock: FixedClock
) -> None:
    die_at_the_gate(rehearsal)
    clock.advance(LONGER_THAN_A_LEASE)
    other = Another(rehearsal)

    def press(_: object) -> None:
        for _ in range(2):
            with machine("laptop-7"), pytest.raises(LockedError, match="on desk-2"):
                mine.apply()

    mine = Another(rehearsal)
    mine.lockfile = rehearsal.lockfile
    other.person.approve_press = press  # type: ignore[assignment,method-assign]
    with machine("desk-2"), pytest.raises(WaitingError):
        other.apply()

    assert [entry.facts["by_host"] for entry in observed(rehearsal.lock)] == ["desk-2"]


def test_a_lock_that_vanished_without_a_note_is_said_to_be_gone(rehearsal: Rehearsal) -> None:
    die_at_the_gate(rehearsal)
    held = opened(rehearsal).lease.look()
    assert held is not None
    repository = rehearsal.forge().repository(rehearsal.forge().project(CORE))
    repository.push("refs/hotfix/lock/release", old=held.mark, new=ZERO, objects=())  # type: ignore[arg-type]

    rehearsal.apply()

    assert [entry.facts["what"] for entry in observed(rehearsal.lock)] == ["gone"]
    assert rehearsal.lock.state == "complete"


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_known_to_be_gone_is_taken_over_at_once(
    rehearsal: Rehearsal, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    choose(rehearsal, kind)
    monkeypatch.setattr(holder, "process", lambda: "4194304:1")
    die_at_the_gate(rehearsal)
    monkeypatch.undo()

    with machine("laptop-7"):
        rehearsal.apply()

    assert [entry.facts["reason"] for entry in observed(rehearsal.lock)] == ["its process is gone"]
    assert rehearsal.lock.state == "complete"
    assert rehearsal.effects() == ONCE
    assert is_audited(rehearsal.lockfile)


def test_without_a_lease_a_run_elsewhere_is_never_known_to_be_dead(
    rehearsal: Rehearsal, clock: FixedClock
) -> None:
    choose(rehearsal, "terraform-state")
    die_at_the_gate(rehearsal)
    clock.advance(LONGER_THAN_A_LEASE * 1000)

    with machine("desk-2"), pytest.raises(LockedError, match="is held by operator on laptop-7"):
        Another(rehearsal).apply()


def test_a_process_of_this_machine_decides_however_old_its_lease_is(clock: FixedClock) -> None:
    mine = holder.myself(clock, who="o", hotfix="h", plan_digest="d", tool_version="0", job=None)
    assert why_dead(mine, clock) is None
    gone = {**{key: getattr(mine, key) for key in Holder.__slots__}, "until": mine.since}
    clock.advance(1)

    assert why_dead(Holder.from_json(gone), clock) is None
    assert why_dead(Holder.from_json({**gone, "process": "4194304:1"}), clock)
    assert why_dead(Holder.from_json({**gone, "place": "elsewhere"}), clock)


@pytest.mark.parametrize("told", [None, [], {}, {"id": "x"}, "text"])
def test_what_is_no_holder_is_refused(told: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValueError, match="holder"):
        Holder.from_json(told)


# broken


def notes_of(rehearsal: Rehearsal) -> tuple[Any, ...]:
    forge = rehearsal.forge()
    return LockNotes(forge.repository(forge.project(CORE)), "release", rehearsal.clock).read()


@pytest.mark.parametrize("kind", KINDS)
def test_a_lock_is_broken_without_being_held_and_the_next_run_writes_who_and_why(
    rehearsal: Rehearsal, kind: str
) -> None:
    choose(rehearsal, kind)
    die_at_the_gate(rehearsal)
    with machine("desk-2"):
        lock = find_locks(rehearsal.forge(), CORE, rehearsal.clock)[0]
        broken = break_lock(lock, by="maria", reason="fan is on fire", clock=rehearsal.clock)
    assert broken is not None
    assert broken.unrecorded is None
    assert lock.alive is (True if kind == "ref" else None)
    assert find_locks(rehearsal.forge(), CORE, rehearsal.clock) == []

    other = Another(rehearsal)
    with machine("desk-2"), contextlib.suppress(FailedError):
        other.apply()
    with machine("laptop-7"), contextlib.suppress(FailedError):
        rehearsal.apply()

    for lockfile in (other.lock, rehearsal.lock):
        entry = observed(lockfile)[0]
        assert (entry.facts["what"], entry.facts["by"]) == ("unlocked", "maria")
        assert entry.facts["reason"] == "fan is on fire"
    assert notes_of(rehearsal) == ()
    assert rehearsal.effects()["press"] == 1


def test_a_lock_that_its_run_renewed_meanwhile_is_not_broken(
    rehearsal: Rehearsal, clock: FixedClock
) -> None:
    caught: list[LockedError] = []

    def think(_: object) -> Yes:
        shown = find_locks(rehearsal.forge(), CORE, clock)[0]
        clock.advance(LEASE.total_seconds() * 0.6)
        rehearsal.person.meanwhile()
        with pytest.raises(LockedError) as error:
            break_lock(shown, by="maria", reason="looked dead", clock=clock)
        caught.append(error.value)
        return Yes("typed")

    rehearsal.person.approve_press = think  # type: ignore[method-assign]
    rehearsal.apply()

    assert caught[0].code == "lock-moved"
    assert "its lease was renewed meanwhile" in caught[0].message
    assert rehearsal.lock.state == "complete"
    assert notes_of(rehearsal) == ()


def test_a_lock_that_was_given_back_meanwhile_needs_no_breaking(
    rehearsal: Rehearsal, clock: FixedClock
) -> None:
    die_at_the_gate(rehearsal)
    shown = find_locks(rehearsal.forge(), CORE, clock)[0]
    assert shown.place.remove(shown.held.mark)

    assert break_lock(shown, by="maria", reason="x", clock=clock) is None
    assert notes_of(rehearsal) == ()


def test_a_reason_that_cannot_be_left_does_not_keep_the_lock(
    rehearsal: Rehearsal, clock: FixedClock
) -> None:
    choose(rehearsal, "terraform-state")
    die_at_the_gate(rehearsal)
    shown = find_locks(rehearsal.forge(), CORE, clock)[0]
    rehearsal.sandbox.faults.add("POST", "git-receive-pack", times=9, status=403)

    broken = break_lock(shown, by="maria", reason="x", clock=clock)

    assert broken is not None
    assert "403" in str(broken.unrecorded)
    assert find_locks(rehearsal.forge(), CORE, clock) == []


def test_the_notes_of_two_at_once_are_both_kept(rehearsal: Rehearsal, clock: FixedClock) -> None:
    forge = rehearsal.forge()
    repository = forge.repository(forge.project(CORE))
    mine = LockNotes(repository, "release", clock)
    theirs = LockNotes(repository, "release", clock)
    me = holder.myself(clock, who="o", hotfix="h", plan_digest="d", tool_version="0", job=None)
    one, two = (
        note("unlocked", me, by=by, by_host="h", at=me.since, reason="r") for by in ("a", "b")
    )

    def slowly(notes: tuple[Any, ...]) -> tuple[Any, ...]:
        if not notes:
            theirs.change(lambda found: (*found, two))
        return (*notes, one)

    mine.change(slowly)

    assert [each.by for each in mine.read()] == ["b", "a"]


# waited for


def waiting(
    attempt: Callable[[], str],
    clock: FixedClock,
    screen: Screen,
    *,
    longest: float,
    stop: Stop | None = None,
) -> str:
    return await_lock(
        attempt, longest=longest, poll=5.0, clock=clock, progress=screen, stop=stop or Stop()
    )


class Held:
    """A lock that is free at a moment."""

    def __init__(self, clock: FixedClock, seconds: float, code: str = "locked") -> None:
        self.clock, self.free, self.code = clock, clock.monotonic() + seconds, code
        self.tries = 0

    def __call__(self) -> str:
        self.tries += 1
        if self.clock.monotonic() < self.free:
            raise LockedError(self.code, "The lock of x is held by olga.", hint="Wait.")
        return "done"


def test_without_a_timeout_a_held_lock_ends_at_once(clock: FixedClock) -> None:
    held = Held(clock, 1)
    with pytest.raises(LockedError):
        waiting(held, clock, Screen(), longest=0)

    assert (held.tries, clock.slept) == (1, [])


def test_a_lock_that_is_free_again_at_once_is_waited_for_in_silence(clock: FixedClock) -> None:
    screen = Screen()

    assert waiting(Held(clock, 0.3), clock, screen, longest=60) == "done"
    assert (screen.events, clock.slept) == ([], [0.4])


def test_a_longer_wait_is_shown_with_who_holds_the_lock(clock: FixedClock) -> None:
    screen = Screen()

    assert waiting(Held(clock, 12), clock, screen, longest=60) == "done"
    assert {(event.step, event.phase, event.message) for event in screen.events} == {
        ("lock", "waiting", "waiting for the lock: The lock of x is held by olga.")
    }
    assert clock.slept == [0.4, 5, 5, 5]


def test_a_wait_ends_when_it_was_to_end(clock: FixedClock) -> None:
    with pytest.raises(LockedError) as caught:
        waiting(Held(clock, 100), clock, Screen(), longest=7)

    assert clock.monotonic() == 7
    assert caught.value.__notes__ == ["This run waited for it for 7 s."]


def test_a_lock_that_was_lost_in_the_middle_is_not_waited_for(clock: FixedClock) -> None:
    held = Held(clock, 1, "lock-lost")
    with pytest.raises(LockedError):
        waiting(held, clock, Screen(), longest=60)

    assert held.tries == 1


def test_who_wants_to_stop_does_not_wait_on(clock: FixedClock) -> None:
    stop = Stop()
    stop.requested = True

    with pytest.raises(InterruptedRunError):
        waiting(Held(clock, 100), clock, Screen(), longest=60, stop=stop)


def test_whoever_waited_plans_anew_and_may_find_it_done(
    rehearsal: Rehearsal, clock: FixedClock
) -> None:
    die_at_the_gate(rehearsal)
    other = Another(rehearsal)

    def later() -> str:
        if clock.monotonic() > 30 and rehearsal.effects()["press"] == 0:
            with machine("laptop-7"), pytest.MonkeyPatch.context() as patch:
                patch.setattr(holder, "is_alive", lambda _: False)
                rehearsal.apply()
        with machine("desk-2"):
            other.apply()
        return "done"

    began = clock.monotonic()
    with contextlib.suppress(FailedError):
        waiting(later, clock, Screen(), longest=60)

    assert clock.monotonic() - began < 60
    assert rehearsal.lock.state == "complete"
    assert {key: rehearsal.effects()[key] for key in ("push", "pipeline", "press", "incident")} == {
        key: ONCE[key] for key in ("push", "pipeline", "press", "incident")
    }


def test_a_hold_that_could_not_be_given_back_does_not_keep_the_next_try_out(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.sandbox.world.script(CORE, "deploy-staging", outcome="failed", times=1)
    rehearsal.sandbox.faults.add("POST", "git-receive-pack", occurrence=4, times=9, status=503)
    with pytest.raises(FailedError):
        rehearsal.apply()
    unlocked = [e for e in rehearsal.lock.entries if e.step == "unlock"]
    assert [each.phase for each in unlocked] == ["failed"]
    rehearsal.sandbox.faults.clear()

    rehearsal.apply(until="branch")

    assert rehearsal.lock.state == "waiting"
