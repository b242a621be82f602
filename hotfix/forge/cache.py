"""What was fetched before, kept between runs: Git's objects never change.

One SQLite file holds them for all repositories, since it is safe with several processes and can be
bounded. A cache that cannot be used, because it is locked, full or damaged, is no error: what it
does not give is fetched. Nothing of how GitLab is reached is in it, and nobody but its owner may
read it.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import threading
import weakref
import zlib
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

MOST_BYTES: Final = 256 << 20
"""How large the file may grow; then the entries that were used longest ago go."""

_KEPT: Final = 0.75
_SECONDS: Final = 2.0
_SELECT: Final = "SELECT key, value FROM entries WHERE key IN (SELECT value FROM json_each(?))"
_TOUCH: Final = """
UPDATE entries SET used = CAST(strftime('%s', 'now') AS INTEGER)
WHERE key IN (SELECT value FROM json_each(?)) AND used < strftime('%s', 'now') - 86400
"""
_INSERT: Final = """
INSERT OR REPLACE INTO entries VALUES (?, ?, CAST(strftime('%s', 'now') AS INTEGER))
"""
_SCHEMA: Final = """
PRAGMA auto_vacuum = INCREMENTAL;
CREATE TABLE IF NOT EXISTS entries (
  key TEXT PRIMARY KEY, value BLOB NOT NULL, used INTEGER NOT NULL
) WITHOUT ROWID;
"""


class Cache:
    """Values by key, each with a checksum of its own; what is damaged is dropped."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._file = folder / "objects.sqlite3"
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._is_usable = True

    def get(self, keys: Collection[str]) -> dict[str, bytes]:
        """Return what is there of these keys."""
        found: dict[str, bytes] = {}
        with self._lock, _Excused(self):
            database = self._open()
            these = (json.dumps(list(keys)),)
            found.update(database.execute(_SELECT, these))
            with database:
                database.execute(_TOUCH, these)
        whole = {key: _opened(key, value) for key, value in found.items()}
        self.drop(key for key, value in whole.items() if value is None)
        return {key: value for key, value in whole.items() if value is not None}

    def put(self, entries: Mapping[str, bytes]) -> None:
        """Keep these, and drop the oldest where there are too many."""
        if not entries:
            return
        rows = [(key, _closed(key, value)) for key, value in entries.items()]
        with self._lock, _Excused(self):
            database = self._open()
            with database:
                database.executemany(_INSERT, rows)
            self._shrink(database)

    def drop(self, keys: Iterable[str]) -> None:
        """Forget these."""
        rows = [(key,) for key in keys]
        if rows:
            with self._lock, _Excused(self):
                database = self._open()
                with database:
                    database.executemany("DELETE FROM entries WHERE key = ?", rows)

    def give_up(self, *, is_damaged: bool) -> None:
        """Do without for the rest of the run; a damaged file goes, so that the next has one."""
        self._is_usable = False
        if self._database is not None:
            self._closing()
            self._database = None
        if is_damaged:
            with suppress(OSError):
                self._file.unlink()

    def _open(self) -> sqlite3.Connection:
        if not self._is_usable:
            raise sqlite3.OperationalError
        if self._database is None:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite gives its journal the mode of the file; so that is made first, for its owner.
            os.close(os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600))
            database = sqlite3.connect(self._file, timeout=_SECONDS, check_same_thread=False)
            self._database = database
            self._closing = weakref.finalize(self, database.close)
            database.execute("PRAGMA synchronous = OFF")  # what is lost is fetched again
            if not database.execute(
                "SELECT 1 FROM sqlite_master WHERE name = 'entries'"
            ).fetchone():
                database.executescript(_SCHEMA)
        return self._database

    def _shrink(self, database: sqlite3.Connection) -> None:
        """Drop the oldest until the file fits.

        Only pages that are empty leave the file. Where the oldest lie scattered among younger
        ones, few are, and so more has to go.
        """
        kept = int(self._most_bytes * _KEPT)
        while kept and _file_size(database) > self._most_bytes:
            oldest = _beyond(database, kept)
            with database:
                database.executemany("DELETE FROM entries WHERE key = ?", oldest)
            database.executescript("PRAGMA incremental_vacuum")  # it takes one step for each page
            kept = int(kept * _KEPT)


def _file_size(database: sqlite3.Connection) -> int:
    (page,), (pages,) = (
        database.execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "page_count")
    )
    return int(page * pages)


def _beyond(database: sqlite3.Connection, most_bytes: int) -> list[tuple[str]]:
    """Return the keys of the oldest entries, less so many bytes of younger ones."""
    oldest: list[tuple[str]] = []
    left = most_bytes
    with closing(
        database.execute("SELECT key, length(value) FROM entries ORDER BY used DESC, key")
    ) as rows:
        for key, size in rows:
            left -= size + len(key)
            if left < 0:
                oldest.append((key,))
    return oldest


class _Excused:
    """Makes nothing of an error of the cache but that it is not used any more."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, sqlite3.OperationalError | OSError):
            self._cache.give_up(is_damaged=False)
        elif isinstance(error, sqlite3.DatabaseError):
            self._cache.give_up(is_damaged=True)
        else:
            return False
        return True


def _closed(key: str, value: bytes) -> bytes:
    return _sum(key, value) + zlib.compress(value, 1)


def _opened(key: str, value: bytes) -> bytes | None:
    """Return a value, ``None`` for one that is not what was put in."""
    try:
        data = zlib.decompress(value[20:])
    except zlib.error:
        return None
    return data if _sum(key, data) == value[:20] else None


def _sum(key: str, value: bytes) -> bytes:
    return hashlib.sha1(key.encode() + b"\0" + value, usedforsecurity=False).digest()
