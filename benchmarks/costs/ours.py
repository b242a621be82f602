"""The Git part of a hotfix, as a process: ``ours.py plan|push URL RELEASE PRODUCTION PICK...``.

It reads what a plan reads (also whether each pick is on the main line, and what leaves release),
makes the commits, and with ``push`` pushes the restore and then the picks, as ``hotfix apply``
does. ``HOTFIX_BENCH_CACHE`` names a folder for objects.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from hotfix.forge.transport import HttpRepository
from hotfix.git.commits import Identity, NewCommit, read_commit
from hotfix.git.history import History, commits_between
from hotfix.git.lazy import bring_between
from hotfix.git.needed import Change, Line, bring_for, change_of
from hotfix.git.objects import Overlay
from hotfix.git.pick import pick
from hotfix.git.restore import restore
from hotfix.identifiers import Sha

_RELEASE = "refs/heads/release"
_COMMITTER = Identity("Operator", "operator@example.com")


def _main(mode: str, url: str, release: Sha, production: Sha, *picks: Sha) -> None:
    repository = _repository(url)
    refs = repository.refs()
    head, main = refs[_RELEASE], refs["refs/heads/main"]
    if head != release:
        raise SystemExit(f"release stands at {head}")
    reader = repository.fetch([head, main, production, *picks])
    bring_between(reader, exclude=production, include=[head, main])
    main_line = History(reader, main)
    if not all(each in main_line for each in picks):
        raise SystemExit("a pick is not on the main line")
    commits_between(reader, exclude=production, include=head)
    tree = read_commit(reader, production).tree
    leaving = Change(read_commit(reader, head).tree, tree)
    changes = tuple(change_of(reader, each) for each in picks)
    bring_for(reader, [Line(tree, changes), Line(None, (leaving,))])

    overlay, when = Overlay(reader), datetime.now(UTC).replace(microsecond=0)
    message = "fix: restore release to last production state"
    restored = _new(
        restore(
            overlay,
            production=production,
            head=head,
            message=message,
            trailers=(),
            committer=_COMMITTER,
            when=when,
        )
    )
    overlay.add(restored.objects)
    made = [restored]
    for each in picks:
        onto = made[-1].sha
        picked = _new(
            pick(overlay, onto=onto, commit=each, trailers=(), committer=_COMMITTER, when=when)
        )
        overlay.add(picked.objects)
        made.append(picked)
    if mode != "push":
        return
    repository.push(_RELEASE, old=head, new=restored.sha, objects=restored.objects)
    objects = [each for commit in made[1:] for each in commit.objects]
    repository.push(_RELEASE, old=restored.sha, new=made[-1].sha, objects=objects)


def _repository(url: str) -> HttpRepository:
    cache = None
    if folder := os.environ.get("HOTFIX_BENCH_CACHE"):
        from hotfix.forge.cache import Cache  # noqa: PLC0415 - without a cache it is not loaded

        cache = Cache(Path(folder))
    gitlab = url.rsplit("/", 1)[0]
    return HttpRepository(url, "none", gitlab=gitlab, timeout=60, sleep=time.sleep, cache=cache)


def _new(made: object) -> NewCommit:
    if isinstance(made, NewCommit):
        return made
    raise SystemExit(f"a new commit was expected, not {made}")


if __name__ == "__main__":
    mode, url, *shas = sys.argv[1:]
    _main(mode, url, *map(Sha, shas))
