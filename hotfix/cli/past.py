"""The hotfixes of a project that went out before, by the lockfiles beside the spec."""

from __future__ import annotations

from contextlib import suppress
from statistics import median
from typing import TYPE_CHECKING, Final

from hotfix.cli.documents import read
from hotfix.errors import HotfixError
from hotfix.evidence.lockfile import parse
from hotfix.plan.model import PastHotfixes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hotfix.plan.model import Plan, TargetPlan

_MOST: Final = 200
"""How many lockfiles are read, the last by name."""


def with_past(plan: Plan, folder: Path) -> Plan:
    """Say of each target how its hotfix compares with those of the lockfiles in a folder.

    They are compared by the files that their commits change; of a hotfix only the first lockfile
    counts, and of this one none. A lockfile that cannot be read says nothing.
    """
    past = (
        list(_plans(folder, plan.hotfix)) if any(_has_radius(each) for each in plan.targets) else []
    )
    targets = tuple(_compared(target, past) for target in plan.targets)
    return plan.model_copy(update={"targets": targets})


def _has_radius(target: TargetPlan) -> bool:
    return target.observed.radius is not None


def _compared(target: TargetPlan, past: list[Plan]) -> TargetPlan:
    radius = target.observed.radius
    sizes = [
        len({file.path for commit in each.commits if commit.merge_request for file in commit.files})
        for plan in past
        for each in plan.targets
        if each.project == target.project
    ]
    if radius is None or not sizes:
        return target
    found = PastHotfixes(
        count=len(sizes),
        smaller=sum(size < radius.files for size in sizes),
        median_files=float(median(sizes)),
    )
    observed = target.observed.model_copy(
        update={"radius": radius.model_copy(update={"past": found})}
    )
    return target.model_copy(update={"observed": observed})


def _plans(folder: Path, hotfix: str) -> Iterator[Plan]:
    seen = {hotfix}
    for path in sorted(folder.glob("*.lock.json"))[-_MOST:]:
        with suppress(HotfixError):
            plan = parse(read(path), str(path)).lock.plan
            if plan.hotfix not in seen and plan.kind == "hotfix":
                seen.add(plan.hotfix)
                yield plan
