"""The one door to files that are written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def write_atomic(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` so that a reader sees the old file or the new one, never a part.

    A temporary file beside the target is written and flushed to disk, renamed over the target, and
    the folder is flushed too, so that the new name survives a power cut. The mode of an existing
    file is kept. ``OSError`` is passed on; the target is untouched then.
    """
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    _put(path, data, mode, Path.replace)


def write_new(path: Path, data: bytes) -> None:
    """Put ``data`` at a path where nothing is, whole or not at all.

    Folders on the way are made. Raises ``FileExistsError`` where something is there, also where it
    came to be while we wrote.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _put(path, data, 0o644, lambda made, target: target.hardlink_to(made))


def _put(path: Path, data: bytes, mode: int, name_it: Callable[[Path, Path], object]) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        name_it(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
