"""Git attributes and the plan: which ones the picks were merged by, and which were not read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hotfix.git.attributes import attributes_of
from hotfix.git.commits import read_commit
from hotfix.git.objects import read_blob
from hotfix.git.rules import Effort, TooMuchWorkError
from hotfix.git.trees import EXECUTABLE, FILE, path_text, read_tree
from hotfix.identifiers import Sha
from hotfix.plan import guards
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hotfix.git.objects import ObjectReader
    from hotfix.plan.branch import Branch
    from hotfix.plan.model import Finding
    from hotfix.spec.model import Target

_FILE: Final = b".gitattributes"
_LARGEST: Final = 64 * 1024


def told_attributes(target: Target) -> str:
    """Say in one line which attributes the picks of a target are merged by."""
    if target.merge_attributes is None:
        return "none; .gitattributes is not read, as by git merge-tree in a bare repository"
    rows = (row.strip() for row in target.merge_attributes.splitlines())
    kept = [one_line(row, 2000) for row in rows if row and not row.startswith("#")]
    return f"{'; '.join(kept)} (of the spec; .gitattributes is not read)"


def attributes_not_read(target: Target, branch: Branch, reader: ObjectReader) -> Iterator[Finding]:
    """Warn where production's ``.gitattributes`` asks for another merge of a picked file.

    A person who picks in a clone would get that one. Looked at is the file at the root, for the
    files that a pick and the branch both changed; a union counts where there is a conflict,
    since it gives what lines give where there is none.
    """
    text = _in_production(reader, Sha(target.production_sha)) if branch.by_lines else b""
    try:
        asked = list(_asked(target, branch, text))
    except TooMuchWorkError:
        yield guards.large_attributes_guard(target, len(text))
    else:
        if asked:
            yield guards.attributes_guard(target, asked)


def _asked(target: Target, branch: Branch, text: bytes) -> Iterator[str]:
    effort, own = Effort(), target.merge_attributes or ""
    if len(text) > _LARGEST:
        raise TooMuchWorkError
    used = attributes_of(own)
    in_a_clone = attributes_of(text.decode("utf-8", "surrogateescape") + "\n" + own)
    conflicts = branch.conflict.conflicted.conflicts if branch.conflict else ()
    conflicting = {path for conflict in conflicts for path in conflict.paths}
    for path, merge_request in branch.by_lines.items():
        driver = in_a_clone.driver(path, effort)
        if driver == used.driver(path, effort):
            continue
        if driver != "union" or path_text(path) in conflicting:
            shown = one_line(path_text(path), 120)
            yield f"{shown} of !{merge_request} is merge={one_line(driver, 60)}"


def _in_production(reader: ObjectReader, production: Sha) -> bytes:
    entry = read_tree(reader, read_commit(reader, production).tree).get(_FILE)
    if entry is None or entry.mode not in {FILE, EXECUTABLE}:
        return b""
    return read_blob(reader, entry.oid)
