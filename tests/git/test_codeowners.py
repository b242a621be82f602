"""Owners of paths, by the examples of GitLab's documentation."""

from __future__ import annotations

import pytest

from hotfix.git.codeowners import read_owners

REFERENCE = """\
# This is a comment, even with an @owner in it
* @default
*.rb @ruby-owner
\\#file_with_pound.rb @owner-of-the-pound
LICENSE @legal janedoe@example.com
README @group @group/with-nested/subgroup
/docs/ @all-docs
/docs/* @root-docs
/docs/**/*.md @markdown-docs
lib/ @lib-owner
/config/ @@maintainer
path\\ with\\ spaces/ @space-owner
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("app.py", ["@default"]),
        (".hidden", ["@default"]),
        ("a/b/c.rb", ["@ruby-owner"]),
        ("#file_with_pound.rb", ["@owner-of-the-pound"]),
        ("LICENSE", ["@legal", "janedoe@example.com"]),
        ("deep/LICENSE", ["@legal", "janedoe@example.com"]),
        ("README", ["@group", "@group/with-nested/subgroup"]),
        ("docs/index.html", ["@root-docs"]),
        ("docs/a/index.html", ["@all-docs"]),
        ("docs/a/b/index.md", ["@markdown-docs"]),
        ("docs/index.md", ["@markdown-docs"]),
        ("more/docs/index.html", ["@default"]),
        ("src/lib/deep/x.py", ["@lib-owner"]),
        ("lib/x.py", ["@lib-owner"]),
        ("config/a/b.yml", ["@@maintainer"]),
        ("path with spaces/x", ["@space-owner"]),
    ],
)
def test_the_last_pattern_that_matches_counts(path: str, owners: list[str]) -> None:
    assert list(read_owners(REFERENCE).of(path)) == owners


def test_each_section_has_its_say_and_its_default_owners() -> None:
    found = read_owners(
        "* @general\n"
        "[Documentation][2] @docs-team\n"
        "docs/\n"
        "README.md\n"
        "^[Database] @database-team\n"
        "model/db/\n"
        "config/db/setup.md @docs-team\n"
        "[DOCUMENTATION] @nobody-else\n"
        "*.txt @text\n"
    )

    assert found.of("model/db/CHANGELOG") == ("@general", "@database-team")
    assert found.of("docs/a.md") == ("@general", "@docs-team")
    assert found.of("config/db/setup.md") == ("@general", "@docs-team")
    assert found.of("docs/a.txt") == ("@general", "@text"), "sections of one name are one"


def test_what_a_section_excludes_stays_excluded_there() -> None:
    found = read_owners(
        "* @default\n!package-lock.json\n*.json @later\n[Ruby]\n*.rb @ruby-team\n!/config/**/*.rb\n"
    )

    assert found.of("package-lock.json") == ()
    assert found.of("other.json") == ("@later",)
    assert found.of("config/a/b.rb") == ("@default",)
    assert found.of("config/b.rb") == ("@default",)
    assert found.of("app.rb") == ("@default", "@ruby-team")


def test_what_nobody_owns_and_what_is_malformed_is_nobodys() -> None:
    found = read_owners("* @default\n/mine\n/theirs not-an-owner\n[Open\n[]\n/x @ok @!bad\n")

    assert found.of("mine") == ()
    assert found.of("theirs") == ()
    assert found.of("x") == ("@ok",)


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("/a/*", ["a/b", "a/.b"], ["a/b/c", "a"]),
        ("/a/**", ["a/b"], ["a/b/c"]),
        ("/a/**/*", ["a/b", "a/b/c", "a/.b/c"], ["a", "b/a/c"]),
        ("/a/**/d", ["a/d", "a/b/d", "a/b/c/d"], ["a/b/d/e"]),
        ("*.p?", ["a.py", "b/a.pl"], ["a.pyc", "a/py"]),
        ("/[ab].c", ["a.c", "b.c"], ["c.c"]),
        ("/a\\*", ["a*"], ["ab"]),
        ("docs", ["docs", "a/docs"], ["docs/a"]),
        ("a/b/", ["a/b/c", "x/a/b/c/d"], ["a/b"]),
    ],
)
def test_patterns_are_those_of_fnmatch_with_slashes_kept_apart(
    pattern: str, matching: list[str], others: list[str]
) -> None:
    found = read_owners(f"{pattern} @owner\n")

    assert [path for path in matching if not found.of(path)] == []
    assert [path for path in others if found.of(path)] == []


def test_hostile_patterns_end_in_time() -> None:
    found = read_owners(
        f"/{'**/' * 50}x @a\n{'*a' * 500} @b\n{'**/' * 5000} @c\n{'[' * 999} @d\n{'?*' * 300} @e\n"
    )

    assert found.of("/".join(["a" * 400] * 60)) == ("@e",)
