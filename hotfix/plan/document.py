"""The plan as a document: its JSON, its digests, and reading it back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from hotfix.canonical import digest, without
from hotfix.errors import InputError
from hotfix.models import to_json
from hotfix.plan.model import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_digests", "parse", "plan_digest", "rollback_digest", "serialize", "to_json"]

_UNDIGESTED = ("digest", "gitlab", "tool_version", "warnings", "blockers", "observed")


def plan_digest(document: Mapping[str, Any]) -> str:
    """Digest a plan's document: what reviewers approve (contract, section 4).

    Left out are the digest itself, the address of the GitLab, the version of the tool, the
    findings, and what was observed, at the top and of each target.
    """
    kept = without(document, *_UNDIGESTED)
    kept["targets"] = [without(target, "observed") for target in document["targets"]]
    return digest(kept)


def rollback_digest(document: Mapping[str, Any]) -> str:
    """Digest the way back, the ``rollback`` object of a plan."""
    return digest(without(document, "digest"))


def serialize(plan: Plan) -> bytes:
    """Write a plan for a file: JSON that a reviewer can read and diff."""
    return (json.dumps(to_json(plan), indent=2, ensure_ascii=False) + "\n").encode()


def parse(data: bytes, source: str) -> Plan:
    """Read a plan back and prove that its digests are its own.

    Raises ``InputError``: the file is no plan, or it was changed after it was made.
    """
    document = _document(data, source)
    try:
        plan = Plan.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(
            "plan-invalid",
            f"{source} is not a plan of this tool: at `{place}`: {first['msg']}",
            hint="Make it anew with `hotfix plan SPEC --out FILE`.",
        ) from error
    check_digests(document, source)
    return plan


def check_digests(document: Mapping[str, Any], source: str) -> None:
    """Prove that a plan's three digests are over its own content; raises ``InputError``."""
    rollback = document["rollback"]
    found = {
        "digest": (document["digest"], plan_digest(document)),
        "spec_digest": (document["spec_digest"], digest(document["spec"])),
    }
    if rollback is not None:
        found["rollback.digest"] = (rollback["digest"], rollback_digest(rollback))
    for name, (stated, computed) in found.items():
        if stated != computed:
            raise InputError(
                "plan-edited",
                f"{source} was changed after it was made: `{name}` says {stated}, "
                f"its content gives {computed}.",
                hint="Change the spec instead, and make the plan anew with `hotfix plan`.",
            )


def _document(data: bytes, source: str) -> dict[str, Any]:
    from hotfix.schema import read_json  # noqa: PLC0415  (jsonschema loads slowly)

    return read_json(data, "plan", source)
