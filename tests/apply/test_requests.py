"""How often GitLab's API is asked, command by command; Git's requests are the transport's tests.

A request more is a wait more for every operator, and a look less may be one that must not be left
out. So both change this file. ``status``, ``show``, ``validate`` and ``audit`` ask nothing: they
load nothing that could (``tests/cli/test_light.py``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.errors import WaitingError
from hotfix.forge.protocol import ForgeError

from .conftest import CORE

if TYPE_CHECKING:
    from .conftest import Rehearsal

LEDGER = "evenergi/bf-ledger"
DEVELOP = "/projects/evenergi/develop"

WHO_AND_WHERE = [
    "GET /user",
    f"GET {DEVELOP}",
    f"GET {DEVELOP}/repository/files/.gitlab-ci.yml?ref=main",
]
"""Of every plan, once."""


def planned(project: str, environment: int, *merge_requests: int) -> list[str]:
    """List what a plan asks about a target."""
    path = f"/projects/{project}"
    return [
        f"GET {path}",
        f"GET {path}/approvals",
        *deployed(project, environment),
        *elsewhere(project),
        *(
            f"GET {path}/merge_requests/{iid}{what}"
            for iid in merge_requests
            for what in ("", "/approvals", "/approval_state", "/versions")
        ),
        *[f"GET {path}/pipelines"] * len(merge_requests),
    ]


def deployed(project: str, environment: int) -> list[str]:
    """List what tells which commit production runs, and that nothing is on its way there."""
    return [
        *environments(project, environment),
        f"GET /projects/{project}/deployments?status=success",
        f"GET /projects/{project}/deployments?status=running",
    ]


def elsewhere(project: str) -> list[str]:
    """List what else is looked at before the way forward, asked for in the same wait."""
    path = f"/projects/{project}"
    return [
        f"GET {path}/deployments?status=blocked",
        f"GET {path}/freeze_periods",
        f"GET {path}/jobs?ref=release",
        f"GET {path}/repository/tags",
    ]


def environments(project: str, environment: int) -> list[str]:
    """List the two requests that one environment takes: GitLab's list has no last deployment."""
    return [
        f"GET /projects/{project}/environments?name=production",
        f"GET /projects/{project}/environments/{environment}",
    ]


def whose(project: str, *commits: str) -> list[str]:
    """List what finds the merge request of a commit that no merge commit names."""
    return [f"GET /projects/{project}/repository/commits/{sha}/merge_requests" for sha in commits]


NAMELESS = (
    "e1d0b925da58daca97e0b65277b9f776d87a6f81",
    "c56d646b4e579c0256697a17f8ca826177d9185c",
)
"""On release, not in production, and named in no merge commit."""

CORE_PLAN = [*WHO_AND_WHERE, *planned(CORE, 2, 812, 815), *whose(CORE, *NAMELESS)]
_TELLING = ("name", "status", "ref")


@pytest.fixture
def asked(rehearsal: Rehearsal) -> Asked:
    return Asked(rehearsal)


class Asked:
    """What GitLab's API was asked since the last time, sorted: threads ask in any order."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._rehearsal = rehearsal
        self._seen = 0

    def __call__(self) -> list[str]:
        requests = list(self._rehearsal.sandbox.requests)[self._seen :]
        self._seen += len(requests)
        return sorted(
            f"{each.method} {each.path.removeprefix('/api/v4')}{self._telling(each.query)}"
            for each in requests
            if each.path.startswith("/api/")
        )

    def _telling(self, query: str) -> str:
        parts = [part for part in query.split("&") if part.partition("=")[0] in _TELLING]
        return "?" + "&".join(parts) if parts else ""


def test_a_plan_asks_each_thing_once(rehearsal: Rehearsal, asked: Asked) -> None:
    rehearsal.plan()

    assert asked() == sorted(CORE_PLAN)


def test_a_plan_of_two_targets_asks_who_and_where_once(rehearsal: Rehearsal, asked: Asked) -> None:
    rehearsal.write(rehearsal.target(CORE, 812, 815), rehearsal.target(LEDGER, 54))

    plan = rehearsal.plan()

    assert [target.project for target in plan.targets] == [CORE, LEDGER]
    found = asked()
    of_ledger = [each for each in found if f"/{LEDGER}" in each]
    assert sorted(set(found) - set(of_ledger)) == sorted(set(CORE_PLAN))
    of_its_merge_requests = found.count(f"GET /projects/{CORE}/pipelines") - 1
    assert len(found) - len(set(found)) == of_its_merge_requests == 1


def test_apply_begins_with_the_requests_of_a_plan(rehearsal: Rehearsal, asked: Asked) -> None:
    rehearsal.person.plan = None
    with pytest.raises(WaitingError):
        rehearsal.apply()

    assert asked() == sorted(CORE_PLAN)


def test_apply_looks_once_more_at_production_before_the_first_push(
    rehearsal: Rehearsal, asked: Asked
) -> None:
    rehearsal.apply(until="branch")

    is_manual = "POST /api/graphql"
    assert asked() == sorted([*CORE_PLAN, *deployed(CORE, 2), is_manual])


def test_a_complete_hotfix_applied_again_looks_at_production_alone(
    rehearsal: Rehearsal, asked: Asked
) -> None:
    rehearsal.apply()
    asked()

    rehearsal.apply()

    assert asked() == sorted(environments(CORE, 2))


@pytest.mark.parametrize("slow", ["/user", CORE, f"{LEDGER}$", "/environments", "/approvals"])
def test_a_plan_is_the_same_whichever_answer_comes_last(rehearsal: Rehearsal, slow: str) -> None:
    rehearsal.write(rehearsal.target(CORE, 812, 815), rehearsal.target(LEDGER, 54))
    plan = rehearsal.plan()
    rehearsal.sandbox.faults.add("GET", slow, times=2, delay=0.2)

    assert rehearsal.plan() == plan


def test_of_several_refusals_the_first_targets_is_raised(rehearsal: Rehearsal) -> None:
    rehearsal.write(rehearsal.target(CORE, 812, 815), rehearsal.target(LEDGER, 54))
    faults = rehearsal.sandbox.faults
    faults.add("GET", f"/projects/{CORE}$", status=403, body=b"first", delay=0.3)
    faults.add("GET", f"/projects/{LEDGER}/merge_requests/54$", status=403, body=b"second")

    with pytest.raises(ForgeError, match=f"GET /projects/{CORE}: first"):
        rehearsal.plan()
