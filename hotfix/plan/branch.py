"""The release branch as it will be: the restore, the picks on it, and every commit's id.

A commit's bytes are a function of the spec and of the state of GitLab alone, so two people who plan
the same thing get the same ids (contract, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hotfix.git.attributes import NO_ATTRIBUTES
from hotfix.git.codeowners import CODEOWNERS
from hotfix.git.commits import Conflicted, Identity, NewCommit, read_commit
from hotfix.git.needed import Change, Line, Look, bring_for, change_of
from hotfix.git.objects import Overlay
from hotfix.git.pick import pick
from hotfix.git.resolution import by_hand
from hotfix.git.restore import restore
from hotfix.identifiers import Sha, short
from hotfix.plan.adopt import NOBODY
from hotfix.plan.model import FileChange, PlannedCommit, ResolvedFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hotfix.git.attributes import Attributes
    from hotfix.git.commits import AlreadyThere, CommitInfo
    from hotfix.git.objects import GitObject, ObjectReader
    from hotfix.plan.adopt import Adopted, Wanted


@dataclass(frozen=True, slots=True)
class BranchRules:
    """What the spec says about the commits of a target."""

    hotfix: str
    project: str
    production: Sha
    restore_message: str
    committer: Identity
    requested_at: datetime | None
    attributes: Attributes = NO_ATTRIBUTES


@dataclass(frozen=True, slots=True)
class PickConflict:
    """A pick that does not apply, and what it was tried on."""

    want: Wanted
    conflicted: Conflicted
    onto: Sha
    reader: ObjectReader
    begun: Sha
    """The head before the first pick of the same merge request."""
    rest: tuple[Sha, ...]
    """What is picked from there on, these picks and all that the spec names after them."""


@dataclass(slots=True)
class Branch:
    """The planned commits, in the branch's order, with the objects of the new ones."""

    head: Sha
    commits: list[PlannedCommit] = field(default_factory=list)
    objects: dict[str, tuple[GitObject, ...]] = field(default_factory=dict)
    conflict: PickConflict | None = None
    """The first pick that does not apply; nothing is planned after it."""
    by_lines: dict[bytes, int] = field(default_factory=dict)
    """Files that a pick and the branch both changed, with the merge request that was picked."""


def plan_branch(
    reader: ObjectReader,
    rules: BranchRules,
    adopted: Adopted,
    wanted: Sequence[Wanted],
    beside: Iterable[Line] = (),
) -> Branch:
    """Plan the restore and the picks on top of what is adopted; pure over the object reader.

    No restore where the base's tree is production's already. A pick whose change is there already
    is listed without a commit. The first conflict ends the plan of the branch. What is read
    ``beside`` is fetched together with what the branch takes.
    """
    _bring_trees(reader, rules, adopted, wanted, beside)
    dates = _Dates(_first_date(reader, rules, adopted, wanted))
    branch = Branch(adopted.base)
    overlay = Overlay(reader)
    _plan_restore(overlay, rules, adopted, branch, dates)
    for want, commit in adopted.picks:
        dates.take()
        branch.commits.append(_kept(commit, want))
        branch.head = commit.sha
    kept = {id(want) for want, _ in adopted.picks}
    for want in wanted:
        if id(want) in kept:
            continue
        conflicted = _plan_pick(overlay, rules, want, branch, dates)
        if conflicted is not None:
            branch.conflict = _conflict(overlay, branch, conflicted, want, wanted)
            break
    return branch


def _bring_trees(
    reader: ObjectReader,
    rules: BranchRules,
    adopted: Adopted,
    wanted: Sequence[Wanted],
    beside: Iterable[Line],
) -> None:
    """Have at hand what the restore and all picks will read: one request for each level."""
    kept = {id(want) for want, _ in adopted.picks}
    production = read_commit(reader, rules.production).tree
    onto = adopted.picks[-1][1].tree if adopted.picks else production
    picks = tuple(change_of(reader, want.picked) for want in wanted if id(want) not in kept)
    lines = [Line(onto, picks, with_texts=True), *beside]
    if adopted.restore is None:
        lines.append(Line(None, (Change(read_commit(reader, adopted.base).tree, production),)))
    bring_for(reader, lines, Look((production,), CODEOWNERS))


def _plan_restore(
    overlay: Overlay, rules: BranchRules, adopted: Adopted, branch: Branch, dates: _Dates
) -> None:
    if adopted.restore is not None:
        dates.take()
        branch.commits.append(_kept(adopted.restore, None))
        branch.head = adopted.restore.sha
        return
    made = restore(
        overlay,
        production=rules.production,
        head=branch.head,
        message=rules.restore_message,
        trailers=(f"Hotfix: {rules.hotfix}", f"Restores: {rules.production}"),
        committer=rules.committer,
        when=dates.next,
    )
    if isinstance(made, NewCommit):
        dates.take()
        reason = f"Release holds work that production ({short(rules.production)}) does not."
        _append(overlay, branch, made, action="restore", want=None, reason=reason)


