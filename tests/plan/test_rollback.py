"""The rules of the way back, by values alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.plan.guards import clear_sha, way_back_guard
from hotfix.plan.model import SourceOfSha
from hotfix.plan.order import in_order

if TYPE_CHECKING:
    from hotfix.plan.model import Finding, Kind

GOOD, HOTFIX, OTHER = ("900d" * 10, "f1f1" * 10, "dead" * 10)


@dataclass(frozen=True)
class Aim:
    """As much of a target, and of a spec, as the rules look at."""

    project: str
    after: tuple[str, ...] = ()
    environment: str = "production"
    production_sha: str = GOOD


@dataclass(frozen=True)
class Aims:
    targets: tuple[Aim, ...]


def _said(*shas: str | None) -> list[SourceOfSha]:
    return [
        SourceOfSha(source=f"record {place}", sha=sha, at=None, url=None, detail=str(sha))
        for place, sha in enumerate(shas)
    ]


def _found(*shas: str | None) -> list[Finding]:
    aim: Any = Aim("a")
    return list(way_back_guard(aim, _said(*shas), expected={HOTFIX, GOOD}))


@pytest.mark.parametrize("sha", [HOTFIX, GOOD])
def test_the_hotfix_or_the_known_good_commit_may_run(sha: str) -> None:
    assert _found(sha, sha) == []


@pytest.mark.parametrize("shas", [(HOTFIX, GOOD), (None, HOTFIX), (None, None), ()])
def test_records_that_do_not_agree_leave_production_unknown(shas: tuple[str | None, ...]) -> None:
    (finding,) = _found(*shas)

    assert finding.code == "production-unknown"
    assert all(f"record {place}: {sha}" in finding.detail for place, sha in enumerate(shas))
    assert all(sha[:8] in finding.message for sha in shas if sha)
    assert clear_sha(_said(*shas)) is None


def test_anything_else_was_deployed_since() -> None:
    (finding,) = _found(OTHER, OTHER)

    assert finding.code == "production-mismatch"
    assert f"runs {OTHER}" in finding.message
    assert f"record 1: {OTHER}" in finding.detail


@pytest.mark.parametrize(
    ("kind", "names", "expected"),
    [
        ("hotfix", "abc", "bca"),
        ("rollback", "abc", "acb"),
        ("hotfix", "cb", "bc"),
        ("rollback", "ac", "ac"),
        ("hotfix", "", ""),
    ],
)
def test_targets_go_as_they_wait_for_each_other_and_come_back_in_reverse(
    kind: Kind, names: str, expected: str
) -> None:
    aims: Any = Aims((Aim("a", after=("c",)), Aim("b"), Aim("c", after=("b",))))
    some = [aim for aim in aims.targets if aim.project in names]

    assert "".join(aim.project for aim in in_order(some, aims, kind)) == expected
