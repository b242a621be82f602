"""What goes on in GitLab when a run stops: pipelines and jobs do not stop with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.evidence.model import Entry, Lock, StepName


def in_flight(lock: Lock) -> Iterator[str]:
    """Say of each target what was started in GitLab and was not seen to end, and where."""
    for target in lock.plan.targets:
        last = {
            entry.step: entry
            for entry in lock.entries
            if entry.target == target.project and entry.phase != "failed"
        }
        if "orchestrate" in last and "verify-production" not in last:
            yield f"{target.project}: {_latest(last)}"


def _latest(last: dict[StepName, Entry]) -> str:
    started, staged, pressed = (last.get(step) for step in ("orchestrate", "staging", "promote"))
    if staged is not None and pressed is not None:
        name = one_line(str(pressed.facts["job_name"]), 80)
        was = "was" if pressed.phase == "done" else "may have been"
        return f"the production job {name} {was} pressed, see {staged.facts['url']}"
    if staged is not None:
        waits = "waits at" if staged.phase == "done" else "goes on to"
        return f"the pipeline {waits} the production gate, see {staged.facts['url']}"
    if started is not None and "url" in started.facts:
        return f"the pipeline goes on, see {started.facts['url']}"
    return "a pipeline may have been started"
