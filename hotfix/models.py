"""The base of every model that stands in a file."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value that cannot change, refuses unknown keys and converts nothing behind one's back."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        serialize_by_alias=True,
        validate_by_alias=True,
        validate_by_name=True,
        # A model is built when it is first used: a command uses few of those that it imports.
        defer_build=True,
    )


def to_json(value: Frozen) -> dict[str, Any]:
    """Return the JSON value of a model, every key present."""
    return value.model_dump(mode="json")
