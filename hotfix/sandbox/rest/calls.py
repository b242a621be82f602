"""A request to the API as routes see it, and what they answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from hotfix.sandbox.refusals import insufficient_scope, invalid, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from werkzeug.wrappers import Request

    from hotfix.sandbox.projects import Project
    from hotfix.sandbox.users import Token, User
    from hotfix.sandbox.world import World

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a body: JSON, or text where a content type is named."""

    body: Any
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A list of things of which the caller gets a page; only that page is rendered."""

    items: Sequence[T]
    render: Callable[[T], Any]


@dataclass(slots=True)
class Call:
    """One request, its caller known, its parameters merged from path, query and body."""

    world: World
    request: Request
    token: Token
    segments: dict[str, str]
    params: dict[str, Any]
    _project: Project | None = None

    @property
    def user(self) -> User:
        """The caller."""
        return self.token.user

    @property
    def project(self) -> Project:
        """The project of the path; one that the caller may not see is not found."""
        if self._project is None:
            found = self.world.find_project(self.segments["project"])
            if found is None or not found.access_level(self.user):
                raise not_found("Project")
            self._project = found
        return self._project

    def need_scope(self, *, write: bool) -> None:
        """Refuse a token that does not open the API, or not for writing."""
        if write and not self.token.may_write_api():
            raise insufficient_scope("api")
        if not self.token.may_read_api():
            raise insufficient_scope("api read_api")

    # parameters
    def text(self, name: str, default: str = "") -> str:
        """Return a parameter as text."""
        value = self.params.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        """Return a parameter that must be there and not empty."""
        if self.params.get(name) is None:
            raise invalid(name, "is missing")
        if self.params[name] == "":
            raise invalid(name, "is empty")
        return str(self.params[name])

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a whole number, of the path or of a parameter."""
        value = self.segments.get(name, self.params.get(name, default))
        try:
            return int(str(value))
        except ValueError:
            raise invalid(name, "is invalid") from None

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a yes or no, however it is written."""
        value = self.params.get(name)
        return default if value is None else str(value).lower() in ("true", "1", "yes")

    def choice(self, name: str, allowed: Sequence[str], default: str) -> str:
        """Return one of the allowed values."""
        value = self.text(name, default)
        if value not in allowed:
            raise invalid(name, "does not have a valid value")
        return value

    def many(self, name: str) -> list[str]:
        """Return a list, given as repeated parameters, with brackets or joined by commas."""
        value = self.params.get(name, [])
        values = value if isinstance(value, list) else str(value).split(",")
        return [str(one) for one in values if one != ""]

    def moment(self, name: str) -> datetime | None:
        """Return a moment, if one is given."""
        value = self.params.get(name)
        if not value:
            return None
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            raise invalid(name, "is invalid") from None
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
