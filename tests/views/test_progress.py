from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from hotfix.apply.events import Event, JobState
from hotfix.schema import schema_text
from hotfix.views.event_stream import EventStream
from hotfix.views.progress import LiveProgress, PlainProgress, Several

if TYPE_CHECKING:
    from hotfix.clock import Clock

JOBS = (
    JobState(
        stage="deploy", name="deploy-staging", status="running", url="https://x.test", seconds=12
    ),
)


def _event(**more: Any) -> Event:  # noqa: ANN401  (any field of an event)
    values: dict[str, Any] = {
        "at": "2026-11-22T12:00:00Z",
        "step": "restore",
        "target": "evenergi/bf-manage-core",
        "phase": "done",
        "message": "pushed 1a2b3c4d to release",
    }
    return Event(**{**values, **more})


@pytest.fixture
def lines() -> list[str]:
    return []


def test_a_plain_line_names_step_target_and_what_is_now_true(lines: list[str]) -> None:
    PlainProgress(lines.append).emit(_event())

    assert lines == ["[restore] evenergi/bf-manage-core: pushed 1a2b3c4d to release\n"]


def test_a_wait_is_told_once_until_something_changes(lines: list[str]) -> None:
    progress = PlainProgress(lines.append)
    waiting = _event(phase="waiting", step="staging", message="pipeline 31", jobs=JOBS)
    progress.emit(waiting)
    progress.emit(waiting.model_copy(update={"at": "2026-11-22T12:00:05Z"}))
    done = (JOBS[0].model_copy(update={"status": "success"}),)
    progress.emit(waiting.model_copy(update={"jobs": done}))

    assert lines == [
        "[staging] evenergi/bf-manage-core: pipeline 31, deploy-staging running\n",
        "[staging] evenergi/bf-manage-core: pipeline 31, deploy-staging success\n",
    ]


def test_a_failure_says_so_without_colour(lines: list[str]) -> None:
    PlainProgress(lines.append).emit(_event(phase="failed", message="503"))

    assert lines == ["[restore] evenergi/bf-manage-core: failed: 503\n"]


def test_the_stream_begins_with_its_format_and_fits_its_schema(lines: list[str]) -> None:
    from jsonschema import Draft202012Validator  # noqa: PLC0415  (loads slowly)

    stream = EventStream(lines.append, "0.1.0")
    stream.emit(_event())
    stream.emit(_event(phase="waiting", jobs=JOBS, url="https://x.test"))
    documents = [json.loads(line) for line in lines]

    assert documents[0] == {"format": "events/1", "tool_version": "0.1.0"}
    validator = Draft202012Validator(json.loads(schema_text("events")))
    for document in documents:
        validator.validate(document)


def test_the_live_display_keeps_what_is_done_and_drops_what_went_on(clock: Clock) -> None:
    screen = io.StringIO()
    console = Console(
        file=screen,
        width=80,
        force_terminal=True,
        color_system=None,
        _environ={"TERM": "xterm"},
    )
    with LiveProgress(console, clock) as live:
        live.emit(_event(phase="started", message="restore release"))
        live.emit(
            _event(phase="waiting", message="pipeline 31", jobs=JOBS, url="https://x.test/31")
        )
        with live.paused():
            screen.write("QUESTION\n")
        live.emit(_event())
    shown = screen.getvalue()

    assert "done   [restore] evenergi/bf-manage-core: pushed 1a2b3c4d to release" in shown
    assert shown.index("QUESTION") < shown.index("done   [restore]")
    assert "pipeline 31" in shown
    assert "deploy-staging" in shown
    assert "12 s" in shown
    assert "https://x.test/31" in shown
    assert shown.count("\x1b[?25h") == shown.count("\x1b[?25l"), "the cursor is shown again"


def test_several_screens_see_the_same(lines: list[str]) -> None:
    Several([PlainProgress(lines.append), PlainProgress(lines.append)]).emit(_event())

    assert len(lines) == 2
