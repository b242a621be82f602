from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from hotfix.cli.second_opinion import second_opinion
from hotfix.errors import InputError

from .conftest import BASE

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import Case

pytestmark = pytest.mark.oracle


def test_git_agrees_with_a_pick_an_already_there_and_a_conflict(case: Case) -> None:
    assert second_opinion(case.plan()).said.endswith("agrees with 1 of 1 picks")

    case.production = case.history.commit(
        {**BASE, "timeout.py": "TIMEOUT = 300\n"}, case.production
    )
    assert second_opinion(case.plan()).said.endswith("agrees with 1 of 1 picks")

    case.production = case.history.commit({**BASE, "timeout.py": "TIMEOUT = 45\n"}, case.production)
    built = case.plan()
    assert built.conflicts
    assert second_opinion(built).disagreements == ()


def test_a_disagreement_blocks_and_prints_how_to_see_it(case: Case) -> None:
    built = case.plan()
    target = built.plan.targets[0]
    wrong = target.commits[-1].model_copy(update={"tree": "f" * 40})
    target = target.model_copy(update={"commits": (target.commits[0], wrong)})
    plan = built.plan.model_copy(update={"targets": (target,)})

    (finding,) = second_opinion(replace(built, plan=plan)).disagreements

    assert finding.code == "git-disagrees"
    assert "the plan has tree ffffffff, git" in finding.message
    assert finding.detail.endswith("git merge-tree --write-tree $ours $theirs")


def test_without_git_the_option_is_refused(
    case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(InputError, match="no git on the PATH"):
        second_opinion(case.plan())
