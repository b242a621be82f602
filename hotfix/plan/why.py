"""Why a pick conflicts, in the words of merge requests, and the lines to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hotfix.git.attributes import attributes_of
from hotfix.git.explain import explain, picks_clean
from hotfix.git.missing import missing_commits
from hotfix.identifiers import Sha, short
from hotfix.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hotfix.git.conflicts import Conflicted, Hunk, Lines
    from hotfix.git.missing import Missing
    from hotfix.plan.branch import PickConflict
    from hotfix.spec.model import Target

_HUNKS: Final = 5
_LINES: Final = 12


@dataclass(frozen=True, slots=True)
class Why:
    """What a conflicting pick stands on that production lacks, as people name it."""

    stands_on: tuple[str, ...]
    """``!799``, or the short id of a commit that no merge request is known for."""
    needed: tuple[str, ...]
    """The same for the set that makes the pick clean; empty where none was found."""
    order: tuple[int, ...]
    """The spec's ``merge_requests`` with the needed ones before the one that conflicts; empty
    where they cannot be named."""
    plans_clean: bool
    """Whether every pick is clean in that order, also those after the one that conflicts."""


def missing_below(conflict: PickConflict, target: Target) -> Missing:
    """Tell what the main line has below the conflicting commit and production lacks."""
    return missing_commits(
        conflict.reader,
        commit=conflict.want.picked,
        onto=conflict.onto,
        production=Sha(target.production_sha),
    )


def why(
    conflict: PickConflict, target: Target, missing: Missing, brought_by: Mapping[Sha, int]
) -> Why:
    """Explain a conflict; ``brought_by`` names the merge requests of the missing commits."""
    attributes = attributes_of(target.merge_attributes)
    found = explain(
        conflict.reader,
        onto=conflict.onto,
        commit=conflict.want.picked,
        conflicted=conflict.conflicted,
        missing=missing,
        group=lambda sha: brought_by.get(sha, sha),
        attributes=attributes,
    )
    order = _order(conflict.want.merge_request, target, found.needed, brought_by)
    after = [sha for sha in conflict.rest if sha not in found.needed]
    return Why(
        stands_on=_names(found.stands_on or found.needed, brought_by),
        needed=_names(found.needed, brought_by),
        order=order,
        plans_clean=bool(order)
        and picks_clean(
            conflict.reader,
            onto=conflict.begun,
            commits=(*found.needed, *after),
            attributes=attributes,
        ),
    )


def _order(
    iid: int, target: Target, needed: Sequence[Sha], brought_by: Mapping[Sha, int]
) -> tuple[int, ...]:
    if not needed or any(sha not in brought_by for sha in needed):
        return ()
    wanted = [ref.iid for ref in target.merge_requests]
    place = wanted.index(iid)
    found = dict.fromkeys(brought_by[sha] for sha in needed)
    more = [each for each in found if each not in wanted[: place + 1]]
    return (*wanted[:place], *more, *(each for each in wanted[place:] if each not in more))


def conflict_text(conflicted: Conflicted) -> str:
    """Show the first hunks as Git would mark them, safe to print: what is there, and the fix."""
    shown: list[str] = []
    for conflict in conflicted.conflicts:
        for hunk in conflict.hunks[:_HUNKS]:
            shown += [f"{printable(', '.join(conflict.paths))}, line {hunk.ours.start}:"]
            shown += _hunk(hunk)
        if not conflict.hunks and conflict.detail:
            shown += [f"{printable(', '.join(conflict.paths))}: {printable(conflict.detail)}"]
    return "\n".join(shown[: _HUNKS * 3 * _LINES])


def _hunk(hunk: Hunk) -> Iterator[str]:
    yield "<<<<<<< on the branch"
    yield from _lines(hunk.ours)
    yield "||||||| before the fix"
    yield from _lines(hunk.base)
    yield "======="
    yield from _lines(hunk.theirs)
    yield ">>>>>>> the fix"


def _lines(lines: Lines) -> Iterator[str]:
    for line in lines.lines[:_LINES]:
        yield printable(line[:200].rstrip("\n"))[:200]  # cut first: a line may have megabytes
    if len(lines.lines) > _LINES:
        yield f"... {len(lines.lines) - _LINES} lines more"


def _names(commits: Sequence[Sha], brought_by: Mapping[Sha, int]) -> tuple[str, ...]:
    named = (f"!{brought_by[sha]}" if sha in brought_by else short(sha) for sha in commits)
    return tuple(dict.fromkeys(named))
