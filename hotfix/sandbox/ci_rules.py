"""The conditions of ``rules: if:``: comparisons of variables and texts, joined by and, or."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from hotfix.sandbox.ci_inputs import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<variable>\$\w+)|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<pattern>/[^/]*/i?)
    |(?P<null>null)\b|(?P<operator>==|!=|=~|!~|&&|\|\||\(|\)))""",
    re.VERBOSE,
)


def holds(condition: str, variables: Mapping[str, str]) -> bool:
    """Tell whether a condition is true for these variables; raises ``ConfigurationError``."""
    parser = _Parser(condition, variables)
    result = parser.either()
    if parser.tokens:
        raise ConfigurationError(f"invalid expression syntax: {condition}")
    return bool(result)


class _Parser:
    """Recursive descent, one method per precedence, the loosest first."""

    def __init__(self, condition: str, variables: Mapping[str, str]) -> None:
        self.condition = condition
        self.variables = variables
        self.tokens = list(self._tokens())

    def _tokens(self) -> list[tuple[str, str]]:
        tokens, position = [], 0
        text = self.condition.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise ConfigurationError(f"invalid expression syntax: {self.condition}")
            tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        return tokens

    def _next_is(self, *operators: str) -> bool:
        return bool(self.tokens) and self.tokens[0] in [("operator", o) for o in operators]

    def either(self) -> object:
        left = self.both()
        while self._next_is("||"):
            self.tokens.pop(0)
            right = self.both()
            left = left or right
        return left

    def both(self) -> object:
        left = self.comparison()
        while self._next_is("&&"):
            self.tokens.pop(0)
            right = self.comparison()
            left = left and right
        return left

    def comparison(self) -> object:
        left = self.value()
        if not self._next_is("==", "!=", "=~", "!~"):
            return left
        operator = self.tokens.pop(0)[1]
        right = self.value()
        if operator in ("==", "!="):
            return (left == right) is (operator == "==")
        return bool(re.search(str(right), str(left or ""))) is (operator == "=~")

    def value(self) -> object:
        if not self.tokens:
            raise ConfigurationError(f"invalid expression syntax: {self.condition}")
        kind, text = self.tokens.pop(0)
        if (kind, text) == ("operator", "("):
            inner = self.either()
            if not self._next_is(")"):
                raise ConfigurationError(f"invalid expression syntax: {self.condition}")
            self.tokens.pop(0)
            return inner
        if kind == "variable":
            return self.variables.get(text[1:])
        if kind == "pattern":
            return f"(?i){text[1:-2]}" if text.endswith("i") else text[1:-1]
        return None if kind == "null" else text
