"""A Python file as its grammar tells it: what it imports, binds, defines and uses."""

from __future__ import annotations

import ast
import builtins
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ALWAYS_BOUND: Final = frozenset(dir(builtins)) | {
    "__file__",
    "__path__",
    "__class__",
    "__module__",
}
_COMMON: Final = frozenset(
    name
    for kind in (str, bytes, list, dict, set, int, float, type, Exception)
    for name in dir(kind)
)
_OLDEST: Final = (3, 11)
"""Read as the oldest Python that runs this tool reads it, so that most find the same."""
_QUIET: Final = Lock()


class Import(NamedTuple):
    """One name of an import statement."""

    module: str
    name: str | None
    """What is taken out of the module; nothing where the module itself is imported."""
    level: int
    """How many dots stand before it."""
    bound_as: str
    line: int


@dataclass(slots=True)
class PythonFile:
    """What is told of a file; the scopes are not told apart, so that nothing is missed by them."""

    top: set[str] = field(default_factory=set)
    """What other modules may import from it."""
    bound: set[str] = field(default_factory=set)
    """Every name that is bound in it anywhere."""
    has_star: bool = False
    """Whether it takes all names of another module, or makes up names when it is asked."""
    imports: list[Import] = field(default_factory=list)
    names: list[tuple[str, int]] = field(default_factory=list)
    """Names that are read."""
    attributes: list[tuple[str | None, str, int]] = field(default_factory=list)
    """Attributes that are read, with the name that they are read of, where it is one."""
    keywords: list[tuple[str, int]] = field(default_factory=list)
    """Arguments that a call names."""
    values: dict[str, ast.expr] = field(default_factory=dict)
    """What is assigned to names, at any place."""

    def may_have(self, name: str) -> bool:
        """Tell whether other modules may find a name in it."""
        return self.has_star or name in self.top

    def unbound(self) -> Iterator[tuple[str, int]]:
        """Yield the names that are read and bound nowhere; none where all may come by a star."""
        if not self.has_star:
            for name, line in self.names:
                if name not in self.bound and name not in _ALWAYS_BOUND:
                    yield name, line


def is_common(attribute: str) -> bool:
    """Tell whether what every Python brings along has such an attribute."""
    return attribute in _COMMON or attribute.startswith("__")


@lru_cache(maxsize=32)
def read_python(text: str) -> PythonFile | None:
    """Read a file; nothing where this Python cannot. What is returned is shared: only read it."""
    try:
        with _QUIET, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a stranger's backslashes are not ours to mend
            module = ast.parse(text, feature_version=_OLDEST)
        found = PythonFile()
        for statement in module.body:
            _top(statement, found)
        for node in ast.walk(module):
            _note(node, found)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return found


def strings(value: ast.expr | None) -> tuple[str, ...]:
    """Return the texts of a literal: of one, or of several in a tuple or a list."""
    if isinstance(value, ast.Constant):
        return (value.value,) if isinstance(value.value, str) else ()
    if isinstance(value, ast.Tuple | ast.List | ast.Set):
        return tuple(text for each in value.elts[:100] for text in strings(each))
    return ()


def pairs(value: ast.expr | None) -> Iterator[tuple[str, str, int]]:
    """Yield the pairs of texts in a list, with their lines."""
    for each in value.elts if isinstance(value, ast.List | ast.Tuple) else ():
        found = strings(each)
        if isinstance(each, ast.Tuple) and len(found) == len(each.elts) == 2:  # noqa: PLR2004
            yield found[0], found[1], each.lineno


def _top(statement: ast.stmt, found: PythonFile) -> None:
    """Note what a statement binds for other modules, below conditions too."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            found.top.add(name)
            found.has_star |= name == "__getattr__"
        case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
            for part in ("body", "orelse", "finalbody", "handlers"):
                for each in getattr(statement, part, ()):
                    for below in getattr(each, "body", [each]) if part == "handlers" else [each]:
                        _top(below, found)
        case ast.Import() | ast.ImportFrom():
            found.top.update(each.bound_as for each in _imports(statement))
        case _:
            for node in ast.walk(statement):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    found.top.add(node.id)


def _note(node: ast.AST, found: PythonFile) -> None:
    found.bound.update(_bound(node))
    match node:
        case ast.Name(id=name, ctx=ast.Load()):
            found.names.append((name, node.lineno))
        case ast.Attribute(value=value, attr=name, ctx=ast.Load()):
            base = value.id if isinstance(value, ast.Name) else None
            found.attributes.append((base, name, node.end_lineno or node.lineno))
        case ast.keyword(arg=str(name)):
            found.keywords.append((name, node.lineno))
        case ast.Import() | ast.ImportFrom():
            found.imports.extend(_imports(node))
            found.has_star |= any(each.name == "*" for each in node.names)
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            found.values.setdefault(name, value)
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            found.values.setdefault(name, value)


def _bound(node: ast.AST) -> Iterable[str]:
    match node:
        case ast.Name(id=str(name), ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            return (name,)
        case (
            ast.FunctionDef(name=str(name))
            | ast.AsyncFunctionDef(name=str(name))
            | ast.ClassDef(name=str(name))
            | ast.ExceptHandler(name=str(name))
            | ast.MatchAs(name=str(name))
            | ast.MatchStar(name=str(name))
            | ast.MatchMapping(rest=str(name))
        ):
            return (name,)
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return names
        case ast.Import() | ast.ImportFrom():
            return (each.bound_as for each in _imports(node))
    return ()


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[Import]:
    for each in node.names:
        if isinstance(node, ast.Import):
            bound = each.asname or each.name.partition(".")[0]
            yield Import(each.name, None, 0, bound, node.lineno)
        else:
            bound = each.asname or each.name
            yield Import(node.module or "", each.name, node.level, bound, each.lineno)
