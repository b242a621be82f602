"""What a run went past, by its record: warnings that somebody answered for, and broken glass.

Both are approvals in the chain, so that nobody finds one in the file that no entry bears.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.evidence.model import Approval, Lock

_GLASS: Final = "break glass: "
_WARNINGS: Final = "go past warnings "
WENT_PAST: Final = "went_past"
"""The fact that names the rules which an entry's approval goes past."""


def glass_broken(reason: str) -> str:
    """Say what breaking the glass is, as the record has it."""
    return f"{_GLASS}{reason}"


def warnings_answered(digest: str) -> str:
    """Say what an answer to warnings is of, by the hash of their list."""
    return f"{_WARNINGS}{digest}"


def glass(lock: Lock | None) -> Approval | None:
    """Return who broke the glass first, and why; ``None`` where nobody did."""
    given = lock.approvals if lock else ()
    return next((each for each in given if each.what.startswith(_GLASS)), None)


def reason_of(glass: Approval) -> str:
    """Tell why the glass was broken."""
    return glass.what.removeprefix(_GLASS)


def behind_glass(lock: Lock) -> tuple[str, ...]:
    """Name the rules that were gone past behind broken glass, each once, in the record's order."""
    return tuple(dict.fromkeys(rule for rules in _behind_glass(lock) for rule in rules))


def _behind_glass(lock: Lock) -> Iterator[list[str]]:
    for entry in lock.entries:
        said = entry.facts.get("break_glass")
        rules = entry.facts.get(WENT_PAST)
        if said is not None and isinstance(rules, list):
            yield [str(rule) for rule in rules]


def is_answered(lock: Lock | None, digest: str) -> bool:
    """Tell whether somebody answered for exactly this list of warnings."""
    given = lock.approvals if lock else ()
    return any(each.what == warnings_answered(digest) for each in given)
