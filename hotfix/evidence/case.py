"""What a check looks at, and what it may answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from hotfix.identifiers import short
from hotfix.text import one_line

if TYPE_CHECKING:
    from hotfix.evidence.model import Entry, Phase, StepName
    from hotfix.plan.model import Kind, PlannedCommit, PlannedIncident, TargetPlan

_SHA_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Proof:
    """A check's answer, the entries that it rests on, and one sentence for the auditor."""

    outcome: Literal["passed", "failed", "missing"]
    detail: str
    evidence: tuple[Entry, ...]


def passed(detail: str, *evidence: Entry) -> Proof:
    """Answer that the entries prove it."""
    return Proof("passed", detail, evidence)


def failed(detail: str, *evidence: Entry) -> Proof:
    """Answer that the entries speak against it."""
    return Proof("failed", detail, evidence)


def missing(detail: str, *evidence: Entry) -> Proof:
    """Answer that no entry could prove it; entries that come near may be named."""
    return Proof("missing", detail, evidence)


@dataclass(frozen=True, slots=True)
class Case:
    """A target of the plan, and the entries that speak of it or of the hotfix as a whole."""

    kind: Kind
    target: TargetPlan
    incident: PlannedIncident
    entries: tuple[Entry, ...]

    def all(
        self,
        step: StepName,
        *phases: Phase,
        having: tuple[str, ...] = (),
        after: int = 0,
        before: int | None = None,
    ) -> tuple[Entry, ...]:
        """Find the entries of a step that carry the facts needed, between two ``seq``."""
        return tuple(
            entry
            for entry in self.entries
            if entry.step == step
            and entry.phase in phases
            and entry.seq > after
            and (before is None or entry.seq < before)
            and all(entry.facts.get(key) is not None for key in having)
        )

    def last(
        self, step: StepName, *phases: Phase, having: tuple[str, ...] = (), after: int = 0
    ) -> Entry | None:
        """Find the last such entry: in a run that was resumed it is the one that counts."""
        found = self.all(step, *phases, having=having, after=after)
        return found[-1] if found else None

    def first(self, step: StepName, *phases: Phase, having: tuple[str, ...] = ()) -> Entry | None:
        """Find the first such entry, where the order is what is to be proven."""
        found = self.all(step, *phases, having=having)
        return found[0] if found else None

    @property
    def commits(self) -> tuple[str, ...]:
        """The ids between the base and ``after``, oldest first, as they were planned."""
        return tuple(commit.sha for commit in self.target.commits if commit.sha is not None)

    @property
    def base(self) -> str | None:
        """The head that the hotfix stands on: ``before`` without the commits that are kept."""
        made = next((commit for commit in self.target.commits if commit.sha is not None), None)
        return made.parent if made is not None else self.target.before

    @property
    def restore(self) -> PlannedCommit | None:
        """The restore commit, new or kept: the one on the branch that was picked from nowhere."""
        return next(
            (
                commit
                for commit in self.target.commits
                if commit.sha is not None and commit.action != "pick" and commit.picked_from is None
            ),
            None,
        )


def same(fact: Any, expected: str | None) -> bool:  # noqa: ANN401  (any JSON value)
    """Tell whether a fact is the expected text; two unknowns are never the same."""
    return expected is not None and fact == expected


def shown(fact: Any) -> str:  # noqa: ANN401  (any JSON value)
    """Show a fact inside a sentence, a commit's id by its first eight digits."""
    if fact is None:
        return "nothing"
    text = one_line(str(fact), 80)
    return short(text) if len(text) == _SHA_LENGTH and text.isalnum() else text
