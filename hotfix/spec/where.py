"""Where a spec's defaults are found."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def find_defaults(spec_path: Path) -> Path | None:
    """Return the nearest ``defaults.yaml`` in the spec's folder or above it.

    The search ends with the folder that has ``.git``, the repository's root; without a repository,
    with the file system's. It never climbs into a folder that all users share, a temporary one:
    defaults name the GitLab that the token is sent to, and may allow programs to run.
    """
    first = spec_path.parent.resolve()
    for folder in (first, *first.parents):
        if folder != first and _is_shared(folder):
            return None
        found = folder / "defaults.yaml"
        if found.is_file():
            return found
        if (folder / ".git").exists():
            return None
    return None


def _is_shared(folder: Path) -> bool:
    # Writable for all is not enough to tell: CI runners clone with an open umask. The sticky bit
    # beside it says that strangers are expected.
    try:
        mode = folder.stat().st_mode
    except FileNotFoundError:
        return False  # a folder that is made with the spec; nobody wrote into it yet
    except OSError:
        return True  # nobody can say who writes there
    return bool(mode & stat.S_IWOTH and mode & stat.S_ISVTX)
