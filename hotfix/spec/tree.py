"""YAML as a tree whose every node knows its place; nothing in it can run or grow.

PyYAML's parser gives events (from its C part where it is built); the tree is made from them here,
so that tags construct nothing, an alias bomb is counted instead of expanded, a key stands once, and
depth is bounded. What is wrong is collected; a syntax error ends the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import yaml

from hotfix.spec.problem import Mark, Problem, Source
from hotfix.spec.rules import quoted
from hotfix.spec.scalar import Ambiguous, Scalar, resolve_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 24
MAX_NODES = 20_000  # aliases expanded

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value, with the text that it was written as."""

    start: Mark
    end: Mark
    text: str
    value: Scalar
    block: int = 0
    """The column of the text of a literal block (``|``), whose lines stand as written."""

    def inside(self, line: int, column: int, length: int) -> ScalarNode:
        """Return a part of the text as a node of its own, where its place in the file is known."""
        if not self.block:
            return self
        row, first = self.start.line + line, self.block + column - 1
        return replace(self, start=Mark(row, first), end=Mark(row, first + length))


@dataclass(frozen=True, slots=True)
class ListNode:
    """A YAML sequence."""

    start: Mark
    end: Mark
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapNode:
    """A YAML mapping; its keys are texts, each there once."""

    start: Mark
    end: Mark
    pairs: dict[str, tuple[ScalarNode, Node]]

    def get(self, key: str) -> Node | None:
        """Return the value of a key, or None."""
        pair = self.pairs.get(key)
        return pair[1] if pair else None


Node = ScalarNode | ListNode | MapNode


def parse(source: Source) -> tuple[MapNode | None, list[Problem]]:
    """Read one YAML document that is a mapping, and say what is wrong with it."""
    builder = _Builder(source)
    try:
        root = builder.document()
    except _StoppedError as stopped:
        return None, [*builder.problems, stopped.problem]
    if isinstance(root, MapNode):
        return root, builder.problems
    start, end = (root.start, root.end) if root else (Mark(1, 1), None)
    what = (
        "nothing" if root is None or (isinstance(root, ScalarNode) and not root.text) else "no keys"
    )
    builder.problems.append(
        source.problem(start, end, f"the file holds {what}", "Write `version: 1`, then the keys.")
    )
    return None, builder.problems


