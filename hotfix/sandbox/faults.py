"""Faults on request: what a network and a busy server do to a client at the worst moment."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

When = Literal["before", "after"]


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong.

    ``after`` means that the request has taken effect and only its answer is spoilt or lost: the
    case in which a client must look before it does anything again.
    """

    method: str
    path: re.Pattern[str]
    occurrence: int
    times: int
    when: When
    status: int | None
    body: bytes
    headers: Mapping[str, str]
    reset: bool
    delay: float
    seen: int = 0
    """How many requests have matched so far."""

    def strikes(self) -> bool:
        """Tell whether it happens to the request that matched last."""
        return self.occurrence <= self.seen < self.occurrence + self.times


@dataclass(slots=True)
class Faults:
    """The faults that are waiting for their requests."""

    planned: list[Fault] = field(default_factory=list)

    def add(  # noqa: PLR0913 - one keyword for each thing that can go wrong
        self,
        method: str,
        path: str,
        *,
        occurrence: int = 1,
        times: int = 1,
        when: When = "before",
        status: int | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        reset: bool = False,
        delay: float = 0.0,
    ) -> Fault:
        """Plan a fault for requests whose decoded path and query contain the pattern ``path``.

        From the ``occurrence``-th matching request on, ``times`` times: an answer of ``status``, a
        connection reset, or a ``delay`` in seconds. A 429 carries ``Retry-After: 0`` unless said
        otherwise; ``*`` stands for every method.
        """
        given = dict(headers or {})
        if status == 429:  # noqa: PLR2004 - Too Many Requests
            given.setdefault("Retry-After", "0")
            body = body or b"Retry later\n"
        fault = Fault(
            method=method,
            path=re.compile(path),
            occurrence=occurrence,
            times=times,
            when=when,
            status=status,
            body=body,
            headers=given,
            reset=reset,
            delay=delay,
        )
        self.planned.append(fault)
        return fault

    def clear(self) -> None:
        """Forget all that is planned."""
        self.planned.clear()

    def striking(self, method: str, target: str) -> list[Fault]:
        """Count a request, and return the faults that happen to it."""
        path = unquote(target)
        matching = [
            fault
            for fault in self.planned
            if fault.method in ("*", method) and fault.path.search(path)
        ]
        for fault in matching:
            fault.seen += 1
        return [fault for fault in matching if fault.strikes()]
