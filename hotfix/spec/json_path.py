"""The way to one value of a JSON document, in JMESPath's own words for it.

Names with dots between them, places of a list in brackets: ``git.sha``, ``apps[0].commit``,
``"git.commit".id``. That much of JMESPath means the same to everybody who reads a spec; filters and
functions would be a program in it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = r'(?:[A-Za-z_][A-Za-z0-9_]*|"[^"\\\\\u0000-\u001f]+")'
JSON_PATH_PATTERN = rf"^{_NAME}(?:\.{_NAME}|\[[0-9]{{1,4}}\])*$"
_STEP = re.compile(rf"{_NAME}|[0-9]+(?=\])")


def value_at(document: object, path: str) -> object:
    """Return the value that a path leads to; ``None`` where it leads nowhere."""
    found = document
    for step in _steps(path):
        if isinstance(step, int):
            in_list = isinstance(found, list) and step < len(found)
            found = found[step] if isinstance(found, list) and in_list else None
        else:
            found = found.get(step) if isinstance(found, dict) else None
    return found


def _steps(path: str) -> Iterator[str | int]:
    for step in _STEP.findall(path):
        if step.isdecimal():
            yield int(step)
        else:
            yield json.loads(step) if step.startswith('"') else step
