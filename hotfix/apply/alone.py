"""One run at a time on one lockfile of this machine."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hotfix.errors import FailedError, LockedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def alone(lockfile: Path) -> Iterator[None]:
    """Hold the lockfile against other runs on this machine; raises ``LockedError``.

    The kernel gives the hold back when the process ends, however it ends. The file that is held is
    one of its own, since the lockfile itself is replaced at every write.
    """
    path = lockfile.with_name(f".{lockfile.name}.run")
    descriptor = _hold(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _hold(path: Path) -> int:
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise FailedError(
                "lock-not-written",
                f"{path.parent} cannot be written: {error.strerror}.",
                hint="The lockfile lies there. Name another place with `--lock FILE`.",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise LockedError(
                "locked",
                f"Another run on this machine is at work on {path.parent}.",
                hint="Wait for it to end, then run the same command again: it repeats nothing.",
            ) from error
        # The one before may have removed the file after we opened it: then we hold nothing.
        try:
            if os.fstat(descriptor).st_ino == path.stat().st_ino:
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)
