"""C git as the oracle: the same merge, made by `git merge-tree`."""

from __future__ import annotations

import subprocess
import zlib
from typing import TYPE_CHECKING

from hotfix.identifiers import Sha

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dulwich.objects import ShaFile

    from .making import Store

LATER = 4_000_000_000  # helper commits lie in the future, so that no search walks the history


class OracleCrashedError(Exception):
    """C git died of one of its own assertions; there is nothing to compare with."""


class CGit:
    """A bare repository that C git works in."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        subprocess.run(["git", "init", "--quiet", "--bare", str(folder)], check=True)

    def take(self, objects: Iterable[ShaFile]) -> None:
        for each in objects:
            name = each.id.decode()
            file = self._folder / "objects" / name[:2] / name[2:]
            if not file.exists():
                file.parent.mkdir(exist_ok=True)
                data = each.as_raw_string()
                head = f"{each.type_name.decode()} {len(data)}\0".encode()
                file.write_bytes(zlib.compress(head + data, 1))

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        return self._run(*arguments, given=given, check=True).stdout

    def attributes(self, text: str) -> None:
        """Let these lines hold from now on."""
        folder = self._folder / "info"
        folder.mkdir(exist_ok=True)
        (folder / "attributes").write_text(text, "utf-8", "surrogateescape")

    def merge(self, store: Store, base: Sha, ours: Sha, theirs: Sha) -> Sha | None:
        """Return the tree that git makes of a pick, or nothing where it conflicts."""
        first = store.commit(base, commit_time=0)
        one = store.commit(ours, first, commit_time=LATER)
        other = store.commit(theirs, first, commit_time=LATER + 1)
        self.take(store.objects.values())
        done = self._run("merge-tree", "--write-tree", one, other)
        if done.returncode not in (0, 1):
            raise OracleCrashedError(done.stderr)
        return Sha(done.stdout.split()[0].decode()) if done.returncode == 0 else None

    def _run(
        self, *arguments: str, given: bytes = b"", check: bool = False
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["git", "-C", str(self._folder), *arguments],
            input=given,
            capture_output=True,
            check=check,
        )
