"""Who owns a path by ``CODEOWNERS``, as GitLab reads that file.

GitLab's documentation, "Syntax of CODEOWNERS file" and "Advanced CODEOWNERS configuration": in each
section the last pattern that matches counts, what a section excludes stays excluded there, a
pattern without owners has its section's. Patterns are those of Ruby's ``File.fnmatch`` with dots
and with slashes kept apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import translate
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

CODEOWNERS: Final = ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
"""Where GitLab looks for the file; the first that there is counts."""

_SECTION: Final = re.compile(r"(?P<optional>\^)?\[(?P<name>[^\]]+)\](?:\[\d+\])?(?P<owners>.*)")
_PARTS: Final = re.compile(r"(?:\\.|\S)+")
_OWNER: Final = re.compile(r"@{0,2}[\w.+/-]+(?:@[\w.-]+)?")
_ESCAPED: Final = re.compile(r"\\(.)")
_MOST_LINES: Final = 10_000
_MOST_PARTS: Final = 60


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the file: which paths, and whose they are."""

    pattern: str
    owners: tuple[str, ...]
    excludes: bool = False


@dataclass(slots=True)
class Owners:
    """A file that was read: the entries of each section; the first one has no name."""

    sections: dict[str, list[Entry]] = field(default_factory=dict)

    def of(self, path: str) -> tuple[str, ...]:
        """Return who owns a path, each once, in the order of the sections."""
        found: dict[str, None] = {}
        for entries in self.sections.values():
            found |= dict.fromkeys(_owners(entries, path))
        return tuple(found)


def read_owners(text: str) -> Owners:
    """Read a file; what it says in no form that is known gives a path to nobody."""
    found = Owners({"": []})
    section, default = "", tuple[str, ...]()
    for raw in text.splitlines()[:_MOST_LINES]:
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if heading := _SECTION.fullmatch(line):
            section, default = heading["name"].strip().lower(), _names(heading["owners"])
            found.sections.setdefault(section, [])
            continue
        pattern, *rest = _PARTS.findall(line)
        excludes = pattern.startswith("!")
        owners = _names(" ".join(rest)) or default
        found.sections[section].append(Entry(pattern.removeprefix("!"), owners, excludes))
    return found


def _owners(entries: Sequence[Entry], path: str) -> tuple[str, ...]:
    matching = [entry for entry in entries if _matches(entry.pattern, path)]
    if not matching or any(entry.excludes for entry in matching):
        return ()
    return matching[-1].owners


def _names(text: str) -> tuple[str, ...]:
    """Return the names, roles and addresses in a text; those in a comment count, as in GitLab."""
    return tuple(word for word in text.split() if "@" in word and _OWNER.fullmatch(word))


def _matches(pattern: str, path: str) -> bool:
    parts = tuple(_normal(pattern).strip("/").split("/"))
    return len(parts) <= _MOST_PARTS and _match(parts, tuple(path.split("/")))


def _normal(pattern: str) -> str:
    """Return a pattern from the root: one that begins with no slash matches at any depth."""
    if pattern == "*":
        return "/**/*"
    rooted = pattern if pattern.startswith("/") else f"/**/{pattern}"
    return f"{rooted}**/*" if pattern.endswith("/") else rooted


def _match(parts: tuple[str, ...], names: tuple[str, ...]) -> bool:
    """Match folder by folder; ``**`` stands for any number of them, so all ways are followed."""
    places = {0}
    for place, part in enumerate(parts):
        if part == "**" and place < len(parts) - 1:
            places = set(range(min(places), len(names)))
        else:
            fits = _part(part)
            places = {at + 1 for at in places if at < len(names) and fits.match(names[at])}
        if not places:
            return False
    return len(names) in places


@cache
def _part(part: str) -> re.Pattern[str]:
    """Compile one part of a pattern; an escaped character stands for itself."""
    plain = _ESCAPED.sub(lambda found: f"[{found[1]}]" if found[1] in "*?[" else found[1], part)
    return re.compile(translate(re.sub(r"\*+", "*", plain)))
