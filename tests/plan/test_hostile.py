"""A hostile repository is planned or refused, as a whole: no hang, no traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from dulwich.objects import Commit

from hotfix.errors import FailedError
from hotfix.git import diff as diff_module
from hotfix.git import merge as merge_module
from hotfix.git.rules import Effort, Rules
from hotfix.plan.document import serialize
from hotfix.views.plan_text import plan_text
from tests.git.making import Store, lines
from tests.git.test_hostile import FILE, FOLDER, RawCommit, bomb, nested, three

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.identifiers import Sha
    from hotfix.plan.build import Built

    from .conftest import Case

TEN = lines(*range(10))


def plan(case: Case, store: Store, base: Sha, ours: Sha, theirs: Sha) -> Built:
    """Plan a fix from base to theirs on a production of ours, with release somewhere else."""
    start = store.commit(base)
    case.production = store.commit(ours, start)
    fix = theirs if theirs.encode() in store and is_commit(store, theirs) else None
    fix = fix or store.commit(theirs, start)
    case.heads = {"main": fix, "release": store.commit(store.tree({"r": b"r\n"}), start)}
    case.merge_requests = []
    case.merge_request(812, merge_commit_sha=fix)
    case.history.objects |= store.objects
    return case.plan()


def is_commit(store: Store, sha: Sha) -> bool:
    return store.objects[sha.encode()].type_num == Commit.type_num


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(merge_module, "Rules", lambda: Rules(effort=Effort(50_000)))
    monkeypatch.setattr(diff_module, "_MOST_PLACES", 20_000)
    return Store()


REFUSED: dict[str, Callable[[Store, bytes], Sha]] = {
    "a bomb": bomb,
    "a folder .git": lambda store, text: store.raw_tree((b".git", FOLDER, store.tree({"f": text}))),
    "a folder ..": lambda store, text: store.raw_tree((b"..", FOLDER, store.tree({"f": text}))),
    "a file as a folder": lambda store, text: store.raw_tree((b"d", FOLDER, store.blob(text))),
    "a folder as a file": lambda store, text: store.raw_tree((b"d", FILE, store.tree({"f": text}))),
    "a name twice": lambda store, text: store.raw_tree(
        (b"a", FILE, store.blob(text)), (b"a", FILE, store.blob(text))
    ),
    "names out of order": lambda store, text: store.raw_tree(
        (b"b", FILE, store.blob(text)), (b"a", FILE, store.blob(text))
    ),
    "nested far too deep": lambda store, text: nested(store, text, 5000),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_tree_is_refused_by_its_id(name: str, case: Case, store: Store) -> None:
    base, ours, theirs = three(lambda text: REFUSED[name](store, text))

    with pytest.raises(FailedError, match=r"the Git (tree|object) [0-9a-f]{40}"):
        plan(case, store, base, ours, theirs)


def test_a_bomb_that_only_the_fix_brings_is_refused(case: Case, store: Store) -> None:
    base, ours = store.tree({"z": TEN}), store.tree({"z": TEN + b"ours\n"})
    theirs = store.raw_tree((b"d", FOLDER, bomb(store, TEN)), (b"z", FILE, store.blob(TEN)))

    with pytest.raises(FailedError, match="differs in more than"):
        plan(case, store, base, ours, theirs)


def test_a_pick_that_takes_too_much_work_is_a_blocker(case: Case, store: Store) -> None:
    base, ours, theirs = (
        store.tree({"f": text})
        for text in (b"\n" * 60_000, b"a\n" + b"\n" * 60_000, b"\n" * 60_000 + b"b\n")
    )

    built = plan(case, store, base, ours, theirs)

    assert [each.code for each in built.plan.blockers] == ["pick-conflict"]
    assert "(unsupported)" in built.plan.blockers[0].message


def test_a_long_line_that_both_changed_is_shown_short(case: Case, store: Store) -> None:
    line = b"x" * 5_000_000
    base, ours, theirs = (store.tree({"f": text}) for text in (line, b"a" + line, line + b"b"))

    built = plan(case, store, base, ours, theirs)

    assert [each.code for each in built.plan.blockers] == ["pick-conflict"]
    assert len(serialize(built.plan)) < 100_000


def test_names_of_any_bytes_are_planned_and_told_safely(case: Case, store: Store) -> None:
    names = sorted([b"\n", b"\x1b[31m", b"\xff\xfe", b"a\r", b"\x01", "x\u202e".encode()])
    base, ours, theirs = three(
        lambda text: store.raw_tree(*((name, FILE, store.blob(text)) for name in names))
    )

    built = plan(case, store, base, ours, theirs)

    assert built.plan.blockers == ()
    shown = plan_text(built.plan, width=100, colour=False, next_command=None)
    assert all(line.isprintable() for line in shown.splitlines())
    assert b"\x1b" not in serialize(built.plan)


HEAD = b"tree %s\nparent %p\n"
WHO = b"author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"tree\n\n",
        b"tree %s\n\nno author",
        HEAD + b"author\ncommitter\n\n",
        HEAD + b"author A <a@b> 99999999999999999999 +0000\ncommitter A <a@b> 1 +0000\n\n",
        HEAD + b"author A <a@b> 1 +99999999\ncommitter A <a@b> -1 -2500\n\nx",
        HEAD + b"author \xff\0 <\x1b> 1 +0000\ncommitter A <a@b> 1 +0000\nencoding \xff\n\n\xff",
        HEAD + WHO + b"encoding zip\n\n\0\x01",
        HEAD + WHO + b"encoding utf-7\n\n+AAo-\n",
    ],
)
def test_a_commit_of_garbage_is_planned_or_refused(data: bytes, case: Case, store: Store) -> None:
    base, ours, theirs = three(lambda text: store.tree({"f": text}))
    start = store.commit(base)
    data = data.replace(b"%s", theirs.encode()).replace(b"%p", start.encode())
    sha = store.add(RawCommit.from_string(data))

    try:
        told = serialize(plan(case, store, base, ours, sha).plan).decode()
    except FailedError as error:
        told = error.message

    assert sha in told
