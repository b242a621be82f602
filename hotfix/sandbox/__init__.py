"""The embedded GitLab: REST, Git over HTTP, pipelines that move, faults on request.

People rehearse a hotfix on it, ``hotfix demo`` shows one, and every end-to-end test runs against
it. It holds what GitLab holds in memory, knows its rules, and is reached on loopback alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hotfix.sandbox.server import Sandbox, serve

__all__ = ["Sandbox", "serve"]


def __getattr__(name: str) -> object:
    """Load the server when it is first asked for: werkzeug is not needed to import this."""
    if name in __all__:
        from hotfix.sandbox import server  # noqa: PLC0415 - lazy on purpose

        return getattr(server, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
