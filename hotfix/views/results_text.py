"""How several targets ended, as a table for a screen or for Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hotfix.markdown import code
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotfix.results import TargetResult

_HEAD: Final = ("target", "result", "reason", "because of")


def results_lines(results: Sequence[TargetResult], *, told: str = "") -> Iterator[str]:
    """Write a table in plain text, and below it what ended a target where ``told`` is another."""
    if not results:
        return
    rows = [_HEAD, *(_row(each) for each in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
    for each in results:
        if each.message and each.message != told:
            yield f"{one_line(each.project)}: {one_line(each.message, 500)}"


def results_markdown(results: Sequence[TargetResult]) -> Iterator[str]:
    """Write the table in GitLab's Markdown."""
    if not results:
        return
    yield f"| {' | '.join(_HEAD)} |"
    yield f"|{' --- |' * len(_HEAD)}"
    for each in results:
        project, result, *more = _row(each)
        reason, cause = (code(cell) if cell else "" for cell in more)
        yield f"| {code(project)} | {result} | {reason} | {cause} |"
    yield ""


def results_json(results: Sequence[TargetResult]) -> list[dict[str, Any]]:
    """Write the results as they stand in a document of ``--format json``."""
    keys = ("project", "result", "reason", "message", "cause")
    return [{key: getattr(each, key) or None for key in keys} for each in results]


def _row(each: TargetResult) -> tuple[str, str, str, str]:
    result = each.result.replace("-", " ")
    return one_line(each.project), result, one_line(each.reason), one_line(each.cause)
