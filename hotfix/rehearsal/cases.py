"""What goes wrong, and in which rehearsal: by name, by kind, or at random by a seed.

Each fault is tried in a rehearsal of its own. A write is struck at each place where the plan makes
one: the third event of the timeline is lost as well as the first. Of reads, which change nothing,
the first of each kind will do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hotfix.sandbox.fault_routes import Asked, matcher
from hotfix.sandbox.schedules import catalogue, parse, random_schedule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotfix.sandbox.faults import Fault
    from hotfix.sandbox.request_log import RequestLog

_LOST: Final = ("-reset-before", "-reset-after")
"""How the catalogue's names of a lost connection end: of a write before and after its effect."""


@dataclass(frozen=True, slots=True)
class Case:
    """One rehearsal: what shall go wrong in it."""

    name: str
    faults: tuple[Fault, ...]


UNDISTURBED: Final = Case("no faults", ())
"""Always the first: it shows what the plan asks of GitLab, and that it goes through at all."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """Which faults are asked for."""

    words: tuple[str, ...]
    """``all``, ``lost``, ``none``, or faults as ``schedules.parse`` reads them."""
    seeds: range = range(0)

    def __post_init__(self) -> None:
        """Refuse a word that is none of these; raises ``ValueError``."""
        for word in self.words:
            if word not in ("all", "lost", "none"):
                parse(word)

    def cases(self, asked: RequestLog) -> list[Case]:
        """List the rehearsals after the undisturbed one, in which all this was asked."""
        return [
            *(case for word in self.words for case in _cases(word, asked)),
            *(Case(f"seed {seed}", random_schedule(seed)) for seed in self.seeds),
        ]


def _cases(word: str, asked: RequestLog) -> Iterator[Case]:
    if word == "none":
        return
    if word not in ("all", "lost"):
        yield Case(word, (parse(word),))
        return
    requests = [Asked(each.method, each.raw_path, each.body) for each in asked]
    writes = [Asked(each.method, each.raw_path, each.body) for each in asked.writes()]
    for name, fault in catalogue().items():
        if word == "all" or name.endswith(_LOST):
            times = _count(fault, writes) or min(1, _count(fault, requests))
            for nth in range(1, times + 1):
                yield Case(f"{name} #{nth}" if times > 1 else name, (replace(fault, nth=nth),))


def _count(fault: Fault, requests: Sequence[Asked]) -> int:
    matches = matcher(fault.route)
    return sum(map(matches, requests))
