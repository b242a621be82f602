"""What the models refuse, in our words and at its place in the file."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from hotfix.spec.document import INPUT_HINT
from hotfix.spec.keys import Location, fields_of, instead_of, model_at, nearest_key
from hotfix.spec.rules import quoted
from hotfix.spec.scalar import Ambiguous
from hotfix.spec.tree import ListNode, MapNode, Node, ScalarNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    from hotfix.spec.rules import Complaint
    from hotfix.spec.texts import Finding


def model_findings(
    error: ValidationError, root: MapNode, document: type[BaseModel]
) -> Iterator[Finding]:
    """Turn each of a model's errors into a place and a sentence.

    A key that is missing only because it is misspelt is told once, as the unknown one.
    """
    details = error.errors(include_url=False)
    unknown = [detail["loc"] for detail in details if detail["type"] == "extra_forbidden"]
    meant = {(*loc[:-1], nearest_key(document, loc)) for loc in unknown}
    for detail in details:
        if detail["type"] != "missing" or detail["loc"] not in meant:
            yield _finding(detail, root, document)


def _finding(detail: ErrorDetails, root: MapNode, document: type[BaseModel]) -> Finding:
    loc, kind = detail["loc"], detail["type"]
    node, location = _locate(root, loc)
    if kind == "missing":
        return node, *_missing(document, location, str(loc[-1]))
    if kind == "extra_forbidden":
        return (
            _key(root, location),
            f"unknown key {quoted(location[-1])}",
            instead_of(document, location),
        )
    doubtful = _doubtful(node)
    if doubtful is not None:
        hint = str(detail.get("ctx", {}).get("hint", ""))
        return doubtful[0], *_ambiguous(*doubtful, kind, hint)
    return node, *_complaint(detail, node, _name(location))


def _complaint(detail: ErrorDetails, node: Node, name: str) -> Complaint:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "hotfix":
        return context["sentence"], context["hint"]
    if kind == "literal_error":
        return _literal(node, name, context["expected"])
    wanted = next((words for prefix, words in _WANTED.items() if kind.startswith(prefix)), None)
    if wanted is not None:
        return f"{quoted(name)} must be {wanted}, not {_kind(node)}", _retype(node, kind)
    if kind == "string_too_short":
        return f"{quoted(name)} is empty", "Write a text, or leave the key out."
    if kind == "string_too_long":
        return f"{quoted(name)} is too long", f"At most {context['max_length']} characters."
    return f"{quoted(name)} cannot be this: {detail['msg']}", "Write another value."


def _locate(root: MapNode, loc: Location) -> tuple[Node, Location]:
    """Follow a location as far as the file goes; parts that only name a type are passed over."""
    node: Node = root
    reached: list[int | str] = []
    for part in loc:
        if isinstance(node, MapNode) and isinstance(part, str) and part in node.pairs:
            key, node = node.pairs[part]
            reached.append(part)
            if loc[-1] == "[key]" and loc[-2] == part:
                return key, tuple(reached)
        elif isinstance(node, ListNode) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            reached.append(part)
    return node, tuple(reached)


def _key(root: MapNode, location: Location) -> Node:
    parent, _ = _locate(root, location[:-1])
    return parent.pairs[str(location[-1])][0] if isinstance(parent, MapNode) else parent


def _missing(document: type[BaseModel], location: Location, key: str) -> Complaint:
    model = model_at(document, location)
    field = fields_of(model).get(key) if model else None
    where = f" in {quoted(_name(location))}" if location else ""
    example = field.examples[0] if field is not None and field.examples else None
    hint = f"Add it, such as `{key}: {_flow(example)}`." if example else f"Add `{key}: …`."
    if key == "project" and not location:
        hint += " Several repositories stand in `targets`."
    return f"missing key `{key}`{where}", hint


def _flow(example: object) -> str:
    """Write an example as YAML on one line."""
    if isinstance(example, dict):
        return "{" + ", ".join(f"{key}: {_flow(value)}" for key, value in example.items()) + "}"
    if isinstance(example, list):
        return "[" + ", ".join(map(_flow, example)) + "]"
    text = str(example)
    return f'"{text}"' if "://" in text else text


def _ambiguous(node: ScalarNode, value: Ambiguous, kind: str, hint: str) -> Complaint:
    text = quoted(node.text)
    if kind.startswith("string"):
        return f"{text} {value.what}, and a text must stand here", _quote(node)
    if hint and hint != INPUT_HINT:
        return f"{text} {value.what}", hint
    may_be_text = not kind.startswith(("int", "float", "bool"))
    if value.instead is None:
        hint = _quote(node) if may_be_text else "Write a decimal number."
    else:
        hint = f"Write `{value.instead}`"
        hint += f", or q{_quote(node)[1:]}" if may_be_text else "."
    return f"{text} {value.what}", hint


def _quote(node: ScalarNode) -> str:
    return f'Quote it: `"{quoted(node.text)[1:-1]}"`.'


def _doubtful(node: Node) -> tuple[ScalarNode, Ambiguous] | None:
    """Find the scalar that has no certain meaning, in a list the first such."""
    if isinstance(node, ListNode):
        return next((found for item in node.items if (found := _doubtful(item))), None)
    if isinstance(node, ScalarNode) and isinstance(node.value, Ambiguous):
        return node, node.value
    return None


def _literal(node: Node, name: str, expected: str) -> Complaint:
    choices = expected.replace("'", "`")
    text = node.text if isinstance(node, ScalarNode) else ""
    words = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    near = get_close_matches(text.lower(), words, n=1)
    hint = f"Write `{near[0]}`." if near else f"Write {choices}."
    shown = quoted(text) if text else _kind(node)
    return f"{quoted(name)} cannot be {shown}", hint


def _retype(node: Node, kind: str) -> str:
    text = quoted(node.text)[1:-1] if isinstance(node, ScalarNode) else ""
    if kind.startswith("string"):
        return _quote(node) if isinstance(node, ScalarNode) else "Write one text."
    if kind.startswith("tuple"):
        return f"Write `[{text}]`." if text else "Write a list: `- ` before each entry."
    if kind.startswith("bool"):
        return "Write `true` or `false`, without quotes."
    if kind.startswith(("int", "float")):
        if isinstance(node, ScalarNode) and isinstance(node.value, str) and text.isdecimal():
            return f"Write `{text}` without quotes."
        return "Write a whole number." if kind.startswith("int") else "Write a number."
    return "Write `key: value` pairs, indented below it."


def _name(location: Location) -> str:
    return next((part for part in reversed(location) if isinstance(part, str)), "the file")


def _kind(node: Node) -> str:
    if isinstance(node, ListNode):
        return "a list"
    if isinstance(node, MapNode):
        return "a mapping"
    kinds: tuple[tuple[Any, str], ...] = (
        (bool, "a truth value"),
        (int, "a number"),
        (float, "a fraction"),
        (str, "a text"),
    )
    return next((words for kind, words in kinds if isinstance(node.value, kind)), "nothing")


_WANTED = {
    "string_type": "a text",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "tuple": "a list",
    "model": "a mapping",
    "dict": "a mapping",
    "mapping": "a mapping",
}
