"""Synthetic repositories of any size: files in folders, thousands of commits, three picks."""

from __future__ import annotations

import random
import subprocess
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_COMMITS = 3000
_PRODUCTION = 2400
_RELEASE = 2600
_PICKS = (2700, 2800, 2900)
_LINES = 40
_HEAD = 5  # merge requests change the lines above it, everything else those from it on
_START = 1_600_000_000


class Synthetic(NamedTuple):
    """A bare repository, and what the hotfix in it is made of."""

    path: Path
    release: str
    production: str
    picks: tuple[str, ...]


def synthetic(folder: Path, files: int, environment: Mapping[str, str]) -> Synthetic:
    """Return the repository of so many files; made now unless the folder has it already.

    Release is 200 commits ahead of production. Each pick is a merge commit that changes a file
    which also changed since production, so that its lines have to be merged.
    """
    path = folder / f"files-{files}.git"
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        subprocess.run(["rm", "-rf", str(unfinished)], check=True)
        _make(unfinished, files, environment)
        unfinished.rename(path)
    names = ["release", "production", *(f"pick-{number}" for number in range(len(_PICKS)))]
    release, production, *picks = (git(path, environment, "rev-parse", name) for name in names)
    return Synthetic(path, release, production, tuple(picks))


def git(path: Path, environment: Mapping[str, str], *arguments: str) -> str:
    """Run git in a repository and return what it prints."""
    command = ["git", "-C", str(path), *arguments]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def _make(path: Path, files: int, environment: Mapping[str, str]) -> None:
    subprocess.run(
        ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)],
        env=environment,
        check=True,
    )
    importing = subprocess.Popen(
        ["git", "-C", str(path), "fast-import", "--quiet"], env=environment, stdin=subprocess.PIPE
    )
    with importing, importing.stdin as stream:  # type: ignore[union-attr]
        stream.writelines(_history(files))
    if importing.returncode:
        raise SystemExit(f"git fast-import ended with {importing.returncode}")
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant", "http.receivepack"):
        git(path, environment, "config", key, "true")
    git(path, environment, "config", "receive.autogc", "false")
    # As a GitLab server keeps it: one pack, with a bitmap for whole clones.
    git(path, environment, "repack", "-a", "-d", "-q", "--write-bitmap-index")


def _history(files: int) -> Iterator[bytes]:
    """Yield the stream for ``git fast-import``."""
    chance = random.Random(1)  # noqa: S311 - the same history every time
    texts: dict[int, list[str]] = {}
    yield _commit("main", 0, "All files")
    for number in range(files):
        yield _file(number, _text(number))
    for count in range(1, _COMMITS + 1):
        number = chance.randrange(files)
        lines = texts.setdefault(number, _text(number))
        lines[chance.randrange(_HEAD + 1, _LINES)] = f"line changed in {count}\n"
        yield _commit("main", count, f"Change {count}")
        yield _file(number, lines)
        if count == _PRODUCTION:
            yield b"reset refs/heads/production\nfrom refs/heads/main\n\n"
        if count == _RELEASE:
            yield b"reset refs/heads/release\nfrom refs/heads/main\n\n"
        if count in _PICKS:
            yield from _merge_request(count, number, lines)


def _merge_request(count: int, number: int, lines: list[str]) -> Iterator[bytes]:
    """Change one file on a branch in two commits, merge it, and mark the merge as a pick."""
    yield b"reset refs/heads/topic\nfrom refs/heads/main\n\n"
    for place in (0, 2):
        lines[place] = f"line mended in {count}\n"
        yield _commit("topic", count, f"Mend line {place}")
        yield _file(number, lines)
    yield _commit("main", count, f"Merge branch 'topic'\n\nSee merge request group/app!{count}")
    yield b"merge refs/heads/topic\n"
    yield _file(number, lines)
    yield b"reset refs/tags/pick-%d\nfrom refs/heads/main\n\n" % _PICKS.index(count)
    yield b"reset refs/heads/topic\nfrom " + b"0" * 40 + b"\n\n"


def _commit(branch: str, count: int, message: str) -> bytes:
    who = f"committer Author <author@example.com> {_START + count * 60} +0000"
    return f"commit refs/heads/{branch}\n{who}\n".encode() + _data(message)


def _file(number: int, lines: list[str]) -> bytes:
    return b"M 100644 inline " + _path(number).encode() + b"\n" + _data("".join(lines))


def _data(text: str) -> bytes:
    encoded = text.encode()
    return b"data %d\n%s\n" % (len(encoded), encoded)


def _path(number: int) -> str:
    """Place it: ten files in a service, twenty services in a module, ten modules in a team."""
    service, module, team = number // 10 % 20, number // 200 % 10, number // 2000
    return f"team{team:03}/module{module}/service{service:02}/file{number % 10}.py"


def _text(number: int) -> list[str]:
    return [f"line {place} of file {number}\n" for place in range(_LINES)]
