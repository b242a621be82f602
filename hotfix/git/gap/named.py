"""Files and modules that added lines name by their paths, whatever the language."""

from __future__ import annotations

import re
from itertools import takewhile
from posixpath import dirname, join, normpath, splitext
from typing import TYPE_CHECKING, Final, NamedTuple

from hotfix.git.gap.model import Gap, Use
from hotfix.git.gap.sources import PYTHON, family
from hotfix.git.gap.words import code, literals
from hotfix.git.trees import SUBMODULE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hotfix.git.gap.model import AddedFile
    from hotfix.git.gap.sides import Sides
    from hotfix.git.trees import Entry

_STATEMENT: Final = re.compile(
    r"^\s*(?:pub\s+)?(?:import|use|using|alias|require|include|mod|#include)\s+(?:static\s+)?"
    r"[<\"']?([\w.:\\/-]{3,200})",
    re.ASCII,
)
_SEPARATOR: Final = re.compile(r"::|\\|\.")
_PATH: Final = re.compile(r"[@~.\w/-]+", re.ASCII)
_LEAST: Final = 2
"""How many parts of a path have to agree where it is not told from which folder it counts."""
_INDEX: Final = frozenset({"index", "mod", "__init__"})
"""Files that are named by their folder."""


def named_files(files: Iterable[AddedFile], sides: Sides) -> Iterator[Gap]:
    """Yield what added lines name and the branch lacks; of submodules those pinned otherwise.

    What stands under another root on the branch only moved.
    """
    lacking = _by_name(sides.lacking)
    moved_from = _by_name(each.path for each in sides.differing.values() if not each.there)
    pinned = [each for each in sides.differing.values() if _is_submodule(each.there)]
    for file in files:
        for text, line in _names(file):
            use = Use(text, file.pick, file.path, line)
            if not any(_matching(text, file.path, moved_from)):
                for path in _matching(text, file.path, lacking):
                    if not sides.has(path):
                        yield Gap("file", use, path)
                        break
            for each in pinned:
                if text == each.path or text.startswith(each.path + "/"):
                    pins = f"{_pin(each.there)} there, {_pin(each.here)} here"
                    yield Gap("submodule", use, each.path, pins)


def _names(file: AddedFile) -> Iterator[tuple[str, int]]:
    for text, line in literals(file.lines):
        if "/" in text.strip("/") and _PATH.fullmatch(text):
            yield text, line
    if family(file.path) == PYTHON:
        return  # whose imports its grammar tells
    for line, text in code(file.lines):
        if match := _STATEMENT.match(text):
            name = match[1]
            yield (name if "/" in name else _SEPARATOR.sub("/", name)), line


class _Name(NamedTuple):
    """What a path may be called: itself, without its ending, or its folder."""

    name: str
    path: str


def _by_name(paths: Iterable[str]) -> dict[str, list[_Name]]:
    """Sort paths by the last part of what they may be called."""
    found: dict[str, list[_Name]] = {}
    for path in paths:
        stem = splitext(path)[0]
        names = [path, stem]
        if stem.rpartition("/")[2] in _INDEX or path.endswith(".go"):
            names.append(dirname(path))
        for name in filter(None, dict.fromkeys(names)):
            found.setdefault(_last(name), []).append(_Name(name, path))
    return found


def _matching(text: str, path: str, known: Mapping[str, list[_Name]]) -> Iterator[str]:
    """Yield which of the known paths a text in a file may mean."""
    if text.startswith("."):
        whole = normpath(join(dirname(path), text))
        yield from (each.path for each in known.get(_last(whole), ()) if each.name == whole)
        return
    parts = [part for part in text.strip("/").split("/") if part not in {"@", "~"}]
    for each in known.get(_last(text.rstrip("/")), ()):
        theirs = each.name.split("/")
        same = zip(reversed(parts), reversed(theirs), strict=False)
        common = len([*takewhile(lambda pair: _plain(pair[0]) == _plain(pair[1]), same)])
        if common == len(theirs) or common == len(parts) >= _LEAST:
            yield each.path


def _last(path: str) -> str:
    return _plain(path.rpartition("/")[2])


def _plain(part: str) -> str:
    """Return a name as others name it: partials of Rails and Sass begin with an underscore."""
    return part.lstrip("_")


def _is_submodule(entry: Entry | None) -> bool:
    return entry is not None and entry.mode == SUBMODULE


def _pin(entry: Entry | None) -> str:
    return entry.oid[:12] if entry else "nothing"
