"""Make ``plans/example/`` anew: a whole hotfix, carried out by the program on the embedded GitLab.

Run as ``python -m tests.docs.make_example``. The embedded GitLab listens on a fixed port, since its
address stands in the spec; times in the lockfile are those of the run.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from hotfix.cli import apply, plan
from hotfix.cli.demo import _VisibleAnswers
from hotfix.cli.example import write_example
from hotfix.cli.screen import Screen
from hotfix.plan.document import parse
from hotfix.sandbox import Sandbox, seed
from hotfix.views.plan_markdown import plan_markdown

FOLDER: Final = Path(__file__).parents[2] / "plans" / "example"
PORT: Final = 18929
COMMAND: Final = "hotfix apply plans/example/hotfix.plan.json"


def main() -> None:
    """Write the spec and its defaults, plan, apply with a yes to every question."""
    os.environ |= {"HOTFIX_TOKEN": seed.TOKENS["operator"], "HOTFIX_POLL_SECONDS": "0.2"}
    for old in FOLDER.glob("hotfix.*"):
        old.unlink()
    screen = Screen(quiet=True)
    saved = FOLDER / "hotfix.plan.json"
    with Sandbox(seed.example(pace=0.3), port=PORT) as sandbox:
        spec = write_example(sandbox, FOLDER)
        plan.run(screen, spec, out=saved)
        apply.run(screen, saved, apply.Flags(), answers=_VisibleAnswers, show_plan=False)
    made = parse(saved.read_bytes(), str(saved))
    markdown = plan_markdown(made, next_command=COMMAND)
    (FOLDER / "hotfix.plan.md").write_text(markdown, encoding="utf-8")


if __name__ == "__main__":
    main()
