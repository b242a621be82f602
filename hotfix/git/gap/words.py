"""Words of a text in a language whose grammar is not known here: what is used, what is defined.

A definition is told by its line alone, and rather missed than made up.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LONGEST_LINE: Final = 400
"""Longer lines are data, or written by a program."""
_SHORT_WORD: Final = 4

_NAME: Final = r"([A-Za-z_$][\w$]*)"
_WORD: Final = re.compile(r"[A-Za-z_$][\w$]{2,79}", re.ASCII)
_STRING: Final = re.compile(r"""(["'`])((?:\\.|(?!\1)[^\\]){0,300})\1""")
_SYMBOL: Final = re.compile(r"(?<![\w:]):([a-z_]\w{3,79})\b", re.ASCII)
_COMMENT: Final = re.compile(
    r"^\s*(?:#(?!define|include)|//|/\*|\*(?:\s|/|$)|--\s|<!--|;;)|\s(?://|#\s).*$"
)
_KEY_LIKE: Final = re.compile(r"[A-Za-z][\w.-]{3,79}", re.ASCII)
_DISTINCT: Final = re.compile(r"[a-z0-9][A-Z]|\w_\w|\w[.-]\w", re.ASCII)

_KINDS: Final = (
    r"(?:def|class|func|fun|function\*?|fn|const|type|struct|interface|enum|trait|module|namespace"
    r"|macro_rules!|mod|record|protocol|object|val)\s+(?:\([^)]{0,80}\)\s*)?"
)
"""What stands before a name where it is defined; of a method in Go its receiver, too."""
_MODIFIERS: Final = (
    r"(?:(?:export|default|pub(?:\([a-z]{1,9}\))?|public|private|protected|internal|static|final"
    r"|abstract|async|override|virtual|inline|extern|unsafe|open|data|sealed|suspend|readonly"
    r"|declare|partial|lateinit|constexpr)\s+){0,6}"
)
_TYPE: Final = r"[\w<>\[\],.?*&:@]+\s+"
_DEFINITIONS: Final = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        rf"^\s*{_MODIFIERS}{_KINDS}(?:\w{{1,40}}\.)?{_NAME}",
        rf"^#define\s+{_NAME}",
        rf"^(?:export\s+)?(?:let\s+|var\s+)?{_NAME}\s*(?::[^=]{{1,80}})?:?=(?!=)",
        rf"^\s*(?:self\.|this\.|@){_NAME}\s*(?::[^=]{{1,80}})?=(?!=)",
        rf"^\s*(?:{_TYPE}){{0,5}}([A-Z][A-Z0-9_]{{3,}})\s*(?:=(?!=)|[,;]?$)",
        rf"^\s*(?:{_TYPE}){{0,6}}{_NAME}\s*\([^;]*(?:\{{|=>|\))\s*$",
        rf"^\s*(?:{_TYPE}){{1,6}}\*?{_NAME}\s*\([^;]*\)[^;{{]{{0,80}};\s*$",
        r"^\s+([A-Z]\w*)\s+[\w*\[\].]+(?:\s+`[^`]*`)?\s*$",
        rf"^\s*[a-z_]{{3,40}}[\s(]+:{_NAME}",
    )
)
"""Named kinds, macros, what stands at the top level, members, constants, methods with and without
a body, fields of Go, and what Ruby's macros make."""
_NO_DEFINITION: Final = re.compile(
    r"^\s*(?:return|if|else|elif|for|while|switch|case|catch|throw|new|await|yield|delete|goto"
    r"|assert|raise|import|from|use|using|require|include|package|print|in|and|or|not|unless"
    r"|with|except|when|match|defer|go|echo|super)\b",
    re.ASCII,
)
_BINDINGS: Final = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        rf"\b(?:{_KINDS}|(?:let|var|for|each|catch|as|foreach|mut)\s+)[({{\[]?\s*{_NAME}",
        rf"(?<![.\w]){_NAME}\s*(?::[^=,()]{{1,60}})?:?=(?![=>~])",
        rf"(?<![.\w]){_NAME}\s*(?:,\s*[\w$]+\s*){{1,8}}:?=(?!=)",
        rf"(?<![.\w]){_NAME}\??\s*:(?!:)",
        rf"[\w>\]*&?]\s+[*&]?{_NAME}\s*[,);=]",
        rf"[(,]\s*{_NAME}\s+[\w*\[\].]+\s*[,)]",
        rf"[({{,]\s*{_NAME}\s*(?=[,)}}][^;]*(?:=>|\}}\s*=))",
        rf"\|\s*(?:\w+\s*,\s*){{0,4}}{_NAME}\s*[,|]",
    )
)
"""Named kinds and loops, assignments to one and to several, types behind and before a parameter,
what is taken apart, and the parameters of blocks."""
_PARAMETERS: Final = re.compile(
    r"\b(?:def|func|fun|function\*?|fn)\b[^(]{0,80}\(([^)]{0,300})\)", re.ASCII
)
_KEY: Final = re.compile(
    r"""^\s*(?:-\s+|export\s+|ENV\s+|set\s+|variable\s+)?["']?([A-Za-z][\w.-]*)["']?"""
    r"\s*(?:[:=]|\s\{)",
    re.ASCII,
)


def used(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[str, int]]:
    """Yield the identifiers of lines, outside of comments and strings, with their numbers."""
    for number, line in code(lines):
        for word in _WORD.findall(_STRING.sub('""', line)):
            yield word, number


def literals(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[str, int]]:
    """Yield what stands in quotes, and Ruby's symbols, with the numbers of the lines."""
    for number, line in code(lines):
        for _, text in _STRING.findall(line):
            yield text, number
        for text in _SYMBOL.findall(_STRING.sub('""', line)):
            yield text, number


def defined(text: str) -> Iterator[str]:
    """Yield the words that a text defines for others."""
    for _, line in code(enumerate(text.split("\n"), 1)):
        if not _NO_DEFINITION.match(line):
            yield from (match[1] for each in _DEFINITIONS if (match := each.match(line)))


def bound(lines: Iterable[tuple[int, str]]) -> Iterator[str]:
    """Yield the words that lines may define or bind themselves, rather too many."""
    for _, line in code(lines):
        for pattern in _BINDINGS:
            yield from pattern.findall(line)
        for parameters in _PARAMETERS.findall(line):
            yield from _WORD.findall(parameters)


def keys(text: str) -> Iterator[str]:
    """Yield the keys of a configuration, whatever its format."""
    for _, line in code(enumerate(text.split("\n"), 1)):
        if match := _KEY.match(line):
            yield match[1]


def code(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Leave out comments, and lines that nobody wrote."""
    for number, line in lines:
        if len(line) <= _LONGEST_LINE:
            yield number, line[: match.start()] if (match := _COMMENT.search(line)) else line


def words_of(text: str) -> set[str]:
    """Return every word of a text."""
    return set(_WORD.findall(text))


def is_distinct(word: str) -> bool:
    """Tell whether a word is made of several, so that it hardly means two things by chance."""
    return len(word) > _SHORT_WORD and _DISTINCT.search(word) is not None


def is_key(text: str) -> bool:
    """Tell whether a text may be a key of a configuration, and hardly anything else."""
    return _KEY_LIKE.fullmatch(text) is not None and (text.isupper() or is_distinct(text))
