"""Trees as Git's merge reads them: names in order, modes made canonical, nothing dangerous."""

from __future__ import annotations

import re
import stat
from binascii import a2b_hex
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from dulwich.errors import FileFormatException
from dulwich.objects import parse_tree

from hotfix.errors import FailedError
from hotfix.git.objects import CorruptObjectError, read_tree_bytes
from hotfix.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hotfix.git.objects import ObjectReader
    from hotfix.identifiers import Sha

DIRECTORY = 0o040000
FILE = 0o100644
EXECUTABLE = 0o100755
SYMLINK = 0o120000
SUBMODULE = 0o160000

MAX_DEPTH = 250  # well below Python's recursion limit; real paths end before 40
MAX_TREE_BYTES = 64 * 1024 * 1024  # about a million entries

# What a checkout must never write: Git refuses these names too (`verify_path` in read-cache.c),
# in the spellings that file systems of macOS and Windows take for `.git`.
_DANGEROUS = re.compile(rb"\A(?:\.git[ .]*|git~1[ .]*|\.{0,2})\Z", re.IGNORECASE)
_DANGEROUS_STARTS = (b".", b"g", b"G", b"\xe2", b"\xef")
_IGNORED_BY_HFS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


_MODES = frozenset({DIRECTORY, FILE, EXECUTABLE, SYMLINK, SUBMODULE})

Item = tuple[bytes, int, bytes]
"""A name with its mode and its id in hex, as trees hold them."""


class Entry(NamedTuple):
    """What a name stands for in a tree."""

    mode: int
    oid: Sha


class UnsafeTreeError(FailedError):
    """A tree that Git would not check out, or that two programs would read differently."""

    def __init__(self, oid: str, reason: str) -> None:
        super().__init__(
            "unsafe-tree",
            f"the Git tree {oid} {reason}",
            hint="Such a tree is made by hand or by an attack; look at it with `git ls-tree`.",
        )
        self.oid = oid


def read_items(reader: ObjectReader, oid: Sha) -> list[Item]:
    """Return a tree's entries as they come, in Git's order.

    Modes are made canonical as Git's own tree walk does it (100664 is read as 100644).

    :class:`UnsafeTreeError` for a name that no checkout may write (``.git``, ``..``, one with a
    slash), for duplicate names, a wrong order and unheard-of sizes: two programs may read such
    a tree differently, and then a plan would not show what is deployed.
    """
    data = read_tree_bytes(reader, oid)
    if len(data) > MAX_TREE_BYTES:
        raise UnsafeTreeError(oid, f"has {len(data)} bytes; {MAX_TREE_BYTES} are the most")
    try:
        items: list[Item] = list(parse_tree(data, 20))
    except (FileFormatException, ValueError, OverflowError) as error:
        raise CorruptObjectError(oid, f"cannot be read as a tree: {one_line(str(error))}") from None
    if not _MODES.issuperset([mode for _, mode, _ in items]):
        items = [(name, canonical_mode(mode), sha) for name, mode, sha in items]
    _refuse_unsafe(oid, items)
    return items


def read_tree(reader: ObjectReader, oid: Sha) -> dict[bytes, Entry]:
    """Return a tree's entries by name; see :func:`read_items`."""
    return {item[0]: entry_of(item) for item in read_items(reader, oid)}


def entry_at(reader: ObjectReader, tree: Sha, path: str) -> Entry | None:
    """Return what stands at a path below a tree; ``None`` where nothing does."""
    *folders, name = path.encode("utf-8", "surrogateescape").split(b"/")
    for folder in folders:
        entry = read_tree(reader, tree).get(folder)
        if entry is None or entry.mode != DIRECTORY:
            return None
        tree = entry.oid
    return read_tree(reader, tree).get(name)


def changed_entries(
    reader: ObjectReader, old: Sha | None, new: Sha | None
) -> tuple[dict[bytes, Entry], dict[bytes, Entry]]:
    """Return the entries by name that only one of two trees has so; ``None`` has no entries."""
    before = frozenset(read_items(reader, old)) if old is not None else frozenset[Item]()
    after = frozenset(read_items(reader, new)) if new is not None else frozenset[Item]()
    return (
        {item[0]: entry_of(item) for item in before - after},
        {item[0]: entry_of(item) for item in after - before},
    )


def entry_of(item: Item) -> Entry:
    """Return what an item says of its name."""
    # Made as a plain tuple is: the constructor of a named one costs as much as all the rest.
    return tuple.__new__(Entry, (item[1], item[2].decode("ascii")))


def item_of(name: bytes, entry: Entry) -> Item:
    """Return an entry as trees hold it."""
    return (name, entry.mode, entry.oid.encode("ascii"))


def tree_bytes(items: Iterable[Item]) -> bytes:
    """Return the bytes of the tree of these entries, in Git's order whatever theirs is."""
    ordered = sorted(items, key=_item_key)
    return b"".join([b"%o %s\0%s" % (mode, name, a2b_hex(oid)) for name, mode, oid in ordered])


def sort_key(name: bytes, mode: int) -> bytes:
    """Return what Git sorts by: a directory as if its name ended in a slash."""
    return name + b"/" if mode == DIRECTORY else name


def canonical_mode(mode: int) -> int:
    """Return the mode as Git's tree walk reads it (``canon_mode`` in cache.h)."""
    if stat.S_ISREG(mode):
        return EXECUTABLE if mode & 0o100 else FILE
    if stat.S_ISLNK(mode):
        return SYMLINK
    if stat.S_ISDIR(mode):
        return DIRECTORY
    return SUBMODULE


def path_text(path: bytes) -> str:
    r"""Return a path for people and for JSON; bytes that are not UTF-8 are shown as ``\xNN``."""
    return path.decode("utf-8", "backslashreplace")


def _refuse_unsafe(oid: Sha, items: list[Item]) -> None:
    keys = [name + b"/" if mode == DIRECTORY else name for name, mode, _ in items]
    if keys != sorted(keys):
        raise UnsafeTreeError(oid, "has entries that are not in Git's order")
    names = [name for name, _, _ in items]
    if len(set(names)) != len(names):
        raise UnsafeTreeError(oid, "has two entries of one name")
    if b"/" in b"\0".join(names):
        raise UnsafeTreeError(oid, "has a name with a slash in it")
    for first in _DANGEROUS_STARTS:
        start = bisect_left(keys, first)
        end = bisect_left(keys, bytes([first[0] + 1]), start)
        for name in names[start:end]:
            if _is_dangerous(name):
                raise UnsafeTreeError(oid, f"has an entry named {one_line(repr(path_text(name)))}")
    if names and not names[0]:
        raise UnsafeTreeError(oid, "has an entry without a name")


def _item_key(item: Item) -> bytes:
    return sort_key(item[0], item[1])


def _is_dangerous(name: bytes) -> bool:
    if name.isascii():
        return _DANGEROUS.match(name) is not None
    visible = _IGNORED_BY_HFS.sub("", name.decode("utf-8", "replace"))
    return _DANGEROUS.match(visible.encode()) is not None
