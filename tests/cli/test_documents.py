from __future__ import annotations

from pathlib import Path

import pytest

from hotfix.cli.documents import kind_of, lockfile_of, read, write
from hotfix.errors import InputError


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b'{"format": "plan/1"}', "plan"),
        (b'  {"format": "lock/1", "plan": {"format": "plan/1"}}', "lock"),
        (b'{"plan": {"format": "plan/1"}, "format": "lock/1"}', "lock"),
        (b'{"format": "plan/1", "hotf', "plan"),
        (b'{"format": "lock/9"}', "lock"),
        (b"version: 1\n", "spec"),
        (b'{"version": 1}', "spec"),
        (b"{version: 1}", "spec"),
        (b"\xff\xfe", "spec"),
        (b"", "spec"),
    ],
)
def test_a_file_is_told_by_its_content(data: bytes, kind: str) -> None:
    assert kind_of(data) == kind


@pytest.mark.parametrize(
    ("file", "lockfile"),
    [
        ("plans/x/hotfix.yaml", "plans/x/hotfix.lock.json"),
        ("hotfix.yml", "hotfix.lock.json"),
        ("x.plan.json", "x.lock.json"),
        ("saved.json", "saved.lock.json"),
        ("hotfix", "hotfix.lock.json"),
        ("a.b.yaml", "a.b.lock.json"),
        (".yaml", ".yaml.lock.json"),
    ],
)
def test_the_lockfile_lies_beside_what_is_applied(file: str, lockfile: str) -> None:
    assert lockfile_of(Path(file)) == Path(lockfile)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.yaml: No such file") as caught:
        read(tmp_path / "absent.yaml")

    assert caught.value.code == "file-not-read"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="absent") as caught:
        write(tmp_path / "absent" / "plan.json", b"{}")

    assert caught.value.code == "file-not-written"
