"""The lock of a target: a ref moved by compare-and-swap in the target's own repository.

The same right is needed for the work anyway, the swap is atomic on the server, and the commit that
the ref points to tells who holds it (GitLab docs: custom refs need push rights and no more). A run
renews its lease while it lives; a lease that ran out, or whose process is known to be gone, is
taken over. The lock keeps runs of this tool apart; the last word against people is the expected
old id of every push.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from hotfix.apply import holder
from hotfix.clock import timestamp
from hotfix.errors import LockedError
from hotfix.forge.protocol import NotFoundError, StaleRefError, UnknownOutcomeError
from hotfix.git.commits import Identity, read_commit
from hotfix.git.record import make_record
from hotfix.identifiers import ZERO
from hotfix.text import one_line

if TYPE_CHECKING:
    from hotfix.clock import Clock
    from hotfix.forge.protocol import Repository
    from hotfix.identifiers import Sha

LEASE: Final = timedelta(minutes=10)
_PREFIX: Final = "refs/hotfix/lock/"
_TOOL: Final = Identity("hotfix", "hotfix@noreply.invalid")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, as the commit behind the ref tells."""

    who: str
    host: str
    place: str | None
    process: str
    since: str
    until: str
    hotfix: str
    plan_digest: str
    tool_version: str


def ref_of(release_branch: str) -> str:
    """Name the lock's ref for a release branch."""
    return _PREFIX + release_branch


class Lease:
    """A lock held by this run."""

    def __init__(self, repository: Repository, ref: str, me: Holder, clock: Clock) -> None:
        self._repository = repository
        self._clock = clock
        self._me = me
        self.ref = ref
        self.sha: Sha | None = None
        self._renewed = clock.now()

    def look(self) -> tuple[Sha, Holder | None] | None:
        """Tell who holds the lock, ``None`` where it is free; an unreadable holder is ``None``."""
        sha = self._repository.refs(self.ref).get(self.ref)
        if sha is None:
            return None
        try:
            text = read_commit(self._repository.fetch((sha,)), sha).message
            told = json.loads(text)
            known = {each.name: told[each.name] for each in fields(Holder)}
            datetime.fromisoformat(known["until"])
            return sha, Holder(**known)
        except (NotFoundError, ValueError, TypeError, KeyError):
            return sha, None

    def take(self) -> Holder | None:
        """Take the lock, and return the dead run that it was taken over from, if any.

        Raises ``LockedError`` where a live run holds it.
        """
        found = self.refuse_held()
        self._swap(found[0] if found else ZERO)
        return found[1] if found else None

    def refuse_held(self) -> tuple[Sha, Holder] | None:
        """Raise ``LockedError`` where a live run holds the lock; return a dead one's."""
        found = self.look()
        if found is None:
            return None
        sha, dead = found
        if dead is None or not self._is_dead(dead):
            raise _locked(self.ref, dead)
        return sha, dead

    def renew(self) -> None:
        """Prolong the lease when half of it is over; raises ``LockedError`` if it was taken."""
        if self.sha is not None and self._clock.now() - self._renewed > LEASE / 2:
            self._swap(self.sha)

    def prove(self) -> None:
        """Look whether the lock is still this run's; raises ``LockedError`` where it is not."""
        self.renew()
        found = self._repository.refs(self.ref).get(self.ref)
        if found != self.sha:
            held = self.look()
            raise _locked(self.ref, held[1] if held else None)

    def release(self) -> bool:
        """Give the lock back; returns False for one that is somebody else's by now."""
        if self.sha is None:
            return False
        old, self.sha = self.sha, None
        try:
            self._repository.push(self.ref, old=old, new=ZERO, objects=())
        except (StaleRefError, UnknownOutcomeError):
            return self._repository.refs(self.ref).get(self.ref) is None
        return True

    def _swap(self, old: Sha) -> None:
        now = self._clock.now()
        told = asdict(self._me) | {"until": timestamp(now + LEASE)}
        new, objects = make_record(json.dumps(told, sort_keys=True), _TOOL, now)
        try:
            self._repository.push(self.ref, old=old, new=new, objects=objects)
        except (StaleRefError, UnknownOutcomeError) as error:
            found = self.look()
            if found is None or found[0] != new:
                raise _locked(self.ref, found[1] if found else None) from error
        self.sha, self._renewed = new, now

    def _is_dead(self, found: Holder) -> bool:
        if found.place is not None and found.place == self._me.place:
            return not holder.is_alive(found.process)
        return datetime.fromisoformat(found.until) < self._clock.now()


def myself(clock: Clock, *, who: str, hotfix: str, plan_digest: str, tool_version: str) -> Holder:
    """Describe this run as the holder of a lock."""
    now = clock.now()
    return Holder(
        who=who,
        host=holder.host(),
        place=holder.place(),
        process=holder.process(),
        since=timestamp(now),
        until=timestamp(now + LEASE),
        hotfix=hotfix,
        plan_digest=plan_digest,
        tool_version=tool_version,
    )


def _locked(ref: str, found: Holder | None) -> LockedError:
    if found is None:
        by = "somebody whose record cannot be read"
        hint = "Run the same command again in a minute."
    else:
        who, where = one_line(found.who, 60), one_line(found.host, 60)
        by = f"{who} on {where} for hotfix {one_line(found.hotfix, 63)}, since {found.since}"
        hint = (
            "Wait for that run to end, then run the same command again. If it is dead, its lease "
            f"runs out at {found.until}, and the lock is taken over by itself."
        )
    return LockedError("locked", f"The lock {ref} is held by {by}.", hint=hint)
