"""Commit messages: their characters, their trailers, the picks that they record."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from hotfix.identifiers import Sha

if TYPE_CHECKING:
    from collections.abc import Sequence

# Git writes `cherry picked`; GitLab's button has been seen to write it with a hyphen.
_PICKED = re.compile(r"^\(cherry[- ]picked from commit ([0-9a-f]{40})\)$", re.MULTILINE)
_TRAILER = re.compile(r"^([A-Za-z0-9][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*)$")
_GENERATED = re.compile(r"^(Signed-off-by: |\(cherry[- ]picked from commit )")
_ENOUGH = 4  # one line in four, as git-interpret-trailers(1) counts


def find_trailers(message: str) -> dict[str, tuple[str, ...]]:
    """Return the trailers of the last paragraph, each key with its values in order.

    The rule of git-interpret-trailers(1): all lines of the last paragraph are trailers, or one
    in four is and Git itself wrote one of them. The title is never taken for one.
    """
    paragraphs = re.split(r"\n[ \t]*\n", message.strip("\n"))
    if len(paragraphs) < 2:  # noqa: PLR2004 - a title and something below it
        return {}
    lines = _unfold(paragraphs[-1].split("\n"))
    found = [match for match in map(_TRAILER.match, lines) if match]
    others = [line for line in lines if not _TRAILER.match(line) and not _PICKED.match(line)]
    generated = any(_GENERATED.match(line) for line in lines)
    if others and not (generated and len(lines) - len(others) >= len(lines) / _ENOUGH):
        return {}
    trailers: dict[str, tuple[str, ...]] = {}
    for match in found:
        trailers[match[1]] = (*trailers.get(match[1], ()), match[2].strip())
    return trailers


def find_picked_from(message: str) -> tuple[Sha, ...]:
    """Return the commits that this one says it was picked from, in the order of its lines."""
    return tuple(Sha(found) for found in _PICKED.findall(message))


def with_lines(message: bytes, lines: Sequence[str], encoding: bytes | None = None) -> bytes:
    """Return a message without its trailing newlines, a blank line, these lines, one newline."""
    charset = _codec(encoding)
    added = [line.encode(charset, "replace") for line in lines]
    return message.rstrip(b"\n") + b"\n\n" + b"\n".join(added) + b"\n"


def decode(data: bytes, encoding: bytes | None) -> str:
    r"""Return the text of a commit; what its encoding does not know is shown as ``\xNN``."""
    return data.decode(_codec(encoding), "backslashreplace")


def _codec(encoding: bytes | None) -> str:
    name = (encoding or b"utf-8").decode("ascii", "replace")
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return "utf-8"
    # Python's own text transforms (rot13, idna, ...) are no character sets of Git.
    return found.name if found._is_text_encoding else "utf-8"  # noqa: SLF001 - the only mark there is


def _unfold(lines: list[str]) -> list[str]:
    unfolded: list[str] = []
    for line in lines:
        if line[:1] in {" ", "\t"} and unfolded:
            unfolded[-1] += " " + line.strip()
        else:
            unfolded.append(line)
    return unfolded
