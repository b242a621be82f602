from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from hotfix.spec.problem import Source
from hotfix.spec.schema import defaults_schema, spec_schema
from hotfix.spec.tree import parse, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCHEMAS = {"spec": spec_schema, "defaults": defaults_schema}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_one_of_2020_12_with_a_relative_id(name: str) -> None:
    schema = SCHEMAS[name]()

    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"{name}.schema.json"
    assert schema == SCHEMAS[name]()
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize(
    ("file", "name"),
    [("single", "spec"), ("targets", "spec"), ("everything", "spec"), ("defaults", "defaults")],
)
def test_the_schema_accepts_every_good_file(
    file: str, name: str, good: Callable[[str], str]
) -> None:
    root, problems = parse(Source(f"{file}.yaml", good(file)))
    assert root is not None
    assert problems == []

    value = json.loads(json.dumps(plain(root)))

    assert list(Draft202012Validator(SCHEMAS[name]()).iter_errors(value)) == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_is_described_for_the_editor(name: str) -> None:
    described = list(properties(SCHEMAS[name]()))

    assert len(described) > 30
    assert [key for key, schema in described if not schema.get("description")] == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_key_without_a_value_is_refused_by_the_schema_as_by_the_loader(name: str) -> None:
    assert '{"type": "null"}' not in json.dumps(SCHEMAS[name]())


def test_loading_a_spec_imports_nothing_heavy() -> None:
    program = (
        "import sys, hotfix.spec.load\n"
        "heavy = {'dulwich', 'gitlab', 'jsonschema', 'requests', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


def properties(schema: object) -> Iterator[tuple[str, dict[str, object]]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield from schema.get("properties", {}).items()
        for part in schema.values():
            yield from properties(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from properties(part)
