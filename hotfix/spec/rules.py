"""What a text in a spec must look like, and the sentence said where it does not.

One rule serves three times: it checks the file that an operator wrote, it checks a plan that is
read back, and it stands in the JSON Schema that an editor uses. Every rule answers in words that
say what to write instead; a pattern alone would not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping  # noqa: TC003  (the dataclass keeps them)
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic_core import PydanticCustomError, core_schema

from hotfix.attributes import attribute_faults
from hotfix.identifiers import FORBIDDEN_ACTION, PROJECT_PATTERN, SHA_PATTERN, is_forbidden
from hotfix.spec.secrets import mask
from hotfix.text import one_line

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

Complaint = tuple[str, str]
"""What is wrong, and what to write instead."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """A check with its sentence, and the part of it that JSON Schema can say."""

    check: Callable[[Any], Complaint | None]
    schema: Mapping[str, Any] = field(default_factory=dict)

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Run the check after the type's own."""
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add what JSON Schema can say of the check."""
        given = handler(schema)
        added = dict(self.schema)
        if "not" in given and "not" in added:
            added["not"] = {"anyOf": [given["not"], added["not"]]}
        return {**given, **added}

    def _checked(self, value: object) -> object:
        complaint = self.check(value)
        if complaint is not None:
            raise complain(*complaint)
        return value


def complain(sentence: str, hint: str) -> PydanticCustomError:
    """Make the error that the loader turns into a problem with its place."""
    return PydanticCustomError("hotfix", "{sentence}", {"sentence": sentence, "hint": hint})


def any_case(words: str) -> str:
    """Write a pattern for letters in either case, for JSON Schema has no flag for it."""
    return "".join(f"[{char}{char.upper()}]" if char.isalpha() else char for char in words)


def quoted(value: object) -> str:
    """Show a value inside a sentence: masked, short, and harmless to a terminal."""
    return f"`{one_line(mask(str(value)[:4096]), 60)}`"


def line(what: str, limit: int = 255) -> Rule:
    """Ask for one line of visible text, such as a title or the name of a job."""

    def check(value: str) -> Complaint | None:
        if not value.strip():
            return f"the {what} is empty", f"Write the {what} on one line."
        if _has_controls(value):
            return (
                f"the {what} has a line break or another control character",
                f"Write the {what} on one line.",
            )
        if value != value.strip():
            return f"the {what} begins or ends with a blank", "Take the blank away."
        if len(value) > limit:
            return (
                f"the {what} has {len(value)} characters, {limit} are allowed",
                f"Shorten the {what}.",
            )
        return None

    return Rule(check, {"minLength": 1, "maxLength": limit, "pattern": _LINE})


def not_empty(what: str, *, hint: str = "") -> Rule:
    """Ask for at least one entry in a list: an empty one says something that nobody means."""

    def check(value: tuple[object, ...]) -> Complaint | None:
        if not value:
            return f"the list of {what} is empty", hint or "Fill it, or leave the key out."
        return None

    return Rule(check, {"minItems": 1})


def between(low: float, high: float, what: str) -> Rule:
    """Ask for a number within bounds."""

    def check(value: float) -> Complaint | None:
        if low <= value <= high:
            return None
        return f"{what} {value} is out of bounds", f"Write a number from {low} to {high}."

    return Rule(check, {"minimum": low, "maximum": high})


def _sha(value: str) -> Complaint | None:
    if re.fullmatch(SHA_PATTERN, value):
        return None
    if re.fullmatch(r"[0-9a-fA-F]{40}", value):
        return (
            f"the commit id {quoted(value)} has upper-case letters",
            f"Write `{value.lower()}`.",
        )
    if re.fullmatch(r"[0-9a-fA-F]+", value):
        return (
            f"the commit id {quoted(value)} has {len(value)} digits, not 40",
            "Write all 40 digits; `git rev-parse` prints them.",
        )
    return f"{quoted(value)} is no commit id", "Write 40 lower-case hex digits."


def _hotfix_id(value: str) -> Complaint | None:
    if re.fullmatch(ID_PATTERN, value):
        return None
    proposal = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")[:63].rstrip("-")
    hint = (
        "It becomes a folder, a ref and a trailer: lower-case letters, digits and `-`, at most 63"
    )
    return (
        f"{quoted(value)} cannot be the id of a hotfix",
        f"{hint}. Write `{proposal}`." if proposal else f"{hint}.",
    )


def _project(value: str) -> Complaint | None:
    if "://" in value:
        return (
            f"{quoted(value)} is an address, not the path of a project",
            "Write the path alone, such as `group/project`.",
        )
    if len(value) <= 255 and re.fullmatch(PROJECT_PATTERN, value):  # noqa: PLR2004  (GitLab's own)
        return None
    return (
        f"{quoted(value)} is no path of a project",
        "Write the full path, such as `group/project`.",
    )


def _group(value: str) -> Complaint | None:
    if len(value) <= 255 and re.fullmatch(_GROUP, value):  # noqa: PLR2004  (GitLab's own)
        return None
    return (
        f"{quoted(value)} is no path of a group",
        "Write the full path alone, such as `evenergi/release-managers`.",
    )


def _branch(value: str) -> Complaint | None:
    fits = 0 < len(value) <= _REF_LENGTH and not re.search(_NOT_A_BRANCH, value)
    if fits and not _has_controls(value):
        return None
    return (
        f"{quoted(value)} cannot be the name of a branch",
        "Write the branch's short name, such as `release`; see `git check-ref-format`.",
    )


def _email(value: str) -> Complaint | None:
    if len(value) <= 254 and re.fullmatch(_EMAIL, value):  # noqa: PLR2004  (RFC 5321)
        return None
    return f"{quoted(value)} is no e-mail address", "Write it bare, such as `hotfix@example.com`."


def _person(value: str) -> Complaint | None:
    if re.search(r"[<>]", value):
        return (
            f"the name {quoted(value)} has an angle bracket",
            "Write the name alone; the address stands in `email`.",
        )
    return None


def _requested_at(value: str) -> Complaint | None:
    if re.fullmatch(_MOMENT, value) and _moment(value) is not None:
        return None
    moment = _moment(value)
    example = (
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if moment is not None and moment.tzinfo is not None
        else _EXAMPLE
    )
    return (
        f"{quoted(value)} is no moment in UTC with whole seconds",
        f"Write it like `{example}`." if example == _EXAMPLE else f"Write it as `{example}`.",
    )


def _moment(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.year >= 1970 else None  # noqa: PLR2004  (Git's first year)


def _not_forbidden(value: object) -> Complaint | None:
    if is_forbidden(value):
        return (
            f"`{FORBIDDEN_ACTION}` can never be sent",
            "It fills the release branch with unreleased work (runbook, step 4). Take it out.",
        )
    return None


def _attribute_lines(value: str) -> Complaint | None:
    fault = next(iter(attribute_faults(value)), None)
    return (f"line {fault.line}: {fault.sentence}", fault.hint) if fault else None


def _has_controls(value: str) -> bool:
    return any(unicodedata.category(char) in {"Cc", "Zl", "Zp", "Cs"} for char in value)


ID_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
_EXAMPLE = "2026-11-22T03:00:00Z"
_LINE = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*[^\s]$"
_GROUP = PROJECT_PATTERN.removesuffix("+$") + "*$"
_EMAIL = r"^[^\s<>@\u0000-\u001f\u007f]+@[^\s<>@\u0000-\u001f\u007f]+$"
_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
# git-check-ref-format(1), rules 1 to 10, and `--branch`: no leading dash; Git adds `refs/heads/`.
_NOT_A_BRANCH = (
    r"[~^:?*\[\\\u0000-\u0020\u007f]|\.\.|@\{|//|^@$|^HEAD$|^[-/]|^refs/heads/"
    r"|(^|/)\.|[/.]$|\.lock(/|$)"
)
_REF_LENGTH = 244  # with `refs/heads/` 255, what the name of a file may have
_FORBIDDEN = "[^A-Za-z]*".join(
    f"[{char}{char.upper()}]" for char in FORBIDDEN_ACTION if char.isalpha()
)

_FORBIDDEN_TEXT = {"type": "string", "pattern": _FORBIDDEN}

SENT = Rule(
    _not_forbidden,
    {"not": {"anyOf": [_FORBIDDEN_TEXT, {"type": "array", "contains": _FORBIDDEN_TEXT}]}},
)
"""For every value that is sent to GitLab or matched there; free text is not held to it."""

ShaText = Annotated[str, Rule(_sha, {"pattern": SHA_PATTERN})]
IdText = Annotated[str, Rule(_hotfix_id, {"pattern": ID_PATTERN})]
ProjectPath = Annotated[str, Rule(_project, {"pattern": PROJECT_PATTERN, "maxLength": 255})]
GroupPath = Annotated[str, Rule(_group, {"pattern": _GROUP, "maxLength": 255})]
BranchName = Annotated[
    str,
    Rule(_branch, {"minLength": 1, "maxLength": _REF_LENGTH, "not": {"pattern": _NOT_A_BRANCH}}),
]
EmailAddress = Annotated[str, Rule(_email, {"pattern": _EMAIL, "maxLength": 254})]
AttributeLines = Annotated[str, Rule(_attribute_lines)]
PersonName = Annotated[str, line("name"), Rule(_person, {"not": {"pattern": "[<>]"}})]
Moment = Annotated[str, Rule(_requested_at, {"pattern": _MOMENT})]
