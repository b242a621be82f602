"""A lock that is a ref in the target's repository; its commit tells who holds it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from hotfix.apply.holder import Holder, stranger
from hotfix.apply.lease import Held
from hotfix.apply.record_ref import RecordRef
from hotfix.forge.protocol import StaleRefError, UnknownOutcomeError
from hotfix.identifiers import ZERO, Sha

if TYPE_CHECKING:
    from hotfix.apply.record_ref import Record
    from hotfix.clock import Clock
    from hotfix.forge.protocol import Repository

PREFIX: Final = "refs/hotfix/lock/"


class RefPlace:
    """A ``Place`` in a repository: every write is a compare-and-swap of the ref."""

    has_lease = True

    def __init__(self, repository: Repository, release_branch: str, clock: Clock) -> None:
        self.name = PREFIX + release_branch
        self._record = RecordRef(repository, self.name)
        self._clock = clock

    def look(self) -> Held | None:
        """Tell who holds the lock; ``None`` where there is no ref."""
        found = self._record.read()
        return Held(found.sha, _holder(found)) if found else None

    def put(self, holder: Holder, over: Held | None) -> Held | None:
        """Move the ref from what was seen to a commit that tells of this holder.

        A push that did not arrive is sent once more: a compare-and-swap happens once.
        """
        try:
            return self._swap(holder, over)
        except UnknownOutcomeError:
            found = self.look()
            if found is None or found.holder.id != holder.id:
                return self._swap(holder, over)
            return found

    def _swap(self, holder: Holder, over: Held | None) -> Held | None:
        old = Sha(over.mark) if over else ZERO
        try:
            return Held(self._record.write(old, asdict(holder), self._clock.now()), holder)
        except StaleRefError:
            found = self.look()
            return found if found is not None and found.holder.id == holder.id else None

    def remove(self, mark: str) -> bool:
        """Delete the ref where it stands at the commit that was seen."""
        try:
            self._record.delete(Sha(mark))
        except StaleRefError:
            return False
        except UnknownOutcomeError:
            return self._record.read() is None
        return True


def _holder(found: Record) -> Holder:
    try:
        return Holder.from_json(found.document)
    except ValueError:
        return stranger(found.sha)
