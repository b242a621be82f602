"""Synthetic repositories of any size and shape: files in folders, commits, merge requests."""

from __future__ import annotations

import random
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from costs.lab import Lab

_LINES = 40
_HEAD = 5  # the picks change the lines above it, everything else those from it on
_START = 1_600_000_000


class Shape(NamedTuple):
    """What a repository is made of; ``since`` counts the merge requests after production."""

    files: int
    commits: int = 3000
    since: int = 300
    picks: int = 10
    project: str = "app"
    group: str = "bench"

    @property
    def path(self) -> str:
        """The project's path on GitLab."""
        return f"{self.group}/{self.project}"

    @property
    def folder(self) -> str:
        """The name of the repository's folder: everything that it is made of."""
        return "-".join(str(part) for part in self) + ".git"


class Pick(NamedTuple):
    """A merge commit to pick, and the number of its merge request."""

    sha: str
    iid: int


class Synthetic(NamedTuple):
    """A bare repository, and what the hotfix in it is made of."""

    shape: Shape
    path: Path
    release: str
    production: str
    picks: tuple[Pick, ...]

    def some(self, count: int) -> Synthetic:
        """Return it with fewer picks, spread over all of them."""
        step = len(self.picks) // count
        return self._replace(picks=self.picks[::step][:count])


def synthetic(lab: Lab, kept: Path, shape: Shape) -> Synthetic:
    """Return the repository of a shape; made now unless the folder has it already.

    After production all of the main line are merges, as GitLab makes them, of one commit each.
    Release has the first third of them. Each pick changes a file that another has changed since
    production, so that its lines have to be merged.
    """
    path = kept / shape.folder
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        _make(lab, unfinished, shape)
        unfinished.rename(path)
    refs = (f"refs/bench/{name}" for name in ("released", "production", *_picks(shape)))
    released, production, *merged = lab.git(path, "rev-parse", *refs).split()
    iids = (_iid(shape, place) for place in range(shape.picks))
    picks = tuple(map(Pick, merged, iids))
    return Synthetic(shape, path, released, production, picks)


def _picks(shape: Shape) -> list[str]:
    return [f"pick-{place}" for place in range(shape.picks)]


def _make(lab: Lab, path: Path, shape: Shape) -> None:
    path.mkdir(parents=True)
    lab.git(path, "init", "--quiet", "--bare", "--initial-branch=main")
    importing = subprocess.Popen(
        ["git", "-C", str(path), "fast-import", "--quiet"],
        env=lab.environment,
        stdin=subprocess.PIPE,
    )
    with importing, importing.stdin as stream:  # type: ignore[union-attr]
        stream.writelines(_history(shape))
    if importing.returncode:
        raise SystemExit(f"git fast-import ended with {importing.returncode}")
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant", "http.receivepack"):
        lab.git(path, "config", key, "true")
    lab.git(path, "config", "receive.autogc", "false")
    # As GitLab hides its own: nobody lists or clones them.
    lab.git(path, "config", "transfer.hideRefs", "refs/bench")
    # As a GitLab server keeps it: one pack, with a bitmap for whole clones.
    lab.git(path, "repack", "-a", "-d", "-q", "--write-bitmap-index")


def _history(shape: Shape) -> Iterator[bytes]:
    """Yield the stream for ``git fast-import``."""
    story = _Story(shape)
    yield _commit("main", 0, "All files")
    for number in range(shape.files):
        yield _file(number, _text(number))
    before = shape.commits - shape.since
    for count in range(1, before):
        number = story.any_file()
        yield _commit("main", count, f"Change {count}")
        yield _file(number, story.changed(number, count))
    yield b"reset refs/bench/production\nfrom refs/heads/main\n\n"
    picked = {_iid(shape, place): place for place in range(shape.picks)}
    for iid in range(1, shape.since + 1):
        count = before + iid
        if iid in picked:
            place = picked[iid]
            yield from _merge_request(shape, count, iid, *story.mended(place, count))
            yield b"reset refs/bench/pick-%d\nfrom refs/heads/main\n\n" % place
        else:
            number = story.files[iid - 1] if iid <= shape.picks else story.any_file()
            yield from _merge_request(shape, count, iid, number, story.changed(number, count))
        if iid == _released(shape):
            yield b"reset refs/bench/released\nfrom refs/heads/main\n\n"
            yield b"reset refs/heads/release\nfrom refs/heads/main\n\n"
    yield b"reset refs/heads/topic\nfrom " + b"0" * 40 + b"\n\n"


def _released(shape: Shape) -> int:
    return shape.since // 3


def _iid(shape: Shape, place: int) -> int:
    """Return the merge request that is picked at a place: all are merged after the release."""
    released = _released(shape)
    return released + 1 + place * (shape.since - released) // shape.picks


class _Story:
    """The same changes every time; ``files`` are those that the picks change."""

    def __init__(self, shape: Shape) -> None:
        self._chance = random.Random(1)  # noqa: S311 - the same history every time
        self._count = shape.files
        self._texts: dict[int, list[str]] = {}
        self.files = self._chance.sample(range(shape.files), shape.picks)

    def any_file(self) -> int:
        """Choose a file that is not for the picks."""
        while (number := self._chance.randrange(self._count)) in self.files:
            pass
        return number

    def changed(self, number: int, count: int) -> list[str]:
        """Change a line in the lower part of a file."""
        lines = self._texts.setdefault(number, _text(number))
        lines[self._chance.randrange(_HEAD + 1, _LINES)] = f"line changed in {count}\n"
        return lines

    def mended(self, place: int, count: int) -> tuple[int, list[str]]:
        """Change two lines in the upper part of the file of a pick."""
        number = self.files[place]
        lines = self._texts[number]
        lines[0] = lines[2] = f"line mended in {count}\n"
        return number, lines


def _merge_request(
    shape: Shape, count: int, iid: int, number: int, lines: list[str]
) -> Iterator[bytes]:
    """Change one file on a branch, and merge it as GitLab does."""
    yield b"reset refs/heads/topic\nfrom refs/heads/main\n\n"
    yield _commit("topic", count, f"Change {count}")
    yield _file(number, lines)
    merged = f"Merge branch 'topic' into 'main'\n\nChange {count}\n\n"
    yield _commit("main", count, f"{merged}See merge request {shape.path}!{iid}\n")
    yield b"merge refs/heads/topic\n"
    yield _file(number, lines)


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
