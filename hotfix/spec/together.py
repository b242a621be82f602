"""What only spec and defaults together can get wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hotfix.spec.checks import command_findings
from hotfix.spec.resolve import NO_ORCHESTRATION
from hotfix.spec.rules import quoted
from hotfix.spec.tree import ListNode, MapNode, Node, ScalarNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.spec.texts import Finding


def findings_together(spec: MapNode, defaults: MapNode | None) -> Iterator[tuple[MapNode, Finding]]:
    """Find what does not fit, each with the root of the file that it is told of."""
    files = [spec] if defaults is None else [spec, defaults]
    if not any(at(root, "orchestration", "project") for root in files):
        key = spec.pairs.get("orchestration")
        yield spec, (key[0] if key else spec, *NO_ORCHESTRATION)
    if not any(_is(at(root, "policy", "allow_commands"), "true") for root in files[1:]):
        yield from ((spec, finding) for finding in command_findings(spec))
    ways = [at(root, "orchestration", "send_as") for root in files]
    if _is(ways[0] or ways[-1], "variables"):
        for root in files:
            yield from ((root, finding) for finding in _variable_findings(root))
    yield from _operation_findings(files)


def _variable_findings(root: MapNode) -> Iterator[Finding]:
    """Variables are texts by names that a shell accepts (GitLab, CI/CD variables)."""
    for inputs in _all_inputs(root):
        for name, (key, value) in inputs.pairs.items():
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                hint = "Use letters, digits and `_`, or `send_as: inputs`."
                yield key, f"{quoted(name)} cannot be the name of a variable", hint
            if isinstance(value, ListNode):
                hint = "Write a text, or use `send_as: inputs`."
                yield value, "a variable cannot be a list", hint


def _operation_findings(files: list[MapNode]) -> Iterator[tuple[MapNode, Finding]]:
    for root in files:
        node = at(root, "orchestration", "operation_input")
        if node is None:
            continue
        names = {"action", "project", "confirm"}
        names.update(
            name for file in files for inputs in _all_inputs(file) for name in inputs.pairs
        )
        if isinstance(node, ScalarNode) and node.text in names:
            hint = "Name an input of its own; it gets the run's unique key."
            yield root, (node, f"the input {quoted(node.text)} has a value already", hint)
        return


def _all_inputs(root: MapNode) -> Iterator[MapNode]:
    targets = root.get("targets")
    levels = targets.items if isinstance(targets, ListNode) else ()
    for level in (root, *levels):
        inputs = at(level, "orchestration", "inputs")
        if isinstance(inputs, MapNode):
            yield inputs


def at(node: Node | None, *keys: str) -> Node | None:
    """Find what stands under these keys, each within the one before."""
    for key in keys:
        node = node.get(key) if isinstance(node, MapNode) else None
    return node


def _is(node: Node | None, word: str) -> bool:
    return isinstance(node, ScalarNode) and node.text.lower() == word
