"""Whether a file, blank space apart, is spelled as this tool spells it.

Digests are over canonical JSON, so they do not see a character written as an escape or ``5.0`` made
``5.00``. Such a change means the same, but nobody who keeps evidence makes it by accident.
"""

from __future__ import annotations

import json
import re
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)


def respelled(data: bytes, document: Mapping[str, object]) -> tuple[int, str] | None:
    """Return the line and the text of the first token that is spelled in another way, or None."""
    expected = json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass")
    pairs = zip_longest(_TOKEN.finditer(data), _TOKEN.findall(expected))
    for found, token in pairs:
        if found is None:
            return data.count(b"\n") + 1, ""
        if found[0] != token:
            line = data.count(b"\n", 0, found.start()) + 1
            return line, found[0].decode("utf-8", "replace")
    return None
