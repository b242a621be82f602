"""What holds for every text of a file, whatever key it stands under."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from hotfix.spec.rules import quoted
from hotfix.spec.secrets import is_credential_name, is_secret
from hotfix.spec.tree import ListNode, MapNode, Node, ScalarNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.spec.rules import Complaint

Finding = tuple[Node, str, str]
"""Where something is wrong, what, and what to write instead."""


def text_findings(root: MapNode) -> Iterator[Finding]:
    """Find keys without a value, secrets, and characters that hide what is written."""
    yield from _of(root, name="", may_be_null=False)


def _of(node: Node, *, name: str, may_be_null: bool) -> Iterator[Finding]:
    if isinstance(node, ScalarNode):
        yield from _of_scalar(node, name, may_be_null=may_be_null)
    elif isinstance(node, ListNode):
        for item in node.items:
            yield from _of(item, name=name, may_be_null=may_be_null)
    else:
        for key, (key_node, value) in node.pairs.items():
            yield from _of_scalar(key_node, name, may_be_null=True)
            if is_credential_name(key):
                yield key_node, f"{quoted(key)} would carry a credential", _REVOKE
            # Only the expected JSON of a check may say null and mean it.
            yield from _of(value, name=key, may_be_null=may_be_null or key == "json")


def _of_scalar(node: ScalarNode, name: str, *, may_be_null: bool) -> Iterator[Finding]:
    if node.value is None and not may_be_null:
        yield node, f"{quoted(name)} has no value", "Write one, or leave the key out."
    elif is_secret(node.text):
        yield node, "this looks like a secret", _REVOKE
    else:
        complaint = _hidden(node.text)
        if complaint is not None:
            yield node, *complaint


def _hidden(text: str) -> Complaint | None:
    for char in text:
        if char in _REVERSING or (char not in "\n\t" and unicodedata.category(char) in _CONTROLS):
            return f"the text has the control character U+{ord(char):04X}", "Take it out."
    return None


_REVOKE = "Take it out, and revoke it if it is real: everybody reads a spec."
_CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})
_REVERSING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
