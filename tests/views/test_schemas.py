from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator, ValidationError

from hotfix import schema
from hotfix.plan.document import to_json
from hotfix.views.json_documents import dumped
from hotfix.views.schemas import schema_document, write_schemas

if TYPE_CHECKING:
    from pathlib import Path

    from hotfix.doctor.model import Examination
    from hotfix.evidence.model import Lock
    from hotfix.plan.model import Plan


@pytest.mark.parametrize("name", schema.NAMES)
def test_the_file_is_what_the_models_say(name: str) -> None:
    assert schema.schema_text(name) == dumped(schema_document(name)), "run `make schemas`"


@pytest.mark.parametrize("name", schema.NAMES)
def test_each_is_a_schema_with_a_name(name: str) -> None:
    document = schema_document(name)

    Draft202012Validator.check_schema(document)
    assert document["$id"] == f"{name}.schema.json"
    assert document["title"]


def test_a_folder_gets_them_all(tmp_path: Path) -> None:
    write_schemas(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {
        f"{name}.schema.json" for name in schema.NAMES
    }


def test_what_is_written_fits(plan: Plan, lock: Lock, examination: Examination) -> None:
    _validator("doctor").validate(to_json(examination))
    _validator("plan").validate(to_json(plan))
    _validator("lock").validate(to_json(lock))


@pytest.mark.parametrize(
    "change",
    [{"format": "plan/2"}, {"extra": 1}, {"digest": None}, {"summary": {"commits": "3"}}],
)
def test_what_is_changed_does_not_fit(plan: Plan, change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        _validator("plan").validate({**to_json(plan), **change})


def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema.schema_text(name)))
