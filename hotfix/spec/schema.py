"""The JSON Schemas of spec and defaults, made from the models for editors and other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic.json_schema import models_json_schema

from hotfix.spec.document import DefaultsDocument, SingleDocument, TargetsDocument
from hotfix.spec.rules import SENT
from hotfix.spec.smoke import KINDS

if TYPE_CHECKING:
    from pydantic import BaseModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def spec_schema() -> dict[str, Any]:
    """Return the JSON Schema of a spec: one repository, or ``targets``."""
    return _schema(
        "spec",
        "Hotfix spec",
        "What the operator asks for: one repository, or several in `targets`.",
        SingleDocument,
        TargetsDocument,
    )


def defaults_schema() -> dict[str, Any]:
    """Return the JSON Schema of a team's defaults."""
    return _schema(
        "defaults", "Hotfix defaults", "What a team sets once for all hotfixes.", DefaultsDocument
    )


def _schema(name: str, title: str, description: str, *models: type[BaseModel]) -> dict[str, Any]:
    mode: Literal["validation"] = "validation"
    references, whole = models_json_schema([(model, mode) for model in models])
    forms = [references[model, mode] for model in models]
    definitions = _tidy(whole["$defs"])
    if "SmokeCheck" in definitions:
        definitions["SmokeCheck"]["oneOf"] = [{"required": [kind]} for kind in KINDS]
        definitions["HttpCheck"].update(_NO_BODY_OF_HEAD)
    definitions["ForbiddenAction"] = {
        "description": "The runbook's cut-off action, in any spelling; it can never be sent.",
        **SENT.schema["not"],
    }
    return {
        "$schema": DIALECT,
        "$id": f"{name}.schema.json",
        "title": title,
        "description": description,
        **(forms[0] if len(forms) == 1 else {"oneOf": forms}),
        "$defs": dict(sorted(definitions.items())),
    }


def _tidy(schema: Any) -> Any:  # noqa: ANN401  (any part of a JSON Schema)
    """Say in the schema what holds for a file: no key may be there without a value.

    The models let a key be None where it was left out; in a file ``null`` is refused. Titles that
    only repeat a key go, and the forbidden action is described once.
    """
    if isinstance(schema, list):
        return [_tidy(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema == SENT.schema["not"]:
        return {"$ref": "#/$defs/ForbiddenAction"}
    tidy = {key: _tidy(value) for key, value in schema.items() if not _is_noise(key, value)}
    if "patternProperties" in tidy:
        tidy["additionalProperties"] = False
    choices = [part for part in tidy.get("anyOf", ()) if part != {"type": "null"}]
    if len(choices) == 1:
        del tidy["anyOf"]
        return {**choices[0], **tidy}
    return {**tidy, "anyOf": choices} if choices else tidy


_NO_BODY_OF_HEAD = {
    "if": {"required": ["method"], "properties": {"method": {"const": "HEAD"}}},
    "then": {"properties": {"json": False, "contains": False}},
}


def _is_noise(key: str, value: object) -> bool:
    return (key == "default" and value is None) or (key == "title" and isinstance(value, str))
