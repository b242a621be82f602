"""Write ``docs/reference/`` from the program itself.

Run as ``python -m tests.docs.write_reference``; a test fails where file and program differ.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hotfix.cli import app
from hotfix.cli.exits import MEANINGS
from hotfix.spec.policy import RULES
from hotfix.spec.schema import defaults_schema, spec_schema

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs" / "reference"
_KINDS: Final = {
    "FailedError": 1,
    "ForgeError": 1,
    "NotFoundError": 1,
    "UnknownOutcomeError": 1,
    "LostAnswerError": 1,
    "WaitingError": 3,
    "UnansweredError": 3,
    "BlockedError": 4,
    "Finding": 4,
    "StaleError": 5,
    "StaleRefError": 5,
    "LockedError": 6,
    "InputError": 64,
    "InterruptedRunError": 130,
}
_MADE: Final = "<!-- Written by the program: python -m tests.docs.write_reference -->"


def pages() -> dict[str, str]:
    """Return every generated page by its file's name."""
    return {
        "commands.md": _page("Commands", _commands()),
        "errors.md": _page("Errors and findings", _errors()),
        "rules.md": _page("Rules of the policy", _rules()),
        "spec.md": _page("The spec and its defaults", _spec()),
    }


def _page(title: str, lines: Iterator[str]) -> str:
    return "\n".join([f"# {title}", "", _MADE, "", *lines]).rstrip() + "\n"


def _commands() -> Iterator[str]:
    group = app.app
    settings = {**group.context_settings, "terminal_width": 100}
    context = click.Context(group, info_name="hotfix", **settings)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=context)
        yield f"## hotfix {name}"
        yield ""
        yield "```text"
        yield from command.get_help(inner).rstrip().splitlines()
        yield "```"
        yield ""
    yield "## Exit codes"
    yield ""
    yield "| code | meaning |"
    yield "| --- | --- |"
    yield from (f"| {code} | {meaning} |" for code, meaning in MEANINGS.items())


def _rules() -> Iterator[str]:
    yield "What `policy.decisions` decides, by the code of what is found. Built in is what follows"
    yield "where nobody decides: `warn` tells, `ask` has a person go past it knowingly, `deny`"
    yield "blocks."
    yield ""
    yield "| rule | asks for | built in |"
    yield "| --- | --- | --- |"
    yield from (
        f"| `{name}` | {rule.sentence} | `{rule.decision}` |" for name, rule in RULES.items()
    )


def _errors() -> Iterator[str]:
    yield "What stands in `error[CODE]`, the exit code that goes with it, and the sentence, where"
    yield "`…` is what was seen. Findings of a plan block it (exit 4) unless they are warnings;"
    yield "those of a [rule](rules.md) are weighed by the policy."
    yield ""
    yield "| code | exit | says |"
    yield "| --- | --- | --- |"
    found: dict[tuple[str, int], list[str]] = {}
    for module in sorted((ROOT / "hotfix").rglob("*.py")):
        for code, status, said in _raised(ast.parse(module.read_bytes())):
            found.setdefault((code, status), []).append(said)
    for (code, status), sentences in sorted(found.items()):
        said = " / ".join(dict.fromkeys(sentences)).replace("|", "\\|")
        yield f"| `{code}` | {status} | {said} |"


def _raised(tree: ast.AST) -> Iterator[tuple[str, int, str]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        status = _KINDS.get(node.func.id)
        named = {word.arg: word.value for word in node.keywords}
        code = named.get("code") or (node.args[0] if len(node.args) > 1 else None)
        said = named.get("message") or (node.args[1] if len(node.args) > 1 else None)
        if status and isinstance(code, ast.Constant) and isinstance(code.value, str) and said:
            yield code.value, status, _sentence(said)


def _sentence(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text.replace("\n", " ")
        case ast.JoinedStr():
            return "".join(_sentence(part) for part in node.values)
        case ast.BinOp(left=left, right=right):
            return _sentence(left) + _sentence(right)
        case _:
            return "…"


def _spec() -> Iterator[str]:
    yield "Every key of a spec and of `defaults.yaml`, from the JSON Schemas (`hotfix schema spec`,"
    yield "`hotfix schema defaults`). What a spec leaves out, `defaults.yaml` says."
    for title, schema in (("Spec", spec_schema()), ("defaults.yaml", defaults_schema())):
        yield ""
        yield f"## {title}"
        yield ""
        yield "| key | type | meaning |"
        yield "| --- | --- | --- |"
        rows = dict.fromkeys(_rows(schema, schema, "", ()))
        yield from sorted(rows)


def _rows(
    schema: dict[str, Any], node: dict[str, Any], place: str, above: tuple[str, ...]
) -> Iterator[str]:
    node, above = _followed(schema, node, above)
    for key, value in node.get("properties", {}).items():
        name = f"{place}.{key}" if place else key
        inner, seen = _followed(schema, value, above)
        meaning = value.get("description") or inner.get("description") or ""
        if value.get("default") is not None:
            meaning += f" Default: `{json.dumps(value['default'])}`."
        text = " ".join(meaning.split()).replace("|", "\\|")
        yield f"| `{name}` | {_type(schema, value)} | {text} |"
        if seen.count(seen[-1] if seen else "") < 2:
            yield from _rows(schema, inner, name, seen)
            if isinstance(inner.get("items"), dict):
                yield from _rows(schema, inner["items"], f"{name}[]", seen)
    for choice in ("oneOf", "anyOf", "allOf"):
        for part in node.get(choice, ()):
            yield from _rows(schema, part, place, above)


def _followed(
    schema: dict[str, Any], node: dict[str, Any], above: tuple[str, ...]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    reference = node.get("$ref")
    if reference is None:
        return node, above
    name = reference.rpartition("/")[2]
    return schema["$defs"][name], (*above, name)


def _type(schema: dict[str, Any], node: dict[str, Any]) -> str:
    inner, _ = _followed(schema, node, ())
    if "enum" in inner:
        return " or ".join(f"`{value}`" for value in inner["enum"])
    if "const" in inner:
        return f"`{inner['const']}`"
    kind = inner.get("type")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind:
        return str(kind)
    parts = [_type(schema, part) for key in ("oneOf", "anyOf") for part in inner.get(key, ())]
    return " or ".join(dict.fromkeys(parts)) or "any"


def main() -> None:
    """Write every generated page anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