def plain(node: Node) -> Any:  # noqa: ANN401  (any YAML value)
    """Return the value without its places: mappings, tuples and scalars."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, ListNode):
        return tuple(plain(item) for item in node.items)
    return {key: plain(value) for key, (_, value) in node.pairs.items()}


class _StoppedError(Exception):
    """The rest of the file cannot be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Builder:
    """Makes nodes from the parser's events."""

    def __init__(self, source: Source) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._anchors: dict[str, tuple[Node, int] | None] = {}
        self._count = 0
        self._events: Iterator[Any] = yaml.parse(source.text, Loader=_Loader)

    def document(self) -> Node | None:
        """Read the one document; a second one is a problem."""
        self._next()
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        root = self._node(self._next(), 0)
        self._next()
        event = self._next()
        if isinstance(event, yaml.DocumentStartEvent):
            raise self._stop(event, "a second document begins here", "Put it into its own file.")
        return root

    def _next(self) -> Any:  # noqa: ANN401  (PyYAML's events are untyped)
        try:
            return next(self._events)
        except yaml.MarkedYAMLError as error:
            raise _StoppedError(_syntax(self._source, error)) from None

    def _node(self, event: Any, depth: int) -> Node:  # noqa: ANN401  (as above)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self._grow(event, 1)
        if depth > MAX_DEPTH:
            raise self._stop(
                event, f"this is nested more than {MAX_DEPTH} deep", "Write it flatter."
            )
        if event.tag is not None:
            self._say(
                event,
                f"the tag {quoted(event.tag.replace('tag:yaml.org,2002:', '!!'))} is refused: "
                "a tag would construct an object",
                "Take it away; a text may stand in quotes.",
            )
        before = self._count
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        node = self._collection(event, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._count - before + 1)
        return node

    def _collection(self, event: Any, depth: int) -> Node:  # noqa: ANN401  (as above)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(following := self._next(), yaml.SequenceEndEvent):
                items.append(self._node(following, depth + 1))
            return ListNode(_mark(event.start_mark), _mark(following.end_mark), tuple(items))
        if isinstance(event, yaml.MappingStartEvent):
            pairs: dict[str, tuple[ScalarNode, Node]] = {}
            while not isinstance(following := self._next(), yaml.MappingEndEvent):
                key = self._node(following, depth + 1)
                self._pair(pairs, key, self._node(self._next(), depth + 1))
            return MapNode(_mark(event.start_mark), _mark(following.end_mark), pairs)
        # A block scalar's plainness: only a scalar without quotes and bars is resolved.
        value = resolve_plain(event.value) if event.style in {None, ""} else event.value
        start, end = _mark(event.start_mark), _mark(event.end_mark)
        block = self._block(start, event.value) if event.style == "|" else 0
        return ScalarNode(start, end, event.value, value, block)

    def _block(self, start: Mark, text: str) -> int:
        for number, row in enumerate(text.split("\n"), start=start.line + 1):
            if row:
                return len(self._source.line(number)) - len(row) + 1
        return 0

    def _pair(self, pairs: dict[str, tuple[ScalarNode, Node]], key: Node, value: Node) -> None:
        if not isinstance(key, ScalarNode):
            self._say_at(key, "a key is a text, not a list or a mapping", "Write one word.")
        elif not isinstance(key.value, str):
            is_null = key.value is None and not key.text
            what = "the key is empty" if is_null else f"the key {quoted(key.text)} is no text"
            hint = "Write the key." if is_null else f'Quote it: `"{quoted(key.text)[1:-1]}"`.'
            self._say_at(key, what, hint)
        elif key.value in pairs:
            first = pairs[key.value][0].start
            self._say_at(
                key,
                f"the key {quoted(key.value)} stands twice",
                f"The first one is in line {first.line}; keep one of them.",
            )
        else:
            pairs[key.value] = (key, value)

    def _alias(self, event: Any) -> Node:  # noqa: ANN401  (as above)
        anchor = self._anchors.get(event.anchor, ())
        if anchor == ():
            raise self._stop(
                event, f"the alias {quoted('*' + event.anchor)} has no anchor", "Write the value."
            )
        if not anchor:
            raise self._stop(
                event,
                f"the alias {quoted('*' + event.anchor)} stands inside itself",
                "Write the value.",
            )
        node, size = anchor
        self._grow(event, size)
        return node

    def _grow(self, event: Any, count: int) -> None:  # noqa: ANN401  (as above)
        self._count += count
        if self._count > MAX_NODES:
            raise self._stop(
                event,
                f"the file has more than {MAX_NODES} values, aliases expanded",
                "Write the values without aliases.",
            )

    def _stop(self, event: Any, message: str, hint: str) -> _StoppedError:  # noqa: ANN401
        place = _mark(event.start_mark), _mark(event.end_mark)
        return _StoppedError(self._source.problem(*place, message, hint))

    def _say(self, event: Any, message: str, hint: str) -> None:  # noqa: ANN401  (as above)
        self.problems.append(self._stop(event, message, hint).problem)

    def _say_at(self, node: Node, message: str, hint: str) -> None:
        self.problems.append(self._source.problem(node.start, node.end, message, hint))


def _syntax(source: Source, error: yaml.MarkedYAMLError) -> Problem:
    problem = str(error.problem or error.context or "")
    # What is left open is shown where it begins, not where the file ends.
    begun = re.search("expected ',' or|expected ':'|unexpected end of stream", problem)
    mark = (error.context_mark if begun else None) or error.problem_mark or error.context_mark
    place = _mark(mark) if mark else Mark(1, 1)
    if source.line(place.line)[place.column - 1 : place.column] == "\t":
        return source.problem(place, None, "a tab cannot indent", "Indent with blanks.")
    for pattern, message, hint in _SYNTAX:
        if re.search(pattern, problem):
            return source.problem(place, None, message, hint)
    return source.problem(place, None, f"this is no YAML: {quoted(problem)[1:-1]}", _SYNTAX_HINT)


def _mark(mark: Any) -> Mark:  # noqa: ANN401  (PyYAML's marks are untyped)
    return Mark(mark.line + 1, mark.column + 1)


_SYNTAX_HINT = "Check the indentation, the quotes and the brackets here and in the line above."
_SYNTAX = (
    (
        "mapping values are not allowed",
        "a second `:` stands in this value",
        "Quote the text, or begin a new line.",
    ),
    (
        "could not find expected ':'|expected ':'",
        "this line has no `:`",
        "Write `key: value`, and indent what belongs to the key above.",
    ),
    (
        "expected alphabetic or numeric",
        "this begins an alias or an anchor, and no name follows",
        "Quote the text, or write it below a `|`.",
    ),
    (
        "cannot start any token",
        "a text cannot begin with this character",
        "Quote the text.",
    ),
    (
        "unexpected end of stream",
        "a quote that is opened here is never closed",
        "Close it.",
    ),
    (
        "expected ',' or",
        "a bracket that is opened here is not closed where it must be",
        "Write `,` between two entries, or close the bracket.",
    ),
    (
        "expected <block end>|did not find expected (?:key|'-' indicator)",
        "this line is indented like nothing above it",
        "Indent it as the keys beside it, and look for a quote above that is not closed.",
    ),
)

__all__ = ["Ambiguous", "ListNode", "MapNode", "Node", "ScalarNode", "parse", "plain"]
