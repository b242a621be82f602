"""Every broken spec in ``broken/`` is refused with exactly the problems written below it.

A case begins with ``===`` and its name. Below stand the keys that it changes in
``good/single.yaml``: ``key: value`` takes the place of the key there, ``-key`` takes it away.
``!whole`` means that what follows is the whole spec, ``!defaults`` that it is the whole
defaults.yaml, ``!spec`` goes back to changed keys. After ``>>>`` stands what is printed.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from jsonschema import Draft202012Validator

from hotfix.errors import InputError
from hotfix.spec.load import load_spec
from hotfix.spec.problem import Source, SpecError
from hotfix.spec.schema import defaults_schema, spec_schema
from hotfix.spec.tree import Ambiguous, parse, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent / "broken"


class Case(NamedTuple):
    file: str
    name: str
    spec: str
    defaults: str | None
    expected: str


def cases() -> Iterator[Case]:
    base = (FOLDER.parent / "good" / "single.yaml").read_text("utf-8")
    for path in sorted(FOLDER.glob("*.txt")):
        for part in re.split(r"^=== ", path.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            written, _, expected = part.partition(">>>\n")
            name, _, body = written.partition("\n")
            texts = read_sections(body)
            whole = texts.get("!whole")
            spec = whole if whole is not None else changed(base, texts["!spec"])
            yield Case(path.stem, name, spec, texts.get("!defaults"), expected.rstrip("\n"))


def read_sections(body: str) -> dict[str, str]:
    sections = {"!spec": ""}
    current = "!spec"
    for line in body.splitlines(keepends=True):
        if line.startswith("!") and line.strip() in {"!whole", "!spec", "!defaults"}:
            current = line.strip()
            sections[current] = ""
        else:
            sections[current] += line
    return sections


def changed(base: str, changes: str) -> str:
    """Put each changed top-level key where the base has it, else at the end."""
    blocks = {block.partition(":")[0]: block for block in split_blocks(base)}
    extra = 0
    fresh: set[str] = set()
    for block in split_blocks(changes):
        key = block.partition(":")[0]
        if block.startswith("-"):
            blocks.pop(block[1:].strip(), None)
        elif key in fresh or not re.match(r"[a-z_]+:", block):
            extra += 1
            blocks[f"{key}#{extra}"] = block
        else:
            fresh.add(key)
            blocks[key] = block
    return "".join(blocks.values())


def split_blocks(text: str) -> list[str]:
    blocks: list[str] = []
    for line in text.splitlines(keepends=True):
        if blocks and line[0] in " \t":
            blocks[-1] += line
        else:
            blocks.append(line)
    return blocks


CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file}: {case.name}")
def test_a_broken_spec_is_refused_with_its_place_and_what_to_write(case: Case, plans: Path) -> None:
    Path("hotfix.yaml").write_text(case.spec, "utf-8")
    if case.defaults is not None:
        (plans / "defaults.yaml").write_text(case.defaults, "utf-8")

    with pytest.raises(SpecError) as refused:
        load_spec(Path("hotfix.yaml"), gitlab=None)

    printed = "\n".join(map(str, refused.value.problems))
    assert printed.replace(str(plans.resolve()) + "/", "") == case.expected
    assert isinstance(refused.value, InputError)
    assert "canary" not in str(refused.value)


def test_the_table_is_large_and_names_no_case_twice() -> None:
    names = [(case.file, case.name) for case in CASES]

    assert len(names) > 150
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file}: {case.name}")
def test_the_json_schema_refuses_it_too_where_a_schema_can_tell(case: Case) -> None:
    is_of_defaults = case.file == "defaults"
    text = case.defaults if is_of_defaults and case.defaults is not None else case.spec
    root, problems = parse(Source("hotfix.yaml", text))
    if root is None or problems:
        return  # what YAML itself refuses has no value to judge
    schema = defaults_schema() if is_of_defaults else spec_schema()

    accepted = Draft202012Validator(schema).is_valid(as_json(plain(root)))

    assert accepted == (case.name in BEYOND_SCHEMA)


def as_json(value: object) -> object:
    """Turn a tree's value into JSON as a reader of YAML 1.2 would: what is ambiguous is a text."""
    if isinstance(value, dict):
        return {key: as_json(part) for key, part in value.items()}
    if isinstance(value, tuple):
        return [as_json(part) for part in value]
    return "text" if isinstance(value, Ambiguous) else value


BEYOND_SCHEMA = {
    # A language of its own inside a text.
    "attributes that Git would not use",
    "attributes on one line",
    "attributes without a line",
    # Two places compared, or two files.
    "a check's name twice",
    "a command that the defaults do not allow",
    "a list of variables",
    "a merge request twice in two spellings",
    "a project input that is no text",
    "a resolution of a merge request that is not listed",
    "a target twice",
    "a variable by a name that no shell takes",
    "an input for the run's key that is taken",
    "commands that the defaults refuse",
    "no check is left for the hotfix",
    "no project for the orchestration although it has a key",
    "no project for the orchestration anywhere",
    "the run's input is taken by the defaults",
    "the spec's list becomes a variable by the defaults",
    "two targets that wait for each other",
    "waiting for a project that is no target",
    "waiting for itself",
    # How it is written, which no schema sees.
    "an expected answer with an octal number",
    "an id that is a truth value",
    "an input that is no number at all",
    "an input that reads as a truth value",
    "an input that reads as an octal number",
    "an input that reads as base 60",
    "an input with a number in another base",
    # What a text means.
    "a credential by its name",
    "a date that no calendar has",
    "a header inside a command",
    "a title that turns the reading direction",
    "a token as an input",
    "a token in a query",
    "a token in the title",
    "the cut-off action in letters that look alike",
}
