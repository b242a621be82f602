"""The lock of a target: taken, renewed, proven and given back, wherever it lies.

A run renews its lease while it lives; a lock whose lease ran out, or whose process is known to be
gone, is taken over. The lock keeps runs of this tool apart; the last word against people is the
expected old id of every push.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from hotfix.apply.holder import place, why_dead
from hotfix.clock import timestamp
from hotfix.errors import LockedError
from hotfix.forge.protocol import ForgeError
from hotfix.text import one_line

if TYPE_CHECKING:
    from hotfix.apply.holder import Holder
    from hotfix.clock import Clock

LEASE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Held:
    """A lock that somebody holds, as it was seen."""

    mark: str
    """What is compared when it is taken over or broken: only this very state of it is."""
    holder: Holder


class Place(Protocol):
    """Where a lock lies. Each of its writes happens whole or not at all, whatever others do."""

    name: str
    """What people look for: the ref, the Terraform state."""
    has_lease: bool
    """Whether what is written can be written anew without giving the lock back in between."""

    def look(self) -> Held | None:
        """Tell who holds the lock; ``None`` where it is free."""
        ...

    def put(self, holder: Holder, over: Held | None) -> Held | None:
        """Write a holder in the place of what was seen; returns what stands there now, if ours.

        ``None`` means that somebody else was quicker. A lost answer is looked after.
        """
        ...

    def remove(self, mark: str) -> bool:
        """Free the lock; False where it is not the one that was seen any more."""
        ...


class Lease:
    """The lock of one target, for one run."""

    def __init__(self, place: Place, clock: Clock, *, project: str, gitlab: str) -> None:
        self._place = place
        self._clock = clock
        self._project = project
        self._gitlab = gitlab
        self.held: Held | None = None
        """The lock as this run holds it."""

    @property
    def name(self) -> str:
        """What people look for: the ref, the Terraform state."""
        return self._place.name

    def look(self) -> Held | None:
        """Tell who holds the lock, ``None`` where it is free."""
        return self._place.look()

    def refuse(self, found: Held | None, *, left: frozenset[str] = frozenset()) -> None:
        """Raise ``LockedError`` where what was seen may be a live run.

        ``left`` are the holds of runs that are known to be over: their record is this run's now,
        and on one machine a record is one run's at a time.
        """
        if found is None or why_dead(found.holder, self._clock) is not None:
            return
        if found.holder.id not in left or found.holder.place != place():
            raise self._locked(found)

    def take(self, me: Holder, *, left: frozenset[str] = frozenset()) -> Holder | None:
        """Take the lock, and return the dead run that it was taken over from, if any.

        Raises ``LockedError`` where a live run holds it, or was quicker.
        """
        found = self.look()
        self.refuse(found, left=left)
        try:
            self._put(me, found)
        except ForgeError:
            self._leave_none(me)
            raise
        return found.holder if found else None

    def renew(self) -> None:
        """Prolong the lease when half of it is over; raises ``LockedError`` if it was taken.

        A GitLab that cannot be reached now is asked again the next time: before each effect the
        lock is proven.
        """
        if self._is_due():
            with suppress(ForgeError):
                self._put_again()

    def prove(self) -> None:
        """Look whether the lock is still this run's; raises ``LockedError`` where it is not."""
        if self._is_due():
            self._put_again()
        found = self.look()
        if not self._is_ours(found):
            raise self._lost(found)

    def release(self) -> bool:
        """Give the lock back; returns False for one that is not this run's any more."""
        held = self.held
        if held is None:
            return False
        if not self._place.remove(held.mark):
            # A renewal whose answer was lost may have written it anew.
            found = self.look()
            if found is None or not self._is_ours(found) or not self._place.remove(found.mark):
                return False
        self.held = None
        return True

    def _is_due(self) -> bool:
        if self.held is None or self.held.holder.until is None:
            return False
        left = datetime.fromisoformat(self.held.holder.until) - self._clock.now()
        # More than a whole lease is left where the clock was set back.
        return not LEASE / 2 <= left <= LEASE

    def _put(self, me: Holder, over: Held | None) -> None:
        until = timestamp(self._clock.now() + LEASE) if self._place.has_lease else None
        written = self._place.put(replace(me, until=until), over)
        if written is None:
            raise self._locked(self.look())
        self.held = written

    def _leave_none(self, me: Holder) -> None:
        """Free the lock where it was taken unseen: a run that ends holds up nobody."""
        with suppress(ForgeError):
            found = self.look()
            if found is not None and found.holder.id == me.id:
                self._place.remove(found.mark)

    def _put_again(self) -> None:
        if self.held is None:
            return
        try:
            self._put(self.held.holder, self.held)
        except LockedError as error:
            raise self._lost(self.look()) from error

    def _is_ours(self, found: Held | None) -> bool:
        if self.held is None or found is None:
            return False
        return found.holder.id == self.held.holder.id

    def _locked(self, found: Held | None) -> LockedError:
        if found is None:
            return LockedError(
                "locked",
                f"The lock of {self._project} was held a moment ago, and is free again.",
            )
        return LockedError(
            "locked",
            f"The lock of {self._project} is held by {described(found.holder)}.",
            hint=_what_to_do(self.name, found.holder, self._project, self._gitlab),
        )

    def _lost(self, found: Held | None) -> LockedError:
        by = f"is held by {described(found.holder)} now" if found else "is not there any more"
        return LockedError(
            "lock-lost",
            f"The lock of {self._project} was taken from this run: it {by}.",
            hint="What was begun is in the record, and nothing was done since. Find out who did "
            "it, then run the same command again: it looks first.",
        )


def described(found: Holder) -> str:
    """Say who holds a lock, and where and since when."""
    where = f" on {one_line(found.host, 60)}" if found.host else ""
    since = f" since {one_line(found.since, 40)}" if found.since else ""
    return f"{one_line(found.who, 60)}{where}{since}"


def told_of(name: str, found: Holder) -> list[tuple[str, str]]:
    """List what else a lock tells: what it is called, and what its holder is at work on."""
    rows = [
        ("lock", name),
        ("hotfix", found.hotfix),
        ("plan", found.plan_digest),
        ("job", found.job or ""),
    ]
    return [(key, one_line(value, 300)) for key, value in rows if value]


def unlock_command(project: str, gitlab: str) -> str:
    """Write the command line that breaks the lock of a project."""
    return f"hotfix unlock {project} --gitlab {gitlab} --reason 'WHY'"


def _what_to_do(name: str, found: Holder, project: str, gitlab: str) -> str:
    ends = (
        f"If it is dead, its lease ends at {found.until}, and the lock is taken over by itself."
        if found.until
        else "This lock has no lease: if that run is dead, a person has to break the lock."
    )
    return "\n".join(
        [
            *(f"{key:8}{value}" for key, value in told_of(name, found)),
            "Wait for that run to end, or let this one wait for it: --lock-timeout SECONDS",
            ends,
            f"If you know that it is dead: {unlock_command(project, gitlab)}",
        ]
    )
