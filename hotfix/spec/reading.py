"""Bytes to text: what a file must be before anybody reads YAML in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hotfix.errors import InputError
from hotfix.spec.problem import Mark, Problem, Source, SpecError
from hotfix.spec.tree import MAX_BYTES
from hotfix.text import one_line

if TYPE_CHECKING:
    from pathlib import Path

# YAML 1.2, section 5.1, less the breaks of YAML 1.1 that editors do not count as lines, and less
# what turns the reading direction: a reviewer must see what the program reads.
_UNWANTED: Final = (
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd"
    "\U00010000-\U0010ffff]"
)
_UNWANTED_ASCII: Final = r"[^\t\n\r\x20-\x7e]"
"""The same of a text that has nothing else: compiled in no time, the other takes 10 ms."""


def read(path: Path) -> Source:
    """Return the text of a file.

    Raises ``SpecError`` for what is no UTF-8, begins with a byte order mark, holds control
    characters or is larger than 1 MiB, and ``InputError`` where the file cannot be read at all.
    """
    name = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(
            "unreadable-file",
            f"{one_line(name, 1000)} cannot be read: {error.strerror}",
            hint="Name a spec, such as `plans/<id>/hotfix.yaml`.",
        ) from error
    text = data.decode("utf-8", "replace")
    source = Source(name, text)
    problem = _unfit(source, data)
    if problem is not None:
        raise SpecError([problem])
    return source


def _unfit(source: Source, data: bytes) -> Problem | None:
    if len(data) > MAX_BYTES:
        return Source(source.file, "").problem(
            Mark(1, 1), None, "the file is larger than 1 MiB", "A spec is a page long; shorten it."
        )
    if data.startswith(b"\xef\xbb\xbf"):
        message = "the file begins with a byte order mark"
        return source.problem(Mark(1, 1), None, message, "Save it as UTF-8 without one.")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        place = _place(data[: error.start].decode("utf-8"))
        return source.problem(place, None, "the file is not UTF-8", "Save it as UTF-8.")
    unwanted = _UNWANTED_ASCII if source.text.isascii() else _UNWANTED
    found = re.search(unwanted, source.text)
    if found is None:
        return None
    return source.problem(
        _place(source.text[: found.start()]),
        None,
        f"the character U+{ord(found[0]):04X} stands here",
        "Take it out.",
    )


def _place(before: str) -> Mark:
    lines = re.split(r"\r\n|\r|\n", before)
    return Mark(len(lines), len(lines[-1]) + 1)
