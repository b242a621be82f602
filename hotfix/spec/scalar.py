"""What a plain YAML scalar means, and where two readers of YAML would not agree.

YAML 1.2 (core schema, section 10.3.2) decides. Where YAML 1.1, which many tools still read, says
something else, the scalar is ambiguous: no value is guessed, the operator is asked to write what is
meant. A date or a time is the text that stands there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LARGEST = 2**53  # beyond it JSON numbers are no longer exact (RFC 8785, section 3.2.2.3)


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A scalar that is refused wherever it stands; ``instead`` is the value that may be meant."""

    what: str
    instead: str | None


Scalar = str | int | float | bool | None | Ambiguous


def resolve_plain(text: str) -> Scalar:
    """Return the value of a scalar that is written without quotes."""
    if text in _WORDS:
        return _WORDS[text]
    if text.lower() in _TRUTHS:
        truth = _TRUTHS[text.lower()]
        return Ambiguous("is a truth value to some readers of YAML", truth)
    if not text[0].isdigit() and text[0] not in "+-.":
        return text
    if re.fullmatch(r"[-+]?(?:0|[1-9][0-9]*)", text):
        return _whole(text)
    if re.fullmatch(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", text):
        return _fraction(text)
    return _odd_number(text)


def _whole(text: str) -> Scalar:
    # The length is looked at first: Python refuses to convert thousands of digits.
    if len(text) <= len(str(_LARGEST)) + 1 and abs(int(text)) <= _LARGEST:
        return int(text)
    return Ambiguous("is a number too large to be exact", None)


def _fraction(text: str) -> Scalar:
    if re.match(r"[-+]?0[0-9]", text):
        return _odd_number(text)
    number = float(text)
    if abs(number) > _LARGEST:
        return Ambiguous("is a number too large to be exact", None)
    return number


def _odd_number(text: str) -> Scalar:
    if re.fullmatch(r"[-+]?\.(?:inf|nan)", text, re.IGNORECASE):
        return Ambiguous("is no number that JSON can say", None)
    if re.fullmatch(r"[-+]?0[0-9_]+", text):
        decimal = text.lstrip("+-0_") or "0"
        return Ambiguous("is an octal number to some readers of YAML", decimal)
    if re.fullmatch(r"[-+]?0(?:x[0-9a-fA-F_]+|o[0-7]+|b[01_]+)", text):
        return Ambiguous("is a number in another base", None)
    if re.fullmatch(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?", text):
        return Ambiguous("is a number to base 60 to some readers of YAML", None)
    if re.fullmatch(r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?", text):
        return Ambiguous("is a number to some readers of YAML", text.replace("_", ""))
    return text


_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TRUTHS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
