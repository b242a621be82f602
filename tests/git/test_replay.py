from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .cgit import CGit
from .making import START, Store, lines

if TYPE_CHECKING:
    from types import ModuleType

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "replay.py"


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("replay", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "replay", module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.oracle
def test_replayed_picks_are_compared_with_git_and_counted(
    replay: ModuleType,
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    git = CGit(tmp_path / "project.git")
    head = store.commit(store.tree({"f": lines(*range(30))}))
    for number in range(1, 30):
        text = lines(*range(number), f"changed {number}", *range(number, 30))
        parents = (head, store.commit(store.tree({}), head)) if number % 7 == 0 else (head,)
        head = store.commit(store.tree({"f": text}), *parents, commit_time=START + number)
    git.take(store.objects.values())
    git.run("update-ref", "HEAD", head)
    before = sorted((tmp_path / "project.git").rglob("*"))
    monkeypatch.setattr(sys, "argv", ["replay.py", "--picks", "12", str(tmp_path / "project.git")])

    assert replay.main() == 0

    table = capsys.readouterr().out.splitlines()
    assert table[2].startswith("| project.git | 12 |")
    assert table[-1].startswith("| all | 12 |")
    assert sorted((tmp_path / "project.git").rglob("*")) == before


@pytest.mark.parametrize(
    ("ours", "theirs", "column"),
    [
        ("a", "a", "same tree"),
        (None, None, "both conflict"),
        (None, "a", "only here"),
        ("a", None, "ONLY GIT"),
        ("a", "b", "OTHER TREE"),
        ("error", "a", "ERROR"),
    ],
)
def test_a_pick_belongs_to_one_column(
    replay: ModuleType, ours: str | None, theirs: str | None, column: str
) -> None:
    assert replay.verdict(ours, theirs) == column
