"""A second opinion on every pick, from the git that is on the PATH.

The plan never needs git. Where there is one of version 2.38 or later, ``plan --verify-with-git``
asks ``git merge-tree`` for the tree of each pick and compares. The objects in which the trees
differ are copied into a temporary repository; nothing of the operator's own is touched.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hotfix.errors import InputError
from hotfix.git.commits import read_commit
from hotfix.git.needed import needed_objects
from hotfix.git.objects import EMPTY_TREE, Overlay
from hotfix.identifiers import Sha, short
from hotfix.plan.model import Finding
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.git.objects import ObjectReader
    from hotfix.plan.branch import PickConflict
    from hotfix.plan.build import Built

_SECONDS: Final = 120
_OLDEST: Final = (2, 38)
_LATE: Final = "@2147483647 +0000"
"""The date of the helper commits: the search for their merge base ends at once."""
_SEALED: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "hotfix",
    "GIT_AUTHOR_EMAIL": "hotfix@noreply.invalid",
    "GIT_AUTHOR_DATE": _LATE,
    "GIT_COMMITTER_NAME": "hotfix",
    "GIT_COMMITTER_EMAIL": "hotfix@noreply.invalid",
    "GIT_COMMITTER_DATE": _LATE,
    "LC_ALL": "C",
}


@dataclass(frozen=True, slots=True)
class Opinion:
    """What git says of a plan's picks."""

    said: str
    disagreements: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class _Question:
    """A pick as three trees, and what the plan makes of it; ``None`` for a conflict."""

    project: str
    merge_request: int
    attributes: str
    base: Sha
    ours: Sha
    theirs: Sha
    planned: str | None


def second_opinion(built: Built) -> Opinion:
    """Ask git about every pick of a plan; raises ``InputError`` where no fit git is to be had."""
    git, version = _git()
    asked = 0
    disagreements: list[Finding] = []
    for project, reader in built.readers.items():
        overlay = Overlay(reader)
        for made in built.objects.values():
            overlay.add(made)
        for question in _questions(built, project, overlay):
            asked += 1
            answer = _ask(git, overlay, question)
            if answer != question.planned:
                disagreements.append(_disagreement(question, answer, version))
    agree = asked - len(disagreements)
    return Opinion(f"git {version} agrees with {agree} of {asked} picks", tuple(disagreements))


def _questions(built: Built, project: str, reader: ObjectReader) -> Iterator[_Question]:
    target = next(each for each in built.plan.targets if each.project == project)
    asked = next(each for each in built.plan.spec.targets if each.project == project)
    attributes = asked.merge_attributes or ""
    for commit in target.commits:
        picked = commit.resolution or commit.picked_from
        if picked is not None and commit.merge_request is not None:
            base, theirs = _change(reader, Sha(picked))
            ours = read_commit(reader, Sha(commit.parent)).tree if commit.sha else Sha(commit.tree)
            yield _Question(
                project, commit.merge_request, attributes, base, ours, theirs, commit.tree
            )
    conflict = built.conflicts.get(project)
    if conflict is not None and not _is_ours_alone(conflict):
        base, theirs = _change(reader, conflict.want.picked)
        ours = read_commit(reader, conflict.onto).tree
        merge_request = conflict.want.merge_request
        yield _Question(project, merge_request, attributes, base, ours, theirs, None)


def _is_ours_alone(conflict: PickConflict) -> bool:
    """Tell whether the plan itself says that git might merge this: there is nothing to compare."""
    return {each.kind for each in conflict.conflicted.conflicts} == {"unsupported"}


def _change(reader: ObjectReader, sha: Sha) -> tuple[Sha, Sha]:
    commit = read_commit(reader, sha)
    base = read_commit(reader, commit.parents[0]).tree if commit.parents else EMPTY_TREE
    return base, commit.tree


def _ask(git: str, reader: ObjectReader, question: _Question) -> str | None:
    """Return the tree that git merges, or ``None`` where it conflicts."""
    with tempfile.TemporaryDirectory(prefix="hotfix-opinion-") as folder:
        repository = Path(folder) / "opinion.git"
        _run(git, Path(folder), "init", "--quiet", "--bare", repository.name)
        (repository / "info").mkdir(exist_ok=True)
        (repository / "info" / "attributes").write_text(question.attributes, "utf-8")
        for made in needed_objects(reader, question.base, question.ours, question.theirs):
            _store(repository, made.id.decode(), made.as_legacy_object())
        _run(git, repository, "hash-object", "-t", "tree", "-w", "--stdin")
        base = _run(git, repository, "commit-tree", question.base, "-m", "base").stdout.strip()
        sides = [
            _run(git, repository, "commit-tree", tree, "-p", base, "-m", "side").stdout.strip()
            for tree in (question.ours, question.theirs)
        ]
        done = _run(git, repository, "merge-tree", "--write-tree", *sides, fits=(0, 1))
        return done.stdout.splitlines()[0] if done.returncode == 0 else None


def _store(repository: Path, oid: str, data: bytes) -> None:
    folder = repository / "objects" / oid[:2]
    folder.mkdir(exist_ok=True)
    zlib.decompress(data)  # a loose object is the compressed form; a broken one is not handed on
    (folder / oid[2:]).write_bytes(data)


def _disagreement(question: _Question, answer: str | None, version: str) -> Finding:
    ours = f"tree {short(question.planned)}" if question.planned else "a conflict"
    git = f"tree {short(answer)}" if answer else "a conflict"
    return Finding(
        code="git-disagrees",
        target=question.project,
        message=f"For the pick of !{question.merge_request} the plan has {ours}, "
        f"git {version} has {git}.",
        hint="Do not apply this plan. Report it with these lines, run in a clone of the project:",
        detail="\n".join(
            (
                f"base=$(git commit-tree {question.base} -m base)",
                f"ours=$(git commit-tree {question.ours} -p $base -m ours)",
                f"theirs=$(git commit-tree {question.theirs} -p $base -m theirs)",
                *(f"# info/attributes: {row}" for row in question.attributes.splitlines()),
                "git merge-tree --write-tree $ours $theirs",
            )
        ),
    )


def _git() -> tuple[str, str]:
    found = shutil.which("git")
    if found is None:
        raise InputError(
            "no-git",
            "There is no git on the PATH to ask for a second opinion.",
            hint="Plan without --verify-with-git; the plan needs no git.",
        )
    said = _run(found, Path.cwd(), "version").stdout
    version = re.search(r"(\d+)\.(\d+)[.\w]*", said)
    if version is None or (int(version[1]), int(version[2])) < _OLDEST:
        raise InputError(
            "old-git",
            f"{one_line(said)} has no `merge-tree --write-tree`; 2.38 is the first with it.",
            hint="Plan without --verify-with-git; the plan needs no git.",
        )
    return found, version[0]


def _run(
    git: str, folder: Path, *words: str, fits: tuple[int, ...] = (0,)
) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ.get("PATH", ""), **_SEALED}
    try:
        done = subprocess.run(  # noqa: S603  (git, with arguments of our own making)
            [git, *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputError(
            "git-failed",
            f"`git {words[0]}` takes longer than {_SECONDS} s.",
            hint="Plan without --verify-with-git; the plan needs no git.",
        ) from None
    if done.returncode not in fits:
        raise InputError(
            "git-failed",
            f"`git {words[0]}` failed: {one_line(done.stderr or done.stdout)}",
            hint="Plan without --verify-with-git; the plan needs no git.",
        )
    return done
