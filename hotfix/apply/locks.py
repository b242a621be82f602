"""The locks of a run: one for each target, from the first look to the giving back.

The run does not know where a lock lies. What became of a lock that was not given back stands in
the lockfiles of both: of the run that lost it, and of the one that holds it next.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hotfix.apply.holder import myself, why_dead
from hotfix.apply.lease import Lease, described
from hotfix.apply.lock_notes import LockNotes, Note, note
from hotfix.apply.ref_lock import RefPlace
from hotfix.apply.state_lock import StatePlace, state_of
from hotfix.clock import timestamp
from hotfix.errors import HotfixError, LockedError
from hotfix.forge.protocol import ForgeError
from hotfix.parallel import in_parallel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import JsonValue

    from hotfix.apply.context import Request, Run
    from hotfix.apply.holder import Holder
    from hotfix.apply.journal import Journal
    from hotfix.clock import Clock
    from hotfix.evidence.model import Approval, Entry, State
    from hotfix.forge.protocol import Forge
    from hotfix.plan.model import TargetPlan
    from hotfix.spec.model import Target


@dataclass(frozen=True, slots=True)
class TargetLock:
    """The lock of a target, and the notes that are left beside it."""

    project: str
    lease: Lease
    notes: LockNotes


def open_lock(forge: Forge, target: Target, clock: Clock) -> TargetLock:
    """Open the lock of a target, wherever the spec says that it lies."""
    project, branch = target.project, target.release_branch
    repository = forge.repository(forge.project(project))
    place = (
        StatePlace(forge, project, state_of(branch))
        if target.lock == "terraform-state"
        else RefPlace(repository, branch, clock)
    )
    lease = Lease(place, clock, project=project, gitlab=forge.url)
    return TargetLock(project, lease, LockNotes(repository, branch, clock))


def refuse_held(request: Request, forge: Forge, clock: Clock, journal: Journal | None) -> None:
    """Refuse at once, before anything is planned or asked, where another run is at work.

    A run that left a lock behind writes first what became of it. Raises ``LockedError``.
    """
    locks = [open_lock(forge, target, clock) for target in request.spec.targets]
    seen = in_parallel(lock.lease.look for lock in locks)
    for lock, found in zip(locks, seen, strict=True):
        if journal is not None:
            _write_loss(journal, lock, found.holder if found else None)
        lock.lease.refuse(found, left=_left_behind(journal, lock.project))


class Locks:
    """The locks that a run holds."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.taken: list[TargetLock] = []
        run.keep_alive = self.renew
        run.prove_locks = self.prove
        run.operator.meanwhile = self.renew

    def refuse_held(self, target: TargetPlan) -> None:
        """Refuse early and without a trace where another run is at work; ``LockedError``."""
        lease = self._lock(target.project).lease
        lease.refuse(lease.look(), left=_left_behind(self._run.journal, target.project))

    def take(self, target: TargetPlan, approval: Approval | None) -> None:
        """Take the lock of a target; the entry carries the yes to the plan, where one was given."""
        run, lock = self._run, self._lock(target.project)
        left = _left_behind(run.journal, lock.project)
        me = _me(run)
        facts: dict[str, JsonValue] = {"ref": lock.lease.name, "id": me.id}
        if approval is not None and run.reason is not None:
            facts["reason"] = run.reason
        run.journal.add("lock", lock.project, "intent", facts, approval=approval)
        dead = lock.lease.take(me, left=left)
        self.taken.append(lock)
        done: dict[str, JsonValue] = {"ref": lock.lease.name, "id": me.id}
        if dead:
            done["taken_over"] = {"who": dead.who, "host": dead.host, "since": dead.since}
        run.journal.add("lock", lock.project, "done", done)
        run.tell("lock", lock.project, "done", f"{lock.lease.name} is ours")
        self._tell_why_it_was_free(lock, me, dead, left)

    def renew(self) -> None:
        """Prolong what must not run out while the run waits, or a person thinks."""
        for lock in self.taken:
            with _saying_why(lock):
                lock.lease.renew()

    def prove(self) -> None:
        """Look just before an effect whether no other run took over."""
        for lock in self.taken:
            with _saying_why(lock):
                lock.lease.prove()

    def leave(self) -> None:
        """Let the locks lie, for a run that leaves at once: its end makes them a dead run's."""
        self.taken.clear()

    def give_back(self, state: State) -> None:
        """Give every lock back and record the state; only what was locked is told.

        What cannot be recorded, on a disk that is full, keeps no lock from being given back.
        """
        given = [(lock, self._release(lock)) for lock in self.taken]
        for number, (lock, why) in enumerate(given, start=1):
            facts: dict[str, JsonValue] = {"ref": lock.lease.name}
            if why:
                facts |= {"error": "not-released", "message": why}
            self._run.journal.add(
                "unlock",
                lock.project,
                "failed" if why else "done",
                facts,
                state=state if number == len(self.taken) else None,
            )

    def _lock(self, project: str) -> TargetLock:
        run = self._run
        target = next(each for each in run.plan.spec.targets if each.project == project)
        return open_lock(run.forge, target, run.clock)

    def _tell_why_it_was_free(
        self, lock: TargetLock, me: Holder, dead: Holder | None, left: frozenset[str]
    ) -> None:
        """Write down who lost the lock to this run, or broke it, and leave it for the one who did.

        ``left`` are the holds that earlier runs on this very lockfile left behind.
        """
        run, notes = self._run, _read(lock)
        broken = [each for each in notes if each.what == "unlocked" and not each.told]
        ours = [_taken_over(dead, me, run.clock)] if dead else []
        for each in (*broken, *ours):
            if _written(run.journal, lock.project, each.lock) is None:
                self._write(lock, each)
        others = tuple(each for each in ours if each.lock not in left)
        if notes or others:
            told = {each.lock for each in broken}
            with suppress(ForgeError):
                lock.notes.change(lambda found: (*_kept(found, told, left), *others))

    def _write(self, lock: TargetLock, found: Note) -> None:
        facts = {"ref": lock.lease.name, **found.facts()}
        self._run.journal.add("lock", lock.project, "observed", facts)
        self._run.tell("lock", lock.project, "note", found.sentence())

    def _release(self, lock: TargetLock) -> str:
        """Give a lock back; returns why that was not to be had, and never hides how it ended."""
        try:
            if lock.lease.release():
                return ""
            found = lock.lease.look()
            _write_loss(self._run.journal, lock, found.holder if found else None)
        except HotfixError as error:
            return error.message
        return "the lock was not this run's any more"


