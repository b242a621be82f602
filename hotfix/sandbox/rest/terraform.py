"""Routes: the lock of a Terraform state, which any tool can hold.

``lib/api/terraform/state.rb``: locking a locked state answers 409 with the holder, even to the
holder; unlocking without an ``ID`` breaks anybody's lock.
"""

from __future__ import annotations

from hotfix.sandbox.entities.common import moment
from hotfix.sandbox.refusals import Refusal
from hotfix.sandbox.rest.calls import Answer, Call
from hotfix.sandbox.rest.routing import Result, route
from hotfix.sandbox.users import MAINTAINER

FIELDS = ("ID", "Operation", "Info", "Who", "Version", "Created", "Path")
_LOCK = "/projects/<project>/terraform/state/<name>/lock"


@route("POST", _LOCK, level=MAINTAINER)
def lock(call: Call) -> Result:
    """Take the lock; 409 and the holder's words where it is held."""
    given = {name: call.required(name) if name == "ID" else call.text(name) for name in FIELDS}
    locks, name = call.project.terraform_locks, call.segments["name"]
    if name in locks:
        return Answer(locks[name], 409)
    # GitLab does not believe the client about who and when.
    locks[name] = given | {
        "Who": call.user.username,
        "Created": moment(call.world.clock.now()),
    }
    return Answer(locks[name])


@route("DELETE", _LOCK, level=MAINTAINER)
def unlock(call: Call) -> Result:
    """Give the lock back, or break it."""
    locks, name, number = call.project.terraform_locks, call.segments["name"], call.text("ID")
    held = locks.get(name)
    if held is not None and number not in ("", held["ID"]):
        raise Refusal(409, {"message": "409 Conflict"})
    locks.pop(name, None)
    return Answer({})
