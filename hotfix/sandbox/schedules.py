"""Schedules of faults: read from text or a file, chosen by name, or random and yet repeatable."""

from __future__ import annotations

import random
import re
from dataclasses import fields, replace
from difflib import get_close_matches
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import yaml

from hotfix.sandbox.faults import TOO_MANY_REQUESTS, Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hotfix.sandbox.faults import When

Schedule = tuple[Fault, ...]

# What a hotfix asks of GitLab, by the short names that the catalogue's are made of.
_READS: Final = {
    "user": "GET /user",
    "project": "GET /projects/:id",
    "merge-request": "GET /projects/:id/merge_requests/:merge_request_iid",
    "environment": "GET /projects/:id/environments/:environment_id",
    "deployments": "GET /projects/:id/deployments",
    "ci-file": "GET /projects/:id/repository/files/:file_path",
    "pipelines": "GET /projects/:id/pipelines",
    "watch": "GET /projects/:id/pipelines/:pipeline_id",
    "bridges": "GET /projects/:id/pipelines/:pipeline_id/bridges",
    "jobs": "GET /projects/:id/pipelines/:pipeline_id/jobs",
    "job": "GET /projects/:id/jobs/:job_id",
    "search": "GET /projects/:id/issues",
    "timeline": "graphql incidentManagementTimelineEvents",
    "fetch": "git fetch",
}
_WRITES: Final = {
    "pipeline": "POST /projects/:id/pipeline",
    "press": "POST /projects/:id/jobs/:job_id/play",
    "incident": "POST /projects/:id/issues",
    "record": "PUT /projects/:id/issues/:issue_iid",
    "event": "graphql timelineEventCreate",
    "lock": "git push refs/hotfix/*",
    "push": "git push refs/heads/*",
}
_LOST: Final = ("reset", "truncated", "502", "html")
"""What happens to any answer."""
_SPOILT: Final = ("garbage", "wrong-json", "login-page")
"""What stands in for an answer that was JSON."""
_REFUSED: Final = ("403", "429", "500")
"""What a request is turned away by, unread."""
_LASTING: Final = ("token-expired", "vanished")
_WORD: Final = r"\S+"
_SENTENCE: Final = re.compile(
    rf"(?P<route>{_WORD}(?: {_WORD}){{1,2}}?)"
    r"(?: #(?P<nth>\d+)(?P<range>-(?P<last>\d*))?)?"
    r"(?: (?P<when>before|after))?"
    r" (?:(?P<status>\d{3})|(?P<kind>[a-z-]+))(?:=(?P<seconds>\d+(?:\.\d+)?))?"
)


def named(name: str) -> Fault:
    """Return a fault of the catalogue; ``ValueError`` with the nearest names where it has none."""
    found = catalogue()
    if name in found:
        return found[name]
    near = get_close_matches(name, found, n=6, cutoff=0) or sorted(found)[:6]
    raise ValueError(f"there is no fault {name!r}; there are {', '.join(near)}, …")


def catalogue() -> Mapping[str, Fault]:
    """List the faults that a hotfix may meet, by names such as ``pipeline-reset-after``.

    Every request that a hotfix makes is lost, refused and spoilt in each way that fits it; a write
    before it takes effect and after.
    """
    return MappingProxyType(dict(_all()))


def random_schedule(seed: int, size: int = 4) -> Schedule:
    """Choose some faults of the catalogue, each for one of the first requests that it fits.

    The same seed gives the same schedule.
    """
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose, nothing secret
    chosen = chance.sample(sorted(catalogue().items()), size)
    return tuple(replace(fault, nth=chance.randint(1, 3)) for _, fault in chosen)


