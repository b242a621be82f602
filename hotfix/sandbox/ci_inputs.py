"""The ``spec: inputs`` header of a CI file: what a pipeline may be given, and the type of each.

Messages are GitLab's, as far as they are known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
}


class ConfigurationError(Exception):
    """A CI file, or what was given to it, makes no pipeline."""

    def __init__(self, *messages: str) -> None:
        super().__init__("; ".join(messages))
        self.messages = list(messages)


@dataclass(frozen=True, slots=True)
class Declaration:
    """One declared input."""

    name: str
    type: str
    options: list[Any] | None
    regex: str | None
    required: bool
    default: Any

    def problem(self, value: object) -> str | None:
        """Say what is wrong with a value."""
        if not isinstance(value, TYPES[self.type]) or (
            self.type == "number" and isinstance(value, bool)
        ):
            article = "an" if self.type == "array" else "a"
            return f"`{self.name}` input: provided value is not {article} {self.type}"
        if self.options is not None and value not in self.options:
            return (
                f"`{self.name}` input: `{value}` cannot be used because it is not in the list of "
                f"allowed options"
            )
        if self.regex is not None and not re.search(self.regex, str(value)):
            return f"`{self.name}` input: provided value does not match required RegEx pattern"
        return None


def declarations(header: Mapping[str, Any] | None) -> dict[str, Declaration]:
    """Read the declared inputs of a header."""
    declared = ((header or {}).get("spec") or {}).get("inputs") or {}
    return {name: _declaration(name, body or {}) for name, body in declared.items()}


def _declaration(name: str, body: Mapping[str, Any]) -> Declaration:
    return Declaration(
        name=name,
        type=body.get("type", "string"),
        options=body.get("options"),
        regex=body.get("regex"),
        required="default" not in body,
        default=body.get("default"),
    )


def checked(header: Mapping[str, Any] | None, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return every input's value, given or default; raises ``ConfigurationError``."""
    given = given or {}
    if header is None and given:
        raise ConfigurationError(
            "Given inputs not defined in the `spec` section of the included configuration file"
        )
    declared = declarations(header)
    unknown = [name for name in given if name not in declared]
    if unknown:
        raise ConfigurationError(f"unknown input arguments: {', '.join(unknown)}")
    problems = [
        problem
        for name, declaration in declared.items()
        if (problem := _problem(declaration, given)) is not None
    ]
    if problems:
        raise ConfigurationError(*problems)
    return {name: given.get(name, found.default) for name, found in declared.items()}


def _problem(declaration: Declaration, given: Mapping[str, Any]) -> str | None:
    if declaration.name in given:
        return declaration.problem(given[declaration.name])
    if declaration.required:
        return f"`{declaration.name}` input: required value has not been provided"
    return None


def interpolated(value: object, inputs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any YAML value
    """Replace ``$[[ inputs.name ]]`` everywhere in a configuration.

    A text that is nothing but one such block becomes the value itself, with its type.
    """
    if isinstance(value, dict):
        return {interpolated(k, inputs): interpolated(v, inputs) for k, v in value.items()}
    if isinstance(value, list):
        return [interpolated(part, inputs) for part in value]
    if not isinstance(value, str):
        return value
    whole = _BLOCK.fullmatch(value)
    if whole:
        return _input(whole, inputs)
    return _BLOCK.sub(lambda block: _text(_input(block, inputs)), value)


_BLOCK: Final = re.compile(r"\$\[\[\s*inputs\.([\w-]+)\s*\]\]")


def _input(block: re.Match[str], inputs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any YAML value
    if block[1] not in inputs:
        raise ConfigurationError(f"unknown interpolation key: `{block[1]}`")
    return inputs[block[1]]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
