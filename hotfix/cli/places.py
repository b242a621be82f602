"""Where approvals of a plan stand: the merge request or incident that an option or a file names.

What everybody knows by the plan itself is looked at anyway. Other places are kept in a small file
beside the plan, so that ``apply`` looks there too. It is a pointer and proves nothing: what counts
is what GitLab says.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Final, Literal

import click
from pydantic import ValidationError

from hotfix.cli.documents import read, write
from hotfix.errors import InputError
from hotfix.forge.types import Noteable
from hotfix.identifiers import PROJECT_PATTERN
from hotfix.models import Frozen, to_json
from hotfix.spec.gitlab_url import normalized

if TYPE_CHECKING:
    from pathlib import Path

_PLACE: Final = re.compile(PROJECT_PATTERN.strip("^$") + r"(?P<sign>[!#])(?P<iid>[1-9][0-9]{0,8})")
_ENDINGS: Final = (".plan.json", ".lock.json", ".yaml", ".yml", ".json")


class _Pointer(Frozen):
    """The file: for which hotfix, and the places, as GitLab writes them across projects."""

    format: Literal["approvals/1"]
    hotfix: str
    places: tuple[str, ...]


def place(text: str) -> Noteable | None:
    """Read ``group/project!7``, a merge request, or ``group/project#7``, an incident."""
    found = _PLACE.fullmatch(text)
    if found is None:
        return None
    kind: Literal["merge_requests", "issues"]
    kind = "merge_requests" if found["sign"] == "!" else "issues"
    return Noteable(kind, text[: found.start("sign")], int(found["iid"]))


def given(merge_request: str | None, incident: str | None) -> Noteable | None:
    """Read the place that the command line names."""
    if merge_request is not None and incident is not None:
        raise click.UsageError("--merge-request and --incident name one place; give one of them.")
    for option, text, sign in (
        ("--merge-request", merge_request, "!"),
        ("--incident", incident, "#"),
    ):
        if text is None:
            continue
        found = place(text)
        if found is None or sign not in text:
            raise click.BadParameter(f"write it as group/project{sign}7.", param_hint=option)
        return found
    return None


def of_this_job(gitlab: str) -> Noteable | None:
    """Name the merge request whose pipeline this job belongs to, where GitLab CI says so."""
    project, iid = (os.environ.get(f"CI_MERGE_REQUEST_{name}") for name in ("PROJECT_PATH", "IID"))
    server = os.environ.get("CI_SERVER_URL")
    if not project or not iid or not server or normalized(server) != normalized(gitlab):
        return None
    return place(f"{project}!{iid}")


def pointer_of(file: Path) -> Path:
    """Name the file that keeps the places for a spec, a saved plan or a lockfile."""
    for ending in _ENDINGS:
        if file.name.endswith(ending) and file.name != ending:
            return file.with_name(file.name.removesuffix(ending) + ".approvals.json")
    return file.with_name(file.name + ".approvals.json")


def known(file: Path, hotfix: str, gitlab: str) -> tuple[Noteable, ...]:
    """List the places that the file beside and this job tell; ``InputError`` for a damaged file."""
    beside = pointer_of(file)
    kept = _kept(beside, hotfix) if beside.exists() else ()
    job = of_this_job(gitlab)
    return (*kept, *([job] if job else ()))


def keep(file: Path, hotfix: str, on: Noteable) -> Path | None:
    """Keep a place beside a plan; returns the file where it was not there already."""
    beside = pointer_of(file)
    kept = _kept(beside, hotfix) if beside.exists() else ()
    if on in kept:
        return None
    texts = tuple(str(each) for each in (*kept, on))
    pointer = _Pointer(format="approvals/1", hotfix=hotfix, places=texts)
    write(beside, (json.dumps(to_json(pointer), indent=2) + "\n").encode())
    return beside


def _kept(beside: Path, hotfix: str) -> tuple[Noteable, ...]:
    try:
        pointer = _Pointer.model_validate_json(read(beside))
    except ValidationError:
        pointer = None
    found = [place(text) for text in pointer.places] if pointer else [None]
    places = tuple(each for each in found if each is not None)
    if pointer is None or pointer.hotfix != hotfix or len(places) != len(found):
        raise InputError(
            "approvals-invalid",
            f"{beside} does not say where approvals of hotfix {hotfix} stand.",
            hint="It is only a pointer: delete it, and approve again with the place that is meant.",
        )
    return places
