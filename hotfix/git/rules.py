"""What steers a merge beside its input: rules that Git changed, and how much work is allowed.

A reviewer may check a plan with any Git. So where a rule that changed between versions decides
something, the merge is done by each of them, and a result that depends on the version is a
conflict.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_STEPS = 10_000_000  # ten to thirty seconds; the slowest real pick measured took a quarter


class TooMuchWorkError(Exception):
    """The input asks for more steps than a merge is given; caught where merges are decided."""


@dataclass(slots=True)
class Effort:
    """Counts steps instead of seconds, so that the outcome does not depend on the machine."""

    left: int = MOST_STEPS

    def spend(self, steps: int) -> None:
        """Take these steps off, or raise :class:`TooMuchWorkError` where they are used up."""
        self.left -= steps
        if self.left < 0:
            raise TooMuchWorkError


@dataclass(slots=True)
class Rules:
    """One set of rules, which of the changed ones mattered, and the steps that are left.

    ``final_span``: similarity counts a last line without line feed (since Git 2.44).
    ``redo_slid``: changes that slid into each other are compared anew (since Git 2.54).
    """

    final_span: bool = False
    redo_slid: bool = False
    met: set[str] = field(default_factory=set)
    effort: Effort = field(default_factory=Effort)

    def compares_slid_groups_anew(self) -> bool:
        """Tell whether they are, where it makes a difference."""
        self.met.add("redo_slid")
        return self.redo_slid


def later_rules(met: set[str]) -> list[Rules]:
    """Return the later sets of rules that differ from the first in something that was met."""
    later = [Rules(final_span=True)] if "final_span" in met else []
    if "redo_slid" in met:
        later.append(Rules(final_span=True, redo_slid=True))
    return later
