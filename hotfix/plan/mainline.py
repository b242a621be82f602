"""What the main line says of the hotfix: whether it still holds the fixes, and what it lacks.

A fix that was taken back on its target branch must not reach production by mistake, and one that
the default branch lost is undone by the next release. What leaves release and is not on the default
branch either stands in no branch that anybody releases from.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from hotfix.git.attributes import attributes_of
from hotfix.git.commits import AlreadyThere, Conflicted, read_commit
from hotfix.git.history import commits_between
from hotfix.git.needed import Line, bring_for, change_of
from hotfix.git.pick import pick
from hotfix.identifiers import Sha, short
from hotfix.plan import guards
from hotfix.plan.adopt import NOBODY
from hotfix.plan.leaving import named_in_merges, unreleased
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hotfix.git.attributes import Attributes
    from hotfix.git.commits import CommitInfo
    from hotfix.git.objects import ObjectReader
    from hotfix.plan.adopt import Wanted
    from hotfix.plan.model import Finding, PlannedCommit
    from hotfix.plan.observe import SeenTarget

_REVERTED_COMMIT: Final = re.compile(r"This reverts commit ([0-9a-f]{40})\b")
_REVERTED_REQUEST: Final = re.compile(r"This reverts merge request (\S{0,255})!(\d{1,9})\b")
_COMPARED: Final = 50
"""How many commits that leave are compared with the default branch by what they change."""

Standing = Literal["present", "missing", "changed"]
"""Whether what a commit changed stands on a branch now; ``changed`` where the branch went on from
there, so that it cannot be told."""


def still_there(
    each: SeenTarget, reader: ObjectReader, wanted: Sequence[Wanted]
) -> Iterator[Finding]:
    """Hold every fix against its target branch as it is now.

    A revert is told by its message, and only counts where the branch does not hold the change
    again; a change that the default branch lost is told whoever lost it.
    """
    taken_back: dict[str, Reverts] = {}
    for branch, iid, commits in _by_merge_request(each, wanted):
        head = each.heads[branch]
        if branch not in taken_back:
            since = unreleased(reader, production=Sha(each.target.production_sha), head=head)
            taken_back[branch] = reverts(since, each.target.project)
        attributes = attributes_of(each.target.merge_attributes)
        found = {standing(reader, sha, head, attributes) for sha in commits}
        revert = taken_back[branch].of(iid, commits)
        if revert is not None and found != {"present"}:
            yield guards.reverted_guard(each.target, iid, branch, revert)
        elif "missing" in found and branch == each.project.default_branch:
            yield guards.lost_warning(each.target, iid, branch)


def lines_beside(
    each: SeenTarget, reader: ObjectReader, wanted: Sequence[Wanted]
) -> Iterator[Line]:
    """List what :func:`still_there` reads, to be fetched together with what the picks read."""
    for branch, _, commits in _by_merge_request(each, wanted):
        yield from _lines(reader, each.heads[branch], commits)


def only_on_release(
    each: SeenTarget, reader: ObjectReader, leaving: Iterable[CommitInfo]
) -> Iterator[Finding]:
    """Tell of commits that leave release and that the default branch does not have either.

    It has one by its id, by a pick that names its original, or by what it changes. Merges are left
    out, what they brought is looked at for itself; so are restores of other hotfixes.
    """
    branch = each.project.default_branch
    head = each.heads.get(branch)
    if head is None:
        return
    known = since_production(each, reader, head)
    left = [
        commit
        for commit in leaving
        if len(commit.parents) == 1
        and "Restores" not in commit.trailers
        and known.isdisjoint((commit.sha, *commit.picked_from))
    ]
    compared = left[:_COMPARED]
    bring_for(reader, _lines(reader, head, [commit.sha for commit in compared]))
    attributes = attributes_of(each.target.merge_attributes)
    there = {
        commit.sha
        for commit in compared
        if standing(reader, commit.sha, head, attributes) == "present"
    }
    alone = [commit for commit in left if commit.sha not in there]
    if alone:
        yield guards.only_on_release_warning(each.target, branch, alone)


def before_the_next_cut_off(
    each: SeenTarget,
    reader: ObjectReader,
    brought_by: Mapping[Sha, int],
    commits: Sequence[PlannedCommit],
) -> tuple[str, ...]:
    """Tell the next cut-off what the restore does to a merge of the main line into release.

    The restore takes work off by content and leaves it in the branch's history. So a later merge
    takes it for merged, and does not bring it back; it has to be reverted first.
    """
    restore = next((commit for commit in commits if _is_restore(commit)), None)
    head = each.heads.get(each.project.default_branch)
    if restore is None or head is None:
        return ()
    production, parent = Sha(each.target.production_sha), Sha(restore.parent)
    taken_off = unreleased(reader, production=production, head=parent)
    known = since_production(each, reader, head)
    kept = [commit.sha for commit in taken_off if commit.sha in known]
    if not kept:
        return ()
    iids = dict.fromkeys(brought_by[sha] for sha in kept if sha in brought_by)
    what = ", ".join(f"!{iid}" for iid in iids) or "unreleased work"
    release, default = each.target.release_branch, each.project.default_branch
    follow_up = (
        f"Before the next cut-off of {each.target.project}: revert the restore "
        f"{short(restore.sha or '')} on {one_line(release, 80)}. A merge of "
        f"{one_line(default, 80)} alone does not bring back {what}: Git takes it for merged."
    )
    return (follow_up,)


def since_production(each: SeenTarget, reader: ObjectReader, head: Sha) -> frozenset[Sha]:
    """Return what a branch has and production has not."""
    production = Sha(each.target.production_sha)
    return frozenset(commits_between(reader, exclude=production, include=head))


class Reverts(NamedTuple):
    """What was taken back on a branch, and by which commit."""

    commits: dict[Sha, CommitInfo]
    merge_requests: dict[int, CommitInfo]

    def of(self, iid: int | None, commits: Iterable[Sha]) -> CommitInfo | None:
        """Return the commit that took back a merge request, or one of these commits of it."""
        if iid is not None and iid in self.merge_requests:
            return self.merge_requests[iid]
        return next((self.commits[sha] for sha in commits if sha in self.commits), None)


def reverts(commits: tuple[CommitInfo, ...], project: str) -> Reverts:
    """Tell what was taken back among the commits of a branch, newest first.

    Git writes ``This reverts commit``, GitLab's button ``This reverts merge request`` too. A revert
    that was taken back itself counts no more; a commit taken back counts for its merge request.
    """
    brought = named_in_merges(commits, project)
    found = Reverts({}, {})
    for commit in commits:
        if found.of(brought.get(commit.sha), [commit.sha]) is not None:
            continue
        for path, number in _REVERTED_REQUEST.findall(commit.message):
            if path in {"", project}:
                found.merge_requests.setdefault(int(number), commit)
        for sha in map(Sha, _REVERTED_COMMIT.findall(commit.message)):
            found.commits.setdefault(sha, commit)
            if sha in brought:
                found.merge_requests.setdefault(brought[sha], commit)
    return found


def standing(reader: ObjectReader, commit: Sha, head: Sha, attributes: Attributes) -> Standing:
    """Tell whether a branch holds what a commit changed: then picking it there changes nothing."""
    made = pick(
        reader,
        onto=head,
        commit=commit,
        trailers=(),
        committer=NOBODY,
        when=read_commit(reader, head).committer_time,
        attributes=attributes,
    )
    if isinstance(made, Conflicted):
        return "changed"
    return "present" if isinstance(made, AlreadyThere) else "missing"


def _by_merge_request(
    each: SeenTarget, wanted: Sequence[Wanted]
) -> Iterator[tuple[str, int, list[Sha]]]:
    """Yield the target branch, the iid and the commits of each merge request that is picked."""
    commits: dict[int, list[Sha]] = {}
    for want in wanted:
        commits.setdefault(want.merge_request, []).append(want.commit)
    for seen in each.merge_requests:
        found = seen.merge_request
        if found is not None and found.iid in commits:
            yield found.target_branch, found.iid, commits[found.iid]


def _is_restore(commit: PlannedCommit) -> bool:
    return commit.action == "restore" or (commit.action == "keep" and commit.merge_request is None)


def _lines(reader: ObjectReader, head: Sha, commits: Iterable[Sha]) -> list[Line]:
    tree = read_commit(reader, head).tree
    return [Line(tree, (change_of(reader, commit),)) for commit in commits]
