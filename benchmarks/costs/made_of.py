"""What a command's CPU is made of: Python, each library, our modules, and then the work.

The command tells what it imports (``-X importtime``), in which order. Processes that import ever
more of it, library by library, and do nothing, take turns with the command itself. What they take
without our modules is the floor.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from costs.lab import FLOOR, HERE, floor, python

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from costs.host import Host
    from costs.lab import Lab, Row, Way

STANDARD, OURS, WORK = "standard library", "our modules", "the work"
_REST = "other libraries"
LIBRARIES = {
    "click": ("click",),
    "PyYAML": ("yaml", "_yaml"),
    "pydantic": ("pydantic", "pydantic_core", "annotated_types", "typing_extensions",
                 "typing_inspection"),
    "python-gitlab, requests": ("gitlab", "requests", "requests_toolbelt", "urllib3", "certifi",
                                "idna", "charset_normalizer"),
    "dulwich": ("dulwich",),
}  # fmt: skip
"""Packages by the library that brings them."""
PARTS = (FLOOR, STANDARD, *LIBRARIES, _REST, OURS, WORK)


def taken_apart(lab: Lab, name: str, way: Way, host: Host | None = None) -> list[Row]:
    """Measure the steps from Python's start to a command's end, in turn."""
    imported = _imported(lab, way, host)
    ours = {"hotfix", "ours"}
    standard = {*sys.stdlib_module_names, "site", "sitecustomize"}
    packages = {_package(module) for module in imported}
    steps = {FLOOR: floor()}
    libraries = {STANDARD: standard, **LIBRARIES, _REST: packages - ours}
    so_far: set[str] = set()
    for library, brought in libraries.items():
        if packages & set(brought) - so_far:
            so_far.update(brought)
            steps[library] = _importing(lab, imported, so_far)
    steps |= {OURS: _importing(lab, imported, so_far | ours), WORK: way}
    placed = {(0.0, step): each for step, each in steps.items()}
    return lab.measured(f"made of {name}", placed, host)


def parts(rows: Sequence[Row]) -> Mapping[str, float]:
    """Return the CPU seconds that each step adds to those before it."""
    added: dict[str, float] = {}
    for row in rows:
        # A step can only add; what a median says less than that is noise.
        added[row.way] = max(0.0, row.middle.cpu - sum(added.values()))
    return added


def libraries(parts: Mapping[str, float]) -> float:
    """Return what the imports of others' modules take: the floor of a command that needs them."""
    return sum(taken for step, taken in parts.items() if step not in {FLOOR, OURS, WORK})


def _imported(lab: Lab, way: Way, host: Host | None) -> list[str]:
    """Run the command once, and list its modules: what a module needs stands before it."""
    if host is not None:
        host.reset()
    words = way.command[1:] if way.command[0] == sys.executable else way.command
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *words],
        cwd=way.before(lab.scratch),
        env={**lab.environment, **way.more},
        check=True,
        capture_output=True,
        text=True,
    )
    lines = (line.split("|") for line in done.stderr.splitlines() if "import time:" in line)
    return [line[2].strip() for line in lines][1:]


def _importing(lab: Lab, imported: Sequence[str], packages: set[str]) -> Way:
    """Return a process that imports the modules of some packages, and ends."""
    names = [module for module in imported if _package(module) in packages]
    listed = lab.scratch / f"imports-{abs(hash(tuple(names)))}"
    listed.write_text("\n".join(names), encoding="utf-8")
    return python(str(HERE / "imports.py"), str(listed))


def _package(module: str) -> str:
    return module.partition(".")[0]
