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


def doctor_command(spec: Path, gitlab: str | None) -> str:
    """Write the command line that looks again for what would stop a spec."""
    return shlex.join(["hotfix", "doctor", str(spec), *_on(gitlab)])


def save_plan_command(spec: Path, gitlab: str | None) -> str:
    """Write the command line that plans a spec and saves the plan beside it."""
    return _saving(("plan",), spec, spec.with_suffix(".plan.json"), gitlab)


def approve_command(plan: Path, gitlab: str | None) -> str:
    """Write the command line that approves a saved plan."""
    return shlex.join(["hotfix", "approve", str(plan), *_on(gitlab)])


def approve_commands(file: Path, gitlab: str | None) -> tuple[str, ...]:
    """Write what whoever approves types: of a spec first the plan that it comes to now."""
    if not file.name.endswith((".yaml", ".yml")):
        return (approve_command(file, gitlab),)
    saved = file.with_suffix(".plan.json")
    return (save_plan_command(file, gitlab), approve_command(saved, gitlab))


def approve_back_commands(
    lockfile: Path, saved: Path | None, gitlab: str | None
) -> tuple[str, ...]:
    """Write what whoever approves a rollback types."""
    if saved is not None:
        return (approve_command(saved, gitlab),)
    made = lockfile.with_name(lockfile.name.removesuffix(".lock.json") + ".rollback.plan.json")
    return (_saving(("rollback",), lockfile, made, gitlab), approve_command(made, gitlab))


def _saving(words: tuple[str, ...], file: Path, out: Path, gitlab: str | None) -> str:
    return shlex.join(["hotfix", *words, str(file), "--out", str(out), *_on(gitlab)])


def rollback_command(lockfile: Path, gitlab: str | None, *more: str) -> str:
    """Write the command line that takes a hotfix back by its lockfile."""
    return shlex.join(["hotfix", "rollback", str(lockfile), "--apply", *_on(gitlab), *more])


def _on(gitlab: str | None) -> list[str]:
    return ["--gitlab", gitlab] if gitlab else []
