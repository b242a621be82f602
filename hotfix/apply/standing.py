"""Where a hotfix stands, from its lockfile, and who has to act next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from hotfix.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.evidence.model import Lock


@dataclass(frozen=True, slots=True)
class Standing:
    """How a run would end that began now, as far as the lockfile tells."""

    state: str
    kind: Literal["done", "waiting", "failed"]
    message: str
    hint: str


def standing(lock: Lock | None, command: str, lockfile: Path) -> Standing:
    """Tell where the hotfix stands; before the first apply it waits for that."""
    if lock is None:
        return Standing(
            "planned", "waiting", "This hotfix was not applied yet.", f"Begin with: {command}"
        )
    name = f"Hotfix {lock.hotfix}"
    if lock.state == "complete":
        return Standing(
            "complete", "done", f"{name} is complete.", f"Verify it with: hotfix audit {lockfile}"
        )
    if lock.state == "rolled-back":
        return Standing("rolled-back", "done", f"{name} was rolled back.", "")
    where = _where(lock)
    if lock.state == "failed":
        return Standing(
            "failed", "failed", f"{name} failed {where}.", f"Mend it, then go on with: {command}"
        )
    return Standing(lock.state, "waiting", f"{name} stopped {where}.", f"Go on with: {command}")


def _where(lock: Lock) -> str:
    for entry in reversed(lock.entries):
        if entry.step == "unlock":
            continue
        of = f" of {entry.target}" if entry.target else ""
        if "error" in entry.facts:
            return f"in {entry.step}{of}: {one_line(str(entry.facts['message']))}"
        return f"after {entry.step}{of}"
    return "before its first step"
