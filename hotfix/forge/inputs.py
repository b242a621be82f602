"""The body that starts a pipeline, and the last gate before the forbidden action.

GitLab checks inputs against the types that the pipeline declares, and takes strings, numbers,
booleans and arrays (GitLab docs, "CI/CD inputs"). It does not give them back afterwards, so what
is sent here is all that is ever known of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hotfix.errors import BlockedError, InputError
from hotfix.identifiers import FORBIDDEN_ACTION, is_forbidden
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping


def pipeline_body(
    ref: str, inputs: Mapping[str, object] | None, variables: Mapping[str, str] | None
) -> dict[str, object]:
    """Return what is posted to start a pipeline.

    Raises ``BlockedError`` (``forbidden-action``) where a key or value names the cut-off action
    in any spelling, whoever asks for it: the runbook, step 4. Raises ``InputError`` for a value
    that GitLab's inputs cannot be.
    """
    body: dict[str, object] = {"ref": ref}
    if inputs:
        body["inputs"] = {_name(name): _value(name, value) for name, value in inputs.items()}
    if variables:
        body["variables"] = [
            {"key": _name(name), "value": _string(name, value)} for name, value in variables.items()
        ]
    if is_forbidden(body):
        raise BlockedError(
            "forbidden-action",
            f"the pipeline would be sent {FORBIDDEN_ACTION}, which a hotfix never runs: "
            "it fills the release branch with unreleased work",
            hint="Use action=deploy-release-branch-to-staging; nothing was sent.",
        )
    return body


def _value(name: str, value: object) -> object:
    match value:
        case str() | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case list() | tuple():
            return [_value(name, part) for part in value]
        case _:
            raise _unfit(name, value, "a string, a number, a boolean or a list of these")


def _name(name: object) -> str:
    return _string("name", name)


def _string(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise _unfit(name, value, "a string")


def _unfit(name: str, value: object, expected: str) -> InputError:
    return InputError(
        "pipeline-input",
        f"{one_line(repr(value))} ({type(value).__name__}) cannot be sent as {one_line(name)!r}: "
        f"it must be {expected}",
        hint="Put quotes around the value in `orchestration.inputs`.",
    )
