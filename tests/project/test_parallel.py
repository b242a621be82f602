from __future__ import annotations

import subprocess
import sys
import threading
from functools import partial
from typing import NoReturn

import pytest

from hotfix.parallel import Once, Together, in_parallel

_INTERRUPTED = """
import os, signal, threading
from hotfix.parallel import in_parallel

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
begun = []
blocked = threading.Event()

def task(number):
    begun.append(number)
    if len(begun) == 3:
        os.kill(os.getpid(), signal.SIGINT)
    blocked.wait()

try:
    in_parallel([lambda number=number: task(number) for number in range(9)], at_once=3)
except KeyboardInterrupt:
    print("interrupted after", len(begun))
"""


def fail(name: str, after: threading.Event | None = None) -> NoReturn:
    if after is not None:
        assert after.wait(10)
    raise ValueError(name)


def test_results_stand_in_order_whichever_task_ends_first() -> None:
    ended = [threading.Event() for _ in range(4)]

    def task(number: int) -> int:
        if number + 1 < len(ended):
            assert ended[number + 1].wait(10)
        ended[number].set()
        return number

    assert in_parallel([partial(task, number) for number in range(4)]) == [0, 1, 2, 3]


def test_so_many_run_at_once_and_never_more() -> None:
    full = threading.Barrier(3)
    running: list[int] = []
    most: list[int] = []

    def task() -> None:
        running.append(1)
        most.append(len(running))
        full.wait(10)
        running.pop()
        full.wait(10)

    in_parallel([task] * 9, at_once=3)

    assert max(most) == 3


def test_the_first_failure_in_order_is_raised_and_the_others_are_noted() -> None:
    late = threading.Event()

    def second() -> NoReturn:
        late.set()
        raise ValueError("second")

    with pytest.raises(ValueError, match="first") as caught:
        in_parallel([partial(fail, "first", late), second])

    assert caught.value.__notes__ == ["Meanwhile: second"]


def test_of_many_failures_a_few_are_told_and_the_rest_counted() -> None:
    together = threading.Barrier(7)

    def fail(text: str) -> None:
        together.wait(10)
        raise ValueError(text)

    texts = ("a", "a", "b", "c", "b", "d", "e")
    with pytest.raises(ValueError, match="a") as caught:
        in_parallel([partial(fail, text) for text in texts])

    assert caught.value.__notes__ == ["Meanwhile: b", "Meanwhile: c", "Meanwhile: 2 more failures"]


def test_nothing_more_begins_once_one_has_failed() -> None:
    begun: list[int] = []
    failed = threading.Event()

    def task(number: int) -> None:
        begun.append(number)
        if number == 0:
            failed.set()
            raise ValueError("first")
        assert failed.wait(10)

    with pytest.raises(ValueError, match="first"):
        in_parallel([partial(task, number) for number in range(100)], at_once=2)

    assert len(begun) < 10


def test_a_single_task_runs_in_the_callers_own_thread() -> None:
    assert in_parallel([threading.current_thread]) == [threading.current_thread()]
    assert in_parallel([]) == []


def test_tasks_of_several_kinds_keep_their_own_results() -> None:
    together = Together()
    number, text = together.add(lambda: 1), together.add(lambda: "one")
    together.run()

    assert (number.result, text.result) == (1, "one")


def test_an_interrupt_is_obeyed_at_once_and_the_program_ends() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED], capture_output=True, text=True, timeout=30, check=True
    )

    assert done.stdout == "interrupted after 3\n"


def test_what_holds_is_asked_for_once_by_however_many() -> None:
    once = Once[str, int]()
    asked: list[str] = []
    at_the_door = threading.Barrier(4)

    def ask() -> int:
        at_the_door.wait(10)
        return once.get("a", lambda: asked.append("a") or len(asked))

    assert in_parallel([ask] * 4) == [1] * 4
    assert asked == ["a"]


def test_what_failed_is_asked_for_again() -> None:
    once = Once[str, int]()
    with pytest.raises(ValueError, match="down"):
        once.get("a", partial(fail, "down"))

    assert once.get("a", lambda: 2) == 2
