"""A lock that is a Terraform state's, which GitLab lends to any tool.

GitLab keeps of it the id, the user and the time, so all else that a holder tells stands in the id.
It has no lease: to write it anew it would have to be given back. So it is taken over only where
the run that holds it is known to be gone, on this machine; everywhere else a person breaks it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from hotfix.apply.holder import Holder, stranger
from hotfix.apply.lease import Held
from hotfix.clock import timestamp
from hotfix.forge.protocol import UnknownOutcomeError
from hotfix.forge.state_locks import LONGEST_ID

if TYPE_CHECKING:
    from hotfix.forge.protocol import Forge
    from hotfix.forge.types import StateLock

PREFIX: Final = "hotfix-"
_LOOK: Final = "hotfix looks who holds this lock"
_KEYS: Final = ("id", "host", "place", "process", "hotfix", "plan_digest", "tool_version", "job")
_DIGITS: Final = 16
"""How many digits of the plan's digest are told: there is room for no more."""
_HOST: Final = 40


def state_of(release_branch: str) -> str:
    """Name the Terraform state for a release branch; its name may hold no slash."""
    return PREFIX + release_branch.replace("/", ".")


class StatePlace:
    """A ``Place`` in a project: GitLab's database gives the lock to one."""

    has_lease = False

    def __init__(self, forge: Forge, project: str, state: str) -> None:
        self.name = f"Terraform state {state}"
        self._forge = forge
        self._project = project
        self._state = state

    def look(self) -> Held | None:
        """Tell who holds the lock; ``None`` where it is free.

        GitLab names the holder to those alone who ask for the lock, so it is asked for only where
        it is seen to be held, and given back should it have become free meanwhile.
        """
        if self._state not in self._forge.locked_states(self._project):
            return None
        found = self._forge.lock_state(self._project, self._state, _LOOK, info="")
        if found.is_new:
            self._forge.unlock_state(self._project, self._state, _LOOK)
            return None
        return _held(found)

    def put(self, holder: Holder, over: Held | None) -> Held | None:
        """Free what was seen, where it still stands, and ask for the lock.

        Another run may come in between the two: then it has the lock, and this one has not.
        """
        if over is not None and not self.remove(over.mark):
            return None
        mark = _id_of(holder)
        found = self._ask(mark, f"hotfix {holder.hotfix}, plan {holder.plan_digest}")
        return Held(mark, holder) if found.id == mark else None

    def remove(self, mark: str) -> bool:
        """Free the lock of this id."""
        try:
            return self._forge.unlock_state(self._project, self._state, mark)
        except UnknownOutcomeError:
            found = self.look()
            return found is None or found.mark != mark

    def _ask(self, mark: str, info: str) -> StateLock:
        """Ask for the lock; the same id may be asked for again, so a lost answer is asked for."""
        try:
            return self._forge.lock_state(self._project, self._state, mark, info=info)
        except UnknownOutcomeError:
            return self._forge.lock_state(self._project, self._state, mark, info=info)


def _id_of(holder: Holder) -> str:
    """Write a holder as an id: what does not fit is cut, the page of the job first."""
    digits = holder.plan_digest.partition(":")[2][:_DIGITS]
    short = replace(holder, plan_digest=f"sha256:{digits}", host=holder.host[:_HOST])
    for told in (short, replace(short, job=None), replace(short, job=None, host="")):
        values = [getattr(told, key) for key in _KEYS]
        text = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
        if len(text) <= LONGEST_ID:
            return text
    raise ValueError("a holder's names are bounded")


def _held(found: StateLock) -> Held:
    since = timestamp(found.since)
    try:
        told = dict(zip(_KEYS, json.loads(found.id), strict=True))
        holder = Holder.from_json({**told, "who": found.who, "since": since, "until": None})
    except (ValueError, TypeError):
        holder = stranger(found.id, who=found.who, since=since)
    return Held(found.id, holder)
