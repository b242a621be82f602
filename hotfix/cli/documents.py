"""The files that a command is given: what they are, by content, and where the lockfile lies."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, Literal

from hotfix.errors import FailedError, InputError
from hotfix.files import write_atomic

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.evidence.lockfile import LockDocument

Kind = Literal["spec", "plan", "lock", "rehearsal"]
_LOCK: Final = ".lock.json"
_ROLLBACK: Final = ".rollback.lock.json"


def read(path: Path) -> bytes:
    """Read a file; raises ``InputError`` naming it."""
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise InputError("file-not-read", f"{path}: {reason}.", hint="Check the path.") from error


def kind_of(data: bytes) -> Kind:
    """Tell what a file is by its content: what states no format of ours is taken for a spec."""
    if not data.lstrip().startswith(b"{"):
        return "spec"
    try:
        document = json.loads(data)
        stated = str(document.get("format")) if isinstance(document, dict) else ""
    except (ValueError, RecursionError):
        # Cut off or damaged: say so as what it was, by what it states first.
        found = re.search(rb'"format"\s*:\s*"([a-z]+)/', data)
        stated = found[1].decode() if found else ""
    match stated.partition("/")[0]:
        case "plan":
            return "plan"
        case "lock":
            return "lock"
        case "rehearsal":
            return "rehearsal"
        case _:
            return "spec"


def lockfile_of(path: Path) -> Path:
    """Name the lockfile that belongs to a spec or a saved plan (contract, sections 1 and 7)."""
    return _beside(path, _LOCK)


def transcript_of(path: Path) -> Path:
    """Name the transcript of a saved plan: of ``x.plan.json`` it is ``x.rehearsal.json``."""
    return _beside(path, ".rehearsal.json")


def _beside(path: Path, ending: str) -> Path:
    for own in (".plan.json", ".yaml", ".yml", ".json"):
        if path.name.endswith(own) and path.name != own:
            return path.with_name(path.name.removesuffix(own) + ending)
    return path.with_name(path.name + ending)


def source_of(lockfile: Path) -> Path:
    """Find the file beside a lockfile that was applied; the spec's usual name where none is."""
    stem = lockfile.name.removesuffix(_LOCK)
    names = [f"{stem}{ending}" for ending in (".yaml", ".yml", ".plan.json")]
    beside = [lockfile.with_name(name) for name in names]
    return next((path for path in beside if path.exists()), beside[0])


def rollback_lockfile_of(lockfile: Path) -> Path:
    """Name the lockfile of a hotfix's rollback, by the hotfix's own (contract, section 1)."""
    return lockfile.with_name(lockfile.name.removesuffix(_LOCK) + _ROLLBACK)


def hotfix_lockfile_of(rollback: Path) -> Path | None:
    """Name the lockfile of the hotfix by its rollback's; ``None`` where the name does not tell."""
    if not rollback.name.endswith(_ROLLBACK):
        return None
    return rollback.with_name(rollback.name.removesuffix(_ROLLBACK) + _LOCK)


def lock_beside(path: Path) -> LockDocument | None:
    """Read the lockfile that lies beside a spec, if one does."""
    lockfile = lockfile_of(path)
    if not lockfile.exists():
        return None
    from hotfix.evidence.lockfile import parse  # noqa: PLC0415  (loads models)

    return parse(read(lockfile), str(lockfile))


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; raises ``InputError`` or ``FailedError`` naming it."""
    try:
        write_atomic(path, data)
    except (FileNotFoundError, NotADirectoryError, PermissionError, IsADirectoryError) as error:
        raise InputError(
            "file-not-written", f"{path}: {error.strerror}.", hint="Name another place."
        ) from error
    except OSError as error:
        raise FailedError("file-not-written", f"{path}: {error.strerror}.") from error
