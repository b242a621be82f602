"""Languages that are known by their words alone, configurations, files, packages and migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hotfix.git.gap import sides, words
from tests.git.making import submodule

if TYPE_CHECKING:
    from .conftest import Story

DEFINITIONS = {
    "limits.go": (
        b"package pay\n\nfunc (l *Limits) OpenAmount(a int) int {\n\treturn a\n}\n",
        "OpenAmount",
    ),
    "limits.ts": (b"export const openAmount = (a: number) => a;\n", "openAmount"),
    "limits.js": (b"export function openAmount(a) {\n  return a;\n}\n", "openAmount"),
    "limits.rb": (b"class Limits\n  def open_amount\n    1\n  end\nend\n", "open_amount"),
    "limits.java": (
        b"class Limits {\n    public int openAmount(int a) {\n        return a;\n    }\n}\n",
        "openAmount",
    ),
    "limits.rs": (
        b"impl Limits {\n    pub fn open_amount(&self) -> u32 {\n        1\n    }\n}\n",
        "open_amount",
    ),
    "limits.php": (
        b"<?php\nclass Limits {\n  public static function openAmount($a) {\n  }\n}\n",
        "openAmount",
    ),
    "limits.h": (b"#define OPEN_AMOUNT 3\n", "OPEN_AMOUNT"),
    "limits.kt": (b"class Limits {\n    suspend fun openAmount(): Int = 3\n}\n", "openAmount"),
    "limits.cs": (
        b"class Limits {\n    public int OpenAmount(int a)\n    {\n    }\n}\n",
        "OpenAmount",
    ),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_word_that_only_the_main_line_defines_is_told(story: Story, name: str) -> None:
    text, word = DEFINITIONS[name]
    ending = name.rpartition(".")[2]
    story.production = {f"src/pay.{ending}": b"a = 1\n"}
    story.main = {f"src/{name}": text}
    story.fix = {f"src/pay.{ending}": b"a = 1\nreturn limits." + word.encode() + b"(a)\n"}

    gap = story.only()

    assert (gap.kind, gap.use.word, gap.use.line, gap.there) == ("name", word, 2, f"src/{name}")


@pytest.mark.parametrize(
    ("before", "added"),
    [
        (b"openAmount(1);\n", b"openAmount(2);\n"),
        (b"a();\n", b"// openAmount(2);\n"),
        (b"a();\n", b'log("openAmount(2)");\n'),
        (b"a();\n", b"const openAmount = 2; b(openAmount);\n"),
        (b"a();\n", b"function b(openAmount) {\n"),
        (b"a();\n", b"const { openAmount } = await b();\n"),
        (b"a();\n", b"b((openAmount, c) => openAmount + c);\n"),
        (b"a();\n", b"b({ openAmount: 3 });\n"),
    ],
)
def test_a_word_that_means_something_here_or_nothing_at_all_is_not_told(
    story: Story, before: bytes, added: bytes
) -> None:
    story.production = {"pay.ts": before}
    story.main = {"limits.ts": DEFINITIONS["limits.ts"][0]}
    story.fix = {"pay.ts": before + added}

    assert story.found() == []


def test_a_word_that_stands_elsewhere_on_the_branch_is_not_told(story: Story) -> None:
    story.production = {"pay.ts": b"a();\n", "old.ts": b"export const openAmount = 1;\n"}
    story.main = {"limits.ts": b"export const openAmount = 1;\n", "old.ts": None}
    story.fix = {"pay.ts": b"a();\nopenAmount;\n"}

    assert story.found() == []


def test_a_word_of_another_language_or_of_tests_is_not_told(story: Story) -> None:
    story.production = {"pay.ts": b"a();\n"}
    story.main = {
        "limits.go": b"func openAmount() {\n",
        "tests/limits.ts": b"export const openAmount = 1;\n",
        "node_modules/limits.ts": b"export const openAmount = 1;\n",
    }
    story.fix = {"pay.ts": b"a();\nopenAmount;\n"}

    assert story.found() == []


@pytest.mark.parametrize(
    ("path", "text", "used"),
    [
        ("config/app.yml", b"pay:\n  retry_limit: 3\n", b"cfg['pay']['retry_limit']\n"),
        (".env.example", b"RETRY_LIMIT=3\n", b"os.environ['RETRY_LIMIT']\n"),
        ("app.json", b'{\n  "retryLimit": 3\n}\n', b"cfg.get('retryLimit')\n"),
        ("config/flags/retry-limit.toml", b'retry-limit = "on"\n', b"flag('retry-limit')\n"),
        ("app.properties", b"pay.retry.limit=3\n", b"cfg('pay.retry.limit')\n"),
    ],
)
def test_a_key_that_only_the_main_lines_configuration_has_is_told(
    story: Story, path: str, text: bytes, used: bytes
) -> None:
    story.production = {"pay.py": b"import os\nfrom a import cfg, flag\n"}
    story.main = {path: text}
    story.fix = {"pay.py": b"import os\nfrom a import cfg, flag\n" + used}

    gap = story.only()

    assert (gap.kind, gap.there, gap.use.line) == ("key", path, 3)


@pytest.mark.parametrize(
    ("path", "added", "lacking"),
    [
        ("web/pay.ts", b"import { a } from './limits';\n", "web/limits.ts"),
        ("web/pay.ts", b"import { a } from '../lib/limits';\n", "lib/limits/index.ts"),
        ("web/pay.ts", b"import { a } from '@/lib/limits';\n", "web/lib/limits.js"),
        ("app/pay.py", b"render('mail/limits.html')\n", "app/templates/mail/limits.html"),
        ("app/pay.rb", b"require_relative './limits'\n", "app/limits.rb"),
        ("app/pay.erb", b"<%= render 'shared/limits' %>\n", "app/views/shared/_limits.erb"),
        ("cmd/pay.go", b'\t"example.com/shop/pkg/limits"\n', "pkg/limits/limits.go"),
        ("src/shop/Pay.java", b"import shop.limits.Limits;\n", "src/shop/limits/Limits.java"),
        ("src/pay.c", b'#include "shop/limits.h"\n', "include/shop/limits.h"),
        ("src/pay.rs", b"use crate::shop::limits;\n", "src/crate/shop/limits.rs"),
    ],
)
def test_a_file_that_only_the_main_line_has_is_told_however_it_is_named(
    story: Story, path: str, added: bytes, lacking: str
) -> None:
    story.production = {path: b"a\n"}
    story.main = {lacking: b"nothing\n"}
    story.fix = {path: b"a\n" + added}

    gap = story.only()

    assert (gap.kind, gap.there) == ("file", lacking)


def test_a_file_that_only_moved_is_not_told(story: Story) -> None:
    story.production = {"src/Pay.java": b"a\n", "old/shop/limits/Limits.java": b"class Limits {\n"}
    story.main = {"old/shop/limits/Limits.java": None, "new/shop/limits/Limits.java": b"c\n"}
    story.fix = {"src/Pay.java": b"a\nimport shop.limits.Limits;\n"}

    assert story.found() == []


def test_a_submodule_that_the_main_line_pins_otherwise_is_told(story: Story) -> None:
    story.production = {"pay.py": b"a = 1\n", "vendor/limits": submodule(1)}
    story.main = {"vendor/limits": submodule(2)}
    story.fix = {"pay.py": b"a = 1\nread('vendor/limits/rates.csv')\n"}

    gap = story.only()

    assert (gap.kind, gap.there) == ("submodule", "vendor/limits")
    assert gap.detail == "000000000000 there, 000000000000 here"


PACKAGES = {
    "requirements.txt": (b"requests==2.0\n", b"httpx==0.27.0\n", "a.py", b"import httpx", "httpx"),
    "pyproject.toml": (
        b"[deps]\n",
        b'http-x = "^0.27"\n',
        "a.py",
        b"from http_x import a",
        "http-x",
    ),
    "poetry.lock": (
        b"[[package]]\n",
        b'name = "httpx"\nversion = "0.27.0"\n',
        "a.py",
        b"import httpx.b",
        "httpx",
    ),
    "package.json": (
        b"{\n",
        b'"use-it": "^3.1.0"\n',
        "a.ts",
        b"import { u } from 'use-it';",
        "use-it",
    ),
    "web/package.json": (
        b"{\n",
        b'"@x/y": "3.1.0"\n',
        "a.js",
        b"const y = require('@x/y/z');",
        "@x/y",
    ),
    "go.mod": (b"module a\n", b"\trequire x.io/y v1.2.3\n", "a.go", b'import "x.io/y/z"', "x.io/y"),
    "Gemfile": (
        b"gem 'a', '1'\n",
        b"gem 'bcrypt', '~> 3.1'\n",
        "a.rb",
        b"require 'bcrypt'",
        "bcrypt",
    ),
}


@pytest.mark.parametrize("path", PACKAGES)
def test_a_package_that_only_the_main_line_pins_is_told_with_its_version(
    story: Story, path: str
) -> None:
    here, more, source, added, package = PACKAGES[path]
    story.production = {path: here, source: b"a = 1\n"}
    story.main = {path: here + more}
    story.fix = {source: added + b"\na = 1\n"}

    gap = story.only()

    assert (gap.kind, gap.use.word, gap.there) == ("package", package, path)
    assert gap.detail.endswith(" there, nothing here")
    assert gap.detail[0].isdigit()


def test_a_package_that_stands_here_in_any_form_is_not_told(story: Story) -> None:
    story.production = {"requirements.txt": b"httpx\n", "a.py": b"a = 1\n"}
    story.main = {"requirements.txt": b"httpx==0.27.0\n", "requirements-dev.txt": b"httpx==0.27\n"}
    story.fix = {"a.py": b"import httpx\na = 1\n"}

    assert story.found() == []


def test_the_alembic_parent_that_only_the_main_line_has_is_told(story: Story) -> None:
    story.production = {"db/versions/aa_first.py": b"revision = 'aa'\ndown_revision = None\n"}
    story.main = {"db/versions/bb_second.py": b"revision: str = 'bb'\ndown_revision = 'aa'\n"}
    story.fix = {"db/versions/cc_fix.py": b"revision = 'cc'\ndown_revision = ('bb', 'aa')\n"}

    assert story.found() == [("migration", "bb", "db/versions/bb_second.py")]


def test_the_django_parent_that_only_the_main_line_has_is_told(story: Story) -> None:
    fix = (
        b"class Migration(migrations.Migration):\n"
        b"    dependencies = [('shop', '0001_initial'), ('pay', '0002_limits')]\n"
    )
    story.production = {"src/shop/migrations/0001_initial.py": b"a = 1\n"}
    story.main = {"src/pay/migrations/0002_limits.py": b"a = 1\n"}
    story.fix = {"src/pay/migrations/0003_fix.py": fix}

    assert story.found() == [("migration", "pay.0002_limits", "src/pay/migrations/0002_limits.py")]


def test_nothing_is_read_where_both_lines_are_equal(story: Story) -> None:
    story.production = {"pay.ts": b"a();\n"}
    story.fix = {"pay.ts": b"a();\nopenAmount;\n"}

    found = story.gaps()

    assert (found.found, found.searched, found.of) == ((), 0, 0)
    blobs = [oid for oid in story.store.reads if story.store.objects[oid].type_name == b"blob"]
    assert not blobs


def test_no_other_file_is_read_where_no_word_asks_for_it(story: Story) -> None:
    story.production = {"pay.ts": b"a();\n"}
    story.main = {"limits.ts": DEFINITIONS["limits.ts"][0], "app.yml": b"retry_limit: 3\n"}
    story.fix = {"pay.ts": b"a();\nb(1, 'two');\n"}

    found = story.gaps()

    assert (found.found, found.searched, found.of) == ((), 0, 0)
    texts = (b"openAmount", b"retry_limit")
    read = [story.store.objects[oid].as_raw_string() for oid in story.store.reads]
    assert not [data for data in read if any(text in data for text in texts)]


def test_of_many_files_the_nearest_are_searched_and_the_rest_is_counted(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sides, "MOST_FILES", 2)
    story.production = {"app/pay/pay.ts": b"a();\n"}
    story.main = {
        "a.ts": b"export const inRoot = 1;\n",
        "app/b.ts": b"export const inApp = 1;\n",
        "app/pay/c.ts": b"export const inPay = 1;\n",
    }
    story.fix = {"app/pay/pay.ts": b"a();\nb(inRoot, inApp, inPay);\n"}

    found = story.gaps()

    assert [gap.use.word for gap in found.found] == ["inPay", "inApp"]
    assert (found.searched, found.of) == (2, 3)


HOSTILE = {
    "a line of a megabyte": b"x" * 200_000 + b"\n",
    "nothing but quotes": b"'" * 100_000 + b"\n",
    "quotes line by line": b"'\"`\\" * 90 + b"\n" + b"('" * 190 + b"\n",
    "NULs": b"a\0b\0" * 1000,
    "no UTF-8": b"\xff\xfe\xfd" * 1000,
    "blanks": (b" " * 399 + b"\n") * 500,
    "words and blanks": (b"a " * 199 + b"\n") * 500,
    "commas": (b"a," * 199 + b"\n") * 500,
    "brackets": (b"({[" * 130 + b"\n") * 500,
    "colons": (b"a:" * 199 + b"\n") * 500,
    "dots": (b"a." * 199 + b"\n") * 500,
}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("ending", ["py", "ts", "rb", "yml"])
def test_hostile_text_is_searched_in_bounded_time(story: Story, what: str, ending: str) -> None:
    story.production = {f"a.{ending}": b"a = 1\n", "requirements.txt": b"a==1\n"}
    story.main = {
        f"b.{ending}": HOSTILE[what],
        "c.json": HOSTILE[what],
        "requirements.txt": HOSTILE[what],
    }
    story.fix = {f"a.{ending}": b"import q\nopenAmount('retry_limit')\n" + HOSTILE[what]}

    assert all(gap.kind in {"name", "key"} for gap in story.gaps().found)


def test_a_tree_that_stands_for_too_many_paths_hinders_the_search_and_no_plan(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hotfix.git.diff._MOST_PLACES", 2)
    story.production = {"pay.ts": b"a();\n"}
    story.main = {f"{number}.ts": b"a();\n" for number in range(9)}
    story.fix = {"pay.ts": b"b();\n"}

    found = story.gaps()

    assert found.found == ()
    assert "differs in more than 2 places" in found.hindered


def test_a_string_ends_where_its_quote_ends() -> None:
    lines = [(1, r"""a('one \' two', "it's", `b`, :sym)""")]

    assert [text for text, _ in words.literals(lines)] == [r"one \' two", "it's", "b"]
