"""Faults on request: what a network and a busy server do to a client at the worst moment.

A fault is a value that reads as a sentence, a schedule is a list of them, and every one that struck
is told afterwards. ``schedules`` reads them from text and makes random ones; ``spoiling`` knows
what the client then gets.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, get_args

from hotfix.sandbox.fault_routes import matcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hotfix.sandbox.fault_routes import Asked, Matcher
    from hotfix.sandbox.users import Token

When = Literal["before", "after"]
Kind = Literal[
    "status",
    "reset",
    "slow",
    "truncated",
    "garbage",
    "wrong-json",
    "html",
    "login-page",
    "token-expired",
    "vanished",
    "hook-declined",
]
KINDS: Final[tuple[str, ...]] = get_args(Kind)
TOO_MANY_REQUESTS: Final = 429


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    ``after`` means that the request has taken effect and only its answer is spoilt or lost: the
    case in which a client must look before it does anything again. ``token-expired`` and
    ``vanished`` last: the token is refused, the thing is not found, until they are mended.
    """

    route: str
    """``POST /projects/:id/pipeline`` as GitLab's documentation writes it, ``git push``,
    ``git fetch`` or ``graphql NAME``; see ``fault_routes``."""
    kind: Kind
    nth: int = 1
    """The first matching request that it happens to."""
    times: int | None = 1
    """To how many from then on; ``None`` is for ever."""
    when: When = "before"
    status: int | None = None
    seconds: float = 0.0
    """How long the answer takes; of a 429 what ``Retry-After`` says."""
    body: bytes | None = None
    """What is answered instead of what GitLab would say."""
    location: str | None = None
    """Where a redirect leads."""

    def __post_init__(self) -> None:
        matcher(self.route)
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no kind of fault; there are {', '.join(KINDS)}")
        if (self.kind == "status") != (self.status is not None):
            raise ValueError("a status belongs to the kind `status`, and to no other")
        if self.status is not None and not 200 <= self.status < 600:  # noqa: PLR2004 - HTTP's answers
            raise ValueError(f"{self.status} is no status of an answer, 200 to 599")
        if self.nth < 1 or (self.times is not None and self.times < 1) or self.seconds < 0:
            raise ValueError("requests are counted from 1, and nothing takes less than no time")
        if self.kind == "hook-declined" and (self.when, self.route[:8]) != ("before", "git push"):
            raise ValueError("a hook declines a `git push`, and before it takes effect")

    def strikes(self, number: int) -> bool:
        """Tell whether it happens to the matching request of this number, counted from 1."""
        return number >= self.nth and (self.times is None or number < self.nth + self.times)

    def __str__(self) -> str:
        """Write it as ``schedules.parse`` reads it."""
        last = "" if self.times is None else str(self.nth + self.times - 1)
        place = f"#{self.nth}" if self.times == 1 else f"#{self.nth}-{last}"
        what = self.kind if self.status is None else str(self.status)
        return f"{self.route} {place} {self.when} {what}" + (
            f"={self.seconds:g}" if self.seconds else ""
        )


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that happened, and the request that it happened to."""

    fault: Fault
    method: str
    path: str


@dataclass(slots=True)
class _Waiting:
    fault: Fault
    matches: Matcher
    seen: int = 0

    def strikes(self, asked: Asked) -> bool:
        if not self.matches(asked):
            return False
        self.seen += 1
        return self.fault.strikes(self.seen)


@dataclass(slots=True)
class Faults:
    """The faults that are waiting for their requests, and those that struck."""

    struck: list[Strike] = field(default_factory=list)
    _waiting: list[_Waiting] = field(default_factory=list)
    _expired: set[Token] = field(default_factory=set)
    _gone: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def planned(self) -> tuple[Fault, ...]:
        """All that was planned, struck or not."""
        return tuple(each.fault for each in self._waiting)

    def plan(self, faults: Iterable[Fault]) -> None:
        """Add a schedule; each fault counts its own matching requests from now on."""
        self._waiting += [_Waiting(fault, matcher(fault.route)) for fault in faults]

    def add(  # noqa: PLR0913 - one keyword for each thing that can go wrong
        self,
        method: str,
        pattern: str,
        *,
        occurrence: int = 1,
        times: int = 1,
        when: When = "before",
        status: int | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        reset: bool = False,
        delay: float = 0.0,
    ) -> None:
        """Plan one by a pattern that the decoded path and query contain, for a test's own need."""
        kind: Kind = "reset" if reset else "slow" if status is None else "status"
        route = f"{method} ~{pattern}"
        where = (headers or {}).get("Location")
        self.plan([Fault(route, kind, occurrence, times, when, status, delay, body, where)])

    def clear(self) -> None:
        """Forget all that is planned, and mend what lasts; what struck is still told."""
        self._waiting.clear()
        self.mend()

    def mend(self) -> bool:
        """End what lasts: the token is renewed, what vanished is back; tells if there was any."""
        lasted = bool(self._expired or self._gone)
        self._expired.clear()
        self._gone.clear()
        return lasted

    def strike(self, asked: Asked) -> list[Fault]:
        """Count a request, and return the faults that happen to it."""
        with self._lock:
            found = [each.fault for each in self._waiting if each.strikes(asked)]
            self.struck += [Strike(fault, asked.method, asked.path) for fault in found]
        return found

    # what lasts
    def expire(self, token: Token | None) -> None:
        """Refuse a token from now on."""
        if token is not None:
            self._expired.add(token)

    def is_expired(self, token: Token) -> bool:
        """Tell whether a token is refused."""
        return token in self._expired

    def vanish(self, path: str) -> None:
        """Let the thing at a path be gone, with all that lies below it."""
        self._gone.add(path)

    def is_gone(self, path: str) -> bool:
        """Tell whether a path is of something that vanished."""
        return any(path == gone or path.startswith(f"{gone}/") for gone in self._gone)
