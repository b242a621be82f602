"""The JSON Schemas of our files, and the check of every JSON file that is read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from hotfix.errors import InputError
from hotfix.text import one_line

NAMES: Final = ("spec", "defaults", "plan", "lock", "events", "rehearsal", "doctor")

_MAX_BYTES: Final = 64 * 1024 * 1024


def schema_text(name: str) -> str:
    """Return a schema as it is shipped; raises ``InputError`` for a name that is none."""
    if name not in NAMES:
        raise InputError(
            "unknown-schema",
            f"There is no schema `{name}`.",
            hint="There are: " + ", ".join(NAMES) + ".",
        )
    return (_folder() / f"{name}.schema.json").read_text(encoding="utf-8")


def read_json(data: bytes, name: str, source: str) -> dict[str, Any]:
    """Parse a JSON file of ours and hold it against its schema.

    Duplicate keys are refused, since two readers could see two different files. Raises
    ``InputError`` naming the source, the place and what was expected there.
    """
    if len(data) > _MAX_BYTES:
        raise InputError(
            "file-too-large", f"{source} has {len(data)} bytes; no {name} is so large."
        )
    try:
        document = json.loads(data, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{name}-invalid",
            f"{source} is not JSON: {one_line(str(error))}",
            hint="Was it cut off, or is it another file?",
        ) from error
    _validate(document, name, source)
    return dict(document)


def _validate(document: object, name: str, source: str) -> None:
    from jsonschema import Draft202012Validator  # noqa: PLC0415  (loads slowly)
    from jsonschema.exceptions import best_match  # noqa: PLC0415

    validator = Draft202012Validator(json.loads(schema_text(name)))
    error = best_match(validator.iter_errors(document))
    if error is not None:
        raise InputError(
            f"{name}-invalid",
            f"{source} is not a {name} file of this tool: "
            f"at `{error.json_path}`: {one_line(error.message)}",
            hint=f"`hotfix schema {name}` prints what is expected.",
        )


def _folder() -> Path:
    inside = Path(__file__).parent / "schemas"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "schemas"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object")
    return result


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