class LocksSeen(Locks):
    """The locks as who only looks sees them: a held one refuses, a free one is not taken."""

    def take(self, target: TargetPlan, approval: Approval | None) -> None:
        """Leave it where it is."""


@contextmanager
def _saying_why(lock: TargetLock) -> Iterator[None]:
    """Add to the refusal of a lock that was lost what the one who ended it left to say."""
    held = lock.lease.held
    try:
        yield
    except LockedError as error:
        for each in _read(lock):
            if held is not None and each.lock == held.holder.id:
                error.add_note(f"A note says: {each.sentence()}.")
        raise


def _read(lock: TargetLock) -> tuple[Note, ...]:
    """Read the notes; a run that has its lock does not end because they cannot be had."""
    try:
        return lock.notes.read()
    except ForgeError:
        return ()


def _taken_over(dead: Holder, me: Holder, clock: Clock) -> Note:
    reason = why_dead(dead, clock) or "its run was dead"
    at = timestamp(clock.now())
    taken = note("taken-over", dead, by=me.who, by_host=me.host, at=at, reason=reason)
    return replace(taken, told=True)


def _kept(notes: tuple[Note, ...], told: set[str], left: frozenset[str]) -> Iterator[Note]:
    """Keep what others have not read yet; what is in this lockfile now is told."""
    for each in notes:
        if each.lock not in left:
            yield replace(each, told=each.told or each.lock in told)


def _me(run: Run) -> Holder:
    return myself(
        run.clock,
        who=run.forge.current_user().username,
        hotfix=run.plan.hotfix,
        plan_digest=run.plan.digest,
        tool_version=run.request.tool_version,
        job=run.request.job,
    )


def _left_behind(journal: Journal | None, project: str) -> frozenset[str]:
    """Name the holds that earlier runs on this lockfile took, or may have, and never gave back."""
    if journal is None:
        return frozenset()
    gave = journal.last("unlock", project, "done")
    return frozenset(
        str(entry.facts["id"])
        for entry in journal.lock.entries[gave.seq if gave else 0 :]
        if (entry.step, entry.target) == ("lock", project)
        and entry.phase in {"intent", "done"}
        and "id" in entry.facts
    )


def _written(journal: Journal, project: str, lock: str) -> Entry | None:
    return journal.last("lock", project, "observed", lock=lock)


def _write_loss(journal: Journal, lock: TargetLock, now: Holder | None) -> None:
    """Write down, once, that a lock which this lockfile's run left is not its own any more."""
    left = _left_behind(journal, lock.project)
    took = journal.last("lock", lock.project, "done")
    mine = str(took.facts.get("id")) if took else ""
    if mine not in left or (now is not None and now.id in left):
        return  # given back, still its own, or perhaps never taken
    if _written(journal, lock.project, mine) is None:
        found = next((each for each in lock.notes.read() if each.lock == mine), None)
        facts = found.facts() if found else _gone(mine, now)
        journal.add("lock", lock.project, "observed", {"ref": lock.lease.name, **facts})


def _gone(lock: str, now: Holder | None) -> dict[str, JsonValue]:
    """Tell of a lock that nobody left a note for: who holds it now, where somebody does."""
    if now is None:
        said = "the lock that this hotfix's run left is gone, and nobody left a note"
        return {"what": "gone", "lock": lock, "message": said}
    return {
        "what": "taken-over",
        "lock": lock,
        "by": now.who,
        "by_host": now.host,
        "at": now.since,
        "message": f"the lock that this hotfix's run left is held by {described(now)}",
    }
