"""The benchmarks' own promises: they compare like with like, and say what is not reached."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    names = ("figures", "goals", "host", "lab", "page", "repository", "ways")
    return SimpleNamespace(**{name: importlib.import_module(f"costs.{name}") for name in names})


def figures(costs: SimpleNamespace, **walls: float) -> Any:  # noqa: ANN401  (the type is imported with the modules)
    rows = [
        costs.lab.Row("files", 400, way, [costs.lab.Run(wall, 0.1, answering=wall / 2)])
        for way, wall in ((costs.ways.PUSHED, walls["ours"]), (costs.ways.FULL, walls["full"]))
    ]
    return costs.figures.Figures("2 cores", rows)


@pytest.mark.parametrize(("full", "verdict"), [(5.0, "reached"), (4.9, "**not reached**")])
def test_a_goal_is_reached_at_its_bound_and_not_below(
    costs: SimpleNamespace, full: float, verdict: str
) -> None:
    goal, missing, *_ = costs.goals.goals(figures(costs, ours=1.0, full=full))

    assert (goal.bound, goal.measured, goal.verdict) == ("at least 5 x", f"{full:g} x", verdict)
    assert goal.at_best == f"{full / 0.5:g} x"  # the server's answers are half of our wall
    assert (missing.measured, missing.verdict) == ("not measured", "")


def test_figures_are_read_back_as_they_were_saved(costs: SimpleNamespace, tmp_path: Path) -> None:
    measured = figures(costs, ours=1.0, full=2.0)
    costs.figures.save(measured, tmp_path / "figures.json")

    assert costs.figures.load(tmp_path / "figures.json") == measured


def test_the_page_is_what_its_figures_say(costs: SimpleNamespace, tmp_path: Path) -> None:
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    measured = costs.figures.load(ROOT / "docs" / "benchmarks" / "figures.json")

    costs.page.write(measured, tmp_path / "benchmarks.md")

    docs = ROOT / "docs"
    for name in ("benchmarks.md", *(f"benchmarks/{file.name}" for file in folder.iterdir())):
        assert (tmp_path / name).read_text("utf-8") == (docs / name).read_text("utf-8"), name


@pytest.mark.oracle
def test_a_hotfix_comes_to_one_tree_in_each_way(costs: SimpleNamespace, tmp_path: Path) -> None:
    lab = costs.lab.Lab(tmp_path, turns=1, patience=0)
    shape = costs.repository.Shape(files=60, commits=60, since=30, picks=3)
    repository = costs.repository.synthetic(lab, tmp_path, shape)
    with costs.host.serving(lab, repository) as host:
        every = costs.ways.every(lab, host, repository)
        some = (costs.ways.PUSHED, costs.ways.APPLY, costs.ways.PLUMBING, costs.ways.FULL)
        placed = {(60, name): every[name]._replace(rehearse=False) for name in some}
        rows = lab.measured("files", placed, host)

    assert [row.way for row in rows] == [*some]
    assert rows[0].middle.connections == 1
