from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.views.plan_markdown import plan_markdown

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.plan.model import Plan


def test_a_plan_reads_as_in_the_golden_file(plan: Plan, golden: Callable[[str, str], None]) -> None:
    golden("plan.md", plan_markdown(plan, next_command="hotfix apply hotfix.yaml"))


def test_the_verdict_comes_first_and_the_command_last(plan: Plan) -> None:
    lines = plan_markdown(plan, next_command="hotfix apply hotfix.yaml").splitlines()

    assert lines[0].startswith("**Plan: 1 restore, 2 picks, 1 branch")
    assert lines[-1].endswith("`hotfix apply hotfix.yaml`")


def test_every_fold_is_closed(plan: Plan) -> None:
    text = plan_markdown(plan, next_command=None)

    assert text.count("<details>") == text.count("</details>") > 2


def test_a_long_list_is_cut_and_says_so(plan: Plan) -> None:
    target = plan.targets[0]
    many = tuple(
        target.leaving[0].model_copy(update={"merge_request": iid}) for iid in range(1, 61)
    )
    long = target.model_copy(update={"leaving": many})
    text = plan_markdown(plan.model_copy(update={"targets": (long,)}), next_command=None)

    assert "- and 10 more; the saved plan has all" in text
