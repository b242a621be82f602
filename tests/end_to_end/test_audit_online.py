"""A lockfile held against GitLab as it is now."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from hotfix.sandbox.repositories import File, Signature

from .conftest import CORE, Desk

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def done(desk: Desk) -> Desk:
    """Complete a hotfix."""
    ended = desk.run("apply", "hotfix.yaml", "--auto-approve", "--promote")
    assert ended.returncode == 0, ended.stderr.decode()
    return desk


def audited(desk: Desk, code: int) -> Mapping[str, list[Any]]:
    """Audit online; returns the findings that do not hold, and the notes, by their names."""
    ended = desk.run("audit", "hotfix.lock.json", "--online", "--format", "json")
    assert ended.returncode == code, ended.stdout.decode() + ended.stderr.decode()
    (report,) = json.loads(ended.stdout)["reports"]
    assert report["scope"] == "online"
    found: dict[str, list[Any]] = {"failed": [], "note": []}
    for each in report["findings"]:
        found.setdefault(each["outcome"], []).append((each["what"], each["detail"]))
    return found


def test_a_record_that_gitlab_still_bears_out_passes_without_a_note(done: Desk) -> None:
    found = audited(done, 0)

    assert (found["failed"], found["note"]) == ([], [])
    online = {"commits", "fix", "merge-requests-now", "pipelines", "job", "deployment", "anchor"}
    assert online <= {what for what, _ in found["passed"]}
    before = len(done.sandbox.requests.writes())
    audited(done, 0)
    assert len(done.sandbox.requests.writes()) == before, "an audit only looks"


def taken_back(desk: Desk, message: str) -> int:
    """Put the files of the first pick on main as they were before it; returns its merge request."""
    repository = desk.sandbox.world.project(CORE).repository
    pick = json.loads(desk.lockfile.read_bytes())["plan"]["targets"][0]["commits"][1]
    head = repository.branch("main")
    assert head
    before = repository.files(repository.parents(pick["picked_from"])[0])
    changes = {
        file["path"]: File(repository.blob(before[file["path"]].sha))
        if file["path"] in before
        else None
        for file in pick["files"]
    }
    who = Signature("Somebody", "somebody@example.com", desk.sandbox.world.clock.now())
    tree = repository.edited(head, changes)
    other = repository.write_commit(tree, [head], message.format(**pick), who)
    repository.update_ref("refs/heads/main", head, other)
    return int(pick["merge_request"])


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("Revert\n\nThis reverts commit {picked_from}.\n", "!{} was taken back on main by "),
        ("tidy up\n", "main does not hold all that !{} changed any more."),
    ],
)
def test_a_fix_that_main_lost_fails_the_audit(done: Desk, message: str, said: str) -> None:
    iid = taken_back(done, message)

    ((what, detail),) = audited(done, 1)["failed"]

    assert what == "fix"
    assert detail.startswith(said.format(iid))


def test_another_head_in_the_incident_fails_the_audit(done: Desk) -> None:
    world = done.sandbox.world
    (incident,) = (
        each for each in world.project("evenergi/develop").issues.values() if each.iid == 1042
    )
    incident.description = re.sub(
        r"sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, incident.description
    )

    found = audited(done, 1)

    assert [what for what, _ in found["failed"]] == ["anchor"]
    assert "holds another head" in found["failed"][0][1]


def test_the_token_goes_to_no_gitlab_that_only_the_file_names(done: Desk) -> None:
    environment = {
        key: value for key, value in done.environment.items() if key != "HOTFIX_GITLAB_URL"
    }
    done.environment = environment

    ended = done.run("audit", "hotfix.lock.json", "--online")

    assert ended.returncode == 64
    assert ended.stderr.startswith(b"error[no-gitlab]: ")
