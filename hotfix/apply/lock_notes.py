"""What became of a lock that was not given back: it was taken over, or a person broke it.

The run that lost it may come again on its own lockfile, and whoever holds the lock next has to
write down why it was free. So a note is left in a ref beside the lock until both have read it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final, Literal

from hotfix.apply.record_ref import RecordRef
from hotfix.forge.protocol import StaleRefError, UnknownOutcomeError
from hotfix.identifiers import ZERO
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import JsonValue

    from hotfix.apply.holder import Holder
    from hotfix.clock import Clock
    from hotfix.forge.protocol import Repository

_PREFIX: Final = "refs/hotfix/lock-notes/"
_MOST: Final = 20
"""How many notes are kept; the run of an old one will hardly come again."""
_TRIES: Final = 3
_LONG: Final = 500


@dataclass(frozen=True, slots=True)
class Note:
    """Whose lock ended in which way, by whom and why."""

    what: Literal["taken-over", "unlocked"]
    lock: str
    """The ``id`` of the hold that it speaks of."""
    hotfix: str
    who: str
    host: str
    since: str
    by: str
    by_host: str
    at: str
    reason: str
    told: bool = False
    """Whether a run that held the lock since has it in its lockfile."""

    def sentence(self) -> str:
        """Tell it in one line."""
        whose = f"the lock of {one_line(self.who, 60)}"
        if self.host:
            whose += f" on {one_line(self.host, 60)}"
        if self.hotfix:
            whose += f" for hotfix {one_line(self.hotfix, 63)}"
        done = "broken" if self.what == "unlocked" else "taken over"
        by = f"{one_line(self.by, 60)} on {one_line(self.by_host, 60)}"
        since = f", held since {one_line(self.since, 40)}," if self.since else ""
        return f"{whose}{since} was {done} by {by}: {one_line(self.reason, _LONG)}"

    def facts(self) -> dict[str, JsonValue]:
        """Give it as the facts of an entry."""
        facts: dict[str, JsonValue] = asdict(self)
        del facts["told"]
        return {**facts, "message": self.sentence()}


def note(
    what: Literal["taken-over", "unlocked"],
    holder: Holder,
    *,
    by: str,
    by_host: str,
    at: str,
    reason: str,
) -> Note:
    """Write what became of the lock of a holder."""
    return Note(
        what=what,
        lock=holder.id,
        hotfix=holder.hotfix,
        who=holder.who,
        host=holder.host,
        since=holder.since,
        by=by,
        by_host=by_host,
        at=at,
        reason=reason,
    )


class LockNotes:
    """The notes of one lock."""

    def __init__(self, repository: Repository, release_branch: str, clock: Clock) -> None:
        self._record = RecordRef(repository, _PREFIX + release_branch.replace("/", "."))
        self._clock = clock

    def read(self) -> tuple[Note, ...]:
        """List the notes that somebody has not read yet, the oldest first."""
        found = self._record.read()
        return _notes(found.document) if found else ()

    def change(self, wanted: Callable[[tuple[Note, ...]], tuple[Note, ...]]) -> None:
        """Write the notes anew, and again where somebody was quicker; raises ``ForgeError``."""
        for left in reversed(range(_TRIES)):
            found = self._record.read()
            before = _notes(found.document) if found else ()
            after = wanted(before)[-_MOST:]
            if after == before:
                return
            old = found.sha if found else ZERO
            try:
                if after:
                    self._record.write(old, list(map(asdict, after)), self._clock.now())
                else:
                    self._record.delete(old)
            except (StaleRefError, UnknownOutcomeError):
                if not left:
                    raise
            else:
                return


def _notes(document: Any) -> tuple[Note, ...]:  # noqa: ANN401  (any JSON value)
    try:
        return tuple(
            Note(**{each.name: row[each.name] for each in fields(Note)}) for row in document
        )
    except (TypeError, KeyError):
        return ()
