"""Which keys a file may have at a place, read from the models."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from hotfix.spec.document import DefaultsDocument, SingleDocument, TargetDocument, TargetsDocument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic.fields import FieldInfo

Location = tuple[int | str, ...]


def model_at(document: type[BaseModel], location: Location) -> type[BaseModel] | None:
    """Return the model of the mapping at a location, or None where any keys may stand."""
    model: type[BaseModel] | None = document
    for part in location:
        if isinstance(part, int) or model is None:
            continue
        field = fields_of(model).get(part)
        model = None if field is None else _model_in(field.annotation)
    return model


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return a model's fields by the key that stands in a file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def instead_of(document: type[BaseModel], location: Location) -> str:
    """Say what to write instead of the unknown key that a location ends with."""
    parent, key = location[:-1], str(location[-1])
    model = model_at(document, parent)
    known = list(fields_of(model)) if model else []
    if key == "<<":
        return "Write the keys out; YAML 1.2 has no merge key."
    elsewhere = _elsewhere(document, key, [part for part in parent if isinstance(part, str)])
    if elsewhere:
        return elsewhere
    near = nearest_key(document, location)
    if near:
        return f"Write `{near}`."
    paths = [path for path in _paths(document) if path.rpartition(".")[2] == key]
    if paths:
        return f"Write it as `{paths[0]}`."
    far = get_close_matches(key.lower(), known, n=1, cutoff=0.5)
    if far:
        return f"Did you mean `{far[0]}`?"
    return f"Known here: {', '.join(f'`{name}`' for name in known)}."


def nearest_key(document: type[BaseModel], location: Location) -> str | None:
    """Return the known key that an unknown one was surely meant to be."""
    model = model_at(document, location[:-1])
    written = str(location[-1]).lower().replace("-", "_")
    known = list(fields_of(model)) if model else []
    return next(iter(get_close_matches(written, known, n=1, cutoff=0.7)), None)


def _elsewhere(document: type[BaseModel], key: str, parent: Sequence[str]) -> str | None:
    if key == "allow_commands" and document is not DefaultsDocument:
        return "Only the team's defaults.yaml may set `policy.allow_commands`, never a spec."
    if document is TargetsDocument and not parent and key in TargetDocument.model_fields:
        return "Move it into each target; with `targets` it cannot stand at the top."
    if (
        document is TargetsDocument
        and parent == ["targets"]
        and key in TargetsDocument.model_fields
    ):
        return "Move it to the top of the file: it is the same for every target."
    if document is TargetsDocument and parent == ["targets", "orchestration"]:
        field = fields_of(TargetsDocument)["orchestration"]
        if key in fields_of(_model_in(field.annotation) or TargetsDocument):
            return "Move it to `orchestration` at the top: it is the same for every target."
    if (
        document is DefaultsDocument
        and not parent
        and key in {*SingleDocument.model_fields, "targets"}
    ):
        return "Write it in each spec: it has no default."
    return None


@cache
def _paths(model: type[BaseModel], prefix: str = "") -> tuple[str, ...]:
    paths: list[str] = []
    for name, field in fields_of(model).items():
        paths.append(prefix + name)
        inner = _model_in(field.annotation)
        if inner is not None:
            paths.extend(_paths(inner, f"{prefix}{name}."))
    return tuple(paths)


def _model_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401  (any type expression)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
