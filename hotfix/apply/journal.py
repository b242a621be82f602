"""The lockfile while a run writes it: every entry is on disk before the next effect begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.clock import timestamp
from hotfix.errors import FailedError, InputError
from hotfix.evidence import record
from hotfix.evidence.audit import audit
from hotfix.evidence.lockfile import NewerLockError, parse, serialize
from hotfix.files import write_atomic

_INTEGRITY: Final = frozenset(
    {"plan", "binding", "chain", "head", "identity", "state", "approvals", "seal"}
)
"""The findings of an audit that tell of a changed file, not of a hotfix that is not done yet."""
_TAKE_BACK: Final = (
    "Take the file back from version control. If it is lost, move it away: the run then goes on "
    "from what GitLab shows, and says which evidence is missing."
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic import JsonValue

    from hotfix.clock import Clock
    from hotfix.evidence.lockfile import LockDocument
    from hotfix.evidence.model import Approval, Entry, Lock, Phase, State, StepName
    from hotfix.plan.model import Plan


class Journal:
    """An open lockfile. It only ever grows: a file that changed under it is not overwritten."""

    def __init__(self, path: Path, lock: Lock, clock: Clock, *, writes: bool = True) -> None:
        """Open it; without ``writes`` what is added stays in memory."""
        self.path = path
        self.lock = lock
        self._clock = clock
        self._writes = writes
        self._on_disk: bytes | None = None

    @classmethod
    def begin(
        cls,
        path: Path,
        plan: Plan,
        *,
        by: str,
        tool_version: str,
        clock: Clock,
        writes: bool = True,
    ) -> Journal:
        """Start a lockfile for a plan; nothing is written before the first entry."""
        lock = record.begin(plan, applied_by=by, gitlab=plan.gitlab, tool_version=tool_version)
        return cls(path, lock, clock, writes=writes)

    @classmethod
    def resume(cls, path: Path, clock: Clock, *, writes: bool = True) -> Journal | None:
        """Take up the lockfile of an earlier run, ``None`` where there is none.

        Raises ``InputError`` for a file that is not whole or was changed by somebody else than a
        run: what it says would decide what is done next.
        """
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(
                "lock-unreadable",
                f"{path} cannot be read: {error.strerror}.",
                hint="A record that is there is needed: it says what was begun. Get the right to "
                "read it.",
            ) from error
        document = _whole(data, path)
        _refuse_edited(document)
        journal = cls(path, document.lock, clock, writes=writes)
        journal._on_disk = data
        return journal

    def add(
        self,
        step: StepName,
        target: str | None,
        phase: Phase,
        facts: Mapping[str, JsonValue],
        *,
        approval: Approval | None = None,
        state: State | None = None,
    ) -> Entry:
        """Append an entry and put the file to disk before returning."""
        self.lock = record.extend(
            self.lock,
            at=timestamp(self._clock.now()),
            step=step,
            target=target,
            phase=phase,
            facts=facts,
            approvals=(approval,) if approval else (),
            state=state,
        )
        self._write()
        return self.lock.entries[-1]

    def seal(self) -> None:
        """Record that the incident holds the head of the chain."""
        self.lock = record.seal(self.lock, at=timestamp(self._clock.now()))
        self._write()

    def last(
        self, step: StepName, target: str | None, *phases: Phase, **facts: JsonValue
    ) -> Entry | None:
        """Find the last entry of a step in one of the phases, with these facts where given."""
        for entry in reversed(self.lock.entries):
            if (
                (entry.step, entry.target) == (step, target)
                and (not phases or entry.phase in phases)
                and all(entry.facts.get(key) == value for key, value in facts.items())
            ):
                return entry
        return None

    def _write(self) -> None:
        if not self._writes:
            return
        data = serialize(self.lock)
        try:
            found = self.path.read_bytes()
        except FileNotFoundError:
            found = None
        except OSError as error:
            raise self._failed(error) from error
        if found != self._on_disk:
            raise FailedError(
                "lock-changed",
                f"{self.path} was changed by somebody else during the run; it is left as it is.",
                hint="Is another run at work on it? Run the same command again: it looks at GitLab "
                "first and repeats nothing.",
            )
        try:
            write_atomic(self.path, data)
        except OSError as error:
            raise self._failed(error) from error
        self._on_disk = data

    def _failed(self, error: OSError) -> FailedError:
        return FailedError(
            "lock-not-written",
            f"{self.path} cannot be written: {error.strerror or error}.",
            hint="Nothing further is done without its record. Make room or rights for the file, "
            "then run the same command again.",
        )


def _whole(data: bytes, path: Path) -> LockDocument:
    try:
        return parse(data, str(path))
    except NewerLockError:
        raise
    except InputError as error:
        error.hint = f"{error.hint} {_TAKE_BACK}"
        raise


def _refuse_edited(document: LockDocument) -> None:
    broken = [
        finding
        for finding in audit(document).findings
        if finding.outcome == "failed" and finding.what in _INTEGRITY
    ]
    if broken:
        raise InputError(
            "lock-edited",
            f"{document.source} was changed outside of a run, at {broken[0].where}: "
            f"{broken[0].detail}",
            hint=_TAKE_BACK,
        )
