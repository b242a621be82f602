"""Python is held against the main line by its grammar."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import pytest

from hotfix.git.gap.python import read_python

if TYPE_CHECKING:
    from .conftest import Story

PAY = b"import time\n\n\ndef pay(order):\n    return order\n"


def test_a_name_that_only_the_main_line_imports_is_told_with_its_line(story: Story) -> None:
    story.production = {"app/pay.py": PAY}
    story.fix = {"app/pay.py": PAY + b"\n\ndef retry(order):\n    return backoff(order)\n"}
    story.there = {"app/pay.py": b"from app.limits import backoff\n" + PAY}

    gap = story.only()

    assert (gap.kind, gap.use.word, gap.use.line) == ("name", "backoff", 9)


def test_a_module_that_only_the_main_line_has_is_told(story: Story) -> None:
    story.production = {"app/pay.py": PAY, "app/__init__.py": b""}
    story.main = {"app/limits.py": b"RETRIES = 3\n"}
    story.fix = {"app/pay.py": b"from app.limits import RETRIES\n" + PAY}

    assert story.found() == [("module", "app.limits", "app/limits.py")]


@pytest.mark.parametrize(
    "line", [b"from .limits import RETRIES\n", b"from . import limits\n", b"import app.limits\n"]
)
def test_however_it_is_imported(story: Story, line: bytes) -> None:
    story.production = {"src/app/pay.py": PAY, "src/app/__init__.py": b""}
    story.main = {"src/app/limits.py": b"RETRIES = 3\n"}
    story.fix = {"src/app/pay.py": line + PAY}

    (found,) = story.found()

    assert found[0] == "module"
    assert found[2] == "src/app/limits.py"


def test_a_module_that_became_a_package_is_there(story: Story) -> None:
    story.production = {"app/pay.py": PAY, "app/limits.py": b"RETRIES = 3\n"}
    story.main = {"app/limits.py": None, "app/limits/__init__.py": b"RETRIES = 3\n"}
    story.fix = {"app/pay.py": b"from app.limits import RETRIES\n" + PAY}

    assert story.found() == []


@pytest.mark.parametrize(
    "use",
    [
        b"from app.limits import BACKOFF\n",
        b"from app import limits\nprint(limits.BACKOFF)\n",
        b"import app.limits as known\nprint(known.BACKOFF)\n",
    ],
)
def test_a_name_that_only_the_main_lines_module_has_is_told(story: Story, use: bytes) -> None:
    story.production = {
        "app/pay.py": PAY,
        "app/limits.py": b"RETRIES = 3\n",
        "app/__init__.py": b"",
    }
    story.main = {"app/limits.py": b"RETRIES = 3\nif RETRIES:\n    BACKOFF = 2\n"}
    story.fix = {"app/pay.py": use + PAY}

    assert story.found() == [("name", "BACKOFF", "app/limits.py")]


@pytest.mark.parametrize(
    "limits",
    [
        b"from app.numbers import *\n",
        b"def __getattr__(name):\n    return 3\n",
        b"try:\n    import x\nexcept ImportError:\n    BACKOFF = 1\n",
    ],
)
def test_what_a_module_may_have_is_not_missing(story: Story, limits: bytes) -> None:
    story.production = {"app/pay.py": PAY, "app/limits.py": limits}
    story.main = {"app/limits.py": b"BACKOFF = 2\n"}
    story.fix = {"app/pay.py": b"from app.limits import BACKOFF\n" + PAY}

    assert story.found() == []


def test_an_attribute_that_only_the_main_lines_class_has_is_told(story: Story) -> None:
    order = b"class Order:\n    def total(self):\n        return 1\n"
    story.production = {"app/pay.py": PAY, "app/order.py": order}
    story.main = {"app/order.py": order + b"\n    def open_amount(self):\n        return 2\n"}
    story.fix = {"app/pay.py": PAY.replace(b"return order", b"return order.open_amount()")}

    assert story.found() == [("name", "open_amount", "app/order.py")]


def test_what_the_fix_brings_itself_is_no_gap(story: Story) -> None:
    story.production = {"app/pay.py": PAY, "app/order.py": b"class Order:\n    pass\n"}
    story.main = {"app/other.py": b"class Other:\n    def open_amount(self):\n        return 2\n"}
    story.fix = {
        "app/pay.py": PAY.replace(b"return order", b"return order.open_amount(fast=True)"),
        "app/order.py": b"class Order:\n    def open_amount(self, fast=False):\n        return 2\n",
    }

    assert story.found() == []


def test_only_the_lines_that_the_fix_adds_are_held_against_the_main_line(story: Story) -> None:
    used = b"from app.limits import BACKOFF\n"
    story.production = {"app/pay.py": used + PAY, "app/limits.py": b"x = 1\n"}
    story.main = {"app/limits.py": b"x = 1\nBACKOFF = 2\n"}
    story.fix = {"app/pay.py": used + PAY.replace(b"return order", b"return [order]")}

    assert story.found() == []


@pytest.mark.parametrize(
    "text",
    [
        "def (:\n",
        "x = " + "(" * 5000 + ")" * 5000,
        "x = " + "-" * 100_000 + "1",
        "\0",
        "print 'two'\n",
        "# -*- coding: nothing -*-\nx = 1\n",
    ],
)
def test_what_python_cannot_read_is_left_to_the_words(text: str) -> None:
    found = read_python(text)

    assert found is None or found.top == {"x"}


def test_strange_backslashes_warn_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_python('path = "\\d and \\p"\n') is not None

    assert capsys.readouterr().err == ""


def test_names_of_every_form_are_bound() -> None:
    found = read_python(
        "import a.b, c as d\n"
        "from e import f\n"
        "def g(h, *i, j=1, **k): global m; l: int = 2\n"
        "class N: pass\n"
        "for o, (p, *q) in []: pass\n"
        "with x as r, y as (s, t): pass\n"
        "try: pass\nexcept E as u: pass\n"
        "match v:\n    case [w, *z]: pass\n    case {'k': A, **B}: pass\n    case C(): pass\n"
        "[D for D in ()]\n"
        "(F := 1)\n"
        "lambda G: G\n"
    )

    assert found is not None
    assert {*"adfghijklmNopqrstuwzABDFG"} <= found.bound
    assert {name for name, _ in found.unbound()} == {"x", "y", "E", "v", "C"}
