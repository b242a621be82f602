"""Breaking a lock that a dead run left: exactly the one that was shown, with the reason kept.

It never needs the lock itself. The reason is left beside the lock first, so that it is not lost
however the breaking ends, and the next run writes it into its lockfile.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hotfix.apply import holder, ref_lock, state_lock
from hotfix.apply.lease import described
from hotfix.apply.lock_notes import LockNotes, note
from hotfix.apply.ref_lock import RefPlace
from hotfix.apply.state_lock import StatePlace
from hotfix.clock import timestamp
from hotfix.errors import LockedError
from hotfix.forge.protocol import ForgeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.apply.holder import Holder
    from hotfix.apply.lease import Held, Place
    from hotfix.apply.lock_notes import Note
    from hotfix.clock import Clock
    from hotfix.forge.protocol import Forge


@dataclass(frozen=True, slots=True)
class FoundLock:
    """A lock that is held, as it is shown before it is broken."""

    project: str
    place: Place
    held: Held
    notes: LockNotes
    why_dead: str | None
    """How its run is known to be dead; None where it may be alive."""
    why_alive: str | None

    @property
    def holder(self) -> Holder:
        """Who holds it."""
        return self.held.holder

    @property
    def alive(self) -> bool | None:
        """Whether its run lives, as far as anything tells; else None."""
        if self.why_dead:
            return False
        return True if self.why_alive else None


@dataclass(frozen=True, slots=True)
class Broken:
    """A lock that was broken: what was left for the next run, or why nothing could be."""

    note: Note
    unrecorded: str | None


def find_locks(forge: Forge, project: str, clock: Clock) -> list[FoundLock]:
    """List the locks of a project that are held, wherever they lie."""
    repository = forge.repository(forge.project(project))
    found = []
    for place, branch in _places(forge, project, clock):
        held = place.look()
        if held is not None:
            notes = LockNotes(repository, branch, clock)
            why_dead = holder.why_dead(held.holder, clock)
            why_alive = holder.why_alive(held.holder, clock)
            found.append(FoundLock(project, place, held, notes, why_dead, why_alive))
    return found


def break_lock(lock: FoundLock, *, by: str, reason: str, clock: Clock) -> Broken | None:
    """Break exactly this lock; None where it was given back meanwhile.

    Raises ``LockedError`` where it is another one by now, or was renewed: then its run lives.
    """
    at = timestamp(clock.now())
    left = note("unlocked", lock.holder, by=by, by_host=holder.host(), at=at, reason=reason)
    unrecorded = None
    try:
        lock.notes.change(lambda notes: (*notes, left))
    except ForgeError as error:
        unrecorded = error.message
    if lock.place.remove(lock.held.mark):
        return Broken(left, unrecorded)
    with suppress(ForgeError):
        lock.notes.change(lambda notes: tuple(each for each in notes if each != left))
    now = lock.place.look()
    if now is None:
        return None
    raise LockedError(
        "lock-moved",
        f"The lock of {lock.project} is not the one that was shown any more: it is held by "
        f"{described(now.holder)}, and {_moved(lock, now)}. Nothing was broken.",
        hint="Its run is at work. If it must go all the same, stop it, then look again.",
    )


def _moved(lock: FoundLock, now: Held) -> str:
    if now.holder.id == lock.holder.id:
        return f"its lease was renewed meanwhile, to {now.holder.until}"
    return f"was taken meanwhile for hotfix {now.holder.hotfix}"


def _places(forge: Forge, project: str, clock: Clock) -> Iterator[tuple[Place, str]]:
    repository = forge.repository(forge.project(project))
    for ref in sorted(repository.refs(ref_lock.PREFIX)):
        branch = ref.removeprefix(ref_lock.PREFIX)
        yield RefPlace(repository, branch, clock), branch
    for state in sorted(forge.locked_states(project)):
        if state.startswith(state_lock.PREFIX):
            yield StatePlace(forge, project, state), state.removeprefix(state_lock.PREFIX)
