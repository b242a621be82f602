"""Who may do what: users, roles, tokens and their scopes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

NO_ACCESS: Final = 0
GUEST: Final = 10
REPORTER: Final = 20
DEVELOPER: Final = 30
MAINTAINER: Final = 40
OWNER: Final = 50

LEVEL_NAMES: Final = {
    NO_ACCESS: "No one",
    DEVELOPER: "Developers + Maintainers",
    MAINTAINER: "Maintainers",
}


@dataclass(eq=False, slots=True)
class User:
    """An account."""

    id: int
    username: str
    name: str
    email: str
    created_at: datetime
    bot: bool = False
    state: str = "active"


@dataclass(eq=False, slots=True)
class Token:
    """A personal access token; its secret is the key under which the world keeps it."""

    id: int
    name: str
    user: User
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None = None
    revoked: bool = False

    def active(self, now: datetime) -> bool:
        """Tell whether GitLab still takes it."""
        return not self.revoked and (self.expires_at is None or now < self.expires_at)

    def may_read_api(self) -> bool:
        """Tell whether it opens the API for reading."""
        return bool(self.scopes & {"api", "read_api"})

    def may_write_api(self) -> bool:
        """Tell whether it opens the API for writing."""
        return "api" in self.scopes

    def may_fetch(self) -> bool:
        """Tell whether it opens Git repositories for reading; ``read_api`` alone does not."""
        return bool(self.scopes & {"api", "read_repository", "write_repository"})

    def may_push(self) -> bool:
        """Tell whether it opens Git repositories for writing."""
        return bool(self.scopes & {"api", "write_repository"})


@dataclass(eq=False, slots=True)
class Group:
    """A group; its members are members of all its projects."""

    id: int
    path: str
    members: dict[int, int] = field(default_factory=dict)
    """Access level by user id."""
