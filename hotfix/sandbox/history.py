"""Questions about history: what is reachable, what is shared, what changed between trees."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, NamedTuple

from dulwich.objects import Commit, Tag, Tree

from hotfix.identifiers import Sha
from hotfix.sandbox.repositories import SUBMODULE, Entry, Repository

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from dulwich.objects import ShaFile


class Change(NamedTuple):
    """One path that differs between two trees; ``None`` on the side where it is absent."""

    path: str
    old: Entry | None
    new: Entry | None


def ancestors(
    repository: Repository, starts: Iterable[Sha], *, stop: Collection[Sha] = ()
) -> set[Sha]:
    """Return the commits reachable from ``starts``, them included, up to and without ``stop``."""
    found: set[Sha] = set()
    pending = [sha for sha in starts if sha not in stop]
    while pending:
        sha = pending.pop()
        if sha not in found:
            found.add(sha)
            pending += [parent for parent in repository.parents(sha) if parent not in stop]
    return found


def is_ancestor(repository: Repository, older: Sha, newer: Sha) -> bool:
    """Tell whether ``older`` is reachable from ``newer``."""
    return older in ancestors(repository, [newer])


def log(
    repository: Repository,
    start: Sha,
    *,
    without: Iterable[Sha] = (),
    first_parent: bool = False,
) -> Iterator[Sha]:
    """Walk as ``git log`` does: newest committer date first, no parent before its child."""
    hidden = ancestors(repository, without)
    if start in hidden:
        return
    children = _child_counts(repository, start, hidden, first_parent=first_parent)
    queue = [(-repository.commit(start).commit_time, 0, start)]
    order = 1
    while queue:
        _, _, sha = heapq.heappop(queue)
        yield sha
        for parent in _followed(repository, sha, hidden, first_parent=first_parent):
            children[parent] -= 1
            if not children[parent]:
                heapq.heappush(queue, (-repository.commit(parent).commit_time, order, parent))
                order += 1


def _followed(
    repository: Repository, sha: Sha, hidden: Collection[Sha], *, first_parent: bool
) -> list[Sha]:
    parents = repository.parents(sha)
    kept = parents[:1] if first_parent else list(dict.fromkeys(parents))
    return [parent for parent in kept if parent not in hidden]


def _child_counts(
    repository: Repository, start: Sha, hidden: Collection[Sha], *, first_parent: bool
) -> dict[Sha, int]:
    counts: dict[Sha, int] = {start: 0}
    pending = [start]
    while pending:
        for parent in _followed(repository, pending.pop(), hidden, first_parent=first_parent):
            if parent not in counts:
                counts[parent] = 0
                pending.append(parent)
            counts[parent] += 1
    return counts


def merge_base(repository: Repository, one: Sha, other: Sha) -> Sha | None:
    """Return the newest commit that both reach and that no other such commit reaches."""
    shared = ancestors(repository, [one]) & ancestors(repository, [other])
    # All ancestors of a shared commit are shared too, so the best are those that are no parent.
    best = shared - {parent for sha in shared for parent in repository.parents(sha)}
    return max(best, key=lambda sha: (repository.commit(sha).commit_time, sha), default=None)


def changes(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> list[Change]:
    """List the paths that differ between two trees' files, sorted."""
    return [
        Change(path, old.get(path), new.get(path))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    ]


def reachable_objects(
    repository: Repository,
    starts: Iterable[Sha],
    *,
    known: Collection[Sha] = frozenset(),
    boundary: Collection[Sha] = frozenset(),
) -> list[Sha]:
    """List all objects that ``starts`` need, without those in ``known``.

    The parents of a commit in ``boundary`` are not followed: that is what shallow means. What lies
    elsewhere is left out. Raises ``KeyError`` for an object that is not there.
    """
    found: dict[Sha, None] = {}
    pending = list(starts)
    while pending:
        sha = pending.pop()
        if sha in found or sha in known:
            continue
        if repository.is_elsewhere(sha):
            continue
        found[sha] = None
        pending += references(repository[sha], with_parents=sha not in boundary)
    return list(found)


def references(thing: ShaFile, *, with_parents: bool = True) -> list[Sha]:
    """List the objects that one names; a submodule's commit is another repository's."""
    if isinstance(thing, Commit):
        parents = thing.parents if with_parents else []
        return [Sha(sha.decode()) for sha in (thing.tree, *parents)]
    if isinstance(thing, Tag):
        return [Sha(thing.object[1].decode())]
    if isinstance(thing, Tree):
        return [Sha(each.sha.decode()) for each in thing.iteritems() if each.mode != SUBMODULE]
    return []
