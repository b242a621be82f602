"""Migrations that a pick's own stand on: Alembic's by their revision, Django's by their name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.git.gap.model import Gap, Use
from hotfix.git.gap.python import pairs, read_python, strings
from hotfix.git.gap.sources import PYTHON, family

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hotfix.git.gap.model import AddedFile
    from hotfix.git.gap.python import PythonFile
    from hotfix.git.gap.sides import Sides


def missing_parents(files: Iterable[AddedFile], sides: Sides) -> Iterator[Gap]:
    """Yield the parents that the main line has and the branch will lack."""
    for file in files:
        if family(file.path) != PYTHON:
            continue
        if "down_revision" in file.after or "/migrations/" in file.path:
            parsed = read_python(file.after)
            if parsed is not None:
                yield from _alembic(file, parsed, sides)
                yield from _django(file, parsed, sides)


def _alembic(file: AddedFile, parsed: PythonFile, sides: Sides) -> Iterator[Gap]:
    parents = parsed.values.get("down_revision")
    if parents is None or not strings(parents):
        return
    folder = file.path.rpartition("/")[0]
    beside = [path for path in sides.lacking if path.rpartition("/")[0] == folder]
    entries = [sides.differing[path].there for path in beside]
    sides.bring(entries)
    for revision in strings(parents):
        for path, entry in zip(beside, entries, strict=True):
            text = sides.text(entry)
            known = read_python(text) if revision in text else None
            if known is not None and revision in strings(known.values.get("revision")):
                use = Use(revision, file.pick, file.path, parents.lineno)
                yield Gap("migration", use, path)


def _django(file: AddedFile, parsed: PythonFile, sides: Sides) -> Iterator[Gap]:
    for app, name, line in pairs(parsed.values.get("dependencies")):
        end = f"{app.rpartition('.')[2]}/migrations/{name}.py"
        for path in sides.lacking:
            if f"/{path}".endswith(f"/{end}"):
                yield Gap("migration", Use(f"{app}.{name}", file.pick, file.path, line), path)
