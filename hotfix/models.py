"""The base of every model that stands in a file."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer


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


class Growing(Frozen):
    """A model with keys that are younger than files of its format.

    They are left out where they say nothing: a plan from before has its digest still.
    """

    says_nothing: ClassVar[dict[str, Any]] = {}
    """The younger keys, as they are written, with the values that are left out."""

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = handler(self)
        for key, default in self.says_nothing.items():
            if written.get(key) == default:
                written.pop(key, None)
        return written


def to_json(value: Frozen) -> dict[str, Any]:
    """Return the JSON value of a model, every key present."""
    return value.model_dump(mode="json")
