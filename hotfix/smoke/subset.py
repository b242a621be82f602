"""Whether a JSON value holds what is expected of it."""

from __future__ import annotations

import json
from collections.abc import Mapping

from hotfix.smoke.result import shown


def difference(found: object, expected: object, place: str = "") -> str:
    """Return the first place where ``found`` is not as expected, in a sentence, or nothing.

    An object may have further members; everything else must be equal as JSON: ``true`` is not 1,
    and a list has the same elements in the same order.
    """
    if isinstance(expected, Mapping):
        return _object_difference(found, expected, place)
    if isinstance(expected, list | tuple):
        return _list_difference(found, expected, place)
    if _kind(found) == _kind(expected) and found == expected:
        return ""
    return _sentence(found, expected, place)


def _object_difference(found: object, expected: Mapping[str, object], place: str) -> str:
    if not isinstance(found, Mapping):
        return _sentence(found, expected, place)
    for key, value in expected.items():
        inner = f"{place}.{key}" if place else str(key)
        if key not in found:
            return f"the JSON has no {shown(inner)}, expected {_written(value)}"
        if complaint := difference(found[key], value, inner):
            return complaint
    return ""


def _list_difference(found: object, expected: list[object] | tuple[object, ...], place: str) -> str:
    if not isinstance(found, list) or len(found) != len(expected):
        return _sentence(found, expected, place)
    pairs = enumerate(zip(found, expected, strict=True))
    complaints = (difference(have, want, f"{place}[{index}]") for index, (have, want) in pairs)
    return next((complaint for complaint in complaints if complaint), "")


def _kind(value: object) -> str:
    """Name the JSON type: Python holds ``True == 1``, and JSON has one type of number."""
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _sentence(found: object, expected: object, place: str) -> str:
    where = f"at {shown(place)} " if place else ""
    return f"{where}the JSON is {_written(found)}, expected {_written(expected)}"


def _written(value: object) -> str:
    try:
        return shown(json.dumps(value, ensure_ascii=False, default=dict))
    except RecursionError:
        return "nested too deeply"
