from __future__ import annotations

import subprocess
import sys
import time
from typing import Literal

import pytest

from hotfix.smoke.deadline import within
from hotfix.spec.model import SmokeCheck


@pytest.mark.parametrize(
    ("only_for", "kind", "expected"),
    [
        (None, "hotfix", True),
        (None, "rollback", True),
        ("hotfix", "hotfix", True),
        ("hotfix", "rollback", False),
        ("rollback", "hotfix", False),
        ("rollback", "rollback", True),
    ],
)
def test_a_check_belongs_to_both_ways_or_to_one(
    only_for: str | None, kind: Literal["hotfix", "rollback"], *, expected: bool
) -> None:
    check = SmokeCheck.model_validate(
        {"name": "health", "tcp": {"host": "localhost", "port": 1}, "only_for": only_for}
    )

    assert check.applies_to(kind) is expected


def test_work_that_hangs_is_left_behind() -> None:
    begin = time.monotonic()

    with pytest.raises(TimeoutError):
        within(0.1, lambda: time.sleep(1))
    assert time.monotonic() - begin < 0.9


def test_a_defect_inside_the_work_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 // 0)


def test_a_run_without_http_checks_does_not_load_requests() -> None:
    script = "import hotfix.smoke.run, sys; print('requests' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)

    assert done.stdout.strip() == b"False"
