"""Where a hotfix stands, and who has to act next: as GitLab shows it, or by its lockfile alone."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from hotfix.errors import (
    BlockedError,
    HotfixError,
    InterruptedRunError,
    LockedError,
    StaleError,
    WaitingError,
)
from hotfix.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.apply.events import Event
    from hotfix.apply.run import Outcome
    from hotfix.evidence.model import Lock
    from hotfix.results import TargetResult


EndKind = Literal["done", "waiting", "failed", "blocked", "stale", "locked"]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a run would end that began now."""

    state: str
    """The lockfile's; ``planned`` where there is none."""
    kind: EndKind
    message: str
    hint: str
    results: tuple[TargetResult, ...] = ()
    """How each of several targets would end."""


@dataclass(frozen=True, slots=True)
class Commands:
    """What can be typed next: to go on, and to go back where there is a way back."""

    on: str
    back: str = ""
    approve: str = ""
    """What comes first where approvals are not on record yet: who may give them, and how."""


def seen(lock: Lock | None, ended: Outcome | HotfixError, last: Event | None) -> Standing:
    """Tell how a look at GitLab ended; ``last`` is what the run would have shown last."""
    state = lock.state if lock else "planned"
    if not isinstance(ended, HotfixError):
        return Standing(state, "done", ended.message, "")
    kind = next(kind for error, kind in _KINDS if isinstance(ended, error))
    message = ended.message
    if ended.code == "wait-expired" and last is not None and last.target is not None:
        message += f" So far: {last.target}, {last.step}: {last.message}."
    return Standing(state, kind, message, ended.hint, ended.results)


def standing(lock: Lock | None, commands: Commands, lockfile: Path) -> Standing:
    """Tell where the hotfix stands; before the first apply it waits for that."""
    if lock is None:
        return Standing(
            "planned",
            "waiting",
            "This hotfix was not applied yet.",
            f"{commands.approve}Begin with: {commands.on}",
        )
    name = f"{'Rollback of hotfix' if lock.kind == 'rollback' else 'Hotfix'} {lock.hotfix}"
    verify = f"Verify it with: hotfix audit {shlex.quote(str(lockfile))}"
    if lock.state == "complete":
        return Standing("complete", "done", f"{name} is complete.", verify)
    if lock.state == "rolled-back":
        return Standing("rolled-back", "done", f"{name} was rolled back.", verify)
    where = _where(lock)
    if lock.state == "failed":
        back = f"\nOr take the way back: {commands.back}" if commands.back else ""
        return Standing(
            "failed",
            "failed",
            f"{name} failed {where}.",
            f"{commands.approve}Mend it, then go on with: {commands.on}{back}",
        )
    on = f"{commands.approve}Go on with: {commands.on}"
    return Standing(lock.state, "waiting", f"{name} stopped {where}.", on)


_KINDS: Final[tuple[tuple[type[HotfixError], EndKind], ...]] = (
    (WaitingError, "waiting"),
    (InterruptedRunError, "waiting"),
    (BlockedError, "blocked"),
    (StaleError, "stale"),
    (LockedError, "locked"),
    (HotfixError, "failed"),
)


def _where(lock: Lock) -> str:
    """Name the last step; of a run that failed, the one that it failed at."""
    told = [entry for entry in lock.entries if entry.step != "unlock"]
    said = [entry for entry in told if "message" in entry.facts]
    last = (said or told)[-1:] if lock.state == "failed" else told[-1:]
    for entry in last:
        of = f" of {entry.target}" if entry.target else ""
        if "error" in entry.facts:
            return f"in {entry.step}{of}: {one_line(str(entry.facts['message']))}"
        return f"after {entry.step}{of}"
    return "before its first step"
