"""What the doctor found in GitLab's Markdown, for a merge request or the incident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.markdown import code
from hotfix.views.escape import link
from hotfix.views.words import DOCTOR_HEADINGS, doctor_next, doctor_verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.doctor.model import Check, Examination

_LONGEST: Final = 600


def doctor_markdown(found: Examination, onward: str) -> str:
    """Write what was found: what to mend, what was not seen, and folded what is fine."""
    return "\n".join(_report(found, onward)) + "\n"


def _report(found: Examination, onward: str) -> Iterator[str]:
    yield f"**{code(found.question)}** {code(found.advice, _LONGEST)}"
    yield ""
    word = "Would be stopped." if found.stops else "Nothing seen."
    yield f"**{word}** {code(doctor_verdict(found), _LONGEST)}"
    yield ""
    for outcome, heading in DOCTOR_HEADINGS.items():
        lines = [line for check in found.of(outcome) for line in _lines(check, found.again)]
        if lines and outcome == "passed":
            lines = [f"<details><summary>{heading}</summary>", "", *lines, "", "</details>"]
        elif lines:
            lines = [f"{heading}:", "", *lines]
        yield from [*lines, ""] if lines else []
    yield code(f"Looked at {found.at} by {found.by} on {found.gitlab}; nothing was changed.", 400)
    yield ""
    yield code(doctor_next(found, onward), _LONGEST)


def _lines(check: Check, again: str) -> Iterator[str]:
    where = f" {code(check.target)}" if check.target else ""
    yield f"- {code(check.id)}{where}: {code(check.message, _LONGEST)}"
    if check.hint:
        yield f"  - {code(check.hint, _LONGEST)}"
    if check.look_at:
        yield f"  - {link(check.look_at, check.look_at)}"
    if check.command and check.command != again:
        yield f"  - {code(check.command, _LONGEST)}"
