"""The JSON Schemas of every file of ours, made from the models.

``python -m hotfix.views.schemas FOLDER`` writes them; the program itself reads what was written, so
that it need not load a model to print a schema.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from hotfix.apply.events import Event
from hotfix.doctor.model import Examination
from hotfix.evidence.model import Lock
from hotfix.evidence.rehearsal import Transcript
from hotfix.files import write_atomic
from hotfix.plan.model import Plan
from hotfix.spec.schema import DIALECT, defaults_schema, spec_schema
from hotfix.views.event_stream import StreamHead
from hotfix.views.json_documents import dumped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def schema_document(name: str) -> dict[str, Any]:
    """Return a schema as the models say it now; ``name`` is one of ``hotfix.schema.NAMES``."""
    return _MAKERS[name]()


def write_schemas(folder: Path) -> None:
    """Write every schema as ``<name>.schema.json`` into a folder that exists."""
    for name in _MAKERS:
        text = dumped(schema_document(name))
        write_atomic(folder / f"{name}.schema.json", text.encode())


def _plan() -> dict[str, Any]:
    return _of("plan", "Hotfix plan", "Everything that apply will do.", Plan)


def _lock() -> dict[str, Any]:
    return _of("lock", "Hotfix lockfile", "What happened, in order, and what it proves.", Lock)


def _events() -> dict[str, Any]:
    return _of(
        "events",
        "Hotfix events",
        "One line of the stream of a run: its head, which comes first, or an event.",
        StreamHead | Event,
    )


def _rehearsal() -> dict[str, Any]:
    return _of(
        "rehearsal",
        "Hotfix rehearsal",
        "What a plan met on an embedded GitLab, with faults, and what was proven in the end.",
        Transcript,
    )


def _doctor() -> dict[str, Any]:
    return _of(
        "doctor",
        "Hotfix doctor",
        "What would keep a hotfix from going through, as it was looked for.",
        Examination,
    )


def _of(name: str, title: str, description: str, model: Any) -> dict[str, Any]:  # noqa: ANN401  (a type or a union)
    # Validation mode: what a reader must accept. What is written has every key, and fits as well.
    schema = TypeAdapter(model).json_schema(mode="validation", schema_generator=_WithoutTitles)
    definitions = schema.pop("$defs", {})
    own = {key: part for key, part in schema.items() if key not in {"title", "description"}}
    return {
        "$schema": DIALECT,
        "$id": f"{name}.schema.json",
        "title": title,
        "description": description,
        **own,
        "$defs": dict(sorted(definitions.items())),
    }


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out the titles that only repeat a key."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401  (pydantic's own)
        del schema
        return False


_MAKERS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "spec": spec_schema,
    "defaults": defaults_schema,
    "plan": _plan,
    "lock": _lock,
    "events": _events,
    "rehearsal": _rehearsal,
    "doctor": _doctor,
}

if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
