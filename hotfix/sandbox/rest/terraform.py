"""Routes: the lock of a Terraform state, which any tool can hold.

``lib/api/terraform/state.rb``: locking a locked state answers 409, even to the holder, with the
holder's ``ID``, ``Who`` and ``Created``; the other keys are the caller's own words given back, for
GitLab keeps no more than these three. Unlocking without an ``ID`` breaks anybody's lock.
"""

from __future__ import annotations

from hotfix.sandbox.entities.common import moment
from hotfix.sandbox.projects import StateLock
from hotfix.sandbox.refusals import Refusal, invalid
from hotfix.sandbox.rest.calls import Answer, Call
from hotfix.sandbox.rest.routing import Result, route
from hotfix.sandbox.users import MAINTAINER

FIELDS = ("ID", "Operation", "Info", "Who", "Version", "Created", "Path")
_LOCK = "/projects/<project>/terraform/state/<name>/lock"
_LONGEST_ID = 255


@route("POST", _LOCK, level=MAINTAINER)
def lock(call: Call) -> Result:
    """Take the lock; 409 and the holder where it is held."""
    given = {name: _needed(call, name) for name in FIELDS}
    if len(given["ID"]) > _LONGEST_ID:
        raise invalid("ID", f"must be less than {_LONGEST_ID} characters")
    states, name = call.project.terraform_states, call.segments["name"]
    held = states.get(name)
    is_free = held is None
    if held is None:
        # GitLab does not believe the client about who and when.
        held = StateLock(given["ID"], call.user, call.world.clock.now())
        states[name] = held
    told = {"ID": held.id, "Who": held.user.username, "Created": moment(held.since)}
    return Answer(given | told, 200 if is_free else 409)


@route("DELETE", _LOCK, level=MAINTAINER)
def unlock(call: Call) -> Result:
    """Give the lock back, or break it; an ``ID`` that is not the holder's is a conflict."""
    states, name, number = call.project.terraform_states, call.segments["name"], call.text("ID")
    held = states.get(name)
    if number and (held is None or number != held.id):
        raise Refusal(409, {"message": "409 Conflict"})
    states[name] = None
    return Answer({})


def _needed(call: Call, name: str) -> str:
    """Return a parameter that must be there; of all but the ``ID`` an empty one will do."""
    if name != "ID" and call.params.get(name) == "":
        return ""
    return call.required(name)
