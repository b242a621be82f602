"""The order in which targets go to production, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from hotfix.plan.model import Kind
    from hotfix.spec.model import Spec


class _OfProject(Protocol):
    @property
    def project(self) -> str: ...


T = TypeVar("T", bound=_OfProject)


def waits_for(projects: Collection[str], spec: Spec, kind: Kind) -> Mapping[str, tuple[str, ...]]:
    """Tell of each project which of the others must have ended before it begins.

    On the way back a project waits for all that stand on it.
    """
    after = {target.project: target.after for target in spec.targets}
    if kind == "rollback":
        after = {one: tuple(each for each in after if one in after[each]) for one in after}
    return {one: tuple(each for each in after[one] if each in projects) for one in projects}


def in_order(targets: Iterable[T], spec: Spec, kind: Kind) -> list[T]:
    """Order targets so that each comes after those that it waits for; else as the spec has them.

    The way back is that order reversed: nothing is taken from under what stands on it.
    """
    given = {target.project: target for target in targets}
    left = [target for target in spec.targets if target.project in given]
    ordered: list[T] = []
    while left:
        waiting = {target.project for target in left}
        ready = next(target for target in left if waiting.isdisjoint(target.after))
        left.remove(ready)
        ordered.append(given[ready.project])
    return ordered if kind == "hotfix" else ordered[::-1]
