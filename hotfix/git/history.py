"""Walking the history, right even where clocks were wrong: dates steer, they never decide."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from hotfix.git.commits import read_commit
from hotfix.git.lazy import lazy_below
from hotfix.git.objects import read_commit_object
from hotfix.identifiers import Sha

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hotfix.git.commits import CommitInfo
    from hotfix.git.objects import ObjectReader


class _Link(NamedTuple):
    parents: tuple[Sha, ...]
    committed: int


def is_ancestor(reader: ObjectReader, ancestor: Sha, descendant: Sha) -> bool:
    """Tell whether ``descendant`` contains ``ancestor``; a commit contains itself.

    What ``ancestor`` itself contains cannot lead back to it, so the walk ends as soon as only
    such commits are left, mostly after what lies between the two.
    """
    if ancestor == descendant:
        return True
    if lazy_below(reader) is not None:
        return _is_asked_ancestor(reader, ancestor, descendant)
    below, above = {ancestor}, {descendant}
    undecided = {descendant}  # what waits in the queue and only `descendant` is known to contain
    queue = _Queue(reader, (ancestor, descendant))
    while undecided:
        sha, link = queue.pop()
        undecided.discard(sha)
        for parent in link.parents:
            if sha in below:
                if parent not in below:
                    below.add(parent)
                    undecided.discard(parent)
                    queue.push(parent)
            elif parent == ancestor:
                return True
            elif parent not in above and parent not in below:
                above.add(parent)
                undecided.add(parent)
                queue.push(parent)
    return False


class History:
    """What a branch contains, asked again and again, and walked once for all that is asked.

    The walk goes down from the head as far as the date of what is asked for, and goes on from there
    at the next question. Only a commit that is not found so, by a wrong clock or because it is not
    there at all, is looked for by itself, as :func:`is_ancestor` does.
    """

    def __init__(self, reader: ObjectReader, head: Sha) -> None:
        """Begin at a branch's head; nothing is read yet."""
        self._reader = reader
        self._head = head
        self._seen = {head}
        self._queue: _Queue | None = None
        self._not_at_hand: set[Sha] = set()

    def __contains__(self, sha: Sha) -> bool:
        """Tell whether the branch contains a commit."""
        return self._is_seen(sha) or is_ancestor(self._reader, sha, self._head)

    def _is_seen(self, sha: Sha) -> bool:
        if sha in self._seen:
            return True
        if self._queue is None:
            self._queue = _Queue(self._reader, (self._head,))
        self._take_up(self._queue)
        oldest = _link(self._reader, sha).committed
        while sha not in self._seen and self._queue.newest >= oldest:
            _, link = self._queue.pop()
            for parent in link.parents:
                if parent not in self._seen:
                    self._seen.add(parent)
                    self._follow(self._queue, parent)
        return sha in self._seen

    def _take_up(self, queue: _Queue) -> None:
        """Go on where commits have been brought since."""
        brought = {sha for sha in self._not_at_hand if sha.encode() in self._reader}
        self._not_at_hand -= brought
        for sha in brought:
            queue.push(sha)

    def _follow(self, queue: _Queue, sha: Sha) -> None:
        """Walk what is at hand; a reader that fetches is asked for nothing on the way."""
        if lazy_below(self._reader) is None or sha.encode() in self._reader:
            queue.push(sha)
        else:
            self._not_at_hand.add(sha)


def commits_between(reader: ObjectReader, *, exclude: Sha, include: Sha) -> tuple[Sha, ...]:
    """Return what ``include`` has and ``exclude`` has not, newest first.

    The set is that of ``git rev-list include ^exclude``, the order that of its ``--date-order``:
    by committer date, but no parent before all of its children, so that a wrong clock moves a
    commit and never loses one. To be sure of that the whole history of ``exclude`` is walked,
    unless the reader has the set from the server's own Git.
    """
    source = lazy_below(reader)
    told = source.between(exclude=exclude, include=include) if source is not None else None
    if told is not None:
        return tuple(_newest_first(include, {sha: _link(reader, sha) for sha in told}))
    excluded = _reachable(reader, exclude)
    wanted: dict[Sha, _Link] = {}
    stack = [include]
    while stack:
        sha = stack.pop()
        if sha not in wanted and sha not in excluded:
            wanted[sha] = _link(reader, sha)
            stack.extend(wanted[sha].parents)
    return tuple(_newest_first(include, wanted))


def first_parents(reader: ObjectReader, head: Sha) -> Iterator[CommitInfo]:
    """Yield a branch's own commits from its head down, each merge as one."""
    following: Sha | None = head
    source = lazy_below(reader)
    while following:
        if source is not None and following.encode() not in reader:
            source.bring_history(following)
        commit = read_commit(reader, following)
        yield commit
        following = commit.parents[0] if commit.parents else None


def _is_asked_ancestor(reader: ObjectReader, ancestor: Sha, descendant: Sha) -> bool:
    """Look among the commits at hand; only if it is not there, ask what lies between the two.

    Every commit on a way from one to the other is in that set, so its last one names ``ancestor``
    as its parent.
    """
    seen = {descendant}
    stack = [descendant]
    while stack:
        for parent in _link(reader, stack.pop()).parents:
            if parent == ancestor:
                return True
            if parent not in seen and parent.encode() in reader:
                seen.add(parent)
                stack.append(parent)
    between = commits_between(reader, exclude=ancestor, include=descendant)
    return any(ancestor in _link(reader, sha).parents for sha in between)


class _Queue:
    """Commits still to be looked at, the newest first; of equal dates the first that came."""

    def __init__(self, reader: ObjectReader, starts: Iterable[Sha]) -> None:
        self._reader = reader
        self._heap: list[tuple[int, int, Sha, _Link]] = []
        self._numbers = count()
        for sha in starts:
            self.push(sha)

    def push(self, sha: Sha) -> None:
        link = _link(self._reader, sha)
        heappush(self._heap, (-link.committed, next(self._numbers), sha, link))

    @property
    def newest(self) -> float:
        """The date of what comes next; before all others where nothing does."""
        return -self._heap[0][0] if self._heap else -inf

    def pop(self) -> tuple[Sha, _Link]:
        _, _, sha, link = heappop(self._heap)
        return sha, link


def _reachable(reader: ObjectReader, head: Sha) -> set[Sha]:
    seen = {head}
    stack = [head]
    while stack:
        for parent in _link(reader, stack.pop()).parents:
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
    return seen


def _newest_first(tip: Sha, wanted: dict[Sha, _Link]) -> Iterator[Sha]:
    children = dict.fromkeys(wanted, 0)
    for link in wanted.values():
        for parent in link.parents:
            if parent in children:
                children[parent] += 1
    numbers = count()
    ready = [(-wanted[tip].committed, next(numbers), tip)] if tip in wanted else []
    while ready:
        _, _, sha = heappop(ready)
        yield sha
        for parent in wanted[sha].parents:
            if parent in children:
                children[parent] -= 1
                if children[parent] == 0:
                    heappush(ready, (-wanted[parent].committed, next(numbers), parent))


def _link(reader: ObjectReader, sha: Sha) -> _Link:
    commit = read_commit_object(reader, sha)
    parents = tuple(Sha(parent.decode("ascii")) for parent in commit.parents)
    return _Link(parents, commit.commit_time or 0)  # a commit may lack a date that can be read
