"""Why a pick conflicts, in the words of merge requests, and the lines to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hotfix.git.attributes import attributes_of
from hotfix.git.explain import explain, missing_commits
from hotfix.identifiers import Sha, short
from hotfix.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hotfix.git.commits import CommitInfo, Conflicted
    from hotfix.git.conflicts import Hunk, Lines
    from hotfix.plan.branch import PickConflict
    from hotfix.spec.model import Target

_HUNKS: Final = 5
_LINES: Final = 12


@dataclass(frozen=True, slots=True)
class Why:
    """What a conflicting pick stands on that production lacks, as people name it."""

    stands_on: tuple[str, ...]
    """``!799``, or the short id of a commit that no merge request brought."""
    needed: tuple[str, ...]
    """The same for the set that makes the pick clean; empty where none was found."""
    order: tuple[int, ...]
    """The spec's ``merge_requests`` with the needed ones before the one that conflicts."""


def missing_below(conflict: PickConflict, target: Target) -> tuple[CommitInfo, ...]:
    """List what the main line has below the conflicting commit and production lacks."""
    return missing_commits(
        conflict.reader, commit=conflict.want.picked, production=Sha(target.production_sha)
    )


def why(
    conflict: PickConflict,
    target: Target,
    missing: Sequence[CommitInfo],
    brought_by: Mapping[Sha, int],
) -> Why:
    """Explain a conflict; ``brought_by`` names the merge requests of the missing commits."""
    found = explain(
        conflict.reader,
        onto=conflict.onto,
        commit=conflict.want.picked,
        conflicted=conflict.conflicted,
        missing=missing,
        group=lambda sha: brought_by.get(sha, sha),
        attributes=attributes_of(target.merge_attributes),
    )
    needed = found.needed if all(sha in brought_by for sha in found.needed) else ()
    wanted = [ref.iid for ref in target.merge_requests]
    place = wanted.index(conflict.want.merge_request)
    more = [
        iid
        for iid in dict.fromkeys(brought_by[sha] for sha in needed)
        if iid not in wanted[: place + 1]
    ]
    later = [iid for iid in wanted[place:] if iid not in more]
    return Why(
        stands_on=_names(found.stands_on, brought_by),
        needed=_names(needed, brought_by),
        order=(*wanted[:place], *more, *later) if more else (),
    )


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
