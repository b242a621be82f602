"""How long a hostile repository can hold a merge up, and in how much memory.

Each case runs in a process of its own, so that its memory is its own; the store that holds the
objects counts too. Run it from the repository's root: ``python benchmarks/hostile.py [CASE...]``.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent.parent))

from hotfix.errors import FailedError
from hotfix.git.diff import changed_files
from hotfix.git.merge import Merged, merge_trees
from tests.git.making import Store
from tests.git.test_hostile import FILE, FOLDER, TEN, beside, bomb, nested, three

if TYPE_CHECKING:
    from collections.abc import Callable

    from hotfix.identifiers import Sha

_MILLION = 1_000_000
_BIG = 50_000_000
_ROWS = [b"line number %d of a large generated file\n" % number for number in range(1_100_000)]


def _million(store: Store, text: bytes, *, prefix: bytes = b"") -> Sha:
    blob = store.blob(text)
    return store.raw_tree(*((prefix + b"%07d" % number, FILE, blob) for number in range(_MILLION)))


def _one_of_a_million(store: Store, place: int) -> Sha:
    blob, other = store.blob(b"same\n"), store.blob(b"other\n")
    return store.raw_tree(
        *((b"%07d" % n, FILE, other if n == place else blob) for n in range(_MILLION))
    )


def _text(store: Store, *texts: bytes) -> tuple[Sha, ...]:
    return tuple(store.tree({"f": text}) for text in texts)


CASES: dict[str, Callable[[Store], tuple[Sha, ...]]] = {
    "bomb, changed on both sides": lambda store: three(lambda text: bomb(store, text)),
    "bomb, added on both sides": lambda store: (
        beside(store, None, TEN),
        beside(store, bomb(store, b"1\n"), TEN),
        beside(store, bomb(store, b"2\n"), TEN),
    ),
    "bomb, brought by the pick": lambda store: (
        beside(store, None, TEN),
        beside(store, None, TEN + b"ours\n"),
        beside(store, bomb(store, TEN), TEN),
    ),
    "a million entries, one changed by each": lambda store: (
        _one_of_a_million(store, -1),
        _one_of_a_million(store, 5),
        _one_of_a_million(store, 777),
    ),
    "a million entries, all changed by both": lambda store: three(
        lambda text: _million(store, text)
    ),
    "a million files renamed and changed": lambda store: (
        _million(store, b"a\n"),
        _million(store, b"a\n", prefix=b"x"),
        _million(store, b"b\n"),
    ),
    "50 MB in one line": lambda store: _text(
        store, b"x" * _BIG, b"a" + b"x" * _BIG, b"x" * _BIG + b"b"
    ),
    "50 MB of empty lines": lambda store: _text(
        store, b"\n" * _BIG, b"a\n" + b"\n" * _BIG, b"\n" * _BIG + b"b\n"
    ),
    "50 MB, lines shuffled": lambda store: _text(
        store, b"".join(_ROWS), b"".join(_ROWS[::-1]), b"".join(_ROWS[1::2] + _ROWS[::2])
    ),
    "50 MB, many lines changed": lambda store: _text(
        store,
        b"".join(_ROWS),
        b"".join(_ROWS).replace(b"7 of", b"7o of"),
        b"".join(_ROWS).replace(b"3 of", b"3 off"),
    ),
    "250 folders deep": lambda store: three(lambda text: nested(store, text, 249)),
    "5000 folders deep": lambda store: three(lambda text: nested(store, text, 5000)),
    "a blob as a folder": lambda store: three(
        lambda text: store.raw_tree((b"d", FOLDER, store.blob(text)))
    ),
}


def _measure(name: str) -> None:
    store = Store()
    base, ours, theirs = CASES[name](store)
    began = time.process_time()
    outcome = _outcome(store, base, ours, theirs)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"| {name} | {seconds:.1f} | {peak} | {outcome} |")


def _outcome(store: Store, base: Sha, ours: Sha, theirs: Sha) -> str:
    try:
        merged = merge_trees(store, base=base, ours=ours, theirs=theirs)
        if not isinstance(merged, Merged):
            return f"conflict: {merged.conflicts[0].kind}"
        for made in merged.objects:
            store.add(made)
        return f"clean, {len(changed_files(store, ours, merged.tree))} files changed"
    except FailedError as error:
        return f"refused: {error.code}"


def _main(names: list[str]) -> None:
    if os.environ.get("HOTFIX_HOSTILE_CASE"):
        _measure(os.environ["HOTFIX_HOSTILE_CASE"])
        return
    print("| case | CPU s | peak MiB | outcome |\n| --- | --- | --- | --- |", flush=True)
    for name in names or CASES:
        environment = {**os.environ, "HOTFIX_HOSTILE_CASE": name}
        subprocess.run([sys.executable, __file__], env=environment, check=True)


if __name__ == "__main__":
    _main(sys.argv[1:])
