"""Packs as C git writes them, with both kinds of deltas, and bytes that are none."""

from __future__ import annotations

import hashlib
import random
import struct
import subprocess
import zlib
from typing import TYPE_CHECKING

import pytest
from dulwich.repo import Repo

from hotfix.git.objects import BlobSizes, PacksFirst, packs_first
from hotfix.git.packs import read_pack, size_in_pack
from hotfix.identifiers import Sha

if TYPE_CHECKING:
    from pathlib import Path

PACKS = ".git/objects/pack/*.idx"
FILES = ["", "x\n", "".join(f"line {n} of a longer file\n" for n in range(400))]


def git(folder: Path, *words: str, text: bytes = b"") -> bytes:
    return subprocess.run(
        ["git", "-C", str(folder), *words], input=text, capture_output=True, check=True
    ).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    for n in range(6):
        for place, text in enumerate(FILES):
            (tmp_path / f"file{place}").write_text(text.replace("line 7 ", f"line 7.{n} "))
        (tmp_path / "noise").write_bytes(random.Random(n).randbytes(5000))  # noqa: S311  (noise)
        git(tmp_path, "add", ".")
        git(tmp_path, "commit", "-q", "-m", f"commit {n}")
    git(tmp_path, "tag", "-a", "-m", "a tag", "v1")
    return tmp_path


@pytest.mark.oracle
@pytest.mark.parametrize("options", [["--delta-base-offset"], []], ids=["offsets", "ids"])
def test_every_object_comes_out_with_its_id_and_its_bytes(
    repository: Path, options: list[str]
) -> None:
    listed = git(repository, "rev-list", "--objects", "--all").split(b"\n")
    oids = [line.split(b" ")[0] for line in listed if line]
    pack = git(
        repository, "pack-objects", "-q", "--stdout", *options, text=b"\n".join(oids) + b"\n"
    )

    found = {each.oid: each for each in read_pack(pack)}

    assert found.keys() == set(oids)
    kinds = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}
    for oid, each in found.items():
        kind = kinds[each.type_num]
        assert git(repository, "cat-file", "-t", oid.decode()).decode().strip() == kind
        assert git(repository, "cat-file", kind, oid.decode()) == each.data


@pytest.mark.oracle
@pytest.mark.parametrize("by_offset", ["true", "false"])
def test_sizes_and_bytes_in_packs_on_disk_are_what_git_says(
    repository: Path, by_offset: str
) -> None:
    git(repository, "config", "repack.useDeltaBaseOffset", by_offset)
    git(repository, "repack", "-adfq")
    listed = git(repository, "rev-list", "--objects", "--all").split(b"\n")
    oids = [line.split(b" ")[0] for line in listed if line]
    verified = git(repository, "verify-pack", "-v", *map(str, repository.glob(PACKS))).split(b"\n")
    assert any(len(line.split()) > 5 for line in verified)  # some are deltas

    with Repo(str(repository)) as opened:
        reader = packs_first(opened.object_store)
        assert isinstance(reader, PacksFirst)
        sizes = BlobSizes(reader)
        for oid in oids:
            kind = git(repository, "cat-file", "-t", oid.decode()).decode().strip()
            told = int(git(repository, "cat-file", "-s", oid.decode()))
            assert sizes.of(Sha(oid.decode())) == told
            assert reader.get_raw(oid)[1] == git(repository, "cat-file", kind, oid.decode())
            assert oid in reader
        assert b"0" * 40 not in reader


@pytest.mark.parametrize("head", [b"", b"\xff", b"\xe3", b"\x63", b"\x63\x05garbage"])
def test_the_size_of_what_is_no_object_is_refused(head: bytes) -> None:
    with pytest.raises((ValueError, zlib.error)):
        size_in_pack(head)


def pack_of(*objects: bytes, count: int | None = None, version: int = 2) -> bytes:
    count = len(objects) if count is None else count
    content = b"PACK" + struct.pack(">II", version, count) + b"".join(objects)
    return content + hashlib.sha1(content).digest()  # noqa: S324  (the pack's own)


BLOB = b"\x33" + zlib.compress(b"one")
BASE = hashlib.sha1(b"blob 3\0one").digest()  # noqa: S324  (Git's own)
DELTA = b"\x03\x04\x90\x03\x01!"  # of three bytes make four: copy three, and "!"
LATE = b"\x76" + BASE + zlib.compress(DELTA)


def test_a_delta_may_come_before_what_it_is_based_on() -> None:
    found = [each.data for each in read_pack(pack_of(LATE, BLOB))]

    assert found == [b"one", b"one!"]


def test_an_empty_pack_has_nothing() -> None:
    assert list(read_pack(pack_of())) == []


@pytest.mark.parametrize(
    "pack",
    [
        b"",
        b"PACK",
        pack_of(BLOB)[:-1] + b"x",
        pack_of(BLOB, version=4),
        pack_of(BLOB, count=2),
        pack_of(BLOB, BLOB, count=1),
        pack_of(LATE),
        pack_of(b"\x34" + zlib.compress(b"one")),
        pack_of(b"\x32" + zlib.compress(b"one")),
        pack_of(b"\x33" + zlib.compress(b"x" * 1_000_000)),
        pack_of(b"\x33garbage"),
        pack_of(b"\x53" + zlib.compress(b"one")),
        pack_of(BLOB, b"\x66\x05" + zlib.compress(DELTA)),
        pack_of(BLOB, b"\x73" + BASE + zlib.compress(b"\x09\x01!")),
        pack_of(BLOB, b"\x74" + BASE + zlib.compress(b"\x03\x04\x90\xff")),
        pack_of(b"\xff\xff\xff\xff\xff"),
        pack_of(b"\x6f"),
    ],
)
def test_bytes_that_are_no_pack_are_refused(pack: bytes) -> None:
    with pytest.raises(ValueError, match=r"pack|delta|object"):
        list(read_pack(pack))
