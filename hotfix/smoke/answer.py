"""Whether an HTTP answer is what a smoke check expects; the first thing that is not, as a line."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hotfix.identifiers import short
from hotfix.smoke.result import extract, shown
from hotfix.smoke.subset import difference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hotfix.spec.model import HttpCheck

MAX_BODY: Final = 1024 * 1024
"""How much of a body is read: a health page is small, and an endless one must end."""

_COMMIT: Final = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; a body that is longer than ``MAX_BODY`` is cut off there."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool
    latency_ms: int

    def header(self, name: str) -> str:
        """Return a header's value, whatever the case of its name; nothing where it is not there."""
        return next(
            (value for each, value in self.headers.items() if each.lower() == name.lower()), ""
        )


def complaint_about(answer: Answer, check: HttpCheck, deployed: str) -> str:
    """Return the first thing that is not as expected, or nothing.

    ``deployed`` is the commit that production shall run, for a check that asks for it.
    """
    if answer.status != check.status:
        location = answer.header("Location")
        target = f" to {shown(location)}" if location else ""
        return f"HTTP {answer.status}{target}, expected {check.status}"
    for name, expected in check.answer_headers.items():
        if expected.lower() not in answer.header(name).lower():
            found = shown(answer.header(name)) if answer.header(name) else "not there"
            return f"the header {name} is {found}, expected {shown(expected)} in it"
    if check.max_latency is not None and answer.latency_ms > check.max_latency:
        return f"it took {answer.latency_ms} ms, expected at most {check.max_latency}"
    if check.looks_into_json or check.contains is not None:
        return _body_complaint(answer, check, deployed)
    return ""


def _body_complaint(answer: Answer, check: HttpCheck, deployed: str) -> str:
    encoding = answer.header("Content-Encoding").strip()
    if encoding.lower() not in {"", "identity"}:
        return f"the body is encoded as {shown(encoding)}, expected it plain"
    if check.contains is not None and check.contains.encode() not in answer.body:
        return f"the body does not contain {shown(check.contains)}{_cut(answer)}"
    if not check.looks_into_json:
        return ""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return f"the body is no JSON{_cut(answer)}, expected an object"
    return _json_complaint(found, check, deployed)


def _json_complaint(found: object, check: HttpCheck, deployed: str) -> str:
    if check.json_subset is not None and (said := difference(found, check.json_subset)):
        return said
    for expression, expected in check.jmespath.items():
        value, said = _searched(expression, found)
        if said := said or difference(value, expected):
            return f"{shown(expression)}: {said}"
    if check.commit is None:
        return ""
    commit, said = commit_at(check.commit, found)
    if commit is not None and not deployed.startswith(commit):
        return f"it runs {short(commit)}, expected {short(deployed)}"
    return "" if commit else said


def commit_at(expression: str, found: object) -> tuple[str | None, str]:
    """Return the commit id that stands somewhere in a JSON value, or why there is none."""
    value, said = _searched(expression, found)
    commit = value.strip().lower() if isinstance(value, str) else ""
    if not said and _COMMIT.fullmatch(commit):
        return commit, f"it says {commit}"
    seen = "nothing" if value is None else shown(extract(str(value).encode("utf-8", "replace")))
    return None, f"at {shown(expression)} it says {said or seen}, expected a commit id"


def _searched(expression: str, found: object) -> tuple[object, str]:
    """Return what an expression gives, or why it gives nothing."""
    import jmespath  # noqa: PLC0415  (most checks have none)

    try:
        return jmespath.search(expression, found), ""
    except (jmespath.exceptions.JMESPathError, RecursionError, TypeError, ValueError) as error:
        return None, shown(error)


def _cut(answer: Answer) -> str:
    return "" if answer.complete else f" (its first {MAX_BODY} bytes were read)"
