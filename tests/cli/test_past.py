"""A plan is compared with the hotfixes whose lockfiles stand beside its spec."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .conftest import Result

PAST = "hotfix.lock.json"


def lay(finished: Path, folder: Path, hotfix: str) -> None:
    """Lay the lockfile of another hotfix beside the spec; only its plan is read."""
    lock = json.loads((finished / PAST).read_bytes())
    lock["plan"]["hotfix"] = hotfix
    (folder / f"{hotfix}.lock.json").write_text(json.dumps(lock))


def planned(hotfix: Callable[..., Result], spec: Path) -> dict[str, object]:
    result = hotfix("plan", spec, "--format", "json")
    assert result.code == 0, result.err
    return dict(json.loads(result.out)["targets"][0]["observed"]["radius"])


def test_only_other_hotfixes_count_each_once_and_what_cannot_be_read_says_nothing(
    hotfix: Callable[..., Result], spec: Path, finished: Path
) -> None:
    assert "past" not in planned(hotfix, spec)

    for name in ("inc-1", "inc-2"):
        lay(finished, spec.parent, name)
    shutil.copy(spec.parent / "inc-2.lock.json", spec.parent / "inc-2.copy.lock.json")
    lay(finished, spec.parent, "inc-1042")
    (spec.parent / "broken.lock.json").write_text("{")

    assert planned(hotfix, spec)["past"] == {"count": 2, "smaller": 0, "median_files": 3.0}


def test_the_comparison_is_no_part_of_what_is_approved(
    hotfix: Callable[..., Result], spec: Path, finished: Path
) -> None:
    before = json.loads(hotfix("plan", spec, "--format", "json").out)["digest"]
    lay(finished, spec.parent, "inc-1")

    assert json.loads(hotfix("plan", spec, "--format", "json").out)["digest"] == before
