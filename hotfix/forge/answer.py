"""An answer of GitLab's, read key by key.

GitLab is a server like any other: behind a broken proxy or in another version it may leave out
what we need or give it another type. Each reader here returns the value or raises a ``ForgeError``
that names the request and the key, so that nothing wrong goes further in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TypeVar

from hotfix.forge.protocol import ForgeError
from hotfix.identifiers import SHA_PATTERN, Sha

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON value and the request that brought it; ``place`` is where in the answer it stands."""

    asked: str
    value: object
    place: str = ""

    def text(self, key: str) -> str:
        """Read a string that must be there."""
        return self._needed(key, str, "a string")

    def maybe_text(self, key: str) -> str | None:
        """Read a string; ``None`` where it is null or left out."""
        return None if self._get(key) is None else self.text(key)

    def number(self, key: str) -> int:
        """Read an integer that must be there."""
        return self._needed(key, int, "an integer")

    def maybe_number(self, key: str) -> int | None:
        """Read an integer; ``None`` where it is null or left out."""
        return None if self._get(key) is None else self.number(key)

    def key(self, key: str) -> str | int:
        """Read what tells a row from others: a number, or of a commit its id."""
        return self.text(key) if isinstance(self._get(key), str) else self.number(key)

    def flag(self, key: str) -> bool:
        """Read a boolean; null and left out mean false (GitLab docs, "REST API", booleans)."""
        return False if self._get(key) is None else self._needed(key, bool, "a boolean")

    def maybe_flag(self, key: str) -> bool | None:
        """Read a boolean; ``None`` where it is null or left out."""
        return None if self._get(key) is None else self.flag(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """Read a list of strings that must be there."""
        values = self._needed(key, list, "a list")
        if not all(isinstance(value, str) for value in values):
            raise self._wrong(key, "a list of strings")
        return tuple(values)

    def sha(self, key: str) -> Sha:
        """Read the id of a commit, 40 hex digits."""
        text = self.text(key)
        if not re.match(SHA_PATTERN, text):
            raise self._wrong(key, "a commit id of 40 hex digits")
        return Sha(text)

    def maybe_sha(self, key: str) -> Sha | None:
        """Read the id of a commit; ``None`` where it is null, empty or left out."""
        return self.sha(key) if self._get(key) else None

    def time(self, key: str) -> datetime:
        """Read a time that must be there."""
        try:
            moment = datetime.fromisoformat(self.text(key))
        except ValueError:
            raise self._wrong(key, "a time") from None
        if moment.tzinfo is None:
            raise self._wrong(key, "a time with its zone")
        return moment.astimezone(UTC)

    def maybe_time(self, key: str) -> datetime | None:
        """Read a time; ``None`` where it is null or left out."""
        return None if self._get(key) is None else self.time(key)

    def maybe_date(self, key: str) -> date | None:
        """Read a day; ``None`` where it is null or left out."""
        text = self.maybe_text(key)
        try:
            return None if text is None else date.fromisoformat(text)
        except ValueError:
            raise self._wrong(key, "a date") from None

    def child(self, key: str) -> Answer:
        """Read an object that must be there."""
        return Answer(self.asked, self._needed(key, dict, "an object"), self._name(key))

    def maybe_child(self, key: str) -> Answer | None:
        """Read an object; ``None`` where it is null or left out."""
        return None if self._get(key) is None else self.child(key)

    def children(self, key: str) -> list[Answer]:
        """Read a list of objects that must be there."""
        rows = self._needed(key, list, "a list")
        return [Answer(self.asked, row, f"{self._name(key)}[{i}]") for i, row in enumerate(rows)]

    def maybe_children(self, key: str) -> list[Answer] | None:
        """Read a list of objects; ``None`` where it is null or left out."""
        return None if self._get(key) is None else self.children(key)

    def rows(self) -> list[Answer]:
        """Read the answer itself as a list of objects."""
        if not isinstance(self.value, list):
            raise self._unfit("is not the list that was expected")
        return [Answer(self.asked, row, f"[{i}]") for i, row in enumerate(self.value)]

    def _get(self, key: str) -> object:
        if not isinstance(self.value, dict):
            where = f" at {self.place}" if self.place else ""
            raise self._unfit(f"is not the object that was expected{where}")
        return self.value.get(key)

    def _needed(self, key: str, kind: type[T], name: str) -> T:
        value = self._get(key)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self._wrong(key, name)
        return value

    def _wrong(self, key: str, expected: str) -> ForgeError:
        return self._unfit(f"has no {self._name(key)} that is {expected}")

    def _name(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key

    def _unfit(self, what: str) -> ForgeError:
        return ForgeError(
            f"GitLab's answer to {self.asked} {what}",
            status=200,
            code="gitlab-answer",
            hint="Check that the address is a GitLab's and that no proxy answers in its place.",
        )
