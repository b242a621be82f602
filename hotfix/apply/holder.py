"""Who holds a lock: a run, on a machine, told so that another one can judge it dead."""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hotfix.clock import timestamp

if TYPE_CHECKING:
    from hotfix.clock import Clock

UNKNOWN: Final = "somebody whose record cannot be read"

_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, as the lock itself tells; an empty text is what it does not tell."""

    id: str
    """Names this one hold, whatever is renewed in it."""
    who: str
    host: str
    place: str | None
    process: str
    since: str
    until: str | None
    """When the lease runs out; None where the lock has none."""
    hotfix: str
    plan_digest: str
    tool_version: str
    job: str | None
    """The page of the CI job that the run is, if it is one."""

    @classmethod
    def from_json(cls, told: Any) -> Holder:  # noqa: ANN401  (any JSON value)
        """Read a holder; raises ``ValueError`` for what is none."""
        try:
            known = {each.name: told[each.name] for each in fields(cls)}
            maybe = (known["place"], known["until"], known["job"])
            texts = [value for key, value in known.items() if key not in _MAYBE]
            if not all(isinstance(value, str) for value in [*texts, *filter(None, maybe)]):
                raise ValueError("a holder is made of texts")
            datetime.fromisoformat(known["until"] or known["since"])
        except (TypeError, KeyError) as error:
            raise ValueError("no holder") from error
        return cls(**known)


_MAYBE: Final = frozenset({"place", "until", "job"})


def myself(
    clock: Clock, *, who: str, hotfix: str, plan_digest: str, tool_version: str, job: str | None
) -> Holder:
    """Describe this run as the holder of a lock; each time it is another hold."""
    return Holder(
        id=secrets.token_hex(8),
        who=who,
        host=host(),
        place=place(),
        process=process(),
        since=timestamp(clock.now()),
        until=None,
        hotfix=hotfix,
        plan_digest=plan_digest,
        tool_version=tool_version,
        job=job,
    )


def stranger(mark: str, *, who: str = UNKNOWN, since: str = "") -> Holder:
    """Tell what there is to tell of a lock that no run of this version took."""
    return Holder(
        id=mark,
        who=who,
        host="",
        place=None,
        process="",
        since=since,
        until=None,
        hotfix="",
        plan_digest="",
        tool_version="",
        job=None,
    )


def why_dead(found: Holder, clock: Clock) -> str | None:
    """Tell how a holder is known to be dead; None for one that may be alive.

    Where it runs on this very machine its process decides, however old its lease is: it may have
    slept. Elsewhere the lease does, and a lock without one is never known to be dead.
    """
    if found.place is not None and found.place == place():
        return None if is_alive(found.process) else "its process is gone"
    if found.until is not None and datetime.fromisoformat(found.until) < clock.now():
        return f"its lease ran out at {found.until}"
    return None


def why_alive(found: Holder, clock: Clock) -> str | None:
    """Tell how a holder is known to be alive; None where nothing tells."""
    if found.place is not None and found.place == place() and is_alive(found.process):
        return "its process runs on this machine"
    if found.until is not None and why_dead(found, clock) is None:
        return f"its lease runs until {found.until}"
    return None


def host() -> str:
    """Name this machine as people call it."""
    return platform.node() or "unknown"


def place() -> str | None:
    """Identify this boot of this machine and its process namespace, ``None`` where unknown.

    Only within one place do process numbers mean the same, so only there can a run be known dead.
    """
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = (_PROC / "self/ns/pid").readlink()
    except OSError:
        return None
    return hashlib.sha256(f"{boot} {namespace}".encode()).hexdigest()[:16]


def process() -> str:
    """Identify this process: its number and when it started, since numbers come again."""
    return f"{os.getpid()}:{_started(os.getpid())}"


def is_alive(named: str) -> bool:
    """Tell whether a process of this place still runs."""
    number, _, started = named.partition(":")
    return number.isdecimal() and _started(int(number)) == started != ""


def _started(number: int) -> str:
    try:
        stat = (_PROC / str(number) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The command's name stands in brackets and may hold anything; field 22 counts from behind it.
    return stat.rpartition(")")[2].split()[19]
