"""What of this hotfix stands on the release branch already.

A run that lost its lockfile, or a hotfix begun by hand, has left commits on ``release``. They are
read from the branch alone: a commit is ours if its tree is exactly what the plan would make there.
Ids and messages do not matter, so a restore pushed by hand and a pick made with GitLab's button are
adopted; a commit that claims to be ours and is not, or one that came in between, is unknown, and
the plan is blocked (contract, section 4, ``unknown-commits``).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from hotfix.git.attributes import NO_ATTRIBUTES
from hotfix.git.commits import Identity, NewCommit, read_commit
from hotfix.git.history import first_parents
from hotfix.git.needed import Line, bring_for, change_of
from hotfix.git.pick import pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hotfix.git.attributes import Attributes
    from hotfix.git.commits import CommitInfo
    from hotfix.git.objects import ObjectReader
    from hotfix.identifiers import Sha

_SEARCHED: Final = 50
"""How far below the head a restore is looked for, beyond one commit per pick."""

NOBODY: Final = Identity("nobody", "nobody@example.invalid")
"""Makes commits of which only the tree is looked at."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One commit that the hotfix shall put on the release branch."""

    merge_request: int
    commit: Sha
    """The merge request's own commit."""
    resolution: Sha | None
    """The person's commit that is picked in its place."""

    @property
    def picked(self) -> Sha:
        """The commit whose change is really picked."""
        return self.resolution or self.commit


@dataclass(frozen=True, slots=True)
class Adopted:
    """Which commits on the branch are this hotfix's, and which stand in between unknown."""

    base: Sha
    """The head without the commits that are kept."""
    restore: CommitInfo | None
    picks: tuple[tuple[Wanted, CommitInfo], ...]
    unknown: tuple[CommitInfo, ...]


def adopt(
    reader: ObjectReader,
    *,
    head: Sha,
    production: Sha,
    hotfix: str,
    restore_message: str,
    wanted: Sequence[Wanted],
    attributes: Attributes = NO_ATTRIBUTES,
) -> Adopted:
    """Tell what of the hotfix is on the branch whose head is given.

    Looked for is the nearest first-parent ancestor with production's tree: the restore, or, where
    release equalled production anyway, the point on which the picks stand. What is above it must be
    picks of ours, or nothing is adopted. Other commits are only held against the branch if the
    hotfix was plainly begun there: by a commit with its trailer, or a pick of its own on a restore.
    Else they are unreleased work, which a new restore takes off.
    """
    tree = read_commit(reader, production).tree
    above: list[CommitInfo] = []
    for commit in islice(first_parents(reader, head), _SEARCHED + len(wanted)):
        if commit.tree == tree:
            picks, unknown = _match(reader, above[::-1], wanted, attributes)
            restore = commit if _is_restore(reader, commit, hotfix, restore_message) else None
            if unknown:
                begun = _is_begun((commit, *above), restore, picks, hotfix)
                return Adopted(head, None, (), tuple(unknown) if begun else ())
            return Adopted(commit.parents[0] if restore else commit.sha, restore, tuple(picks), ())
        above.append(commit)
    ours = [commit for commit in above if _is_marked(commit, hotfix)]
    return Adopted(head, None, (), tuple(above[: above.index(ours[-1]) + 1]) if ours else ())


def _is_begun(
    commits: Sequence[CommitInfo],
    restore: CommitInfo | None,
    picks: Sequence[tuple[Wanted, CommitInfo]],
    hotfix: str,
) -> bool:
    return any(_is_marked(commit, hotfix) for commit in commits) or (
        restore is not None and any(want.commit in made.picked_from for want, made in picks)
    )


def _match(
    reader: ObjectReader,
    above: Sequence[CommitInfo],
    wanted: Sequence[Wanted],
    attributes: Attributes,
) -> tuple[list[tuple[Wanted, CommitInfo]], list[CommitInfo]]:
    left = list(wanted)
    picks: list[tuple[Wanted, CommitInfo]] = []
    unknown: list[CommitInfo] = []
    _bring_trees(reader, above, wanted)
    for commit in above:
        likely = sorted(left, key=lambda want: want.commit not in commit.picked_from)
        match = next((want for want in likely if _makes(reader, want, commit, attributes)), None)
        if match is None:
            unknown.append(commit)
        else:
            left.remove(match)
            picks.append((match, commit))
    return picks, unknown


def _bring_trees(
    reader: ObjectReader, above: Sequence[CommitInfo], wanted: Sequence[Wanted]
) -> None:
    """Have at hand what the likeliest picks read: those that the commits themselves name."""
    changes = {want.picked: change_of(reader, want.picked) for want in wanted}
    lines: list[Line] = []
    for commit in above[: len(wanted)]:
        if len(commit.parents) != 1:
            continue  # no pick is a merge
        onto = read_commit(reader, commit.parents[0]).tree
        named = [want for want in wanted if want.commit in commit.picked_from]
        lines += [Line(onto, (changes[want.picked],)) for want in named or wanted]
    bring_for(reader, lines)


def _makes(reader: ObjectReader, want: Wanted, commit: CommitInfo, attributes: Attributes) -> bool:
    """Tell whether picking the wanted commit onto the commit's parent gives the commit's tree."""
    if len(commit.parents) != 1:
        return False
    made = pick(
        reader,
        onto=commit.parents[0],
        commit=want.picked,
        trailers=(),
        committer=NOBODY,
        when=commit.committer_time,
        attributes=attributes,
    )
    return isinstance(made, NewCommit) and made.tree == commit.tree


def _is_restore(
    reader: ObjectReader, commit: CommitInfo, hotfix: str, restore_message: str
) -> bool:
    if len(commit.parents) != 1 or read_commit(reader, commit.parents[0]).tree == commit.tree:
        return False
    if "Hotfix" in commit.trailers:
        return _is_marked(commit, hotfix)
    return commit.message.strip() == restore_message.strip()


def _is_marked(commit: CommitInfo, hotfix: str) -> bool:
    return hotfix in commit.trailers.get("Hotfix", ())
