"""What the orchestrator is told, in the types that it declares.

GitLab checks pipeline inputs against the ``spec: inputs:`` header of the main CI file and refuses
unknown names and wrong types, but only when the pipeline is created, which is too late for a
reviewer (GitLab docs, ci/inputs). So the plan reads the same header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from hotfix.identifiers import is_forbidden
from hotfix.plan.model import Finding
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hotfix.spec.model import InputValue

_MAX_BYTES: Final = 1024 * 1024
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SEPARATOR: Final = re.compile(rb"^---\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TypedInputs:
    """Inputs ready to be sent, and what speaks against sending them."""

    values: Mapping[str, InputValue]
    blockers: tuple[Finding, ...]


def typed_inputs(
    config: bytes | None, wanted: Mapping[str, InputValue], *, target: str, where: str
) -> TypedInputs:
    """Give each wanted input the type that the CI file declares for it.

    ``config`` is the main CI file, ``None`` where there is none to read; ``where`` names it to the
    reader. A value that cannot take the declared type, an undeclared name, a declared one without
    value and default, and a default that is the forbidden action are blockers.
    """
    declared = None if config is None else declared_inputs(config)
    if declared is None:
        message = f"{where} declares no pipeline inputs, so GitLab would refuse the planned ones."
        hint = (
            "Declare them under `spec: inputs:` there, or set `orchestration.send_as: variables`."
        )
        return TypedInputs(
            wanted, (Finding(code=_CODE, target=target, message=message, hint=hint),)
        )
    problems: list[Finding] = []
    values: dict[str, InputValue] = {}
    for name, value in wanted.items():
        if name not in declared:
            problems.append(_undeclared(name, declared, target, where))
            continue
        typed = _typed(value, declared[name])
        if typed is None:
            problems.append(_mistyped(name, value, declared[name], target, where))
        else:
            values[name] = typed
    problems.extend(_left_out(declared, wanted, target, where))
    return TypedInputs(values or wanted, tuple(problems))


def declared_inputs(config: bytes) -> dict[str, dict[str, Any]] | None:
    """Read the ``spec: inputs:`` header of a CI file; ``None`` where it has none to read.

    Only the header is parsed: what follows holds GitLab's own tags, such as ``!reference``.
    """
    if len(config) > _MAX_BYTES:
        return None
    # The header is the document before a separator; a file may begin with one as well.
    for header in _SEPARATOR.split(config, maxsplit=2)[:-1]:
        document = _loaded(header, _LOADER)
        spec = document.get("spec") if isinstance(document, dict) else None
        inputs = spec.get("inputs") if isinstance(spec, dict) else None
        if isinstance(inputs, dict):
            return {
                str(name): rule if isinstance(rule, dict) else {} for name, rule in inputs.items()
            }
    return None


def variable_guard(
    config: bytes | None, sent: Mapping[str, InputValue], *, target: str, where: str
) -> Iterator[Finding]:
    """Hold pipeline variables against those that the CI file declares.

    GitLab checks no names of variables: a wrong one is accepted, and the default of the right one
    acts. A default that is the cut-off action and is not overridden is a blocker, and so is a file
    that cannot be read. Files that it includes are not looked at.
    """
    body = _SEPARATOR.split(config)[-1] if config is not None else b""
    document = _loaded(body, _TagBlind) if len(body) <= _MAX_BYTES else None
    if not isinstance(document, dict):
        yield Finding(
            code=_CODE,
            target=target,
            message=f"{where} cannot be read, so the defaults of its variables are not known.",
            hint="Have the token see it, or send inputs (`orchestration.send_as: inputs`).",
        )
        return
    declared = document.get("variables")
    for name, rule in declared.items() if isinstance(declared, dict) else ():
        if name not in sent and is_forbidden(rule):
            yield Finding(
                code="forbidden-action",
                target=target,
                message=f"{where} would use the cut-off action as `{one_line(str(name))}`, "
                "that variable's default, since the plan sends no other.",
                hint="The runbook forbids it in a hotfix. Send that variable with another value.",
            )


class _TagBlind(yaml.SafeLoader):
    """Reads a CI file, whose own tags (``!reference``) construct nothing here."""


_TagBlind.add_multi_constructor("!", lambda _loader, _tag, _node: None)


def _loaded(text: bytes, loader: Any) -> object:  # noqa: ANN401  (a loader class, C or not)
    try:
        return yaml.load(text, Loader=loader)  # noqa: S506  (a safe loader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None


_CODE: Final = "orchestration-inputs"
_TRUE: Final = {"true": True, "false": False}


def _typed(value: InputValue, rule: Mapping[str, Any]) -> InputValue | None:
    typed = _converted(value, rule.get("type", "string"))
    options = rule.get("options")
    if typed is not None and isinstance(options, list) and typed not in options:
        return None
    return typed


def _converted(value: InputValue, kind: object) -> InputValue | None:
    typed: InputValue | None = None
    match kind, value:
        case "string", bool():
            typed = str(value).lower()
        case "string", int() | float():
            typed = str(value)
        case "boolean", str():
            typed = _TRUE.get(value)
        case ("string", str()) | ("boolean", bool()) | ("array", tuple()):
            typed = value
        case "number", int() | float() if not isinstance(value, bool):
            typed = value
    return typed


def _undeclared(name: str, declared: Mapping[str, object], target: str, where: str) -> Finding:
    known = ", ".join(f"`{one_line(key)}`" for key in declared)
    return Finding(
        code=_CODE,
        target=target,
        message=f"{where} declares no input `{name}`; GitLab would refuse the pipeline.",
        hint=f"It declares {known}. Name them so under `orchestration.inputs`.",
    )


def _mistyped(
    name: str, value: InputValue, rule: Mapping[str, Any], target: str, where: str
) -> Finding:
    expected = f"a {rule.get('type', 'string')}"
    if isinstance(rule.get("options"), list):
        expected += " out of " + ", ".join(one_line(str(option)) for option in rule["options"])
    return Finding(
        code=_CODE,
        target=target,
        message=f"{where} wants {expected} as input `{name}`, the plan has `{value}`.",
        hint=f"Set `orchestration.inputs.{name}` (or `orchestration.project_value`) in the spec "
        "or in defaults.yaml.",
    )


def _left_out(
    declared: Mapping[str, Mapping[str, Any]],
    wanted: Mapping[str, InputValue],
    target: str,
    where: str,
) -> Iterator[Finding]:
    for name, rule in declared.items():
        if name in wanted:
            continue
        chosen = rule.get("rules")
        by_rule = [each.get("default") for each in chosen or () if isinstance(each, dict)]
        if "default" not in rule and not by_rule:
            yield Finding(
                code=_CODE,
                target=target,
                message=f"{where} requires the input `{one_line(name)}`, the plan has none.",
                hint=f"Set `orchestration.inputs.{one_line(name)}`.",
            )
        elif is_forbidden([rule.get("default"), *by_rule]):
            yield Finding(
                code="forbidden-action",
                target=target,
                message=f"{where} would use the cut-off action as input `{one_line(name)}`, "
                "its default, since the plan sends no other.",
                hint="The runbook forbids it in a hotfix. Send that input with another value.",
            )
