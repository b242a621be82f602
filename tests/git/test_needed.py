"""What merges read, known before they read it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from hotfix.git.lazy import LazyReader, lazy_below
from hotfix.git.merge import Merged, merge_trees
from hotfix.git.needed import Change, Line, bring_folders, bring_for, bring_paths, needed_objects
from hotfix.git.objects import Overlay
from hotfix.git.trees import MAX_DEPTH
from tests.git.making import Store

if TYPE_CHECKING:
    from collections.abc import Collection

    from dulwich.objects import ShaFile

    from hotfix.identifiers import Sha
    from tests.git.making import Content


class Far:
    """A store at a distance: it tells what was asked for together, and what alone."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.held: set[bytes] = set()
        self.asked: list[set[str]] = []
        self.alone: list[bytes] = []

    def __contains__(self, oid: bytes, /) -> bool:
        return oid in self.held

    def __getitem__(self, oid: bytes, /) -> ShaFile:
        if oid not in self.held:
            self.alone.append(oid)
        self.held.add(oid)
        return self.store.objects[oid]

    def bring(self, oids: Collection[Sha]) -> None:
        self.asked.append(set(oids))
        self.held.update(oid.encode() for oid in oids)

    def bring_history(self, head: Sha) -> None:
        raise NotImplementedError

    def bring_between(self, *, exclude: Sha, include: Collection[Sha]) -> None:
        raise NotImplementedError

    def between(self, *, exclude: Sha, include: Sha) -> frozenset[Sha]:
        raise NotImplementedError


TEXT = b"".join(b"line %d\n" % n for n in range(60))


def edited(text: bytes, line: int, word: str) -> bytes:
    lines = text.splitlines(keepends=True)
    lines[line] = f"{word}\n".encode()
    return b"".join(lines)


def files() -> dict[str, Content]:
    return {
        f"{top}/{middle}/{name}": TEXT + f"{top}{middle}{name}\n".encode()
        for top in "abc"
        for middle in "xy"
        for name in "123"
    } | {"top": TEXT}


def test_a_reader_that_fetches_is_found_below_what_is_laid_over_it() -> None:
    far = Far(Store())

    assert isinstance(far, LazyReader)
    assert lazy_below(Overlay(Overlay(far))) is far
    assert lazy_below(Overlay(Store())) is None


@pytest.mark.parametrize("seed", range(30))
def test_picks_one_after_the_other_find_everything_at_hand(seed: int) -> None:
    """Edits of all kinds in any order; only renames, which nobody foresees, are left out."""
    chance = random.Random(seed)  # noqa: S311  (edits, no secret)
    store = Store()
    main, production = files(), files()
    for path in chance.sample(sorted(files()), 4):
        production[path] = edited(production[path], 5, "production")  # type: ignore[arg-type]
    onto = store.tree(production)
    changes: list[Change] = []
    for number in range(5):
        before = store.tree(main)
        for path in chance.sample(sorted(files()), 3):
            main[path] = edited(main[path], 15 + 10 * (number % 4), f"{number}")  # type: ignore[arg-type]
        main[f"{chance.choice('abcd')}/new/{number}"] = b"new\n"
        changes.append(Change(before, store.tree(main)))
        for path in chance.sample(sorted(files()), 2):  # what is not picked
            main[path] = edited(main[path], 55, f"other {number}")  # type: ignore[arg-type]
    far = Far(store)

    bring_for(far, [Line(onto, tuple(changes))])
    overlay = Overlay(far)
    plain = Overlay(store)
    for change in changes:
        assert change.new is not None
        made = merge_trees(overlay, base=change.old, ours=onto, theirs=change.new)
        assert isinstance(made, Merged)
        overlay.add(made.objects)
        same = merge_trees(plain, base=change.old, ours=onto, theirs=change.new)
        assert isinstance(same, Merged)
        plain.add(same.objects)
        assert made.tree == same.tree
        onto = made.tree

    assert far.alone == []
    assert len(far.asked) <= 4  # three folders deep, and the files


def test_files_that_one_side_changed_are_not_asked_for() -> None:
    store = Store()
    base, ours, theirs = files(), files(), files()
    ours["a/x/1"] = edited(TEXT, 3, "ours")
    theirs["b/y/2"] = edited(TEXT, 3, "theirs")
    far = Far(store)

    bring_for(far, [Line(store.tree(ours), (Change(store.tree(base), store.tree(theirs)),))])

    blobs = {oid for oid, made in store.objects.items() if made.type_name == b"blob"}
    assert not blobs & far.held
    assert store.tree({"1": TEXT}).encode() not in far.held


def test_nothing_is_asked_for_where_all_is_at_hand() -> None:
    store = Store()
    line = Line(store.tree(files()), (Change(store.tree({"b": b"1"}), store.tree({"a": b"1"})),))
    far = Far(store)
    bring_for(far, [line])
    asked = len(far.asked)

    bring_for(far, [line])

    assert asked == 1
    assert len(far.asked) == asked


def test_folders_that_a_rename_may_lead_into_come_level_by_level() -> None:
    store = Store()
    base, ours = files(), files()
    ours["a/x/1"] = edited(TEXT, 3, "ours")
    trees = [store.tree(each) for each in (base, ours, base)]
    far = Far(store)

    bring_folders(far, [trees])
    bring_folders(far, [trees])

    assert [len(asked) for asked in far.asked] == [2, 2, 2]


def test_a_path_is_followed_in_many_trees_at_once() -> None:
    store = Store()
    trees = [store.tree({"a/b/c": b"%d" % n, "a/b/d": b"other"}) for n in range(5)]
    far = Far(store)

    bring_paths(far, trees, ["a/b/c", "a/none", "top/none"])

    assert [len(asked) for asked in far.asked] == [5, 5, 5, 5]
    assert store.blob(b"3").encode() in far
    assert store.blob(b"other").encode() not in far


def test_what_git_is_given_for_a_second_opinion_is_what_differs() -> None:
    store = Store()
    base, ours, theirs = files(), files(), files()
    ours["a/x/1"] = edited(TEXT, 3, "ours")
    theirs["a/x/2"] = edited(TEXT, 3, "theirs")
    ours["moved/1"] = theirs["gone/1"] = base["gone/1"] = TEXT
    far = Far(store)

    found = [made.id for made in needed_objects(far, *map(store.tree, (base, ours, theirs)))]

    assert len(set(found)) == len(found)
    for path in ("a/x/1", "a/x/2", "gone/1"):
        assert store.blob(base[path]).encode() in found  # type: ignore[arg-type]
    for path in ("a/x/3", "b/x/1", "top"):
        same = base[path] == TEXT
        assert same or store.blob(base[path]).encode() not in found  # type: ignore[arg-type]
    assert far.alone == []


def test_folders_that_nobody_would_read_are_not_asked_for() -> None:
    store = Store()
    old, new = (store.tree({"/".join(["d"] * 300) + "/f": text}) for text in (b"1", b"2"))
    far = Far(store)

    bring_for(far, [Line(None, (Change(old, new),))])

    assert len(far.asked) == MAX_DEPTH + 1