def _plan_pick(
    overlay: Overlay, rules: BranchRules, want: Wanted, branch: Branch, dates: _Dates
) -> Conflicted | None:
    made = pick(
        overlay,
        onto=branch.head,
        commit=want.picked,
        trailers=(
            f"Hotfix: {rules.hotfix}",
            f"Merge-request: {rules.project}!{want.merge_request}",
        ),
        committer=rules.committer,
        when=dates.next,
        attributes=rules.attributes,
    )
    branch.by_lines |= dict.fromkeys(made.by_lines, want.merge_request)
    if isinstance(made, Conflicted):
        return made
    if isinstance(made, NewCommit):
        dates.take()
        reason = f"Brings !{want.merge_request}" + (
            f", as a person resolved it in {short(want.resolution)}." if want.resolution else "."
        )
        resolved = _resolved(overlay, rules, want, made)
        _append(overlay, branch, made, action="pick", want=want, reason=reason, resolved=resolved)
    else:
        branch.commits.append(_already_there(overlay, branch.head, want, made))
    return None


def _conflict(
    overlay: Overlay,
    branch: Branch,
    conflicted: Conflicted,
    want: Wanted,
    wanted: Sequence[Wanted],
) -> PickConflict:
    iid = want.merge_request
    parents = [commit.parent for commit in branch.commits if commit.merge_request == iid]
    first = [each.merge_request for each in wanted].index(iid)
    return PickConflict(
        want=want,
        conflicted=conflicted,
        onto=branch.head,
        reader=overlay,
        begun=Sha(parents[0]) if parents else branch.head,
        rest=tuple(each.picked for each in wanted[first:]),
    )


def _append(
    overlay: Overlay,
    branch: Branch,
    made: NewCommit,
    *,
    action: str,
    want: Wanted | None,
    reason: str,
    resolved: tuple[ResolvedFile, ...] = (),
) -> None:
    overlay.add(made.objects)
    branch.objects[made.sha] = made.objects
    branch.head = made.sha
    branch.commits.append(
        PlannedCommit(
            action="pick" if action == "pick" else "restore",
            outcome="new",
            sha=made.sha,
            tree=made.tree,
            parent=made.parent,
            message=made.message,
            author=made.author,
            committer=made.committer,
            merge_request=want.merge_request if want else None,
            picked_from=want.commit if want else None,
            resolution=want.resolution if want else None,
            files=tuple(FileChange(path=file.path, change=file.change) for file in made.files),
            reason=reason,
            resolved=resolved,
        )
    )


def _resolved(
    reader: ObjectReader, rules: BranchRules, want: Wanted, made: NewCommit
) -> tuple[ResolvedFile, ...]:
    """Show what a person did beyond what merges by itself; nothing where the pick is clean."""
    if want.resolution is None:
        return ()
    overlay = Overlay(reader)
    overlay.add(made.objects)
    alone = pick(
        overlay,
        onto=made.parent,
        commit=want.commit,
        trailers=(),
        committer=NOBODY,
        when=read_commit(overlay, want.commit).committer_time,
        attributes=rules.attributes,
    )
    if not isinstance(alone, Conflicted):
        return ()
    found = by_hand(
        overlay,
        onto=made.parent,
        commit=want.commit,
        conflicted=alone,
        result=made.tree,
        attributes=rules.attributes,
    )
    return tuple(
        ResolvedFile(path=each.path, conflicted=each.conflicted, diff=each.diff)
        for each in found or ()
    )


def _kept(commit: CommitInfo, want: Wanted | None) -> PlannedCommit:
    what = f"the pick of !{want.merge_request}" if want else "the restore of production's state"
    return PlannedCommit(
        action="keep",
        outcome="already-there",
        sha=commit.sha,
        tree=commit.tree,
        parent=commit.parents[0],
        message=commit.message,
        author=commit.author,
        committer=commit.committer,
        merge_request=want.merge_request if want else None,
        picked_from=want.commit if want else None,
        resolution=want.resolution if want else None,
        files=(),
        reason=f"Stands on the branch already, with exactly the tree of {what}.",
    )


def _already_there(
    reader: ObjectReader, head: Sha, want: Wanted, made: AlreadyThere
) -> PlannedCommit:
    picked = read_commit(reader, want.picked)
    return PlannedCommit(
        action="pick",
        outcome="already-there",
        sha=None,
        tree=read_commit(reader, head).tree,
        parent=head,
        message=picked.message,
        author=picked.author,
        committer=picked.committer,
        merge_request=want.merge_request,
        picked_from=want.commit,
        resolution=want.resolution,
        files=(),
        reason=f"Nothing to do for !{want.merge_request}: {made.reason}",
    )


class _Dates:
    """Committer dates by place: one second a commit, whether or not a kept one bears its own."""

    def __init__(self, first: datetime) -> None:
        self.next = first

    def take(self) -> None:
        self.next += timedelta(seconds=1)


def _first_date(
    reader: ObjectReader, rules: BranchRules, adopted: Adopted, wanted: Sequence[Wanted]
) -> datetime:
    if rules.requested_at is not None:
        return rules.requested_at
    known = [adopted.base, rules.production, *_named(wanted)]
    newest = max(read_commit(reader, sha).committer_time for sha in known)
    return newest.astimezone(UTC) + timedelta(seconds=1)


def _named(wanted: Iterable[Wanted]) -> Iterable[Sha]:
    for want in wanted:
        yield want.commit
        if want.resolution is not None:
            yield want.resolution
