"""What the doctor found in GitLab's Markdown, for a merge request or the incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.markdown import code
from hotfix.views.doctor_text import HEADINGS, next_step, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.doctor.model import Check, Examination

_LONGEST = 600


def doctor_markdown(found: Examination, onward: str) -> str:
    """Write what was found; whatever stands in it, nothing of it links or acts."""
    lines = [f"**{found.question}** {found.advice}", "", f"**{code(verdict(found))}**"]
    for outcome, heading in HEADINGS.items():
        checks = found.of(outcome)
        if checks:
            lines += ["", f"### {heading}", ""]
            lines += [line for check in checks for line in _lines(check)]
    said = f"Looked at {found.at} by {found.by} on {found.gitlab}; nothing was changed."
    lines += ["", code(said, _LONGEST), "", code(next_step(found, onward), _LONGEST)]
    return "\n".join(lines) + "\n"


def _lines(check: Check) -> Iterator[str]:
    where = f" {code(check.target)}" if check.target else ""
    yield f"- {code(check.id)}{where}: {code(check.message, _LONGEST)}"
    for told in (check.hint, check.look_at, check.command):
        if told:
            yield f"  - {code(told, _LONGEST)}"
