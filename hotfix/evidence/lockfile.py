"""The lockfile as a document: its bytes, and reading them back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pydantic_core
from pydantic import ValidationError

from hotfix.canonical import canonical
from hotfix.errors import InputError
from hotfix.evidence.model import Lock
from hotfix.plan.document import to_json
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT: Final = "lock/1"
_NEWER: Final = re.compile(rb'"format"\s*:\s*"lock/(\d{1,9})"')


@dataclass(frozen=True, slots=True)
class LockDocument:
    """A lockfile as it was read: the bytes and the JSON, which digests are of, and the model."""

    source: str
    data: bytes
    raw: Mapping[str, Any]
    lock: Lock


class NewerLockError(InputError):
    """A lockfile that a later version wrote: it is whole, and not for this one to judge."""


def serialize(lock: Lock) -> bytes:
    """Write a lockfile: JSON that an auditor can read and diff."""
    # Not json.dumps: with an indent it is slow, and a run writes the whole file at every entry.
    return pydantic_core.to_json(to_json(lock), indent=2) + b"\n"


def parse(data: bytes, source: str) -> LockDocument:
    """Read a lockfile back; whether it is genuine is for ``audit`` to say.

    Raises ``InputError`` (``lock-invalid``): the file is no lockfile, or was written by a later
    version of this tool.
    """
    from hotfix.schema import read_json  # noqa: PLC0415  (jsonschema loads slowly)

    try:
        raw = read_json(data, "lock", source)
    except InputError:
        _refuse_newer(data, source)
        raise
    return LockDocument(source, data, raw, _model(data, raw, source))


def _refuse_newer(data: bytes, source: str) -> None:
    stated = _NEWER.search(data)
    if stated is not None and int(stated[1]) > int(FORMAT.partition("/")[2]):
        raise NewerLockError(
            "lock-invalid",
            f"{source} has the format `lock/{int(stated[1])}`, which a later version of this "
            f"tool wrote; this one reads `{FORMAT}`.",
            hint="Use the version that wrote it, or a later one.",
        )


def _model(data: bytes, raw: Mapping[str, Any], source: str) -> Lock:
    try:
        canonical(raw)
        return Lock.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place, said = ".".join(str(part) for part in first["loc"]), first["msg"]
    except ValueError as error:
        place, said = "$", f"a value that no digest can cover: {error}"
    raise InputError(
        "lock-invalid",
        f"{source} is not a lockfile of this tool: at `{one_line(place)}`: {one_line(said)}",
        hint="`hotfix schema lock` prints what is expected.",
    )
