"""Incidents: quick actions that bite, comments, links, the timeline by GraphQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.sandbox.quick_actions import extract

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.sandbox import Sandbox
    from tests.sandbox.conftest import Client, Json

ISSUES = "/projects/evenergi%2Fdevelop/issues"
CREATE = """
mutation($id: IssueID!, $note: String!, $at: Time!) {
  made: timelineEventCreate(input: {occurredAt: $at, incidentId: $id, note: $note}) {
    errors
    timelineEvent { id note }
  }
}
"""
READ = """
query Timeline($path: ID!, $id: IssueID!) {
  project(fullPath: $path) {
    incidentManagementTimelineEvents(incidentId: $id) {
      nodes { note occurredAt id createdAt }  # in any order
    }
  }
}
"""


def incident(client: Client, description: str = "", **more: Json) -> Json:
    made = client.post(
        ISSUES, title="Chargers drop", issue_type="incident", description=description, **more
    )
    assert made.status_code == 201, made.text
    return made.json()


@pytest.mark.parametrize(
    ("text", "kept", "names"),
    [
        ("a\n/close\nb", "a\nb", ["close"]),
        ("/label ~x ~y\n/assign @z", "", ["label", "assign"]),
        ("/CLOSE", "", ["close"]),
        ("a\r\n/close\r\nb", "a\nb", ["close"]),
        ("\\/close", "\\/close", []),
        (" /close", " /close", []),
        ("> /close", "> /close", []),
        ("- /close", "- /close", []),
        ("/closed", "/closed", []),
        ("/usr/bin/env", "/usr/bin/env", []),
        ("see /close", "see /close", []),
        ("```\n/close\n```", "```\n/close\n```", []),
        ("~~~\n/close\n~~~", "~~~\n/close\n~~~", []),
        ("````\n```\n/close\n````", "````\n```\n/close\n````", []),
        ("```\n/close", "```\n/close", []),
        ("```\nx\n```\n/close", "```\nx\n```", ["close"]),
        ("<!--\n/close\n-->", "<!--\n/close\n-->", []),
        (">>>\n/close\n>>>", ">>>\n/close\n>>>", []),
        ("`/close`", "`/close`", []),
    ],
)
def test_a_line_is_a_quick_action_where_gitlab_says_so(
    text: str, kept: str, names: list[str]
) -> None:
    rest, commands = extract(text)
    assert (rest, [command.name for command in commands]) == (kept, names)


def test_a_description_is_carried_out_when_made_and_when_edited(client: Client) -> None:
    made = incident(client, "Since noon.\n/severity high\n/label ~ocpp\n/assign @reviewer")
    assert made["description"] == "Since noon."
    assert (made["severity"], made["labels"]) == ("HIGH", ["ocpp"])
    assert made["assignees"][0]["username"] == "reviewer"
    edited = client.put(f"{ISSUES}/{made['iid']}", description="Over.\n/close\n/unlabel ~ocpp")
    assert edited.json()["state"] == "closed"
    assert (edited.json()["description"], edited.json()["labels"]) == ("Over.", [])
    reopened = client.put(f"{ISSUES}/{made['iid']}", state_event="reopen", add_labels=["later"])
    assert (reopened.json()["state"], reopened.json()["labels"]) == ("opened", ["later"])


def test_a_comment_of_quick_actions_alone_leaves_no_comment(client: Client) -> None:
    made = incident(client)
    notes = f"{ISSUES}/{made['iid']}/notes"
    silent = client.post(notes, body="/close\n/confidential")
    assert silent.status_code == 202
    assert silent.json()["commands_changes"] == {"state_event": "close", "confidential": True}
    assert client.get(notes) == []
    kept = client.post(notes, body="It is back.\n/reopen")
    assert (kept.status_code, kept.json()["body"]) == (201, "It is back.")
    assert client.get(f"{ISSUES}/{made['iid']}")["state"] == "opened"
    assert client.post(notes, body=" ").status_code == 400


def test_a_comment_is_edited_by_those_who_may_and_there_too_it_is_carried_out(
    client: Client, as_user: Callable[[str], Client]
) -> None:
    made = incident(client)
    notes = f"{ISSUES}/{made['iid']}/notes"
    note = client.post(notes, body="first").json()
    edited = client.put(f"{notes}/{note['id']}", body="second\n/timeline Rolled back | 12:05")
    assert edited.json()["body"] == "second"
    assert as_user("reviewer").put(f"{notes}/{note['id']}", body="x").status_code == 403
    assert client.put(f"{notes}/999", body="x").status_code == 404
    data = client.graphql(READ, path="evenergi/develop", id=f"gid://gitlab/Issue/{made['id']}")
    nodes = data["data"]["project"]["incidentManagementTimelineEvents"]["nodes"]
    assert [(n["note"], n["occurredAt"]) for n in nodes] == [
        ("Rolled back", "2026-11-22T12:05:00.000Z")
    ]


def test_incidents_are_found_by_a_marker_in_their_description(client: Client) -> None:
    made = incident(client, "<!-- hotfix: inc-1042 -->", labels="a,b", severity="critical")
    assert made["iid"] == 1042
    found = client.get(ISSUES, issue_type="incident", search="inc-1042", state="opened")
    assert [(one["iid"], one["severity"]) for one in found] == [(1042, "CRITICAL")]
    assert client.get(ISSUES, search="inc-1042", **{"in": "title"}) == []
    assert [one["iid"] for one in client.get(ISSUES, labels="a,b")] == [1042]
    assert {one["iid"] for one in client.get(ISSUES, state="closed")} == {1040}


def test_an_incident_needs_a_title_and_a_role(
    sandbox: Sandbox, client: Client, as_user: Callable[[str], Client]
) -> None:
    assert client.post(ISSUES, issue_type="incident").json() == {"error": "title is missing"}
    sandbox.world.tokens["glpat-guest"] = sandbox.world.tokens["glpat-sandbox-reader-0004"]
    token = sandbox.world.tokens["glpat-guest"]
    token.scopes = frozenset({"api"})
    sandbox.world.groups["evenergi"].members[token.user.id] = 10
    guest = as_user("glpat-guest")
    assert guest.post(ISSUES, title="x", issue_type="incident").status_code == 403
    assert guest.put(f"{ISSUES}/1041", title="x").status_code == 403


def test_the_template_is_told_and_not_applied(client: Client) -> None:
    template = client.get("/projects/evenergi%2Fdevelop/templates/issues/incident")
    assert "## Timeline" in template["content"]
    assert incident(client, template["content"])["labels"] == ["incident", "production"]
    gone = client.send("GET", "/projects/evenergi%2Fdevelop/templates/issues/none")
    assert gone.status_code == 404


def test_a_link_is_made_once_and_seen_from_both_sides(client: Client) -> None:
    project = str(client.get("/projects/evenergi%2Fdevelop")["id"])
    body = {"target_project_id": project, "target_issue_iid": "1041"}
    assert client.post(f"{ISSUES}/1040/links", **body).status_code == 201
    assert client.post(f"{ISSUES}/1040/links", **body).status_code == 409
    assert client.get(f"{ISSUES}/1041/links")[0]["iid"] == 1040


def test_the_timeline_is_written_and_read_by_graphql(client: Client) -> None:
    gid = f"gid://gitlab/Issue/{incident(client)['id']}"
    for at, note in (("2026-11-22T11:00:00Z", "Deployed"), ("2026-11-22T10:30:00Z", "Noticed")):
        data = client.graphql(CREATE, id=gid, note=note, at=at)["data"]["made"]
        assert (data["errors"], data["timelineEvent"]["note"]) == ([], note)
    read = client.graphql(READ, path="evenergi/develop", id=gid)["data"]["project"]
    nodes = read["incidentManagementTimelineEvents"]["nodes"]
    assert [node["note"] for node in nodes] == ["Noticed", "Deployed"]
    assert set(nodes[0]) == {"note", "occurredAt", "id", "createdAt"}
    event = nodes[0]["id"]
    gone = client.graphql(f'mutation {{timelineEventDestroy(input:{{id:"{event}"}}){{errors}}}}')
    assert gone["data"]["timelineEventDestroy"] == {"errors": []}


def test_graphql_tells_of_errors_with_status_200(
    client: Client, as_user: Callable[[str], Client]
) -> None:
    gid = f"gid://gitlab/Issue/{incident(client)['id']}"
    at = "2026-11-22T11:00:00Z"
    empty = client.graphql(CREATE, id=gid, note="", at=at)
    assert empty["data"]["made"]["errors"] == ["Note can't be blank"]
    long = client.graphql(CREATE, id=gid, note="x" * 281, at=at)
    assert "too long" in long["data"]["made"]["errors"][0]
    assert client.graphql(CREATE, id="gid://gitlab/Issue/999", note="x", at=at)["errors"]
    assert client.graphql("query { nonsense }")["errors"]
    assert client.graphql("{ currentUser")["errors"]
    assert as_user("outsider").graphql(READ, path="evenergi/develop", id=gid) == {
        "data": {"project": None}
    }
    assert (
        as_user("reader")
        .session.post(f"{client.url}/api/graphql", json={"query": CREATE}, timeout=5)
        .status_code
        == 403
    )


def test_graphql_sets_the_severity(client: Client) -> None:
    made = incident(client)
    query = """mutation { issueSetSeverity(input: {
        projectPath: "evenergi/develop", iid: "%s", severity: HIGH }) {
        issue { ...shown } errors } } fragment shown on Issue { severity iid }"""
    answer = client.graphql(query % made["iid"])["data"]["issueSetSeverity"]
    assert answer == {"issue": {"severity": "HIGH", "iid": str(made["iid"])}, "errors": []}
    assert client.graphql("{ me: currentUser { username } }") == {
        "data": {"me": {"username": "operator"}}
    }


def test_a_terraform_lock_is_held_by_one(client: Client, as_user: Callable[[str], Client]) -> None:
    path = "/projects/evenergi%2Fbf-manage-core/terraform/state/hotfix/lock"
    body = dict.fromkeys(("Operation", "Info", "Who", "Version", "Created", "Path"), "x")
    assert client.post(path, ID="one", **body).json()["Who"] == "operator"
    for identity in ("one", "two"):
        held = client.post(path, ID=identity, **body)
        assert (held.status_code, held.json()["ID"]) == (409, "one")
    assert client.send("DELETE", path, params={"ID": "two"}).status_code == 409
    assert client.send("DELETE", path, params={"ID": "one"}).status_code == 200
    assert client.send("DELETE", path, params={"ID": "one"}).status_code == 409
    assert client.post(path, ID="two", **body).status_code == 200
    assert client.send("DELETE", path).status_code == 200
    assert as_user("author").post(path, ID="x", **body).status_code == 403


def test_of_a_terraform_lock_gitlab_keeps_id_user_and_time_alone(client: Client) -> None:
    path = "/projects/evenergi%2Fbf-manage-core/terraform/state/hotfix/lock"
    body = {"Operation": "apply", "Who": "me", "Version": "1", "Created": "now", "Path": ""}
    client.post(path, ID="one", Info="the holder's", **body)

    held = client.post(path, ID="two", Info="the caller's", **body).json()

    assert held == {
        **body,
        "ID": "one",
        "Info": "the caller's",
        "Who": "operator",
        "Created": "2026-11-22T12:00:00.000Z",
    }
    assert client.post(path, ID="x" * 256, Info="", **body).status_code == 400


def test_terraform_states_are_told_with_who_holds_them(
    client: Client, as_user: Callable[[str], Client]
) -> None:
    base = "/projects/evenergi%2Fbf-manage-core/terraform/state"
    body = dict.fromkeys(("Operation", "Info", "Who", "Version", "Created", "Path"), "x")
    for name in ("held", "free"):
        client.post(f"{base}/{name}/lock", ID=name, **body)
    client.send("DELETE", f"{base}/free/lock")
    query = """{ project(fullPath: "evenergi/bf-manage-core") {
        terraformStates { nodes { name lockedAt lockedByUser { username } } } } }"""

    seen = client.graphql(query)["data"]["project"]["terraformStates"]["nodes"]

    assert [(each["name"], bool(each["lockedAt"])) for each in seen] == [
        ("held", True),
        ("free", False),
    ]
    assert seen[0]["lockedByUser"] == {"username": "operator"}
    hidden = as_user("reader").graphql(query)["data"]["project"]["terraformStates"]
    assert hidden == {"nodes": []}
