"""What lies in the repository speaks of no machine and points to no place to download from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MACHINE_PATH = re.compile(r"(?<![\w.~}-])/(?:work|root|home|Users|opt)/\w")
_TEMPORARY_PATH = re.compile(r"(?<![\w.~}-])/tmp/\w")
_HOST = re.compile(r"https?://(?:[^\s/@\"'`]*@)?(?P<host>[^\s/:\"'`<>()?#,;\\]+)")

_NAME = re.compile(r"(?:[\w-]+\.)+[\w-]+")
_RESERVED = re.compile(  # RFC 1918, RFC 2606, RFC 5737, RFC 6761
    r"""
      127\.\d+\.\d+\.\d+ | 10\.\d+\.\d+\.\d+ | 192\.168\.\d+\.\d+ | 0\.0\.0\.0
    | (?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d+
    | (?:[\w-]+\.)*(?:example|example\.(?:com|org|net)|test|invalid|localhost)
    """,
    re.VERBOSE,
)
_REFERENCES = frozenset(
    {
        "gitlab.com",  # the host of the runbook's own examples
        "docs.gitlab.com",
        "git-scm.com",
        "json-schema.org",
        "keepachangelog.com",
        "semver.org",
        "www.rfc-editor.org",
        "www.w3.org",
    }
)
_FOREIGN = "tests/data/gitlab-openapi."
"""GitLab's own document, whose examples are of GitLab's making, and its licence note."""
_BINARY = frozenset({".gz", ".pack", ".png", ".zip"})


def test_no_file_names_a_path_of_some_machine(committed: list[Path], root: Path) -> None:
    found = [
        f"{place}: {line.strip()[:100]}"
        for place, line in _lines(committed, root)
        if _MACHINE_PATH.search(line)
        or (_TEMPORARY_PATH.search(line) and not place.startswith("tests/"))
    ]

    assert found == []


def test_no_file_points_to_an_unknown_host(committed: list[Path], root: Path) -> None:
    found = [
        f"{place}: {host}"
        for place, line in _lines(committed, root)
        for host in _hosts(line)
        if not _RESERVED.fullmatch(host) and host not in _REFERENCES
    ]

    assert found == []


def test_text_files_are_utf_8_and_end_with_one_newline(committed: list[Path], root: Path) -> None:
    texts = [path for path in committed if path.suffix not in _BINARY]
    data = {str(path.relative_to(root)): path.read_bytes() for path in texts}
    wrong = [
        name
        for name, content in data.items()
        if content and (not content.endswith(b"\n") or content.endswith(b"\n\n"))
    ]

    assert wrong == []


def test_there_is_something_to_look_at(committed: list[Path], root: Path) -> None:
    assert {root / "Makefile", root / "LICENSE", root / "README.md"} <= set(committed)


def test_a_machine_path_would_be_found() -> None:
    for part in ("work", "root", "home"):
        assert _MACHINE_PATH.search(f"see /{part}/somebody/file")
    assert not _MACHINE_PATH.search("https://gitlab.com/group/work/project")


def test_an_unknown_host_would_be_found() -> None:
    host = "files.somewhere.io"

    assert _hosts(f"curl https://{host}/hotfix.tgz") == [host]
    assert _hosts("f'http://{host}:{port}/'") == []
    assert _RESERVED.fullmatch("app.example.com")
    assert not _RESERVED.fullmatch("example.com.somewhere.io")


def _lines(paths: list[Path], root: Path) -> Iterator[tuple[str, str]]:
    for path in paths:
        if path.suffix in _BINARY or str(path.relative_to(root)).startswith(_FOREIGN):
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            yield f"{path.relative_to(root)}:{number}", line


def _hosts(line: str) -> list[str]:
    """Return the hosts of a line's URLs, less what no name server knows: templates, one label."""
    hosts = [match["host"].rstrip(".") for match in _HOST.finditer(line)]
    return [host for host in hosts if _NAME.fullmatch(host)]
