"""Reading GraphQL: as much of the language as clients of GitLab's API write.

Operations with variables, aliases, arguments, nested selections, fragments, comments. Types and
directives are skipped.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN: Final = re.compile(
    r"""(?:[\s,\ufeff]|\#[^\n]*)*(?P<token>\.\.\.|[_A-Za-z]\w*|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?
    |\"\"\"(?:.|\n)*?\"\"\"|"(?:[^"\\\n]|\\.)*"|[{}()\[\]:!=$@|&])""",
    re.VERBOSE,
)
_IGNORED: Final = re.compile(r"(?:[\s,\ufeff]|\#[^\n]*)*\Z")


class QueryError(Exception):
    """A query that cannot be read or carried out."""


@dataclass(frozen=True, slots=True)
class Field:
    """One selected field."""

    name: str
    alias: str
    arguments: dict[str, Any]
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """What is asked: ``query`` or ``mutation``, and its fields."""

    kind: str
    fields: tuple[Field, ...]


def read(query: str, variables: Mapping[str, Any], name: str | None = None) -> Operation:
    """Read a document's one operation, or the one of a name; raises ``QueryError``."""
    reader = _Reader(query, variables)
    operations = reader.document()
    found = [one for title, one in operations if name in (None, title)]
    if len(found) != 1:
        raise QueryError("An operation name is required")
    return found[0]


class _Reader:
    def __init__(self, query: str, variables: Mapping[str, Any]) -> None:
        self.variables = dict(variables)
        self.tokens = _tokens(query)
        self.fragments = self._fragments()

    def take(self, *expected: str) -> str:
        if not self.tokens or (expected and self.tokens[0] not in expected):
            seen = self.tokens[0] if self.tokens else "end of query"
            raise QueryError(f"Expected {' or '.join(expected) or 'more'}, actual: {seen}")
        return self.tokens.pop(0)

    def next_is(self, token: str) -> bool:
        return bool(self.tokens) and self.tokens[0] == token

    def _fragments(self) -> dict[str, list[str]]:
        """Cut the fragments out, each as the tokens between its braces."""
        found: dict[str, list[str]] = {}
        while "fragment" in self.tokens:
            start = self.tokens.index("fragment")
            opening = self.tokens.index("{", start)
            end, depth = opening, 0
            while True:
                depth += {"{": 1, "}": -1}.get(self.tokens[end], 0)
                end += 1
                if not depth or end >= len(self.tokens):
                    break
            found[self.tokens[start + 1]] = self.tokens[opening:end]
            del self.tokens[start:end]
        return found

    def document(self) -> list[tuple[str | None, Operation]]:
        operations = []
        while self.tokens:
            kind, title = "query", None
            if not self.next_is("{"):
                kind = self.take("query", "mutation")
                if not (self.next_is("{") or self.next_is("(")):
                    title = self.take()
                if self.next_is("("):
                    self._variable_definitions()
            operations.append((title, Operation(kind, self.selection())))
        return operations

    def _variable_definitions(self) -> None:
        self.take("(")
        while not self.next_is(")"):
            if self.take() == "$":
                name = self.take()
            elif self.next_is("=") or self.tokens[0] == "=":
                self.take("=")
                self.variables.setdefault(name, self.value())
        self.take(")")

    def selection(self) -> tuple[Field, ...]:
        fields: list[Field] = []
        self.take("{")
        while not self.next_is("}"):
            if self.next_is("..."):
                fields += self._spread()
            else:
                fields.append(self._field())
        self.take("}")
        return tuple(fields)

    def _spread(self) -> tuple[Field, ...]:
        self.take("...")
        if self.next_is("on"):
            self.take("on")
            self.take()
            return self.selection()
        name = self.take()
        if name not in self.fragments:
            raise QueryError(f"Fragment {name} was used, but not defined")
        self.tokens[:0] = self.fragments[name]
        return self.selection()

    def _field(self) -> Field:
        alias = name = self.take()
        if self.next_is(":"):
            self.take(":")
            name = self.take()
        arguments = self._object("(", ")") if self.next_is("(") else {}
        fields = self.selection() if self.next_is("{") else ()
        return Field(name, alias, arguments, fields)

    def _object(self, opening: str, closing: str) -> dict[str, Any]:
        found = {}
        self.take(opening)
        while not self.next_is(closing):
            name = self.take()
            self.take(":")
            found[name] = self.value()
        self.take(closing)
        return found

    def value(self) -> Any:  # noqa: ANN401 - any JSON value
        if self.next_is("{"):
            return self._object("{", "}")
        token = self.take()
        if token == "[":  # noqa: S105 - a bracket of the query
            values = []
            while not self.next_is("]"):
                values.append(self.value())
            self.take("]")
            return values
        if token == "$":  # noqa: S105 - a variable of the query
            return self.variables.get(self.take())
        return _literal(token)


def _literal(token: str) -> Any:  # noqa: ANN401 - any JSON value
    if token.startswith('"""'):
        return token[3:-3]
    if token in ("true", "false", "null") or token[0] in '"-0123456789':
        return json.loads(token)
    return token  # the name of an enumeration's value


def _tokens(query: str) -> list[str]:
    tokens, position = [], 0
    while not _IGNORED.match(query, position):
        match = _TOKEN.match(query, position)
        if match is None:
            raise QueryError(f"Parse error on {query[position : position + 20]!r}")
        tokens.append(match["token"])
        position = match.end()
    return tokens
