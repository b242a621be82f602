"""Text from outside in GitLab's Markdown: it is shown, and nothing of it acts.

GitLab Docs, "GitLab Flavored Markdown": inside inline code there is no HTML, no reference such as
``#1`` or ``!1``, no mention, no emoji, no mathematics; and quick actions are read at the beginning
of a line only. So whatever others wrote is shown as inline code on one line, and never begins one.
"""

from __future__ import annotations

import re

from hotfix.text import one_line


def escape(text: str, limit: int = 200) -> str:
    """Return the text as inline code, its fence longer than any run of backquotes in it."""
    line = one_line(text, limit) or "(empty)"
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    edge = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{edge}{line}{edge}{fence}"


def cell(text: str, limit: int = 400) -> str:
    """Return the text as inline code for a table, where a bar would end the cell even in code."""
    return escape(text, limit).replace("|", "\\|")


def link(text: str, url: str | None) -> str:
    """Return the text as inline code, linked where the URL is one that needs no escaping."""
    if url is None or not re.fullmatch(
        r"https?://[A-Za-z0-9\[\]._:-]+(/[A-Za-z0-9._~/?#=&%+-]*)?", url
    ):
        return escape(text)
    return f"[{escape(text)}]({url})"
