"""GitLab's own API document, and the check of an exchange against it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import yaml
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

if TYPE_CHECKING:
    from hotfix.sandbox.request_log import Request

DOCUMENT = Path(__file__).parent / "data" / "gitlab-openapi.yaml"
PREFIX = "/api/v4"
# Routes that the document leaves out, and parameters that GitLab takes but it does not name.
UNDOCUMENTED = re.compile(
    r"/(users|users/\d+|projects/[^/]+/(members/all|approvals)|projects/[^/]+/repository/files/[^/]+/raw)"
)
# GitLab defines these once for several things (lib/api/notes.rb, lib/api/members.rb); the document
# has them for one.
SAME_AS = (
    (re.compile(r"/merge_requests/(\d+)/notes"), r"/issues/\1/notes"),
    (re.compile(r"^/groups/([^/]+)/members/(\d+)$"), r"/projects/\1/members/all/\2"),
)


HELD: set[tuple[object, ...]] = set()
"""The kinds of exchanges that were found to keep the contract; the next of a kind does too."""
NUMBER = re.compile(rb"\d|[0-9a-f]{7,}")


def _kind(exchange: Request, path: str) -> tuple[object, ...]:
    """Tell an exchange from others by all that it says but its numbers, times and commit ids."""
    said = (exchange.query.encode(), exchange.body, exchange.answer)
    masked = (NUMBER.sub(b"0", each) for each in said)
    return (exchange.method, path, exchange.status, exchange.answer_type, *masked)


@cache
def document() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(DOCUMENT.read_bytes(), Loader=loader)  # noqa: S506 - both loaders are safe


@cache
def operations() -> list[tuple[str, re.Pattern[str], str, dict[str, Any]]]:
    """List the operations, those with the fewest placeholders first."""
    found = []
    for path, methods in document()["paths"].items():
        pattern = re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)))
        found += [
            (method.upper(), pattern, path, operation)
            for method, operation in methods.items()
            if method != "parameters"
        ]
    return sorted(found, key=lambda one: one[2].count("{"))


@cache
def validator(*pointer: str) -> OAS30Validator:
    registry: Registry[Any] = Registry().with_resource(
        "urn:gitlab", Resource(contents=document(), specification=DRAFT4)
    )
    steps = "/".join(step.replace("~", "~0").replace("/", "~1") for step in pointer)
    return OAS30Validator(
        {"$ref": f"urn:gitlab#/{steps}"},
        registry=registry,
        format_checker=oas30_format_checker,
    )


@dataclass
class Contract:
    """Checks exchanges; ``seen`` are the operations that were used."""

    seen: set[tuple[str, str]] = field(default_factory=set)

    def check(self, exchange: Request) -> None:
        if exchange.struck or not exchange.path.startswith(f"{PREFIX}/"):
            return
        raw = exchange.raw_path.removeprefix(PREFIX)
        if UNDOCUMENTED.fullmatch(raw):
            return
        for pattern, same in SAME_AS:
            raw = pattern.sub(same, raw)
        for method, pattern, path, operation in operations():
            if method == exchange.method and pattern.fullmatch(raw):
                self.seen.add((method, path))
                if (kind := _kind(exchange, path)) not in HELD:
                    if exchange.status < 400:
                        self._check_request(exchange, path, operation)
                    self._check_answer(exchange, path, operation)
                    HELD.add(kind)
                return
        assert exchange.status == 404, f"not in the document: {exchange.method} {raw}"

    def _check_request(self, exchange: Request, path: str, operation: dict[str, Any]) -> None:
        body = json.loads(exchange.body) if exchange.body else {}
        given = parse_qsl(exchange.query, keep_blank_values=True)
        named = {p["name"]: p for p in operation.get("parameters", []) if p["in"] == "query"}
        for key, value in given:
            name = key.removesuffix("[]")
            if exchange.method == "GET" or name in named:
                assert name in named, f"{path} takes no parameter {name}"
                _check_parameter(named[name]["schema"], value)
            else:
                body[name] = value == "true" if value in ("true", "false") else value
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            pointer = ("paths", path, exchange.method.lower(), "requestBody", "content")
            check = validator(*pointer, "application/json", "schema")
            _assert_valid(check, body, f"request {exchange.method} {path}")

    def _check_answer(self, exchange: Request, path: str, operation: dict[str, Any]) -> None:
        where = f"{exchange.method} {path} -> {exchange.status}: {exchange.answer[:300]!r}"
        answers = operation["responses"]
        if str(exchange.status) not in answers:
            # The document names few of GitLab's refusals; their bodies have one shape.
            assert exchange.status in (400, 409, 422), where
            _assert_valid(
                validator("components", "schemas", "Error"), json.loads(exchange.answer), where
            )
            return
        content = answers[str(exchange.status)].get("content")
        if not content:
            return
        assert exchange.answer_type in content, where
        if exchange.answer_type != "application/json":
            return
        pointer = ("paths", path, exchange.method.lower(), "responses", str(exchange.status))
        check = validator(*pointer, "content", "application/json", "schema")
        _assert_valid(check, json.loads(exchange.answer), where)


def _check_parameter(schema: dict[str, Any], value: str) -> None:
    kind = schema.get("type")
    if kind == "integer":
        assert value.isdecimal(), value
    if kind == "boolean":
        assert value.lower() in ("true", "false", "1", "0"), value
    if "enum" in schema:
        assert value in schema["enum"], value


def _assert_valid(check: OAS30Validator, value: object, where: str) -> None:
    problems = [f"{error.json_path}: {error.message}" for error in check.iter_errors(value)]
    assert not problems, f"{where}\n" + "\n".join(problems[:5])
