"""The chain: every entry carries the digest of the one before, the first one the plan's.

So no entry can be changed, left out, put in or moved without a break at that very place (contract,
section 7). What a chain alone cannot show is that all of it was made anew; the seal in the incident
is for that.

Time is told by each entry and covered by its digest, but a clock that ran backwards breaks nothing:
machines correct their clocks, and a resumed run may be on another machine. ``seq`` is the order.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hotfix.canonical import digest, without
from hotfix.evidence.model import Entry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hotfix.evidence.model import Phase, StepName


@dataclass(frozen=True, slots=True)
class Fault:
    """A break in the chain, at the entry that says it is ``seq``; ``index`` is its place."""

    index: int
    seq: int
    key: str
    detail: str


def first_link(plan_digest: str) -> str:
    """Return the ``previous`` of the first entry: the chain hangs on the plan that was approved."""
    return plan_digest


def link(
    previous: str,
    *,
    seq: int,
    at: str,
    step: StepName,
    target: str | None,
    phase: Phase,
    facts: Mapping[str, Any],
) -> Entry:
    """Make the entry that follows the one whose digest is ``previous``.

    The facts are copied, so that nobody who still holds them can change what was digested. Raises
    ``ValueError`` for facts that RFC 8785 cannot say (not a number, an integer beyond 2**53, half a
    surrogate pair, a value that is not JSON): an auditor could not digest them again.
    """
    body = {
        "seq": seq,
        "at": at,
        "step": step,
        "target": target,
        "phase": phase,
        "facts": dict(facts),
        "previous": previous,
    }
    try:
        stated = digest(body)
    except ValueError as error:
        raise ValueError(f"the facts of `{step}` cannot be recorded: {error}") from error
    copied = json.loads(json.dumps(body))
    return Entry.model_validate({**copied, "digest": stated})


def verify(entries: Sequence[Mapping[str, Any]], plan_digest: str) -> tuple[Fault, ...]:
    """Return every break of a chain, the first one first.

    The entries are those of the file itself, not of a model made from it: what a model adds or
    rounds would be digested too. Each is held against what the one before says of itself, so that
    one change is one break and not a break of all that follow.
    """
    faults: list[Fault] = []
    previous, seq = first_link(plan_digest), 0
    for index, entry in enumerate(entries):
        faults += [
            Fault(index, entry["seq"], key, detail)
            for key, detail in _breaks(entry, previous, seq + 1)
        ]
        previous, seq = entry["digest"], entry["seq"]
    return tuple(faults)


def backwards(entries: Sequence[Entry]) -> tuple[int, ...]:
    """Return the index of each entry that is older than the one before it, which is no break."""
    return tuple(
        index for index in range(1, len(entries)) if entries[index].at < entries[index - 1].at
    )


def _breaks(entry: Mapping[str, Any], previous: str, seq: int) -> Iterator[tuple[str, str]]:
    name, before = f"Entry {entry['seq']}", "the plan" if seq == 1 else "the entry before it"
    computed = _digest(entry)
    if entry["seq"] != seq:
        yield "seq", f"{name} stands where entry {seq} is expected."
    if entry["previous"] != previous:
        yield "previous", f"{name} follows {entry['previous']}, but {before} has {previous}."
    if entry["digest"] != computed:
        yield "digest", f"{name} was changed: it has {entry['digest']}, its content {computed}."


def _digest(entry: Mapping[str, Any]) -> str:
    try:
        return digest(without(entry, "digest"))
    except ValueError as error:
        return f"no digest ({error})"
