"""Put what the program prints into README.md, between its markers.

Run as ``python -m tests.docs.write_readme`` after a change of the output or of the example.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from hotfix.cli.exits import MEANINGS
from hotfix.plan.document import parse
from hotfix.views.plan_text import plan_text

ROOT: Final = Path(__file__).parents[2]
PLAN: Final = ROOT / "plans" / "example" / "hotfix.plan.json"


def generated() -> dict[str, str]:
    """Return each part of the README that the program writes, by its marker's name."""
    plan = parse(PLAN.read_bytes(), PLAN.name)
    text = plan_text(
        plan, width=100, colour=False, next_command="hotfix apply plans/example/hotfix.plan.json"
    )
    rows = "\n".join(f"| {code} | {meaning} |" for code, meaning in MEANINGS.items())
    return {
        "plan": f"```text\n{text}```",
        "exit codes": f"| code | meaning |\n| --- | --- |\n{rows}",
    }


def filled(text: str) -> str:
    """Return the README with every generated part as it is now."""
    for name, part in generated().items():
        pattern = rf"(<!-- {name} -->\n)(?:(?!<!-- ).)*(<!-- end -->)"
        text = re.sub(
            pattern, lambda found, part=part: f"{found[1]}{part}\n{found[2]}", text, flags=re.DOTALL
        )
    return text


def main() -> None:
    """Write the README anew."""
    path = ROOT / "README.md"
    path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
