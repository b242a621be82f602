"""Who holds a lock: this process, on this machine, told so that another one can judge it dead."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


def host() -> str:
    """Name this machine as people call it."""
    return platform.node() or "unknown"


def place() -> str | None:
    """Identify this boot of this machine and its process namespace, ``None`` where unknown.

    Only within one place do process numbers mean the same, so only there can a run be known dead.
    """
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = (_PROC / "self/ns/pid").readlink()
    except OSError:
        return None
    return hashlib.sha256(f"{boot} {namespace}".encode()).hexdigest()[:16]


def process() -> str:
    """Identify this process: its number and when it started, since numbers come again."""
    return f"{os.getpid()}:{_started(os.getpid())}"


def is_alive(named: str) -> bool:
    """Tell whether a process of this place still runs."""
    number, _, started = named.partition(":")
    return number.isdecimal() and _started(int(number)) == started != ""


def _started(number: int) -> str:
    try:
        stat = (_PROC / str(number) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The command's name stands in brackets and may hold anything; field 22 counts from behind it.
    return stat.rpartition(")")[2].split()[19]
