"""Cells and links of GitLab's Markdown around text from outside."""

from __future__ import annotations

import re

from hotfix.markdown import code


def cell(text: str, limit: int = 400) -> str:
    """Return the text as inline code for a table, where a bar would end the cell even in code."""
    return code(text, limit).replace("|", "\\|")


def link(text: str, url: str | None) -> str:
    """Return the text as inline code, linked where the URL is one that needs no escaping."""
    if url is None or not re.fullmatch(
        r"https?://[A-Za-z0-9\[\]._:-]+(/[A-Za-z0-9._~/?#=&%+-]*)?", url
    ):
        return code(text)
    return f"[{code(text)}]({url})"
