"""What package managers pin: packages that added lines import and only the main line's files name.

The forms are told by their lines, for all package managers at once: what is missed is no alarm.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hotfix.git.gap.model import Gap, Use
from hotfix.git.gap.python import read_python
from hotfix.git.gap.sources import PINS, PYTHON, family, is_test
from hotfix.git.gap.words import code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hotfix.git.gap.model import AddedFile
    from hotfix.git.gap.sides import Sides

_PINS: Final = tuple(
    re.compile(pattern, re.MULTILINE | re.ASCII)
    for pattern in (
        r'name\s*=\s*"([^"\n]{1,120})"\s*\n\s*version\s*=\s*"(\d[^"\n]{0,60})"',
        r"""^[ \t]*["']?(@?[\w./-]{2,120})["']?\s*[:=][\s"'^~<>=v]*(\d[\w.+-]*)""",
        r"""^[ \t]*["']?([\w.-]{2,120})(?:\[[^\]\n]{0,80}\])?\s*[=~><!]=\s*(\d[\w.*+-]*)""",
        r"^[ \t]*(?:require\s+)?([\w./-]{3,200})\s+v(\d\S{0,80})",
        r"""^[ \t]*gem\s+["']([\w-]+)["']\s*,\s*["'][~><= ]*(\d[\w.]*)""",
        r"""["'][\w.-]{1,120}:([\w.-]{1,120}):(\d[\w.-]*)["']""",
    )
)
"""Lock files in TOML; keys with a version; requirements; modules of Go; gems; Gradle."""
_IMPORT: Final = re.compile(
    r"""^\s*(?:import|use|using|require|from|.{0,200}?\bfrom|.{0,80}?\brequire\()"""
    r"""\s*[("']*\s*(@?[\w./-]{2,200})""",
    re.ASCII,
)
_NAME: Final = re.compile(r"@?[\w./-]*\w", re.ASCII)


def missing_packages(files: Iterable[AddedFile], sides: Sides) -> Iterator[Gap]:
    """Yield the packages that added lines import and that only the main line pins.

    What a file that only the main line has pins may stand in another one here.
    """
    imported = [use for file in files if not is_test(file.path) for use in _imported(file)]
    if not imported:
        return
    manifests = [
        each
        for each in sides.differing.values()
        if each.there and each.here and family(each.path) == PINS
    ]
    sides.bring(side for each in manifests for side in (each.there, each.here))
    here = {name for each in manifests for name in _NAME.findall(_plain(sides.text(each.here)))}
    for each in manifests:
        there = _pinned(sides.text(each.there))
        for use in imported:
            name = _package(use.word, there)
            if name is not None and name not in here and not sides.has(use.word):
                pins = f"{there[name]} there, nothing here"
                yield Gap("package", use._replace(word=name), each.path, pins)


def _imported(file: AddedFile) -> Iterator[Use]:
    if family(file.path) == PYTHON:
        parsed = read_python(file.after)
        added = {number for number, _ in file.lines}
        for each in parsed.imports if parsed else ():
            if each.level == 0 and each.line in added:
                yield Use(each.module.partition(".")[0], file.pick, file.path, each.line)
        return
    for line, text in code(file.lines):
        if (match := _IMPORT.match(text)) and not match[1].startswith("."):
            yield Use(match[1].strip("/"), file.pick, file.path, line)


def _pinned(text: str) -> Mapping[str, str]:
    return {_plain(name): version for each in _PINS for name, version in each.findall(text)}


def _package(word: str, known: Mapping[str, str]) -> str | None:
    """Find the package that an import names: itself, or what stands before its last parts."""
    parts = _plain(word).split("/")
    names = ("/".join(parts[:size]) for size in range(len(parts), 0, -1))
    return next((name for name in names if name in known), None)


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
