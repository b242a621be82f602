"""Text from outside in GitLab's Markdown: it is shown, and nothing of it acts.

GitLab Docs, "GitLab Flavored Markdown": inside code there is no HTML, no reference such as ``#1``
or ``!1``, no mention, no emoji, no mathematics; and quick actions are read at the beginning of a
line only. So whatever others wrote is shown as inline code on one line, which never begins one, or
as a block of code.
"""

from __future__ import annotations

import re
from typing import Final

from hotfix.text import one_line, printable

_BACKTICKS: Final = re.compile("`+")


def code(text: str, limit: int = 200) -> str:
    """Return the text as inline code, its fence longer than any run of backquotes in it."""
    line = one_line(text, limit) or "(empty)"
    fence = "`" * (_longest_run(line) + 1)
    edge = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{edge}{line}{edge}{fence}"


def fenced(text: str, language: str = "") -> str:
    """Return lines of foreign text as a block that they cannot leave."""
    lines = [printable(line) for line in text.splitlines()]
    fence = "`" * max(3, _longest_run("\n".join(lines)) + 1)
    return "\n".join([f"{fence}{language}", *lines, fence])


def _longest_run(text: str) -> int:
    return max(map(len, _BACKTICKS.findall(text)), default=0)
