"""Whether two commits make the same change, wherever they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hotfix.git.commits import read_raw_commit
from hotfix.git.diff import deltas
from hotfix.git.numstat import content
from hotfix.git.rules import Effort, TooMuchWorkError
from hotfix.git.text.changes import shown_changes
from hotfix.git.text.lines import Interner, is_binary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hotfix.git.diff import Delta
    from hotfix.git.objects import ObjectReader
    from hotfix.git.text.changes import Change
    from hotfix.identifiers import Sha

_CONTEXT = 3  # unchanged lines shown beside a change
_BLANKS = b" \t\n\v\f\r"


def same_patch(reader: ObjectReader, a: Sha, b: Sha) -> bool:
    """Tell whether ``git patch-id --stable`` gives both commits the same id.

    Each commit's change is the one against its first parent. As in git-patch-id(1) line numbers
    and blanks do not count, the lines around a change do; binary files are compared by their
    ids. Renames are not looked for, as in ``git cherry``. What takes too long to compare is not
    the same: nothing rests on a likeness that was not proven.
    """
    if a == b:
        return True
    found, other = _deltas(reader, a), _deltas(reader, b)
    if [_outline(each) for each in found] != [_outline(each) for each in other]:
        return False  # most commits differ here already, before any file is read
    try:
        effort = Effort()
        pairs = zip(found, other, strict=True)
        return all(_body(reader, x, effort) == _body(reader, y, effort) for x, y in pairs)
    except TooMuchWorkError:
        return False


def _deltas(reader: ObjectReader, sha: Sha) -> list[Delta]:
    commit = read_raw_commit(reader, sha)
    parent = read_raw_commit(reader, commit.parents[0]).tree if commit.parents else None
    return list(deltas(reader, parent, commit.tree))


def _outline(delta: Delta) -> tuple[bytes, int, int]:
    """Return what a patch says of a file before its lines; a mode that stays is not said."""
    old = delta.old.mode if delta.old else 0
    new = delta.new.mode if delta.new else 0
    return (delta.path, 0, 0) if old == new else (delta.path, old, new)


def _body(reader: ObjectReader, delta: Delta, effort: Effort) -> tuple[object, ...]:
    """Return what counts of a file's change: its lines without blanks, or the ids of a binary."""
    old, new = content(reader, delta.old), content(reader, delta.new)
    if is_binary(old) or is_binary(new):
        return ("binary", *(each.oid if each else None for each in (delta.old, delta.new)))
    interner = Interner()
    old_lines, new_lines = interner.split(old), interner.split(new)
    found = shown_changes(old_lines, new_lines, effort)
    return tuple(_shown(old_lines, new_lines, found))


def _shown(
    old: Sequence[bytes], new: Sequence[bytes], found: list[Change]
) -> Iterator[tuple[bytes, bytes]]:
    """Yield the lines of a patch with three lines of context, without its line numbers."""
    shown = 0  # old lines that were yielded as context already
    for place, change in enumerate(found):
        for line in old[max(shown, change.old_start - _CONTEXT) : change.old_start]:
            yield b" ", _without_blanks(line)
        end = change.old_start + change.old_count
        for line in old[change.old_start : end]:
            yield b"-", _without_blanks(line)
        for line in new[change.new_start : change.new_start + change.new_count]:
            yield b"+", _without_blanks(line)
        following = found[place + 1].old_start if place + 1 < len(found) else len(old)
        shown = min(end + _CONTEXT, following)
        for line in old[end:shown]:
            yield b" ", _without_blanks(line)


def _without_blanks(line: bytes) -> bytes:
    return line.translate(None, _BLANKS)
