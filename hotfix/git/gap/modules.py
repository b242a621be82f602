"""Python by its grammar: names that nothing binds, modules, and what is taken out of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hotfix.git.gap.model import Gap, Use
from hotfix.git.gap.python import read_python
from hotfix.git.gap.sources import PYTHON, family

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hotfix.git.gap.model import AddedFile
    from hotfix.git.gap.python import Import, PythonFile
    from hotfix.git.gap.sides import Sides


def python_gaps(files: Iterable[AddedFile], sides: Sides) -> Iterator[Gap]:
    """Yield what added lines of Python use and the main line alone has.

    Names that the file itself does not bind on the branch and binds on the main line; modules that
    are imported and that only the main line has; names that only there stand in such a module.
    """
    looks = [
        _Look(file, parsed, sides)
        for file in files
        if family(file.path) == PYTHON and (parsed := read_python(file.after))
    ]
    paths = {path for look in looks for path in look.paths() if path in sides.differing}
    found = [sides.differing[path] for path in paths]
    sides.bring(side for each in found for side in (each.there, each.here))
    for look in looks:
        yield from look.unbound()
        yield from look.imported()
        yield from look.taken()


@dataclass(slots=True)
class _Look:
    """A file as it will be on the branch, and what it is held against."""

    file: AddedFile
    parsed: PythonFile
    sides: Sides
    added: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self.added = {number for number, _ in self.file.lines}

    def paths(self) -> Iterator[str]:
        """Yield what may be looked into: the file itself, and what it imports."""
        yield self.file.path
        for each in self.parsed.imports:
            yield from _files(self.file.path, each)
            yield from _files(self.file.path, _below(each))

    def unbound(self) -> Iterator[Gap]:
        unbound = [each for each in self.parsed.unbound() if each[1] in self.added]
        there = self._there(self.file.path) if unbound else None
        for name, line in unbound:
            if there is not None and name in there.bound:
                yield self._gap("name", name, line, self.file.path)

    def imported(self) -> Iterator[Gap]:
        for each in self.parsed.imports:
            if each.line in self.added:
                yield from self._lacking(each, each.line)

    def taken(self) -> Iterator[Gap]:
        """Yield attributes of modules, whether these are imported by the pick or were before."""
        modules = {each.bound_as: each for each in self.parsed.imports if each.name != "*"}
        for base, name, line in self.parsed.attributes:
            each = modules.get(base or "")
            if each is None or line not in self.added:
                continue
            if each.name is None and each.module.startswith(f"{each.bound_as}."):
                continue  # `import a.b` binds `a`, whose attribute is a module itself
            yield from self._lacking(_below(each)._replace(name=name), line)

    def _lacking(self, each: Import, line: int) -> Iterator[Gap]:
        """Yield the module, or the name in it, if only the main line has it."""
        sides = self.sides
        files = _files(self.file.path, each)
        below = _files(self.file.path, _below(each))
        for names, word in ((files, each.module), (below, _below(each).module)):
            lacking = [path for path in names if sides.lacks(path)]
            if lacking and not any(sides.has(path) for path in _stand_ins(names)):
                yield self._gap("module", "." * each.level + word, line, lacking[0])
                return
        for path in files:
            here, there = self._here(path), self._there(path)
            if here and there and each.name in there.top and not here.may_have(each.name):
                yield self._gap("name", each.name, line, path)

    def _gap(self, kind: str, word: str, line: int, there: str) -> Gap:
        use = Use(word, self.file.pick, self.file.path, line)
        return Gap("module" if kind == "module" else "name", use, there)

    def _there(self, path: str) -> PythonFile | None:
        found = self.sides.differing.get(path)
        return read_python(self.sides.text(found.there)) if found and found.there else None

    def _here(self, path: str) -> PythonFile | None:
        found = self.sides.differing.get(path)
        return read_python(self.sides.text(found.here)) if found and found.here else None


def _below(each: Import) -> Import:
    """Return an import as one of the module that the imported name may be."""
    if each.name is None:
        return each
    module = f"{each.module}.{each.name}" if each.module else each.name
    return each._replace(module=module, name=None)


def _files(path: str, each: Import) -> list[str]:
    """List the files that a module may be in, below the roots that the importing file suggests."""
    folders = path.split("/")[:-1]
    if each.level > len(folders) + 1 or not (each.module or each.level):
        return []
    if each.level:
        roots = [folders[: len(folders) - each.level + 1]]
    else:
        roots = [folders[:size] for size in range(len(folders) + 1)]
    below = each.module.split(".") if each.module else []
    stems = ["/".join((*root, *below)) for root in roots]
    return [stem + end for stem in stems if stem for end in (".py", "/__init__.py")]


def _stand_ins(files: list[str]) -> Iterator[str]:
    """Yield what makes an import of these work as well: folders without a file, and stubs."""
    for path in files:
        yield path
        yield path + "i"
        if path.endswith("/__init__.py"):
            yield path.removesuffix("/__init__.py")
