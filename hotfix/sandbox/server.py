"""The embedded GitLab on loopback: in a thread for tests and demos, or in the foreground."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Self

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from hotfix.sandbox.application import Application
from hotfix.sandbox.seed import example

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from hotfix.sandbox.faults import Faults
    from hotfix.sandbox.request_log import RequestLog
    from hotfix.sandbox.world import World

LOOPBACK = "127.0.0.1"


class _QuietHandler(WSGIRequestHandler):
    """Requests are noted by the application, not printed."""

    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002, ANN401 - werkzeug's names
        if type == "error":
            super().log(type, message, *args)

    def send_response(self, code: int, message: str | None = None) -> None:
        # The date is the world's, so the application writes it.
        self.send_response_only(code, message)

    def connection_dropped(
        self, error: BaseException, environ: dict[str, Any] | None = None
    ) -> None:
        del error, environ
        self.close_connection = True


class Sandbox:
    """A world, served on loopback for as long as the context lasts."""

    def __init__(self, world: World, port: int = 0, host: str = LOOPBACK) -> None:
        """Take a port, 0 for any that is free; nothing is answered before the context begins."""
        self.world = world
        self._application = Application(world)
        self._server: BaseWSGIServer = make_server(
            host, port, self._application, threaded=True, request_handler=_QuietHandler
        )
        world.url = self.url
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True
        )

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://{self._server.host}:{self._server.port}"

    @property
    def requests(self) -> RequestLog:
        """All requests so far."""
        return self._application.requests

    @property
    def faults(self) -> Faults:
        """What shall go wrong."""
        return self._application.faults

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def serve(
    host: str = LOOPBACK,
    port: int = 0,
    pace: float = 1.0,
    on_ready: Callable[[Sandbox], None] | None = None,
) -> None:
    """Serve the example world until interrupted; ``on_ready`` is told when it can be reached."""
    stopped = threading.Event()
    with Sandbox(example(pace=pace), port=port, host=host) as sandbox:
        if on_ready is not None:
            on_ready(sandbox)
        stopped.wait()
