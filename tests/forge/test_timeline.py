from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.forge.protocol import ForgeError, NotFoundError, UnknownOutcomeError
from hotfix.forge.types import Issue

if TYPE_CHECKING:
    from hotfix.forge.gitlab import GitLabForge
    from tests.forge.conftest import Stub

INCIDENT = Issue(942, 42, "Outage", "", "opened", "https://x/i/42", None)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
GRAPHQL = ("POST", "/api/graphql")


def page(*nodes: tuple[str, str], after: str | None = None) -> dict[str, object]:
    events = {
        "nodes": [
            {"id": f"gid://{note}", "occurredAt": moment, "note": note} for moment, note in nodes
        ],
        "pageInfo": {"hasNextPage": after is not None, "endCursor": after},
    }
    return {"data": {"project": {"incidentManagementTimelineEvents": events}}}


def test_all_pages_of_a_timeline_are_read_the_earliest_event_first(
    forge: GitLabForge, stub: Stub
) -> None:
    stub.on(*GRAPHQL, page(("2026-03-01T13:00:00Z", "late"), after="abc"))
    stub.on(*GRAPHQL, page(("2026-03-01T12:00:00Z", "early")))

    events = forge.timeline("group/app", INCIDENT)

    assert [(event.note, event.occurred_at) for event in events] == [
        ("early", NOON),
        ("late", NOON.replace(hour=13)),
    ]
    assert [seen.json()["variables"] for seen in stub.requests] == [
        {"project": "group/app", "incident": "gid://gitlab/Issue/942", "after": after}
        for after in (None, "abc")
    ]


def test_reading_a_timeline_is_repeated_as_any_read(forge: GitLabForge, stub: Stub) -> None:
    stub.on(*GRAPHQL, status=502)
    stub.on(*GRAPHQL, page())

    assert forge.timeline("group/app", INCIDENT) == ()


def test_a_project_that_graphql_does_not_show_is_not_found(forge: GitLabForge, stub: Stub) -> None:
    stub.on(*GRAPHQL, {"data": {"project": None}})

    with pytest.raises(NotFoundError, match="group/app"):
        forge.timeline("group/app", INCIDENT)


def test_an_event_is_added_at_its_time(forge: GitLabForge, stub: Stub) -> None:
    stub.on(
        *GRAPHQL, {"data": {"timelineEventCreate": {"timelineEvent": {"id": "1"}, "errors": []}}}
    )

    forge.add_timeline_event("group/app", INCIDENT, occurred_at=NOON, note="deployed")

    assert stub.requests[0].json()["variables"]["input"] == {
        "incidentId": "gid://gitlab/Issue/942",
        "note": "deployed",
        "occurredAt": "2026-03-01T12:00:00Z",
    }


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"message": "not allowed here"}]},
        {"data": None, "errors": [{"message": "not allowed here"}]},
        {"data": {"timelineEventCreate": {"errors": ["not allowed here"]}}},
    ],
)
def test_errors_with_status_200_are_seen_in_both_places(
    forge: GitLabForge, stub: Stub, body: object
) -> None:
    stub.on(*GRAPHQL, body)

    with pytest.raises(ForgeError, match="not allowed here") as caught:
        forge.add_timeline_event("group/app", INCIDENT, occurred_at=NOON, note="deployed")

    assert not isinstance(caught.value, UnknownOutcomeError)


@pytest.mark.parametrize("reply", [{"drop": True}, {"status": 500}, {"body": {"data": None}}])
def test_an_event_whose_answer_is_lost_may_be_there(
    forge: GitLabForge, stub: Stub, reply: dict[str, Any]
) -> None:
    stub.on(*GRAPHQL, **reply)

    with pytest.raises(UnknownOutcomeError):
        forge.add_timeline_event("group/app", INCIDENT, occurred_at=NOON, note="deployed")

    assert len(stub.requests) == 1
