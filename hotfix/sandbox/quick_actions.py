"""Quick actions: lines of a text that GitLab carries out and takes away.

A line that begins with ``/`` and a known command is one, in descriptions and in comments, when they
are made and when they are edited, with the rights of whoever wrote the text. Not so inside code
(fenced or inline), quotes and HTML comments, and not with a backslash before the slash. That is why
text from elsewhere must never begin a line of an incident.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Command(NamedTuple):
    """A quick action as written."""

    name: str
    argument: str


COMMANDS: Final = frozenset(
    [
        "assign",
        "close",
        "confidential",
        "due",
        "duplicate",
        "label",
        "labels",
        "lock",
        "move",
        "relabel",
        "remove_due_date",
        "reopen",
        "severity",
        "shrug",
        "spend",
        "subscribe",
        "tableflip",
        "timeline",
        "title",
        "todo",
        "unassign",
        "unlabel",
        "unlock",
        "unsubscribe",
        "zoom",
    ]
)

_PROTECTED: Final = re.compile(
    r"""
    ^(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^(?P=fence)[`~]*[ ]*$|\Z)  # fenced code, closed or not
    | ^>{3}[ ]*\n.*?(?:^>{3}[ ]*$|\Z)                                # a quote between >>> lines
    | <!--.*?-->
    | <pre>.*?</pre>
    | (?P<ticks>`+)[^`\n][^\n]*?(?P=ticks)                           # inline code
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_COMMAND: Final = re.compile(
    r"^/(?P<name>[A-Za-z_]+)(?:[ ]+(?P<argument>[^\n]*))?[ ]*(?:\n|\Z)", re.MULTILINE
)


def extract(text: str) -> tuple[str, list[Command]]:
    """Return what GitLab stores of a text, and the commands it found there."""
    text = text.replace("\r\n", "\n")
    kept, commands, position = [], [], 0
    protected = [match.span() for match in _PROTECTED.finditer(text)]
    for match in _COMMAND.finditer(text):
        name = match["name"].lower()
        inside = any(start <= match.start() < end for start, end in protected)
        if inside or name not in COMMANDS:
            continue
        kept.append(text[position : match.start()])
        position = match.end()
        commands.append(Command(name, (match["argument"] or "").strip()))
    if not commands:
        return text, []
    return "".join([*kept, text[position:]]).strip(), commands