def parse(text: str) -> Fault:
    """Read one fault: a name of the catalogue, or a sentence as ``str(fault)`` writes it.

    A sentence is ``ROUTE [#NTH] [before|after] KIND``: ``POST /projects/:id/pipeline after reset``,
    ``GET /user #2-4 429=1``, ``git push #2 hook-declined``. Raises ``ValueError``.
    """
    words = " ".join(text.split())
    if " " not in words:
        return named(words)
    found = _SENTENCE.fullmatch(words)
    if found is None:
        raise ValueError(
            f"{words!r} is no fault; write ROUTE [#NTH] [before|after] KIND, such as "
            "`POST /projects/:id/pipeline after reset`"
        )
    nth = int(found["nth"] or 1)
    times = 1 if not found["range"] else int(found["last"]) - nth + 1 if found["last"] else None
    status = found["status"]
    return Fault(
        route=found["route"],
        kind="status" if status else _any(found["kind"]),
        nth=nth,
        times=times,
        when=_any(found["when"] or "before"),
        status=int(status) if status else None,
        seconds=float(found["seconds"] or 0),
    )


def load(text: str) -> Schedule:
    """Read a schedule in YAML: a list of sentences, names, or mappings of a fault's own fields.

    Raises ``ValueError`` naming the entry.
    """
    try:
        entries = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both loaders are safe
    except yaml.YAMLError as error:
        raise ValueError(f"it is no YAML: {error}") from error
    if not isinstance(entries, list):
        raise ValueError("it is no list of faults")  # noqa: TRY004 - what the file says is wrong
    return tuple(_entry(number, entry) for number, entry in enumerate(entries, start=1))


def _entry(number: int, entry: object) -> Fault:
    try:
        if isinstance(entry, str):
            return parse(entry)
        if isinstance(entry, dict):
            return _from_mapping(entry)
    except (TypeError, ValueError) as error:
        raise ValueError(f"entry {number}: {error}") from error
    raise ValueError(f"entry {number} is neither a sentence nor a mapping")


def _from_mapping(entry: dict[str, Any]) -> Fault:
    known = {each.name for each in fields(Fault)}
    if unknown := entry.keys() - known:
        raise ValueError(f"unknown: {', '.join(sorted(map(str, unknown)))}; known: {sorted(known)}")
    if isinstance(entry.get("body"), str):
        entry = {**entry, "body": entry["body"].encode()}
    return Fault(**entry)


def _any(word: str) -> Any:  # noqa: ANN401 - one of a Literal's words, or Fault refuses it
    return word


def _all() -> Iterator[tuple[str, Fault]]:
    for name, route in _READS.items():
        spoilt = () if name == "fetch" else _SPOILT
        for kind in (*_LOST, *spoilt, *_REFUSED):
            yield f"{name}-{kind}", _fault(route, kind, "before")
    for name, route in _WRITES.items():
        is_git = route.startswith("git")
        for kind in (*(k for k in _LOST if k != "truncated"), *_REFUSED):
            yield f"{name}-{kind}-before", _fault(route, kind, "before")
        for kind in (*_LOST, *(("garbage",) if is_git else _SPOILT)):
            yield f"{name}-{kind}-after", _fault(route, kind, "after")
    yield "push-hook-declined", _fault(_WRITES["push"], "hook-declined", "before")
    yield "watch-slow", replace(_fault(_READS["watch"], "slow", "before"), seconds=0.2)
    for name, kind in product(("watch", "bridges", "jobs"), _LASTING):
        yield f"{name}-{kind}", _fault(_READS[name], kind, "before")
    for name in _WRITES:
        yield f"{name}-token-expired-before", _fault(_WRITES[name], "token-expired", "before")
        yield f"{name}-token-expired-after", _fault(_WRITES[name], "token-expired", "after")


def _fault(route: str, kind: str, when: When) -> Fault:
    if not kind.isdecimal():
        return Fault(route, _any(kind), when=when)
    seconds = 1.0 if int(kind) == TOO_MANY_REQUESTS else 0.0
    return Fault(route, "status", when=when, status=int(kind), seconds=seconds)
