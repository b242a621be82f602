"""What a command's CPU is made of: Python, each library, our modules, and then the work.

The command tells what it imports (``-X importtime``), in which order. Processes that import ever
more of it, package by package, and do nothing, take turns with the command itself.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

from costs import commands, ways
from costs.lab import FLOOR, HERE, Row, Way, floor, python
from costs.server import serving

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costs.lab import Lab
    from costs.repository import Synthetic

PARTS = {
    "click": ("click",),
    "PyYAML": ("yaml", "_yaml"),
    "pydantic": ("pydantic", "pydantic_core", "annotated_types", "typing_extensions",
                 "typing_inspection"),
    "python-gitlab, requests": ("gitlab", "requests", "requests_toolbelt", "urllib3", "certifi",
                                "idna", "charset_normalizer"),
    "dulwich": ("dulwich",),
    "rich": ("rich",),
    "other libraries": (),
}  # fmt: skip
"""Packages by the library that they belong to; what the standard library has counts with the first
that needs it."""

OURS, WORK = "our modules", "work"


class Import(NamedTuple):
    """A module, and the microseconds of importing it alone."""

    name: str
    own: int

    @property
    def package(self) -> str:
        """The package that it is part of."""
        return self.name.partition(".")[0]


def of_validate(lab: Lab, repository: Synthetic) -> list[Row]:
    """Take ``hotfix validate`` apart."""
    return _stack(lab, commands.VALIDATE, commands.light_ways(lab, repository)[commands.VALIDATE])


def of_plan(lab: Lab, repository: Synthetic) -> list[Row]:
    """Take ``hotfix plan`` apart."""
    with commands.planning(lab, [repository]) as (_, planning):
        return _stack(lab, commands.COLD, planning[commands.COLD])


def of_git_part(lab: Lab, repository: Synthetic) -> list[Row]:
    """Take our Git part apart, without the pushes."""
    with serving(repository) as server:
        way = ways.hotfix(lab, repository, server.url)[ways.PLAN]
        return _stack(lab, ways.PLAN, way)


def steps(rows: Sequence[Row]) -> Mapping[str, float]:
    """Return the CPU seconds that each part adds to those before it."""
    added: dict[str, float] = {}
    before = 0.0
    for row in rows:
        # A part can only add; what a median says less than that is noise.
        after = max(before, row.middle.cpu)
        added[row.way] = after - before
        before = after
    return added


def _stack(lab: Lab, name: str, way: Way) -> list[Row]:
    imported = _imports(lab, way)
    stack = {FLOOR: floor()}
    so_far: set[str] = set()
    for part, packages in PARTS.items():
        mine = set(packages) or {i.package for i in imported} - _standard() - {"hotfix", "ours"}
        if mine & {each.package for each in imported} - so_far:
            so_far |= mine
            stack[part] = _importing(lab, imported, so_far)
    stack[OURS] = _importing(lab, imported, so_far | {"hotfix"})
    stack[WORK] = way
    return lab.measured(f"made of {name}", 0, stack)


def _standard() -> set[str]:
    return set(sys.stdlib_module_names) | {"site", "sitecustomize"}


def _imports(lab: Lab, way: Way) -> list[Import]:
    """Run the command once, and list what it imports: what a module needs stands before it."""
    words = way.command[1:] if way.command[0] == sys.executable else way.command
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *words],
        cwd=way.before(lab.scratch),
        env={**lab.environment, **way.more},
        check=True,
        capture_output=True,
        text=True,
    )
    lines = (line.removeprefix("import time:").split("|") for line in done.stderr.splitlines()
             if line.startswith("import time:") and "imported package" not in line)
    return [Import(name.strip(), int(own)) for own, _, name in lines]


def _importing(lab: Lab, imported: Sequence[Import], packages: set[str]) -> Way:
    """Return a process that imports the modules of some packages, and ends."""
    names = [each.name for each in imported if each.package in packages]
    listed = lab.scratch / f"imports-{abs(hash(tuple(names)))}"
    listed.write_text("\n".join(names), encoding="utf-8")
    return python(str(HERE / "imports.py"), str(listed))
