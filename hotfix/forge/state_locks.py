"""The lock of a Terraform state, which GitLab lends to any tool, whether there is a state or not.

A lock that is held answers 409 with its id, its user and its time, even to its holder; the other
keys of that answer are the caller's own. REST tells of a lock in no other way, so what is locked
at all is asked of GraphQL, which changes nothing (GitLab: ``lib/api/terraform/state.rb``,
``app/graphql/types/terraform/state_type.rb``).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from hotfix.forge.answer import Answer
from hotfix.forge.api import route
from hotfix.forge.network import name_request
from hotfix.forge.protocol import ConflictError
from hotfix.forge.types import StateLock

if TYPE_CHECKING:
    from hotfix.forge.api import Api

LONGEST_ID: Final = 255
"""The most characters of a lock's id."""

_READ: Final = """\
query terraformStates($project: ID!, $after: String) {
  project(fullPath: $project) {
    terraformStates(after: $after) {
      nodes { name lockedAt }
      pageInfo { hasNextPage endCursor }
    }
  }
}"""


def locked(api: Api, project: str) -> tuple[str, ...]:
    """List the states that are locked."""
    nodes = api.project_nodes(project, _READ, "terraformStates")
    return tuple(node.text("name") for node in nodes if node.maybe_text("lockedAt"))


def lock(api: Api, project: str, name: str, identity: str, info: str) -> StateLock:
    """Take a lock, or tell who holds it."""
    path = _route(project, name)
    body = {
        "ID": identity,
        "Operation": "hotfix apply",
        "Info": info,
        "Who": "",
        "Version": "",
        "Created": "",
        "Path": "",
    }
    try:
        return api.write("post", path, body, lambda answer: _held(answer, is_new=True))
    except ConflictError as held:
        return _held(_body(held, name_request("post", path)), is_new=False)


def unlock(api: Api, project: str, name: str, identity: str) -> bool:
    """Give a lock back; an id that is not the holder's is a conflict."""
    if not identity:
        raise ValueError("without an id GitLab would break whatever lock there is")
    try:
        api.delete(_route(project, name), {"ID": identity})
    except ConflictError:
        return False
    return True


def _route(project: str, name: str) -> str:
    return route("projects", project, "terraform", "state", name, "lock")


def _held(answer: Answer, *, is_new: bool) -> StateLock:
    return StateLock(
        id=answer.text("ID"),
        who=answer.text("Who"),
        since=answer.time("Created"),
        is_new=is_new,
    )


def _body(held: ConflictError, asked: str) -> Answer:
    try:
        return Answer(asked, json.loads(held.body))
    except ValueError:
        raise held from None
