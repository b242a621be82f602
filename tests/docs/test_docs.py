from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hotfix import schema
from hotfix.cli import app
from hotfix.clock import SystemClock
from hotfix.evidence.audit import audit
from hotfix.evidence.lockfile import parse as parse_lock
from hotfix.forge.gitlab import GitLabForge
from hotfix.plan.document import parse as parse_plan
from hotfix.plan.make import make_plan
from hotfix.sandbox import Sandbox, seed
from hotfix.spec.load import load_spec
from hotfix.views.plan_markdown import plan_markdown

from . import make_example, write_readme, write_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "plans" / "example"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_readme_shows_what_the_program_prints() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert write_readme.filled(text) == text, "run python -m tests.docs.write_readme"


def test_the_reference_is_what_the_program_says() -> None:
    for name, text in write_reference.pages().items():
        found = (write_reference.FOLDER / name).read_text(encoding="utf-8")
        assert found == text, "run python -m tests.docs.write_reference"


def test_the_lockfile_reference_names_every_fact_of_the_example() -> None:
    page = (ROOT / "docs/reference/lockfile.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \| (.*) \|$", page, re.MULTILINE)
    told = {(step, phase): set(re.findall(r"`([a-z_]+)`", facts)) for step, phase, facts in rows}
    told["staging", "done"] |= told["staging", "observed"]
    for entry in json.loads((EXAMPLE / "hotfix.lock.json").read_bytes())["entries"]:
        carried = {"approvals", "state"}
        assert set(entry["facts"]) - carried <= told[entry["step"], entry["phase"]], entry["step"]


def test_every_link_between_the_pages_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_module_and_test_that_the_runbook_page_names_is_there() -> None:
    text = (ROOT / "docs/guide/runbook.md").read_text(encoding="utf-8")
    names = re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.(?:py|md))?|[a-z_]+\.py)`", text)

    assert len(names) > 30
    for name in names:
        assert (ROOT / name).exists() or (ROOT / "hotfix" / name).exists(), name


def test_the_operators_guide_names_every_check_of_the_doctor() -> None:
    guide = (ROOT / "docs/guide/operator.md").read_text(encoding="utf-8")
    table = guide.partition("## The doctor")[2].partition("\n## ")[0]
    source = "".join(path.read_text("utf-8") for path in (ROOT / "hotfix/doctor").glob("*.py"))
    rows = re.findall(r"^\| (`.*`)(?:, or a blocker's code)? \|", table, re.MULTILINE)

    named = set(re.findall(r"`([a-z-]+)`", " ".join(rows)))
    assert named == set(re.findall(r'id="([a-z-]+)"', source))


def test_the_teams_defaults_are_valid_and_complete(tmp_path: Path) -> None:
    shutil.copy(ROOT / "plans/defaults.yaml", tmp_path / "defaults.yaml")
    lines = (EXAMPLE / "hotfix.yaml").read_text(encoding="utf-8")
    (tmp_path / "hotfix.yaml").write_text(lines, encoding="utf-8")

    spec = load_spec(tmp_path / "hotfix.yaml", gitlab=None, require_gitlab=True).spec

    assert spec.orchestration.project == "evenergi/develop"
    assert dict(spec.targets[0].orchestration.inputs) == {
        "action": "deploy-release-branch-to-staging",
        "project": "evenergi/bf-manage-core",
        "confirm": True,
    }


def test_the_example_is_what_a_fresh_gitlab_gives() -> None:
    saved = parse_plan((EXAMPLE / "hotfix.plan.json").read_bytes(), "hotfix.plan.json")
    with Sandbox(seed.example()) as sandbox:
        spec = load_spec(EXAMPLE / "hotfix.yaml", gitlab=sandbox.url).spec
        forge = GitLabForge(sandbox.url, seed.TOKENS["operator"])
        fresh = make_plan(spec, forge, SystemClock(), tool_version="0.0.0").plan

    assert fresh.targets[0].after == saved.targets[0].after
    assert fresh.digest == saved.digest, "run python -m tests.docs.make_example"


def test_the_examples_lockfile_passes_its_audit_and_is_of_its_plan() -> None:
    path = EXAMPLE / "hotfix.lock.json"
    document = parse_lock(path.read_bytes(), path.name)

    assert audit(document).verdict == "passed"
    saved = parse_plan((EXAMPLE / "hotfix.plan.json").read_bytes(), "hotfix.plan.json")
    assert document.lock.plan == saved


def test_the_examples_markdown_is_the_views() -> None:
    saved = parse_plan((EXAMPLE / "hotfix.plan.json").read_bytes(), "hotfix.plan.json")

    assert (EXAMPLE / "hotfix.plan.md").read_text(encoding="utf-8") == plan_markdown(
        saved, next_command=make_example.COMMAND
    )


def _blocks() -> Iterator[str]:
    for page in (ROOT / "README.md", ROOT / "docs/guide/auditor.md"):
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            yield from block.strip().splitlines()


@pytest.mark.end_to_end
def test_every_command_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOTFIX_TOKEN", seed.TOKENS["operator"])
    monkeypatch.setenv("HOTFIX_POLL_SECONDS", "0.05")
    spec = (EXAMPLE / "hotfix.yaml").read_text(encoding="utf-8")
    ran = 0
    with Sandbox(seed.example()) as sandbox:
        monkeypatch.setenv("HOTFIX_GITLAB_URL", sandbox.url)
        place = sandbox.url.removeprefix("http://")
        text = spec.replace(f"127.0.0.1:{make_example.PORT}", place)
        text = re.sub(r"port: \d+", f"port: {place.rpartition(':')[2]}", text)
        text = re.sub(r"  - name: dashboard\n.*\n", "", text)
        (tmp_path / "hotfix.yaml").write_text(text, encoding="utf-8")
        team = "version: 1\norchestration: {project: evenergi/develop}\n"
        (tmp_path / "defaults.yaml").write_text(team, encoding="utf-8")
        for line in _blocks():
            words = shlex.split(line, comments=True)
            if words[0] == "make":
                subprocess.run([*words, "--dry-run"], cwd=ROOT, check=True, capture_output=True)
                continue
            assert words.pop(0) == "hotfix"
            if words[0] == "apply":  # nobody sits at the test's terminal
                words += ["--auto-approve", "--promote"]
            if words[0] == "rehearse":  # what each fault does is tested elsewhere
                words += ["--faults", "none"]
            if words[0] == "approve":
                words += ["--digest", json.loads((tmp_path / words[1]).read_bytes())["digest"]]
            code = app.run(words)
            captured = capsys.readouterr()
            # Half-way the status is 3, "waiting": that is what it is there to say.
            assert code == (3 if words[0] == "status" else 0), line + captured.err
            ran += 1
    assert ran > 10


def test_every_schema_is_named_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"hotfix schema spec .*", text)

    assert set(re.findall(r"[a-z]+", line)) >= set(schema.NAMES)


@pytest.mark.end_to_end
def test_the_version_is_told_by_the_module_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hotfix", "--version"], check=True, capture_output=True, text=True
    )

    assert done.stdout.startswith("hotfix 0.")
