"""The command lines that are offered to be typed next."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def apply_command(file: Path, gitlab: str | None, *more: str) -> str:
    """Write the command line that carries a spec or a saved plan out."""
    return shlex.join(["hotfix", "apply", str(file), *_on(gitlab), *more])


def plan_command(file: Path, gitlab: str | None) -> str:
    """Write the command line that plans anew what a file was to carry out.

    Of a saved plan it is the spec beside it, by the name that the contract gives it.
    """
    out: list[str] = []
    spec = str(file)
    if file.name.endswith(".plan.json"):
        beside = file.with_name(file.name.removesuffix(".plan.json") + ".yaml")
        spec, out = str(beside) if beside.exists() else "SPEC", ["--out", str(file)]
    return shlex.join(["hotfix", "plan", spec, *out, *_on(gitlab)])


def rollback_command(lockfile: Path, gitlab: str | None, *more: str) -> str:
    """Write the command line that takes a hotfix back by its lockfile."""
    return shlex.join(["hotfix", "rollback", str(lockfile), "--apply", *_on(gitlab), *more])


def _on(gitlab: str | None) -> list[str]:
    return ["--gitlab", gitlab] if gitlab else []
