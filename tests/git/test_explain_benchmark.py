from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hotfix.git.explain import Explanation

from .cgit import CGit
from .making import START, Store, lines

if TYPE_CHECKING:
    from types import ModuleType

    from hotfix.identifiers import Sha

SCRIPTS = Path(__file__).parents[2] / "benchmarks"
TEN = lines(*range(10))


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(SCRIPTS)
    spec = importlib.util.spec_from_file_location("explain", SCRIPTS / "explain.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "explain", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a line on which each commit rewrites a line of one of four files, in turn."""
    git = CGit(tmp_path / "project.git")
    files = {f"f{number}": TEN for number in range(4)}
    head = store.commit(store.tree(files))
    for number in range(1, 30):
        files[f"f{number % 4}"] = TEN.replace(b"5\n", f"changed {number}\n".encode())
        head = store.commit(store.tree(files), head, commit_time=START + number)
    git.take(store.objects.values())
    git.run("update-ref", "HEAD", head)
    path = tmp_path / "project.git"
    monkeypatch.setattr(sys, "argv", ["explain.py", "--picks", "10", str(path)])
    return path


def cells(output: str) -> dict[str, str]:
    names, _, row, *_ = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in output.splitlines()
    ]
    return dict(zip(names, row, strict=True))


@pytest.mark.oracle
def test_conflicts_are_explained_and_held_against_the_truth(
    script: ModuleType, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(project.rglob("*"))

    assert script.main() == 0

    found = cells(capsys.readouterr().out)
    assert found["repository"] == "project.git"
    assert int(found["a set exists"]) > 0
    assert found["named"] == found["a set exists"] == found["as small"]
    assert (found["WRONG"], found["NAMED"]) == ("0", "0")
    assert sorted(project.rglob("*")) == before


@pytest.mark.oracle
def test_a_set_that_does_not_make_the_pick_clean_is_counted_and_fails(
    script: ModuleType,
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Sha] = []

    def wrong(*_: object, onto: Sha, **__: object) -> Explanation:
        asked.append(onto)
        return Explanation((), (onto,))

    monkeypatch.setattr(script, "explain", wrong)
    monkeypatch.setattr(script, "hotfixed", lambda *_: ())
    assert project.exists()

    assert script.main() == 1

    assert cells(capsys.readouterr().out)["WRONG"] == str(len(asked)) != "0"


@pytest.mark.oracle
def test_an_original_whose_pick_is_in_production_and_is_named_fails(
    script: ModuleType,
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(script, "hotfixed", lambda *_: ("in production", "NAMED"))
    assert project.exists()

    assert script.main() == 1

    assert cells(capsys.readouterr().out)["NAMED"] != "0"
